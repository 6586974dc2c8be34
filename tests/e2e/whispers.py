"""What an answer gives away: every page there is, cut into the pieces that say one thing."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from html import unescape
from typing import Any
from urllib.parse import quote

from killer.web.routes import ROUTES

FILES = ("/static/", "/api/events")
PLACE = re.compile(r"<[^>]+>")
PIECE = re.compile(
    r"(?=<(?:li|tr|article|section|nav|header|footer|dialog|ol|ul|main|h1|h2)\b|</(?:ul|ol|tbody)>)"
)
#: Portraits are drawn from the nickname alone; a crowd on a step of a podium shares it by kills.
PUBLIC = re.compile(r"<svg class='face.*?</svg>|<div class=\"step-people.*?</div>", re.DOTALL)


def paths(other: str) -> list[str]:
    """Give every address that answers a GET, asked about somebody else where it names a player."""
    rules = [r.rule for r in ROUTES if r.method == "GET" and not r.rule.startswith(FILES)]
    return [PLACE.sub(lambda m: filling(m[0], other), rule) for rule in rules]


def filling(place: str, other: str) -> str:
    """Fill a place in a rule."""
    name = place.strip("<>").rpartition(":")[2]
    return {"nickname": quote(other), "verb": "start"}.get(name, "1")


def pieces(body: bytes) -> list[str]:
    """Cut an answer into records: a row, a list's item, a JSON object, a paragraph."""
    text = body.decode()
    if text.startswith(("{", "[")):
        return list(objects(json.loads(text)))
    return PIECE.split(unescape(PUBLIC.sub("", text)))


def objects(value: Any) -> Iterator[str]:
    """Give each object of a JSON document without the objects inside it."""
    if isinstance(value, dict):
        own = {k: v for k, v in value.items() if not isinstance(v, dict | list)}
        yield json.dumps(own, sort_keys=True)
    if isinstance(value, list) and not all(isinstance(one, dict | list) for one in value):
        yield json.dumps(value)
    for one in value.values() if isinstance(value, dict) else value:
        if isinstance(one, dict | list):
            yield from objects(one)


def betrayed(body: bytes, reader: str, ring: Mapping[str, str]) -> list[str]:
    """Find hunters beside their prey, the reader's own prey aside."""
    found = []
    for piece in pieces(body):
        named = {nickname for nickname in ring if nickname in piece}
        found += [f"{h} hunts {ring[h]}" for h in named if h != reader and ring[h] in named]
    return found


def looks(body: bytes, nickname: str) -> list[str]:
    """Give the pieces that name somebody, with the nickname itself blotted out."""
    blot = re.compile(re.escape(nickname), re.IGNORECASE)
    return [blot.sub("•", piece).strip() for piece in pieces(body) if blot.search(piece)]


def told(body: bytes, secrets: Collection[str]) -> set[str]:
    """Find which secrets an answer holds."""
    return {secret for secret in secrets if secret.encode() in body}
