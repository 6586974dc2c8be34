"""The least that a WSGI program can do for the same answers: the yardstick beside the server."""

from __future__ import annotations

import hashlib
import hmac
import os
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

KEY = hashlib.sha256(b"bare").digest()


class Answer(msgspec.Struct, frozen=True):
    """What is sent for a path."""

    headers: list[tuple[str, str]]
    body: bytes


def kept() -> dict[str, Answer]:
    """Read the answers by path, from the file that the environment names."""
    if "BODIES" not in os.environ:
        return {}
    return msgspec.json.decode(Path(os.environ["BODIES"]).read_bytes(), type=dict[str, Answer])


ANSWERS = kept()


def cookie() -> str:
    """Make a cookie that the program accepts."""
    body = "eyJnYW1lIjoxLCJwbGF5ZXIiOjEsInNlc3Npb25zIjowLCJhdCI6MTc5NTM2MDE4Mn0="
    return f"killer={body}.{_seal(body)}"


def _seal(body: str) -> str:
    return hmac.digest(KEY, body.encode(), "sha256").hex()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer from memory, after checking the cookie's signature where the server does."""
    path = environ["PATH_INFO"]
    if path != "/health":
        value, _, seal = environ["HTTP_COOKIE"].removeprefix("killer=").partition(".")
        if not hmac.compare_digest(_seal(value), seal):
            start_response("401 UNAUTHORIZED", [("Content-Length", "0")])
            return (b"",)
        msgspec.json.decode(urlsafe_b64decode(value))
    start_response("200 OK", ANSWERS[path].headers)
    return (ANSWERS[path].body,)
