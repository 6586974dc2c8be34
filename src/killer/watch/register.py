"""The weather's register: one file of fixed size, written by one process and read by all.

Its room on the disk is taken in the beginning, so that a full disk doesn't end the measuring. Two
places take turns for the newest state, with a checksum each: a reader never sees half of one. Two
rings of points follow, one for the last hour and one for two days; a point's place is its time.
"""

from __future__ import annotations

import fcntl
import math
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from killer.watch.alarm import Alarm
from killer.watch.weather import Colour, Line, Observation

NAME = "weather"
PLACE = 16_384  # bytes of one place of the state
HEAD = struct.Struct("<QII")  # which turn, how many bytes, their checksum
POINT = struct.Struct("<d6f")


class Point(msgspec.Struct, frozen=True):
    """One point of the plots: seconds since 1970, then the figures; NaN for what wasn't measured.

    In the ring of two days, a point is the worst of its minute.
    """

    at: float
    p95: float
    cpu: float
    memory: float
    phones: float
    delay: float
    colour: float


class Reading(msgspec.Struct, frozen=True):
    """The newest state: what was seen and how it is judged.

    `unsent` is the code of the sentence why the last alert didn't go out, empty when it did.
    """

    seen: Observation
    lines: tuple[Line, ...] = ()
    alarm: Alarm = Alarm()
    unsent: str = ""
    version: str = ""


class Ring:
    """Where the points of so many slots of so many seconds stand in the file."""

    def __init__(self, offset: int, seconds: int, slots: int) -> None:
        self.offset, self.seconds, self.slots = offset, seconds, slots
        self.size = slots * POINT.size
        self.end = offset + self.size

    def place(self, at: float) -> int:
        """Give the place of a moment's point in the file."""
        return self.offset + int(at / self.seconds) % self.slots * POINT.size


LAST_HOUR = Ring(2 * PLACE, 5, 720)
TWO_DAYS = Ring(LAST_HOUR.end, 60, 2880)


class Register:
    """The file in a folder; nothing is opened or made before the first use."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._file: int | None = None
        self._turn = 0

    def claim(self) -> bool:
        """Become the only one who writes, or tell that somebody else is.

        The kernel takes the right back when the process ends, however it does.

        Raises:
            OSError: the file can't be made.
        """
        if self._file is not None:
            return True
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.posix_fallocate(file, 0, TWO_DAYS.end)
        except BlockingIOError:
            os.close(file)
            return False
        except OSError:
            os.close(file)
            raise
        self._file, self._turn = file, _newest(os.pread(file, 2 * PLACE, 0))[0]
        return True

    def leave(self) -> None:
        """Let somebody else write."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def note(self, reading: Reading, point: Point) -> None:
        """Keep what was just seen; whoever calls has claimed the file."""
        assert self._file is not None
        self._turn += 1
        state = msgspec.json.encode(reading)
        head = HEAD.pack(self._turn, len(state), zlib.crc32(state))
        os.pwrite(self._file, (head + state)[:PLACE], self._turn % 2 * PLACE)
        os.pwrite(self._file, _packed(point), LAST_HOUR.place(point.at))
        before = _unpacked(os.pread(self._file, POINT.size, TWO_DAYS.place(point.at)))
        os.pwrite(self._file, _packed(_worse(before, point)), TWO_DAYS.place(point.at))

    def read(self) -> Reading | None:
        """Give the newest state; None when nobody has ever measured here."""
        with suppress(OSError, msgspec.MsgspecError), self._path.open("rb") as file:
            state = _newest(file.read(2 * PLACE))[1]
            return msgspec.json.decode(state, type=Reading) if state else None
        return None

    def points(self, ring: Ring, now: float) -> list[Point]:
        """Give the points of a ring that are not older than it is long, oldest first."""
        with suppress(OSError), self._path.open("rb") as file:
            file.seek(ring.offset)
            raw = file.read(ring.size)
            oldest = now - ring.seconds * ring.slots
            found = (Point(*values) for values in POINT.iter_unpack(raw[: ring.size]))
            return sorted((p for p in found if oldest < p.at <= now + ring.seconds), key=_moment)
        return []


def _moment(point: Point) -> float:
    return point.at


def _newest(raw: bytes) -> tuple[int, bytes]:
    """Give the turn and the bytes of the newest state that is whole."""
    return max(_whole(raw), default=(0, b""))


def _whole(raw: bytes) -> Iterator[tuple[int, bytes]]:
    for start in (0, PLACE):
        place = raw[start : start + PLACE]
        if len(place) < HEAD.size:
            continue
        turn, length, checksum = HEAD.unpack_from(place)
        state = place[HEAD.size : HEAD.size + length]
        if turn and len(state) == length and zlib.crc32(state) == checksum:
            yield turn, state


def _packed(point: Point) -> bytes:
    return POINT.pack(*msgspec.structs.astuple(point))


def _unpacked(raw: bytes) -> Point | None:
    return Point(*POINT.unpack(raw)) if len(raw) == POINT.size else None


def _worse(before: Point | None, now: Point) -> Point:
    """Put two points of the same minute together; one of an earlier round is forgotten."""
    if before is None or int(before.at / TWO_DAYS.seconds) != int(now.at / TWO_DAYS.seconds):
        return now
    pairs = zip(msgspec.structs.astuple(before), msgspec.structs.astuple(now), strict=True)
    return Point(*(b if math.isnan(a) or b > a else a for a, b in pairs))


def point_of(reading: Reading, whole: Colour) -> Point:
    """Give the figures of a moment that the plots show."""
    seen = reading.seen
    return Point(
        at=seen.at,
        p95=math.nan if seen.p95 is None else seen.p95,
        cpu=max(seen.cpu, seen.machine_cpu),
        memory=seen.machine_memory,
        phones=float(seen.phones),
        delay=math.nan if seen.delay is None else seen.delay,
        colour=float(whole),
    )
