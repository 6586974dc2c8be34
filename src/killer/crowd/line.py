"""A phone's live stream, as EventSource keeps it, read by hand because a burst is 50,000 frames."""

from __future__ import annotations

import random
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import gevent

from killer.crowd.client import (
    BUSY,
    CONNECTION,
    HTTP,
    PATIENCE,
    TIMEOUT,
    UNAVAILABLE,
    WRONG,
    Answer,
    Chunks,
    Client,
    is_chunked,
    receive_head,
)

PING = 15.0  # seconds in which something must come, at the latest
GRACE = 1.5  # seconds that a busy generator may be late with looking
SILENCE = 25.0  # seconds after which the site's own script gives a stream up
RETRY = 2.0  # seconds until a stream is opened again when the server says nothing of it
TRIES = 4  # of a stream that has worked and is refused, before the site's own script polls
AGAIN = 0.5  # seconds, doubled with each of them
NO_STREAMS = 501
OK = 200
_RESET = struct.pack("ii", 1, 0)  # closes with RST: a phone that is gone says no goodbye


class Frame(NamedTuple):
    """One block of a stream; only events have a version."""

    version: int | None
    kind: str
    data: bytes = b""
    retry: int | None = None  # milliseconds

    @property
    def touches_card(self) -> bool:
        """Tell whether it is said that the phone's own card has changed."""
        return b'"card":true' in self.data


def parse(block: bytes) -> Frame:
    """Read one block, the lines between two empty ones."""
    if block.startswith(b"id: "):  # as every event of this server is written
        number, _, rest = block[4:].partition(b"\n")
        kind, _, data = rest[7:].partition(b"\ndata: ")
        return Frame(int(number), kind.decode(), data)
    fields = {name: value for name, _, value in (r.partition(b": ") for r in block.split(b"\n"))}
    retry = fields.get(b"retry")
    return Frame(
        int(fields[b"id"]) if b"id" in fields else None,
        fields.get(b"event", b"").decode(),
        fields.get(b"data", b""),
        int(retry) if retry else None,
    )


class Frames:
    """Cuts a stream into frames, wherever the network has cut it."""

    def __init__(self, *, chunked: bool) -> None:
        self._chunks = Chunks() if chunked else None
        self._text = b""

    def feed(self, data: bytes) -> list[Frame]:
        """Give the frames that are whole by now.

        Raises:
            ValueError: that is no stream of events.
        """
        if self._chunks:
            data = self._chunks.feed(data)
        *blocks, self._text = (self._text + data).split(b"\n\n")
        return [parse(block) for block in blocks if block]

    @property
    def ended(self) -> bool:
        """Tell whether the server has ended it as it should be ended."""
        return self._chunks is not None and self._chunks.ended


class Place:
    """How far one connection has told the game: from the place asked for, without a gap."""

    def __init__(self, version: int) -> None:
        self.version = version
        self.gaps = 0  # versions passed over or told twice

    def take(self, version: int) -> None:
        """Go on by one event."""
        if version <= self.version:
            self.gaps += 1
            return
        self.gaps += version - self.version - 1
        self.version = version


class Listener(Protocol):
    """Who hears what a stream says."""

    def hear(self, frame: Frame, arrived: float, opened: float) -> None:
        """Take a frame that came at a time on a stream that was opened at another."""

    def refused(self, status: int) -> None:
        """Learn that streams don't get through here."""

    def found(self, *, gaps: int = 0, resyncs: int = 0, streams: int = 0) -> None:
        """Count what must not be, what may be, and the streams that have opened or closed."""


Tell = Callable[[float, str], None]  # milliseconds and kind of an opening or of an end


