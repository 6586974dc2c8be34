"""`make bench ARGS=sheet`: what the Google Sheet costs, its outages too, against our own Google."""

from __future__ import annotations

import math
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import wire
from benchmarks.party import (
    Party,
    Sample,
    calls,
    party,
    play,
    times,
    town,
    until,
    until_right,
    without_sheet,
)

MOST_CALLS = 20.0  # of a kind in any minute
SLOW = 1.0  # seconds: nobody but Google makes a request take longer
LEVEL_WITHIN, MENDED_WITHIN = 30.0, 60.0  # seconds
P95, RATIO = 500.0, 2.0
SLICE = 10.0  # seconds
GRACE = 10.0  # milliseconds under which a ratio says nothing


# --- what is printed ---


@dataclass(frozen=True)
class Line:
    """A figure, and what it must not exceed; without that it is only told."""

    what: str
    figure: float
    unit: str = ""
    most: float = math.inf

    @property
    def held(self) -> bool:
        """Tell whether it is within its line."""
        return self.figure <= self.most


def verdict(title: str, lines: Sequence[Line]) -> bool:
    """Print the lines of a part, and tell whether all were held."""
    table = Table("what", "figure", "line", "held", title=title, title_justify="left")
    for line in lines:
        bound = "" if line.most == math.inf else f"≤ {line.most:g}"
        word = ("yes" if line.held else "NO") if bound else ""
        table.add_row(line.what, f"{line.figure:.4g} {line.unit}", bound, word)
    show(table)
    return all(line.held for line in lines)


def show(table: Table) -> None:
    """Print a table, as wide as it needs to be where nobody looks at a terminal."""
    Console(width=None if sys.stdout.isatty() else 190).print(table)


# --- part 1: a weekend's deaths in two minutes ---


def rush(place: Path, *, long: bool) -> bool:
    """Let 300 of 500 players die, then let Google be silent."""
    seconds = 600.0 if long else 120.0
    with without_sheet(place / "none", 500) as none:
        alone = play(none, 60, 150)
    with town() as streets, party(place / "rush", streets.Desk(), 500, secrets=True) as one:
        since = time.monotonic()
        samples = play(one, seconds, 300)
        late = time.monotonic() - max(each.at for each in samples if each.kind == "death")
        level = late + until_right(one)
        lines = [
            *in_a_minute(one, "from the start of the game", since),
            *in_a_minute(one, "with the first reading", 0.0),
            Line("from the last death until the sheet is right", level, "s", LEVEL_WITHIN),
            *waits("150 deaths in 60 s, no sheet at all", alone, math.inf),
            *waits(f"300 deaths in {seconds:.0f} s", samples, math.inf),
            *silence(one, "16 workers"),
        ]
    with town() as streets, party(place / "alone", streets.Desk(), 500, workers=1) as one:
        lines += silence(one, "1 worker, the keeper's")
    return verdict("1. 500 players, 300 deaths", lines)


def in_a_minute(one: Party, when: str, since: float) -> list[Line]:
    """Tell the calls of the worst minute."""
    return [
        Line(f"{kind}s in the worst minute, {when}", calls(one, kind, since), "", MOST_CALLS)
        for kind in ("read", "write")
    ]


def waits(when: str, samples: Sequence[Sample], slow_ones: float = 0) -> list[Line]:
    """Tell how long players waited; with a Google that answers, slow ones are only told."""
    every = times(samples)
    begun = min(each.at - each.seconds for each in samples)
    slow = [each for each in samples if each.seconds > SLOW]
    for each in slow:
        since = each.at - each.seconds - begun
        Console().print(f"{when}: {each.kind} took {each.seconds:.2f} s after {since:.0f} s")
    return [
        Line(f"{when}: requests of players", len(every)),
        Line(f"{when}: p95", wire.share(every, 0.95), "ms", P95),
        Line(f"{when}: the slowest", wire.share(every, 1), "ms"),
        Line(f"{when}: requests slower than {SLOW:g} s", len(slow), "", slow_ones),
    ]


