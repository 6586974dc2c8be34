"""One broadcaster for each process: it owns the sockets of the open streams and writes to them.

A request for a stream ends as soon as its socket is taken over, so that an open phone costs a
file descriptor and a few hundred bytes, not a greenlet with all that a request holds.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from contextlib import suppress

import structlog
from gevent import monkey

from killer.game.model import PlayerId
from killer.live.frames import PING, Frame, resync
from killer.live.hub import Feed, Hub
from killer.live.stream import GOODBYE, PING_SECONDS
from killer.watch import metrics

TICK = 1.0  # seconds between two looks for phones that have hung up
PAUSE = 0.1  # seconds between two tellings: of a burst of deaths, phones hear in few words
PARTING = 2.0  # seconds for all the goodbyes of a process that ends
BREATH = 250  # phones that are written to before other requests have their turn
LAST_CHUNK = b"0\r\n\r\n"

Whose = tuple[int, PlayerId]  # a player of a game

#: gevent takes epoll out of `select`, because waiting in it blocks; here nobody waits in it.
_epoll = monkey.get_original("select", "epoll")


class OpenStreams(Counter[Whose]):
    """How many streams each player has open in this process, told to the metrics too."""

    def opened(self, feed: Feed, viewer: PlayerId) -> None:
        """Count one more."""
        self[feed.number, viewer] += 1
        metrics.STREAMS.inc()
        if feed.rehearsal:
            metrics.REHEARSAL_STREAMS.inc()

    def closed(self, feed: Feed, viewer: PlayerId) -> None:
        """Count one less."""
        whose = (feed.number, viewer)
        self[whose] -= 1
        if not self[whose]:
            del self[whose]
        metrics.STREAMS.dec()
        if feed.rehearsal:
            metrics.REHEARSAL_STREAMS.dec()


class Line:
    """The socket of one open phone: whose, how far it is, and how its bytes are wrapped."""

    __slots__ = ("chunked", "descriptor", "heard", "place", "sessions", "viewer")

    def __init__(
        self, descriptor: int, viewer: PlayerId, sessions: int, place: int, *, chunked: bool
    ) -> None:
        self.descriptor = descriptor
        self.viewer = viewer
        self.sessions = sessions
        self.place = place
        self.chunked = chunked
        self.heard = time.monotonic()  # when something was last written

    def wrapped(self, data: bytes) -> bytes:
        """Give the bytes as HTTP/1.1 wants them, or as they are for an HTTP/1.0 proxy."""
        return b"%x\r\n%b\r\n" % (len(data), data) if self.chunked else data


class Broadcast:
    """The open streams of one process, one audience for each game."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.streams = OpenStreams()
        self._audiences: dict[int, Audience] = {}
        self._lock = threading.Lock()

    def take(self, feed: Feed, line: Line) -> None:
        """Own a phone's socket from now on; its descriptor is closed here in the end."""
        self.streams.opened(feed, line.viewer)
        with self._lock:
            audience = self._audiences.get(feed.number)
            if audience is None or audience.feed is not feed:
                audience = self._audiences[feed.number] = Audience(self, feed)
                audience.start()
            audience.newcomers.append(line)
        audience.ring.set()

    def close(self) -> None:
        """Say goodbye to everybody, before the process ends."""
        self.hub.close()
        for audience in list(self._audiences.values()):
            audience.join(PARTING)

    def forget(self, audience: Audience, *, even_with_newcomers: bool = False) -> bool:
        """Send nobody to an audience any more; tell whether that was done."""
        with self._lock:
            if audience.newcomers and not even_with_newcomers:
                return False
            if self._audiences.get(audience.feed.number) is audience:
                del self._audiences[audience.feed.number]
            return True


