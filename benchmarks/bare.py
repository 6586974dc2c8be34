"""The least that a WSGI program can do for the same answers: the yardstick beside the server."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

KEY = hashlib.sha256(b"bare").digest()
ME = msgspec.json.encode({"player": "x" * 120, "game": "y" * 60})
BOARD = b"x" * 5000


def cookie() -> str:
    """Make a cookie that the program accepts."""
    body = "eyJnYW1lIjoxLCJwbGF5ZXIiOjEsInNlc3Npb25zIjowLCJhdCI6MTc5NTM2MDE4Mn0="
    return f"killer={body}.{_seal(body)}"


def _seal(body: str) -> str:
    return hmac.digest(KEY, body.encode(), "sha256").hex()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer from memory, after checking the cookie's signature where the server does."""
    path = environ["PATH_INFO"]
    body = b"ok"
    if path != "/health":
        value, _, seal = environ["HTTP_COOKIE"].removeprefix("killer=").partition(".")
        if not hmac.compare_digest(_seal(value), seal):
            start_response("401 UNAUTHORIZED", [("Content-Length", "0")])
            return (b"",)
        msgspec.json.decode(urlsafe_b64decode(value))
        body = ME if path == "/api/me" else BOARD
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    return (body,)
