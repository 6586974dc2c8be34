"""Sessions in Redis: the cookie of whoever is signed in holds a random name and nothing else."""

from __future__ import annotations

import hmac
import secrets

import msgspec
from flask import Flask, Request

from killer.store.redis import Redis, RedisUnavailableError
from killer.web.sessions import LIFETIME, Session, SignedCookies


class KeptSessions(SignedCookies):
    """Keeps the sessions of those who are signed in; visitors and monitors fill no memory.

    A signed cookie goes on being read: it is a visitor's, or of a player who signed in before
    sessions were kept here, whose next page moves it.
    """

    def __init__(self, secret: bytes, redis: Redis) -> None:
        super().__init__(secret)
        self._redis = redis

    def open_session(self, app: Flask, request: Request) -> Session:
        """Read the session; it is `lost`, not empty, when Redis can't be asked."""
        session = super().open_session(app, request)
        session.modified = "player" in session and not session.key
        return session

    def parse(self, value: str) -> Session:
        """Read a session by its cookie's value; nothing is remembered from one call to the next."""
        if not value or "." in value:
            return super().parse(value)
        session = Session()
        try:
            found = self._redis.session(self._name(value))
        except RedisUnavailableError:
            session.lost = True
            return session
        if found is not None:
            session.update(msgspec.json.decode(found))
            session.key = value
        return session

    def keep(self, session: Session) -> None:
        """Keep what has changed; a session that begins or ends gets another name.

        Raises:
            RedisUnavailableError: it is not kept.
        """
        if session.lost or not session.modified:
            return
        if session.key and session.cleared:
            self._redis.drop_session(self._name(session.key))
            session.key = ""
        if "player" in session:
            fresh = not session.key
            session.key = session.key or secrets.token_urlsafe(24)
            value = msgspec.json.encode({**session})
            self._redis.keep_session(self._name(session.key), value, LIFETIME, fresh=fresh)

    def write(self, session: Session) -> str:
        """Give the cookie's value."""
        return session.key or super().write(session)

    def _name(self, value: str) -> str:
        """Name a session in Redis: who reads there can't sign in, nor on another deployment."""
        return hmac.digest(self._key, value.encode(), "sha256").hex()
