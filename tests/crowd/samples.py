"""Made-up reports: all green, too slow, broken off, large, and without a look at the processor."""

from __future__ import annotations

import math
from typing import Any

from msgspec.structs import replace

from killer.crowd.figures import Faults, Moment, Report, Route, Sample, Step, Times

SIZES = (5, 10, 25, 50, 100)
PACES = (("arrival", 6), ("start", 3), ("play", 30), ("burst", 2), ("reconnection", 4))
ROUTES = (
    ("GET /", 5, 0.9),
    ("GET /static/…", 12, 0.3),
    ("POST /api/login", 1, 4.2),
    ("GET /api/me", 30, 0.7),
    ("GET /api/leaderboard", 14, 0.8),
    ("GET /api/players", 6, 1.1),
    ("POST /api/death", 0.2, 1.6),
    ("live", 3, 0.9),
)


def times(count: int = 100, p50: float = 10) -> Times:
    """Give percentiles that look like those of a calm server."""
    return Times(count, p50, p50 * 4, p50 * 7, p50 * 12)


def sample(at: float = 0, phones: int = 100, **changed: Any) -> Sample:
    """Give one look at a step that goes well."""
    wave = 1 + math.sin(at / 3) / 3
    look = Sample(
        at=at,
        phones=phones,
        streams=phones,
        rate=phones * 0.7 * wave,
        p50=8 * wave,
        p95=36 * wave + phones / 5,
        cpu=min(1, 0.04 + phones * 0.0035 * wave),
        memory=0.06 + phones * 0.00012,
        errors=0,
    )
    return replace(look, **changed)


def step(phones: int = 100, began: float = 0, **changed: Any) -> Step:
    """Give a step in which every line is green, but for what is changed."""
    seconds = sum(pace for _, pace in PACES)
    whole = Step(
        phones=phones,
        began=began,
        seconds=seconds,
        times=times(phones * 40, 8 + phones / 60),
        rate=phones * 0.7,
        errors={},
        deaths=max(1, phones // 8),
        delay=times(phones * max(1, phones // 8), 9 + phones / 50),
        last=times(max(1, phones // 8), 14 + phones / 30),
        cpu=min(0.72, 0.04 + phones * 0.0032),
        cpu_peak=min(0.97, 0.1 + phones * 0.006),
        memory=0.06 + phones * 0.00012,
        memory_bytes=140_000_000 + phones * 25_000,
        streams=phones,
        resyncs=0,
        faults=Faults(),
        routes=tuple(Route(n, times(round(phones * k) or 1, 9 * s)) for n, k, s in ROUTES),
        moments=moments(phones, began),
        samples=tuple(sample(began + second, phones) for second in range(int(seconds))),
    )
    return replace(whole, **changed)


def moments(phones: int, began: float) -> tuple[Moment, ...]:
    """Give the moments of a step, one after another."""
    starts = [began + sum(pace for _, pace in PACES[:i]) for i in range(len(PACES))]
    return tuple(
        Moment(name, at, seconds, phones * seconds, times(phones * seconds, 9))
        for (name, seconds), at in zip(PACES, starts, strict=True)
    )


def report(*steps: Step, **changed: Any) -> Report:
    """Give a report of these steps, or of the usual sizes all green."""
    played = steps or tuple(step(size, 50.0 * i) for i, size in enumerate(SIZES))
    whole = Report(
        version="0.1.0",
        at="2026-11-21T14:05:09+00:00",
        seconds=50.0 * len(played),
        host="",
        machine="AMD EPYC 7763, 2 cœurs, 4 Go",
        cores=2,
        settings={"GUNICORN_WORKER_CLASS": "gevent", "GUNICORN_WORKERS": "8"},
        processes=1,
        generator_cpu=0.31,
        steps=played,
    )
    return replace(whole, **changed)


def slow() -> Report:
    """Give a report whose 50 players wait too long, and whose 100 are refused too."""
    calm = [step(size, 50.0 * i) for i, size in enumerate((5, 10, 25))]
    late = Times(2000, 210, 812, 1930, 4100)
    refused = {"503": 37, "timeout": 4, "dropped": 2}
    return report(
        *calm,
        step(50, 150, times=late, cpu=0.78),
        step(100, 200, times=late, cpu=0.93, errors=refused, faults=Faults(lost=1, ring=2)),
    )


def broken_off() -> Report:
    """Give a report whose last step was not played to its end."""
    cut = step(100, 50, broken_off="Le serveur ne répond plus depuis 30 s.", deaths=0)
    return report(step(50), replace(cut, delay=Times(), last=Times(), errors={"connection": 212}))


def large() -> Report:
    """Give a report of up to 1,000 players on another machine."""
    sizes = (5, 10, 25, 50, 100, 200, 500, 1000)
    steps = [step(size, 50.0 * i) for i, size in enumerate(sizes)]
    return report(*steps, host="https://killer.example.org", settings={}, processes=2)


def unknown() -> Report:
    """Give a report of a server that tells nothing about its machine."""
    steps = [
        step(size, 50.0 * i, cpu=None, cpu_peak=None, memory=None, memory_bytes=None, samples=())
        for i, size in enumerate((10, 100))
    ]
    return report(*steps, host="https://killer.example.org", settings={}, cores=0)
