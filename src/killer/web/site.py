"""What every view works with: the parts of this server, and whoever is looking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, cast

from flask import current_app, g, request
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from killer import secret as secret_
from killer.game.model import Game, Player
from killer.live.bell import Bell
from killer.live.broadcast import Broadcast
from killer.live.hub import Feed, Hub, UnknownGameError
from killer.media.shelf import Shelf
from killer.play import Play, Request
from killer.settings import Settings
from killer.store.database import Database
from killer.store.redis import Redis
from killer.web.route import Route
from killer.web.sessions import SignedCookies
from killer.web.static_files import StaticFiles

KEY = "killer"
NETWORK = 64  # bits of an IPv6 address that its provider gives; the rest one phone may choose


@dataclass(frozen=True)
class Site:
    """The parts, put together once in `app.py`."""

    settings: Settings
    database: Database
    hub: Hub
    play: Play
    static: StaticFiles
    routes: tuple[Route, ...]
    shared_limits: FixedWindowRateLimiter  # counted for all workers
    broadcast: Broadcast
    sessions: SignedCookies
    bell: Bell
    redis: Redis | None
    shelf: Shelf

    @cached_property
    def secret(self) -> bytes:
        """Give the server's secret; what is made with it, nobody guesses."""
        return secret_.of(self.settings)

    @cached_property
    def local_limits(self) -> FixedWindowRateLimiter:
        """Count in this worker only; made after the fork, because it starts a thread."""
        return FixedWindowRateLimiter(MemoryStorage())


@dataclass(frozen=True)
class Viewer:
    """Whoever is signed in, in the game's newest version."""

    feed: Feed
    game: Game
    player: Player


def site() -> Site:
    """Give the parts of the server that answers."""
    return cast("Site", current_app.extensions[KEY])


def find_viewer(hub: Hub, session: Mapping[str, Any], *, blind: bool = False) -> Viewer | None:
    """Give whoever a session names, unless the sessions of that player were ended.

    Blind means: when the database doesn't answer, by what this process has last read in it.
    """
    if "player" not in session:
        return None
    try:
        feed = hub.known(session["game"]) if blind else hub.feed(session["game"])
    except UnknownGameError:
        return None
    player = feed.game.players.get(session["player"])
    if player is None or player.sessions != session["sessions"]:
        return None
    return Viewer(feed, feed.game, player)


def viewer_or_none() -> Viewer | None:
    """Give whoever is looking, if somebody is signed in."""
    return cast("Viewer | None", g.get("viewer"))


def viewer() -> Viewer:
    """Give whoever is looking; the guard has seen to it that somebody is."""
    found = viewer_or_none()
    assert found is not None
    return found


def address() -> str:
    """Give the caller's address; a whole IPv6 network counts as one."""
    found = request.remote_addr or ""
    try:
        known = ip_address(found)
    except ValueError:
        return found  # a socket file has none
    if not isinstance(known, IPv6Address):
        return found
    return str(known.ipv4_mapped or ip_network((known, NETWORK), strict=False))


def outer_address() -> str:
    """Give the address by which people reach this server: PUBLIC_URL, or the one they used."""
    return site().settings.public_url.rstrip("/") or request.host_url.rstrip("/")


def asked(reason: str = "") -> Request:
    """Describe the present request for the log, with its idempotency key."""
    return Request(
        actor=viewer().player.id,
        reason=reason.strip()[:500],
        key=cast("str", g.get("idempotency_key", "")),
        about=cast("str", g.get("about", "")),
    )
