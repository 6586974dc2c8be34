"""What one open phone receives: frames from its place on, a ping when nothing happens."""

from __future__ import annotations

from collections.abc import Iterator
from random import randint

from killer.game.model import PlayerId
from killer.live.frames import PING, resync
from killer.live.hub import Feed, Hub

PING_SECONDS = 12.0
RETRY = 1500  # milliseconds until a browser opens a stream again that was dropped
SPREAD = 500  # sooner or later: the phones of a node that dies don't come in the same moment
HELLO = b"retry: %d\n" % RETRY + PING
GOODBYE = b"retry: 500\n\n"


def hello() -> bytes:
    """Give the first bytes of a stream, with a moment of its own to come back at."""
    retry = RETRY + randint(-SPREAD, SPREAD)  # noqa: S311  # no secret
    return HELLO.replace(b"%d" % RETRY, b"%d" % retry)


def stream(hub: Hub, feed: Feed, viewer: PlayerId, place: int) -> Iterator[bytes]:
    """Give the bytes of a stream until the server closes or the viewer is signed out."""
    sessions = feed.game.players[viewer].sessions
    yield hello()
    while hub.open and feed.open and feed.game.players[viewer].sessions == sessions:
        frames = feed.since(place)
        if frames is None:
            place = feed.game.version
            yield resync(place)
        elif frames:
            place = frames[-1].version
            yield b"".join(frame.to(viewer) for frame in frames)
        else:
            feed.wait(place, PING_SECONDS)
            if hub.open and feed.open and feed.game.version == place:
                yield PING
    yield GOODBYE
