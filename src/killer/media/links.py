"""The Drive files that a cell of a form names, in whichever form its links were written."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import SplitResult, parse_qs, urlsplit

_BETWEEN = re.compile(r"[\s,;|]+")
_AROUND = "<>()[]{}\"'«»“”"
_ID = re.compile(r"[\w-]{10,200}", re.ASCII)
#: By itself only what is as long as Drive's identifiers are: no word, no name, no telephone number.
_BARE = re.compile(r"(?=.*[A-Z])(?=.*[a-z])[\w-]{25,100}", re.ASCII)
_DRIVE = frozenset({"drive.google.com", "docs.google.com", "drive.usercontent.google.com"})
_SHOWN = re.compile(r"lh\d\.(google|googleusercontent)\.com")
_IN_PATH = re.compile(r"/d/([^/=]+)")
_SCHEMES = ("http://", "https://")


def file_ids(cell: str) -> tuple[str, ...]:
    """Give the identifiers of the Drive files in a cell, in their order, each once.

    Folders, other sites and mere words give nothing.
    """
    words = (word.strip(_AROUND) for word in _BETWEEN.split(unescape(cell)))
    return tuple(dict.fromkeys(found for word in words if (found := _file_id(word))))


def _file_id(word: str) -> str:
    if _BARE.fullmatch(word):
        return word
    wanted = word if word.lower().startswith(_SCHEMES) else f"https://{word}"
    try:
        found = _in_address(urlsplit(wanted))
    except ValueError:  # no address at all, such as "http://["
        return ""
    return found if _ID.fullmatch(found) else ""


def _in_address(url: SplitResult) -> str:
    host = url.hostname or ""
    if host not in _DRIVE and not _SHOWN.fullmatch(host):
        return ""
    in_path = _IN_PATH.search(url.path)
    return in_path[1] if in_path else parse_qs(url.query).get("id", [""])[0]