class Audience(threading.Thread):
    """Everybody in this process who follows one game; under gevent, one greenlet for all."""

    def __init__(self, broadcast: Broadcast, feed: Feed) -> None:
        super().__init__(daemon=True, name=f"audience {feed.number}")
        self.feed = feed
        self.ring = threading.Event()
        self.newcomers: deque[Line] = deque()
        self._broadcast = broadcast
        self._lines: dict[int, Line] = {}
        self._hung_up = _epoll()
        self._told = -PAUSE

    def run(self) -> None:
        """Write what is new to everybody until nobody is left or the process ends."""
        self.feed.rings.add(self.ring)
        try:
            while self._goes_on():
                self._round()
        except Exception as error:  # noqa: BLE001  # whatever it is: the phones come back and resume
            structlog.get_logger().warning("broadcast.failed", exc_info=error)
        self._broadcast.forget(self, even_with_newcomers=True)
        self._welcome()
        for line in list(self._lines.values()):
            self._part(line)
        self.feed.rings.discard(self.ring)
        self._hung_up.close()

    def _goes_on(self) -> bool:
        if not (self._broadcast.hub.open and self.feed.open):
            return False
        return bool(self._lines) or not self._broadcast.forget(self)

    def _round(self) -> None:
        self.ring.wait(TICK)
        time.sleep(max(0.0, self._told + PAUSE - time.monotonic()))
        self.ring.clear()
        self._welcome()
        self._tell()
        self._drop_hung_up()
        self._ping()

    def _welcome(self) -> None:
        while self.newcomers:
            line = self.newcomers.popleft()
            self._lines[line.descriptor] = line
            self._hung_up.register(line.descriptor, select.EPOLLRDHUP)

    def _tell(self) -> None:
        """Bring everybody to the feed's version; a phone that can't keep up resumes later."""
        news: dict[int, News] = {}
        for line in self._by_turns(list(self._lines.values())):
            game = self.feed.game
            if game.players[line.viewer].sessions != line.sessions:
                self._part(line)
            elif line.place != game.version:
                told = news.get(line.place) or news.setdefault(
                    line.place, News(self.feed, line.place)
                )
                line.place = told.version
                self._write(line, told.to(line))
        if news:
            self._told = time.monotonic()

    def _ping(self) -> None:
        """Show whoever has heard nothing for a while that the line stands."""
        quiet = time.monotonic() - PING_SECONDS
        for line in self._by_turns([x for x in self._lines.values() if x.heard <= quiet]):
            self._write(line, line.wrapped(PING))

    def _by_turns(self, lines: Iterable[Line]) -> Iterator[Line]:
        """Give the lines that are still open, with a breath for other requests now and then."""
        for count, line in enumerate(lines, 1):
            if self._lines.get(line.descriptor) is line:
                yield line
            if count % BREATH == 0:
                time.sleep(0)

    def _drop_hung_up(self) -> None:
        for descriptor, _ in self._hung_up.poll(0, max(1, len(self._lines))):
            self._drop(self._lines[descriptor])

    def _write(self, line: Line, data: bytes) -> None:
        """Write all or hang up: half a frame can't be mended, and nobody waits for a phone."""
        try:
            if os.write(line.descriptor, data) == len(data):
                line.heard = time.monotonic()
                return
        except OSError:
            pass
        self._drop(line)

    def _part(self, line: Line) -> None:
        with suppress(OSError):
            os.write(line.descriptor, line.wrapped(GOODBYE) + (LAST_CHUNK if line.chunked else b""))
        self._drop(line)

    def _drop(self, line: Line) -> None:
        if self._lines.pop(line.descriptor, None) is line:
            self._hung_up.unregister(line.descriptor)
            os.close(line.descriptor)
            self._broadcast.streams.closed(self.feed, line.viewer)


class News:
    """What phones at one place have not heard yet, wrapped once for all of them."""

    def __init__(self, feed: Feed, place: int) -> None:
        frames = feed.since(place)
        self.version = feed.game.version
        self._frames: list[Frame] = frames or []
        self._cards = frozenset[PlayerId]().union(*(frame.cards for frame in self._frames))
        self._public = (
            resync(self.version) if frames is None else b"".join(f.public for f in self._frames)
        )
        self._wrapped: dict[bool, bytes] = {}

    def to(self, line: Line) -> bytes:
        """Give the bytes for one line."""
        if line.viewer in self._cards:
            return line.wrapped(b"".join(frame.to(line.viewer) for frame in self._frames))
        if line.chunked not in self._wrapped:
            self._wrapped[line.chunked] = line.wrapped(self._public)
        return self._wrapped[line.chunked]
