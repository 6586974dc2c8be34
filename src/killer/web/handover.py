"""A live stream as an answer: the server writes its head, then the broadcaster takes the socket."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from gevent import socket as cooperative

from killer.live.broadcast import Broadcast, Line
from killer.live.hub import Feed
from killer.live.stream import hello, stream
from killer.web.site import Viewer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

UNHEARD = 30_000  # milliseconds that the kernel waits for a phone to take what was written
LONGEST_VERSION = 9  # digits
MOST_STREAMS = 50  # of one player in one worker: nobody takes all the connections
HEAD = [
    ("Content-Type", "text/event-stream; charset=utf-8"),
    ("Cache-Control", "no-store"),
    ("X-Accel-Buffering", "no"),
    ("X-Content-Type-Options", "nosniff"),
]
CHUNKED = {"HTTP/1.1": True, "HTTP/1.0": False}  # as gunicorn writes a body without a length


def place_of(feed: Feed, last: str, since: str) -> int:
    """Give the version from which a stream goes on: its `Last-Event-ID`, its address, or now."""
    place = last or since
    sound = place.isdecimal() and len(place) <= LONGEST_VERSION
    return int(place) if sound else feed.game.version


def follow(
    broadcast: Broadcast, viewer: Viewer, place: int, request: WSGIEnvironment
) -> Iterator[bytes]:
    """Give a stream's body: from the broadcaster where the server lends its socket."""
    return take_over(broadcast, viewer, place, request) or _by_itself(broadcast, viewer, place)


def take_over(
    broadcast: Broadcast, viewer: Viewer, place: int, request: WSGIEnvironment
) -> Handover | None:
    """Give a stream's body whose rest the broadcaster writes, if the server lends its socket."""
    lent = request.get("gunicorn.socket")
    protocol = request["SERVER_PROTOCOL"]
    if not isinstance(lent, cooperative.socket) or isinstance(lent, ssl.SSLSocket):
        return None
    if protocol not in CHUNKED:
        return None

    def give() -> None:
        with suppress(OSError):  # a socket file has no such option
            lent.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNHEARD)
        player = viewer.player
        line = Line(
            os.dup(lent.fileno()), player.id, player.sessions, place, chunked=CHUNKED[protocol]
        )
        broadcast.take(viewer.feed, line)

    return Handover(give)


class Handover(Iterator[bytes]):
    """Says hello through the server, then gives the socket away and makes the server let go."""

    def __init__(self, give: Callable[[], None]) -> None:
        self._give = give
        self._greeted = False

    def __next__(self) -> bytes:
        """Give the hello; the second time, the socket is gone.

        Raises:
            BrokenPipeError: what gunicorn takes for a phone that has left: it forgets the request
                without a word, neither ending the answer nor shutting the connection down.
        """
        if not self._greeted:
            self._greeted = True
            return hello()
        self._give()
        raise BrokenPipeError(errno.EPIPE, "the broadcaster has the socket")


def _by_itself(broadcast: Broadcast, viewer: Viewer, place: int) -> Iterator[bytes]:
    broadcast.streams.opened(viewer.feed, viewer.player.id)
    try:
        yield from stream(broadcast.hub, viewer.feed, viewer.player.id, place)
    finally:
        broadcast.streams.closed(viewer.feed, viewer.player.id)
