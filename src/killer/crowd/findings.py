"""What a step has found: the ledger and the organiser's table, added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from killer.crowd import truth
from killer.crowd.figures import Faults, Moment, Step, Times
from killer.crowd.ledger import Ledger, bucket, times
from killer.crowd.probe import share
from killer.crowd.truth import Row
from killer.crowd.watch import Watch


@dataclass
class Findings:
    """The last page of a step's ledger, the table at its end and the streams that leaked."""

    ledger: Ledger
    rows: Sequence[Row] | None  # None: the step didn't come so far
    leaked: int | None  # None: nobody could count them

    def step(
        self,
        phones: int,
        began: float,
        seconds: float,
        moments: Iterable[Moment],
        watch: Watch,
        why: str,
    ) -> Step:
        """Put everything together; times in seconds, `began` since the test began."""
        page, total = self.ledger.page, self.ledger.total()
        whole = times(total.durations)
        delay, last = self.delays()
        cpus = [s.cpu for s in watch.samples if s.cpu is not None]
        memories = [r.memory for r in watch.readings if r.memory is not None]
        return Step(
            phones=phones,
            began=round(began, 2),
            seconds=round(seconds, 2),
            times=whole,
            rate=round(whole.count / seconds, 1) if seconds else 0.0,
            errors=total.errors,
            deaths=sum(tap.acknowledged for tap in page.taps.values()),
            delay=delay,
            last=last,
            cpu=share(watch.readings[0], watch.readings[-1]) if watch.readings else None,
            cpu_peak=max(cpus, default=None),
            memory=max((s.memory for s in watch.samples if s.memory is not None), default=None),
            memory_bytes=max(memories, default=None),
            streams=max((s.streams for s in watch.samples), default=0),
            resyncs=page.resyncs,
            faults=self.faults(),
            routes=self.ledger.routes(),
            moments=tuple(moments),
            samples=tuple(watch.samples),
            broken_off=why,
        )

    def moment(self, name: str, began: float, seconds: float) -> Moment:
        """Add up what was asked in a part of the step."""
        total = self.ledger.total(name)
        found, errors = times(total.durations), sum(total.errors.values())
        return Moment(name, round(began, 2), round(seconds, 2), found.count, found, errors)

    def delays(self) -> tuple[Times, Times]:
        """Give the times from a tap to every phone, and to the last phone."""
        versions = truth.fallen(self.rows or (), self.ledger.page.deaths)
        taps = {name: tap.at for name, tap in self.ledger.page.taps.items() if tap.at}
        notes = {version: self.ledger.notes(version) for version in versions.values()}
        found = truth.delays(taps, versions, notes)
        last = [max(each) for each in found.values() if each]
        return _times(d for each in found.values() for d in each), _times(last)

    def faults(self) -> Faults:
        """Count what must never happen."""
        page, rows = self.ledger.page, self.rows
        if rows is None:
            return Faults(signed_out=page.signed_out, gaps=page.gaps, leaked=self.leaked)
        acknowledged = [name for name, tap in page.taps.items() if tap.acknowledged]
        return Faults(
            lost=truth.lost(rows, acknowledged),
            doubled=truth.doubled(rows, page.taps, len(page.deaths)),
            ring=truth.outside(rows),
            signed_out=page.signed_out,
            gaps=page.gaps,
            leaked=self.leaked,
        )


def _times(values: Iterable[float]) -> Times:
    return times(Counter(map(bucket, values)))
