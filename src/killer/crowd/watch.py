"""Samples of everything, about once a second, and the end of a step whose server is gone."""

from __future__ import annotations

import time
from collections import deque
from contextvars import copy_context
from typing import Protocol

import gevent

from killer.crowd.figures import Sample, Step
from killer.crowd.host import Host
from killer.crowd.ledger import Tally, less, times
from killer.crowd.probe import Probe, Reading, share
from killer.crowd.troupe import StopError, Troupe
from killer.language import say

LOOKS = 1.0  # seconds between two samples, and between two looks at the server
RECENT = 3  # samples over which the percentiles of the moment go
MISSED = 3  # times that nobody is there until a server is given up


class Watcher(Protocol):
    """Whoever shows how far the test is."""

    def began(self, phones: int) -> None:
        """Learn that a step begins."""

    def moment(self, name: str) -> None:
        """Learn that a part of the step begins."""

    def sample(self, sample: Sample) -> None:
        """Learn how things are, about once a second."""

    def ended(self, step: Step) -> None:
        """Learn what a step has found."""


class Watch:
    """Looks on while a step is played."""

    def __init__(
        self, troupe: Troupe, probe: Probe, host: Host, watcher: Watcher, began: float
    ) -> None:
        self.samples: list[Sample] = []
        self.readings: list[Reading] = []
        self._troupe, self._probe, self._host, self._watcher = troupe, probe, host, watcher
        self._began = began  # of the whole test, monotonic seconds
        self._main = gevent.getcurrent()
        # A look may take long on a server that is busy; nobody waits for it.
        duties = (self._sample, self._look, self._guard)
        self._greenlets = [gevent.spawn(copy_context().run, duty) for duty in duties]

    def stop(self) -> None:
        """Look no longer."""
        gevent.killall(self._greenlets)

    def _look(self) -> None:
        while True:
            self.readings.append(self._probe.look())
            gevent.sleep(LOOKS)

    def _guard(self) -> None:
        missed = 0
        while missed < MISSED:
            gevent.sleep(LOOKS)
            missed = 0 if self._host.is_there() else missed + 1
        gevent.kill(self._main, StopError(say("crowd.gone")))

    def _sample(self) -> None:
        recent = deque([Tally()], maxlen=RECENT + 1)
        last, seen = time.monotonic(), 0
        while True:
            gevent.sleep(LOOKS)
            now, total = time.monotonic(), self._troupe.ledger.total()
            self.samples.append(self._now(total, recent, now - last, seen - 1))
            self._watcher.sample(self.samples[-1])
            recent.append(total)
            last, seen = now, len(self.readings)

    def _now(self, total: Tally, recent: deque[Tally], seconds: float, since: int) -> Sample:
        newest, lately = times(less(total, recent[-1])), times(less(total, recent[0]))
        gauges, readings = self._troupe.gauges(), self.readings or [Reading(0.0)]
        # From the last one that was seen; a server that is slow to tell may have said nothing new.
        first = readings[max(0, min(since, len(readings) - 2))]
        reading = readings[-1]
        return Sample(
            at=round(time.monotonic() - self._began, 2),
            phones=gauges.phones,
            streams=gauges.streams,
            rate=round(newest.count / seconds, 1),
            p50=lately.p50,
            p95=lately.p95,
            cpu=share(first, reading),
            memory=reading.memory / reading.total if reading.memory and reading.total else None,
            errors=sum(total.errors.values()),
        )
