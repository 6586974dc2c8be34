"""The session: a small signed cookie that names a player of a game."""

from __future__ import annotations

import hashlib
import hmac
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import msgspec
from flask import Flask, Request, Response, request
from flask.sessions import SessionInterface, SessionMixin

COOKIE = "killer"
LIFETIME = 30 * 86400  # seconds


class Session(dict[str, Any], SessionMixin):
    """What is kept of a browser: `game`, `player`, `sessions`, `lang`, `notice`, the CSRF token."""

    modified = False
    accessed = True
    cleared = False  # whatever it was before, it is another one now
    lost = False  # nobody can say now what it holds
    key = ""  # under which it is kept elsewhere than in the cookie

    def __setitem__(self, key: str, value: Any) -> None:
        """Put a value and remember that the cookie must be sent again."""
        self.modified = True
        super().__setitem__(key, value)

    def clear(self) -> None:
        """Forget everything."""
        self.modified = self.cleared = True
        super().clear()


class SignedCookies(SessionInterface):
    """Keeps sessions in cookies signed with HMAC-SHA256: no query, no file, about 10 µs."""

    def __init__(self, secret: bytes) -> None:
        self._key = hashlib.sha256(b"session:" + secret).digest()

    def open_session(self, app: Flask, request: Request) -> Session:  # noqa: ARG002  # Flask's
        """Read the session, or begin an empty one when the cookie is missing, forged or too old."""
        return self.parse(request.cookies.get(COOKIE, ""))

    def save_session(self, app: Flask, session: Any, response: Response) -> None:  # noqa: ARG002  # as above
        """Send the cookie again when something in it has changed."""
        if session.lost or not session.modified:
            return
        if not session:
            response.delete_cookie(COOKIE, path="/", httponly=True, samesite="Lax")
            return
        response.set_cookie(
            COOKIE,
            self.write(session),
            max_age=LIFETIME,
            path="/",
            httponly=True,
            samesite="Lax",
            secure=request.is_secure,
        )

    def keep(self, session: Session) -> None:
        """Keep what doesn't fit into the cookie, before the answer leaves: here nothing."""

    def write(self, session: Session) -> str:
        """Give the cookie's value."""
        body = urlsafe_b64encode(msgspec.json.encode({**session, "at": int(time.time())}))
        return f"{body.decode()}.{self._seal(body)}"

    def parse(self, value: str) -> Session:
        """Read a cookie's value; anything that we didn't write gives an empty session."""
        body, _, seal = value.partition(".")
        if not seal or not hmac.compare_digest(self._seal(body.encode()).encode(), seal.encode()):
            return Session()
        found = msgspec.json.decode(urlsafe_b64decode(body))
        found_at = found.pop("at", 0)
        return Session(found) if time.time() - found_at < LIFETIME else Session()

    def _seal(self, body: bytes) -> str:
        return hmac.digest(self._key, body, "sha256").hex()
