"""What the phones of one process have seen, counted so that several processes' can be added up."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import accumulate

import msgspec

from killer.crowd.figures import Route, Times

LIVE = "live"  # the openings of streams, which are no requests that somebody waits for


def bucket(milliseconds: float) -> float:
    """Round to three digits: Locust's own two would make 496 ms miss a line of 500 ms."""
    if milliseconds < 100:  # noqa: PLR2004
        return round(milliseconds, 1)
    digits = len(str(int(milliseconds))) - 3
    return float(round(milliseconds, -digits))


def times(durations: Mapping[float, int]) -> Times:
    """Give the percentiles of durations in milliseconds, each with how often it came."""
    count = sum(durations.values())
    if not count:
        return Times()
    ordered = sorted(durations)
    reached = list(accumulate(durations[each] for each in ordered))

    def at(share: float) -> float:
        wanted = share * count
        return next(d for d, n in zip(ordered, reached, strict=True) if n >= wanted)

    return Times(count, at(0.5), at(0.95), at(0.99), ordered[-1])


class Tally(msgspec.Struct):
    """How one kind of request went in one moment."""

    durations: dict[float, int] = msgspec.field(default_factory=dict)  # milliseconds: how often
    errors: dict[str, int] = msgspec.field(default_factory=dict)  # by kind

    def add(self, other: Tally) -> None:
        """Add another's counts."""
        for each, count in other.durations.items():
            self.durations[each] = self.durations.get(each, 0) + count
        for kind, count in other.errors.items():
            self.errors[kind] = self.errors.get(kind, 0) + count


class Tap(msgspec.Struct):
    """A player's "I'm dead"."""

    at: float  # seconds since 1970, just before it was sent first
    acknowledged: bool = False


class Page(msgspec.Struct):
    """Everything that was counted since the page before it."""

    tallies: dict[str, dict[str, Tally]] = msgspec.field(default_factory=dict)  # moment, route
    taps: dict[str, Tap] = msgspec.field(default_factory=dict)  # by nickname
    deaths: dict[int, bytes] = msgspec.field(default_factory=dict)  # version: what was told of it
    notes: dict[int, bytes] = msgspec.field(default_factory=dict)  # version: arrivals and openings
    gaps: int = 0
    resyncs: int = 0
    signed_out: int = 0


class Gauges(msgspec.Struct):
    """How things are now in one process."""

    phones: int = 0  # signed in
    streams: int = 0  # open
    awaited: int = 0  # streams that are open or should be
    behind: int | None = None  # the lowest place of an open stream


class Ledger:
    """The present page of one process, or in the end the pages of all."""

    def __init__(self) -> None:
        self.moment = ""
        self.gauges = Gauges()
        self.page = Page()
        self._notes: dict[int, array[float]] = {}

    def request(self, moment: str, route: str, milliseconds: float, kind: str) -> None:
        """Count a request, or an opening or an end of a stream; empty kinds went well."""
        tally = self.page.tallies.setdefault(moment, {}).setdefault(route, Tally())
        if kind:
            tally.errors[kind] = tally.errors.get(kind, 0) + 1
        if route != LIVE or not kind:
            rounded = bucket(milliseconds)
            tally.durations[rounded] = tally.durations.get(rounded, 0) + 1

    def death(self, version: int, told: bytes, arrived: float, opened: float) -> None:
        """Note when a phone has learnt of a death, and since when its stream was open."""
        self.page.deaths.setdefault(version, told)
        self._notes.setdefault(version, array("d")).extend((arrived, opened))

    def tap(self, nickname: str, at: float) -> None:
        """Note that somebody is about to declare the own death."""
        self.page.taps.setdefault(nickname, Tap(at))

    def acknowledge(self, nickname: str) -> None:
        """Note that a death was answered with a yes."""
        tap = self.page.taps.setdefault(nickname, Tap(0.0))
        tap.acknowledged = True

    def take(self) -> Page:
        """Tear the page off, for whoever adds up."""
        page, self.page = self.page, Page()
        notes, self._notes = self._notes, {}
        page.notes = {version: each.tobytes() for version, each in notes.items()}
        return page

    def add(self, page: Page) -> None:
        """Add a page of another process."""
        mine = self.page
        for moment, routes in page.tallies.items():
            here = mine.tallies.setdefault(moment, {})
            for route, tally in routes.items():
                here.setdefault(route, Tally()).add(tally)
        for nickname, tap in page.taps.items():
            known = mine.taps.setdefault(nickname, tap)
            known.at = known.at or tap.at
            known.acknowledged |= tap.acknowledged
        for version, told in page.deaths.items():
            mine.deaths.setdefault(version, told)
        for version, pairs in page.notes.items():
            self._notes.setdefault(version, array("d")).frombytes(pairs)
        mine.gaps += page.gaps
        mine.resyncs += page.resyncs
        mine.signed_out += page.signed_out

    # --- reading ---

    def notes(self, version: int) -> list[tuple[float, float]]:
        """Give the arrivals of a death's frame with the openings of the streams it came on."""
        flat = self._notes.get(version, array("d"))
        return list(zip(flat[::2], flat[1::2], strict=True))

    def total(self, moment: str | None = None) -> Tally:
        """Add up the requests of a moment or of all, without the streams; errors with them."""
        total = Tally()
        for _, route, tally in self._each(moment):
            total.add(tally if route != LIVE else Tally(errors=tally.errors))
        return total

    def routes(self) -> tuple[Route, ...]:
        """Give how each kind of request went, the most frequent first."""
        found: dict[str, Tally] = {}
        for _, route, tally in self._each(None):
            found.setdefault(route, Tally()).add(tally)
        rows = [
            Route(name, times(each.durations), sum(each.errors.values()))
            for name, each in found.items()
        ]
        return tuple(sorted(rows, key=lambda row: -row.times.count))

    def _each(self, moment: str | None) -> Iterable[tuple[str, str, Tally]]:
        for name, routes in list(self.page.tallies.items()):
            if moment in {None, name}:
                for route, tally in list(routes.items()):
                    yield name, route, tally


def less(now: Tally, before: Tally) -> dict[float, int]:
    """Give the durations that have come since an earlier look."""
    return dict(Counter(now.durations) - Counter(before.durations))