def silence(one: Party, whose: str) -> list[Line]:
    """Let Google be silent for 40 s; who waited for it would wait for 10 s at least."""
    before = one.desk.count("read", 0) + one.desk.count("write", 0)
    one.desk.fail("silence", None, seconds=40)
    samples = play(one, 40, 20)
    unanswered = one.desk.count("read", 0) + one.desk.count("write", 0) - before
    one.desk.clear()
    mended = until_right(one)
    when = f"40 s of silence, {whose}"
    return [
        Line(f"{when}: calls that Google left unanswered", unanswered),
        *waits(when, samples),
        Line(f"{when}: until the sheet is right again", mended, "s", MENDED_WITHIN),
    ]


# --- part 2: outages ---


@dataclass(frozen=True)
class Outage:
    """Something that goes wrong for so long: what breaks, what mends, what organisers are told."""

    name: str
    trouble: str
    begin: Callable[[Party], None]
    end: Callable[[Party], None]
    seconds: float = 60.0


def fails(trouble: int | str, **how: Any) -> Callable[[Party], None]:
    """Let every call go wrong."""
    return lambda one: one.desk.fail(trouble, None, **how)


def mends(one: Party) -> None:
    """Let every call go well again."""
    one.desk.clear()


def kill(one: Party) -> None:
    """Kill the worker that keeps the sheet."""
    os.kill(one.keepers()[-1], signal.SIGKILL)


GONE = Outage(
    "unreachable", "google.unreachable", lambda one: one.desk.stop(), lambda one: one.desk.start()
)
OUTAGES = (
    GONE,
    Outage("429", "google.quota", fails(429), mends),
    Outage("429, Retry-After: 30", "google.quota", fails(429, retry_after=30), mends),
    Outage("403", "google.not_shared", fails(403), mends),
    Outage("40 s of silence", "google.silent", fails("silence", seconds=40), mends, 40.0),
    Outage("keeper killed", "", kill, kill),
)


@dataclass(frozen=True)
class Suffered:
    """What an outage did, with the quiet times before and after it."""

    outage: Outage
    quiet: list[Sample]
    sick: list[Sample]
    troubles: list[str]
    mended: float
    after: str
    reads: int
    writes: int

    def ratio(self, part: float, kind: str = "") -> float:
        """Compare the outage with the quiet time, a quantile with the same quantile."""
        quiet, sick = (usual(s, part, kind) for s in (self.quiet, self.sick))
        return sick / quiet if quiet else math.nan

    @property
    def faults(self) -> list[str]:
        """Name the lines that weren't held."""
        sick = usual(self.sick, 0.95)
        found = {
            "p95": sick > P95,
            "ratio": self.ratio(0.95) > RATIO and sick > GRACE,
            "slow": any(sample.seconds > SLOW for sample in self.sick),
            "status": set(self.troubles) - {""} != set(filter(None, [self.outage.trouble])),
            "status after": self.after != "",
            "mended": self.mended > MENDED_WITHIN,
            "calls": max(self.reads, self.writes) > MOST_CALLS,
        }
        return [name for name, missed in found.items() if missed]


