"""Many phones with an open live stream, that come back as the site's page does, in one thread."""

from __future__ import annotations

import random
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

from benchmarks import wire
from benchmarks.cluster.windows import Trouble
from engines.processes import wait_for
from killer.crowd.client import is_chunked
from killer.crowd.line import AGAIN, RETRY, SILENCE, Frames, Place, version_of

PACE = 0.002  # seconds between the openings of two phones at the start
OPENING = 8.0  # seconds without an answer after which something swallows the stream
ALL = 60.0  # seconds until all have been opened at the start
LOOK = 0.1  # seconds between two looks at who is silent or may open again
FIRST, LONGEST = 2 * AGAIN, 30.0  # seconds after a refusal, doubled each time, as live.js waits
OK = b"200"


@dataclass(slots=True, eq=False)
class Phone:
    """One page that is open."""

    cookie: str
    version: int  # up to which it has heard everything
    due: float  # when it opens its stream
    line: socket.socket | None = None
    place: Place | None = None
    frames: Frames | None = None
    head: bytes = b""
    node: str = ""  # on which its stream is
    asked: float = 0.0
    heard: float = 0.0
    retry: float = RETRY
    refusals: int = 0
    parted: bool = False  # the server has said goodbye


@dataclass
class Move:
    """A stream that was opened: when, whose, where."""

    at: float
    phone: int
    node: str