@dataclass
class Line:
    """One EventSource: opened from a version on, and again by itself until it is closed."""

    client: Client
    listener: Listener
    since: int
    tell: Tell

    def __post_init__(self) -> None:
        self.place = Place(self.since)
        self.open = False
        self.awaited = True  # false while the network is gone
        self._closed = False
        self._last_id: int | None = None
        self._retry = RETRY
        self._worked = False
        self._refused = 0  # times in a row
        self._parted = False  # the server has said goodbye, and when to come back
        self._socket: socket.socket | None = None
        self._reader = gevent.spawn(self._follow)

    def close(self) -> None:
        """End it, as a page does that is left."""
        self._closed = True
        self._reader.kill()
        self._hang_up(0.0)

    def cut(self, seconds: float) -> None:
        """Lose the network for a while: nothing is heard, and the server isn't told."""
        reader = self._reader
        reader.kill()
        if self._closed or self._reader is not reader:  # somebody else was quicker meanwhile
            return
        self._hang_up(seconds)
        self.awaited = False
        self._reader = gevent.spawn_later(seconds, self._follow)

    def _hang_up(self, seconds: float) -> None:
        """Let go of the connection; the server learns of it after so many seconds."""
        line, self._socket = self._socket, None
        self._is_open(False)
        if line is not None:
            gevent.spawn_later(seconds, _reset, line)

    def _is_open(self, now: bool) -> None:  # noqa: FBT001  # a state
        if self.open is not now:
            self.open = now
            self.listener.found(streams=1 if now else -1)

    def _follow(self) -> None:
        while self._listen():
            self._hang_up(0.0)
            gevent.sleep(self._wait())

    def _wait(self) -> float:
        """Give the seconds until the next try: the browser's, or the script's after a refusal."""
        if not self._refused:
            return self._retry
        return AGAIN * 2.0**self._refused * random.uniform(0.75, 1.25)

    def _listen(self) -> bool:
        """Be connected once; false when a stream was refused for good."""
        self.awaited = True
        began = time.perf_counter()
        try:
            answer, rest = self._ask()
        except TimeoutError:
            answer, rest = Answer(kind=TIMEOUT), b""
        except (OSError, ValueError):
            answer, rest = Answer(kind=CONNECTION), b""
        if answer.status != NO_STREAMS:
            self.tell((time.perf_counter() - began) * 1000, answer.kind)
        if answer.status not in {0, OK}:  # as in the browser: it tries a broken line again
            if self._worked and self._refused < TRIES:  # and the script one that has worked
                self._refused += 1
                return True
            self._hang_up(0.0)
            self.awaited = False
            self.listener.refused(answer.status)
            return False
        if answer.status:
            self._worked, self._refused = True, 0
            self._is_open(True)
            if end := self._read(Frames(chunked=is_chunked(answer.head)), rest):
                self.tell(0.0, end)
        return True

    def _ask(self) -> tuple[Answer, bytes]:
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-cache"}
        if self._last_id is not None:
            headers["Last-Event-ID"] = str(self._last_id)
        since = self.since if self._last_id is None else self._last_id
        self.place, self._parted = Place(since), False
        path = f"/api/events?since={self.since}"  # the browser keeps the address as it was
        deadline = time.monotonic() + PATIENCE
        line = self._socket = self.client.address.connect(PATIENCE)
        line.sendall(self.client.request("GET", path, None, None, headers))
        head, rest = receive_head(line, deadline)
        status = int(head[9:12])
        kind = {OK: "", UNAVAILABLE: BUSY, NO_STREAMS: ""}.get(status, HTTP)
        return Answer(status, head, b"", kind), rest

    def _read(self, frames: Frames, rest: bytes) -> str:
        """Hear frames until the stream ends, and give the kind of its end; none after a goodbye."""
        opened = heard = time.time()
        line = self._socket
        try:
            while line is not None:
                if rest:
                    self._take(frames.feed(rest), heard, opened)
                if frames.ended:
                    break
                line.settimeout(SILENCE)
                rest = line.recv(65_536)
                if not rest:
                    break
                now = time.time()
                if now - heard > PING + GRACE:
                    self.tell(0.0, WRONG)
                heard = now
        except ValueError:
            return WRONG
        except OSError:  # reset, or silent for too long
            pass
        return "" if self._parted else "dropped"

    def _take(self, frames: list[Frame], arrived: float, opened: float) -> None:
        before = self.place.gaps
        for frame in frames:
            self._parted = frame.retry is not None and not frame.kind
            if frame.retry is not None:
                self._retry = frame.retry / 1000
            if frame.version is not None:
                self.place.take(frame.version)
                self._last_id = frame.version
            elif frame.kind == "resync":
                self.place.version = version_of(frame, self.place.version)
                self.listener.found(resyncs=1)
            if frame.kind and frame.kind != "ping":
                self.listener.hear(frame, arrived, opened)
        if self.place.gaps != before:
            self.listener.found(gaps=self.place.gaps - before)


def _reset(line: socket.socket) -> None:
    with suppress(OSError):
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    line.close()


def version_of(frame: Frame, otherwise: int) -> int:
    """Give the version that a frame without an id names in its data."""
    return _number(frame, b'"version":', otherwise)


def counted(frame: Frame, otherwise: int) -> int:
    """Give how many play, as a frame counts them."""
    return _number(frame, b'"players":', otherwise)


def _number(frame: Frame, name: bytes, otherwise: int) -> int:
    number = frame.data.partition(name)[2].partition(b",")[0].rstrip(b"}").strip()
    return int(number) if number.isdigit() else otherwise