def usual(samples: Sequence[Sample], part: float, kind: str = "") -> float:
    """Give the median over slices of time of a quantile, in ms: what others do disturbs it less."""
    slices: dict[int, list[Sample]] = {}
    for each in samples:
        slices.setdefault(int(each.at // SLICE), []).append(each)
    shares = (wire.share(times(some, kind), part) for some in slices.values())
    return median([share for share in shares if not math.isnan(share)] or [math.nan])


def outages(place: Path, *, long: bool) -> bool:
    """Compare players in each outage with quiet times before and after it, in one server's life."""
    chosen = (Outage("unreachable, 10 min", GONE.trouble, GONE.begin, GONE.end, 600.0),)
    with town() as streets, party(place / "outages", streets.Desk(), 1000) as one:
        found = []
        before = play(one, 30, 30)
        until_right(one)
        for outage in chosen if long else OUTAGES:
            suffered, before = suffer(one, outage, before)
            found.append(suffered)
    show(outage_table(found))
    return not any(each.faults for each in found)


def suffer(one: Party, outage: Outage, before: list[Sample]) -> tuple[Suffered, list[Sample]]:
    """Go through an outage; what was quiet after it is quiet before the next one."""
    troubles: list[str] = []
    since = time.monotonic()
    outage.begin(one)
    deaths = int(min(outage.seconds, 300))
    sick = play(one, outage.seconds, deaths, partial(watch, one, troubles, outage.seconds))
    outage.end(one)
    mended = until_right(one)
    until(lambda: not one.trouble(), MENDED_WITHIN)
    after = one.trouble()
    reads, writes = (calls(one, kind, since) for kind in ("read", "write"))
    quiet = play(one, 30, 30)
    until_right(one)
    every = [*before, *quiet]
    return Suffered(outage, every, sick, troubles, mended, after, reads, writes), quiet


def watch(one: Party, troubles: list[str], seconds: float) -> None:
    """Note what the organisers are told, whenever it changes."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if [now := one.trouble()] != troubles[-1:]:
            troubles.append(now)
        time.sleep(1)


def outage_table(found: Sequence[Suffered]) -> Table:
    """Show every outage beside its quiet times."""
    head = ("outage", "s", "request", "quiet p50/95/99 ms", "during", "ratio", "slowest")
    more = ("again", "shown", "right after s", "calls", "held")
    table = Table(*head, *more, title="2. Outages", title_justify="left")
    for each in found:
        for kind in ("me", "death"):
            table.add_row(*outage_row(each, kind))
    return table


def outage_row(each: Suffered, kind: str) -> list[str]:
    """Give the row of an outage and a kind of request; what concerns both stands in the first."""
    quiet, sick = times(each.quiet, kind), times(each.sick, kind)
    again = sum(s.tries - 1 for s in each.sick if s.kind == kind)
    row = [kind, quantiles(quiet), quantiles(sick)]
    row += ["/".join(f"{each.ratio(part, kind):.2f}" for part in (0.5, 0.95, 0.99))]
    row += [f"{wire.share(sick, 1):.0f}", str(again)]
    if kind != "me":
        return ["", "", *row]
    row += [" ".join(filter(None, each.troubles)) or "nothing", f"{each.mended:.0f}"]
    row += [f"{each.reads}/{each.writes}", ", ".join(each.faults) or "yes"]
    return [each.outage.name, f"{each.outage.seconds:.0f}", *row]


def quantiles(seconds: Sequence[float]) -> str:
    """Give the three quantiles of sorted times."""
    return " / ".join(f"{wire.share(seconds, part):.1f}" for part in (0.5, 0.95, 0.99))


# --- part 3: how often Google is asked ---


def habits(place: Path) -> bool:
    """Count the calls of four servers at once: two TTL, two numbers of workers."""
    kinds = [(ttl, workers) for ttl in (5, 30) for workers in (1, 16)]
    lines: list[Line] = []
    with ExitStack() as stack:
        streets = stack.enter_context(town())
        parties = [
            stack.enter_context(
                party(place / f"{ttl}-{workers}", streets.Desk(), 200, workers=workers, ttl=ttl)
            )
            for ttl, workers in kinds
        ]
        time.sleep(15)  # until the beginning is over
        for when, deaths in (("idle", 0), ("a death every 2 s", 32)):
            since = time.monotonic()
            wire.at_once([partial(play, one, 65, deaths) for one in parties])
            for (ttl, workers), one in zip(kinds, parties, strict=True):
                what = f"TTL {ttl} s, {workers} worker{'s' * (workers > 1)}, {when}"
                lines += in_a_minute(one, what, since)
    lines += [
        Line(f"computed: reads a minute of {workers} workers that each read two tabs every {ttl} s",
             workers * 2 * 60 / ttl)
        for ttl, workers in kinds
    ]  # fmt: skip
    lines.append(Line("computed: writes a minute of 30 deaths written one by one, 5 each", 150))
    return verdict("3. Calls to Google", lines)


def main(wanted: Sequence[str]) -> None:
    """Measure the parts that are named, or all of them."""
    long = "--long" in wanted
    parts: dict[str, Callable[[Path], bool]] = {
        "rush": partial(rush, long=long),
        "outages": partial(outages, long=long),
        "habits": habits,
    }
    chosen = [word for word in wanted if word != "--long"] or list(parts)
    if strange := set(chosen) - set(parts):
        raise SystemExit(f"no such part: {', '.join(strange)}; there are {', '.join(parts)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped
    with tempfile.TemporaryDirectory(prefix="killer-sheet-") as place:
        held = [parts[name](Path(place)) for name in chosen]
    sys.exit(0 if all(held) else 1)