@dataclass
class Streams(threading.Thread):
    """All phones; what they met is told in lists that only grow."""

    place: tuple[str, int]  # address and port of the front
    cookies: Sequence[str]
    since: int
    name_of: Callable[[str], str] = str  # gives the node that an X-Node header means
    troubles: list[Trouble] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    heard: dict[int, list[float]] = field(default_factory=dict)  # moments of each version, if kept
    keep: bool = False
    gaps: int = 0
    resyncs: int = 0

    __hash__ = threading.Thread.__hash__

    def __post_init__(self) -> None:
        super().__init__(daemon=True, name="streams")
        begin = time.monotonic()
        self.phones = [
            Phone(cookie, self.since, begin + PACE * n) for n, cookie in enumerate(self.cookies)
        ]
        self._poll = select.epoll()
        self._open: dict[int, int] = {}  # the phone of each descriptor
        self._over, self._again = threading.Event(), threading.Event()

    # --- what others ask ---

    def __enter__(self) -> Self:
        """Open them all."""
        self.start()
        count = len(self.phones)
        wait_for(lambda: self.on().total() == count, ALL, f"{count} open streams")
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up."""
        self._over.set()
        self.join(10)

    def behind(self, version: int) -> int:
        """Count the phones that have not heard everything up to a version."""
        return sum(phone.version < version for phone in self.phones)

    def on(self) -> Counter[str]:
        """Count the open streams of each node."""
        return Counter(phone.node for phone in self.phones if phone.frames)

    def of(self, node: str) -> set[int]:
        """Give the phones whose stream is on a node."""
        return {n for n, phone in enumerate(self.phones) if phone.frames and phone.node == node}

    def reopen(self) -> None:
        """Let everybody open the page again, and return when they have begun to."""
        self._again.set()
        wait_for(lambda: not self._again.is_set(), 10, "the pages that are opened again")

    # --- the thread ---

    def run(self) -> None:
        """Follow everything until it is over."""
        looked = 0.0
        while not self._over.is_set():
            for descriptor, events in self._poll.poll(LOOK / 2):
                number = self._open.get(descriptor)
                if number is not None:
                    self._serve(number, events)
            now = time.monotonic()
            if now - looked >= LOOK:
                looked = now
                if self._again.is_set():
                    self._all_again(now)
                self._look(now)
        for number in list(self._open.values()):
            self._hang_up(self.phones[number])
        self._poll.close()

    def _all_again(self, now: float) -> None:
        for number, phone in enumerate(self.phones):
            self._hang_up(phone)
            phone.due, phone.refusals = now + PACE * number, 0
        self._again.clear()

    def _look(self, now: float) -> None:
        for number, phone in enumerate(self.phones):
            if phone.line is None:
                if now >= phone.due:
                    self._ask(number, phone, now)
            elif phone.frames is None and now - phone.asked > OPENING:
                self._lost(phone, "flux sans réponse", phone.asked)
            elif phone.frames is not None and now - phone.heard > SILENCE:
                self._lost(phone, "flux muet", phone.heard)

    def _ask(self, number: int, phone: Phone, now: float) -> None:
        phone.asked = phone.heard = now
        phone.head, phone.frames, phone.parted = b"", None, False
        phone.place = Place(phone.version)
        phone.line = line = socket.socket()
        line.setblocking(False)
        with suppress(BlockingIOError):
            line.connect(self.place)
        self._open[line.fileno()] = number
        self._poll.register(line, select.EPOLLOUT)

    def _serve(self, number: int, events: int) -> None:
        phone = self.phones[number]
        assert phone.line is not None
        try:
            if events & select.EPOLLOUT:
                self._send(phone)
            else:
                self._read(number, phone, phone.line.recv(262_144))
        except BlockingIOError:
            pass
        except OSError:
            self._lost(phone, "flux coupé" if phone.frames else "flux refusé", phone.asked)

    def _send(self, phone: Phone) -> None:
        assert phone.line is not None
        headers = (f"Last-Event-ID: {phone.version}", "Accept: text/event-stream")
        path = f"/api/events?since={phone.version}"
        phone.line.sendall(wire.request("GET", path, phone.cookie, headers=headers))
        self._poll.modify(phone.line, select.EPOLLIN)

    def _read(self, number: int, phone: Phone, data: bytes) -> None:
        now = time.monotonic()
        if not data:
            kind = "flux coupé" if phone.frames else "flux refusé"
            self._lost(phone, "" if phone.parted else kind, now if phone.frames else phone.asked)
            return
        phone.heard = now
        if phone.frames is None:
            phone.head += data
            head, found, data = phone.head.partition(b"\r\n\r\n")
            if not found or not self._begin(number, phone, head, now):
                return
        assert phone.frames is not None
        self._hear(phone, phone.frames, data, now)

    def _begin(self, number: int, phone: Phone, head: bytes, now: float) -> bool:
        """Look at what the front has answered; true when the stream is open."""
        if head[9:12] != OK:
            phone.refusals += 1
            wait = min(LONGEST, FIRST * 2 ** (phone.refusals - 1)) * random.uniform(0.75, 1.25)  # noqa: S311  # as browsers do
            self._lost(phone, f"flux {head[9:12].decode()}", phone.asked, wait)
            return False
        phone.refusals = 0
        phone.node = self.name_of(wire.header(head, "x-node"))
        phone.frames = Frames(chunked=is_chunked(head))
        self.moves.append(Move(now, number, phone.node))
        return True

    def _hear(self, phone: Phone, frames: Frames, data: bytes, now: float) -> None:
        place = phone.place
        assert place is not None
        for frame in frames.feed(data):
            phone.parted = frame.retry is not None and not frame.kind
            if frame.retry is not None:
                phone.retry = frame.retry / 1000
            if frame.version is not None:
                before = place.gaps
                place.take(frame.version)
                self.gaps += place.gaps - before
                phone.version = place.version
                if self.keep:
                    self.heard.setdefault(frame.version, []).append(now)
            elif frame.kind == "resync":
                self.resyncs += 1
                phone.version = place.version = version_of(frame, place.version)
        if frames.ended:
            self._lost(phone, "" if phone.parted else "flux coupé", now)

    def _lost(self, phone: Phone, kind: str, asked: float, wait: float | None = None) -> None:
        """Hang up, and open again after a while; without a kind it was a goodbye."""
        now = time.monotonic()
        if kind:
            self.troubles.append(Trouble(asked, now, kind))
        self._hang_up(phone)
        phone.due = now + (phone.retry if wait is None else wait)

    def _hang_up(self, phone: Phone) -> None:
        if phone.line is not None:
            self._open.pop(phone.line.fileno(), None)
            phone.line.close()
        phone.line, phone.frames, phone.node = None, None, ""
