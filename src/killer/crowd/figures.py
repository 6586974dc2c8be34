"""What a load test has measured: plain values, written as `report.json` and read again."""

from __future__ import annotations

from pathlib import Path

import msgspec

#: How a request or a stream can fail, apart from each other because each has its own cure.
KINDS = (
    "503",  # the server said that it is too busy
    "timeout",  # no answer within the phone's patience
    "connection",  # refused, reset or closed before the answer
    "http",  # any other status that a phone doesn't expect
    "wrong",  # an answer of the right status that says what can't be
    "dropped",  # a live stream that ended although nobody wanted it to
)


class Times(msgspec.Struct, frozen=True):
    """Percentiles of some durations, in milliseconds; all 0 when there were none."""

    count: int = 0
    p50: float = 0
    p95: float = 0
    p99: float = 0
    worst: float = 0


class Route(msgspec.Struct, frozen=True):
    """How one kind of request went in a step."""

    name: str  # such as "GET /api/me"; "live" is the opening of a stream
    times: Times
    errors: int = 0


class Moment(msgspec.Struct, frozen=True):
    """A part of a step: arrival, start, play, burst or reconnection."""

    name: str
    began: float  # seconds since the test began
    seconds: float
    requests: int
    times: Times
    errors: int = 0


class Sample(msgspec.Struct, frozen=True):
    """One look at everything, about once a second."""

    at: float  # seconds since the test began
    phones: int  # signed in
    streams: int  # open
    rate: float  # requests a second since the last look
    p50: float  # milliseconds, over the last seconds
    p95: float
    cpu: float | None  # share of all the server machine's cores since the last look, 0 to 1
    memory: float | None  # share of the server machine's memory, 0 to 1
    errors: int  # so far in this step


class Faults(msgspec.Struct, frozen=True):
    """What must never happen, counted."""

    lost: int = 0  # acknowledged deaths that the game doesn't know
    doubled: int = 0  # deaths or kills that are counted more than once
    ring: int = 0  # alive players who are not in the one cycle of targets, in a looked-at ring
    signed_out: int = 0  # phones that were asked to sign in again
    gaps: int = 0  # versions that a stream passed over or told twice
    leaked: int | None = 0  # streams still held after every phone has left; None: it doesn't tell


class Step(msgspec.Struct, frozen=True):
    """Everything about one size of crowd."""

    phones: int
    began: float  # seconds since the test began
    seconds: float
    times: Times  # of all requests but streams
    rate: float  # requests a second
    errors: dict[str, int]  # by kind; kinds without errors are left out
    deaths: int  # acknowledged
    delay: Times  # from the tap "I'm dead" to each phone with an open stream
    last: Times  # from the tap to the last of these phones, for each death
    cpu: float | None  # mean share of all the server machine's cores, 0 to 1; None: unknown
    cpu_peak: float | None  # of the busiest sample
    memory: float | None  # highest share of the server machine's memory, 0 to 1
    memory_bytes: int | None
    streams: int  # most that were open at once
    resyncs: int  # phones that were told to look at everything again
    faults: Faults
    routes: tuple[Route, ...] = ()
    moments: tuple[Moment, ...] = ()
    samples: tuple[Sample, ...] = ()
    broken_off: str = ""  # why the step could not be played to its end; empty: it was


class Report(msgspec.Struct, frozen=True):
    """A whole test: where, with what, and every step."""

    version: str  # of killer
    at: str  # when it began, RFC 3339, UTC
    seconds: float
    host: str  # the address that was tested; empty: a server of its own
    machine: str  # processor, cores and memory in one line
    cores: int  # of the server's machine; 0: unknown
    settings: dict[str, str]  # of the server that was started for the test
    processes: int  # of the load generator
    generator_cpu: float  # mean share of this machine's cores that the phones themselves took
    steps: tuple[Step, ...]
    asked: tuple[int, ...] = ()  # the sizes that were asked for, also those that were never begun


def write(report: Report, path: Path) -> None:
    """Write a report as JSON."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1))


def read(path: Path) -> Report:
    """Read a report again.

    Raises:
        msgspec.DecodeError: it is no report.
    """
    return msgspec.json.decode(path.read_bytes(), type=Report)
