"""What one open phone receives: frames from its place on, a ping when nothing happens."""

from __future__ import annotations

from collections.abc import Iterator

from killer.game.model import PlayerId
from killer.live.frames import PING, resync
from killer.live.hub import Feed, Hub

PING_SECONDS = 12.0
HELLO = b"retry: 2000\n" + PING
GOODBYE = b"retry: 500\n\n"


def stream(hub: Hub, feed: Feed, viewer: PlayerId, place: int) -> Iterator[bytes]:
    """Give the bytes of a stream until the server closes or the viewer is signed out."""
    sessions = feed.game.players[viewer].sessions
    yield HELLO
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
