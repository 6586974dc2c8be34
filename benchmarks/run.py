"""Running the parts: bounded in time, kept as they end, resumed where they stopped."""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks import (
    beside,
    crowd,
    deaths,
    fairness,
    figures,
    first_load,
    growth,
    load,
    routes,
    signins,
    streams,
)
from benchmarks.bench import QUICK, Bench, Measure, Scale
from benchmarks.figures import Part, Parts
from benchmarks.worlds import Worlds

GENERATOR = {"générateur de charge": load.NAME}


@dataclass(frozen=True)
class Plan:
    """How a part is measured, with what, and how long it may take."""

    measure: Measure
    settings: dict[str, str]
    most: float  # seconds


PLANS: dict[str, Plan] = {
    "routes": Plan(routes.measure, {"processus": "2", **GENERATOR}, 300),
    "beside": Plan(beside.measure, {"processus": "2", **GENERATOR}, 300),
    "fairness": Plan(fairness.measure, {"processus": "2", **GENERATOR}, 300),
    "streams": Plan(streams.measure, {"processus": "2"}, 240),
    "memory": Plan(streams.memory, {"processus": "2"}, 180),
    "signins": Plan(signins.measure, {"processus": str(signins.WORKERS)}, 240),
    "deaths": Plan(deaths.measure, {"processus": str(deaths.WORKERS)}, 180),
    "growth": Plan(growth.measure, {"processus": "2", **GENERATOR}, 300),
    "first_load": Plan(first_load.measure, {"processus": "2"}, 60),
    **{
        f"crowd-{name}": Plan(crowd.measure(setup), setup.shown, setup.most)
        for name, setup in crowd.SETUPS.items()
    },
}
IN_A_LOOK = (*list(PLANS)[:9], "crowd-standard")  # what --quick measures


def chosen(names: Sequence[str], *, quick: bool) -> list[str]:
    """Give the parts that are meant; a name means all that begin with it.

    Raises:
        SystemExit: there is no such part.
    """
    for name in names:
        if not any(each.startswith(name) for each in PLANS):
            raise SystemExit(f"no such part: {name}; there are {', '.join(PLANS)}")
    wanted = names or (IN_A_LOOK if quick else list(PLANS))
    return [each for each in PLANS if each.startswith(tuple(wanted))]


def run(
    wanted: Sequence[str],
    scale: Scale,
    kept: Parts,
    keep: Callable[[Parts], None],
    plans: Mapping[str, Plan] = PLANS,
) -> Parts:
    """Measure parts and put them beside what is kept; hand everything to `keep` after each.

    A part that fails is told and left out. The servers are stopped by whatever ends this.
    """
    found = dict(kept)
    with tempfile.TemporaryDirectory(prefix="killer-bench-") as place, shown(len(wanted)) as show:
        worlds = Worlds(Path(place))
        for name in wanted:
            bench = Bench(scale, worlds, Path(place), lambda doing, name=name: show(name, doing))
            bench.say("")
            try:
                found[name] = one(name, plans[name], bench)
            except Exception as error:  # noqa: BLE001  # the others are measured all the same
                show.console.print(f"[red]{name}: {type(error).__name__}: {error}")
            else:
                keep(in_order(found, plans))
            show.advance()
    return in_order(found, plans)


def in_order(parts: Parts, plans: Mapping[str, Plan]) -> Parts:
    """Sort parts as they are told, in whatever order they were measured."""
    return {name: parts[name] for name in plans if name in parts}


def one(name: str, plan: Plan, bench: Bench) -> Part:
    """Measure one part within its time.

    Raises:
        TimeoutError: it took too long.
    """
    machine, begun = figures.machine(), time.monotonic()
    with within(plan.most):
        rows = plan.measure(bench)
    quick = bench.scale == QUICK
    seconds = figures.rounded(time.monotonic() - begun)
    return Part(figures.command(name, quick=quick), machine, seconds, quick, plan.settings, rows)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Break the block off when its time is over."""

    def over(*_: object) -> None:
        raise TimeoutError(f"not done after {seconds:g} s")

    before = signal.signal(signal.SIGALRM, over)
    others = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *others)


class Show:
    """A progress bar; lines where nobody looks at a terminal."""

    def __init__(self, progress: Progress, count: int) -> None:
        self.console = progress.console
        self._progress = progress
        self._task = progress.add_task("", total=count)

    def __call__(self, part: str, doing: str) -> None:
        """Tell what is being done."""
        self._progress.update(self._task, description=f"{part} {doing}")
        if not self.console.is_terminal:
            self.console.print(f"{part} {doing}", highlight=False)

    def advance(self) -> None:
        """Tell that a part is over."""
        self._progress.advance(self._task)


@contextmanager
def shown(count: int) -> Iterator[Show]:
    """Show the progress of so many parts."""
    columns = (BarColumn(20), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(
        *columns, TextColumn("{task.description}"), console=console, disable=not console.is_terminal
    ) as progress:
        yield Show(progress, count)


def print_all(parts: Parts) -> None:
    """Print every figure as a table for each part."""
    console = Console(width=None if sys.stdout.isatty() else 160)
    for name, part in parts.items():
        columns = list(dict.fromkeys(column for row in part.rows.values() for column in row))
        table = Table("", *columns, title=f"{name}, {part.seconds:.0f} s", title_justify="left")
        for row, told in part.rows.items():
            cells = (told.get(column) for column in columns)
            table.add_row(row, *(f"{c.value:.4g} {c.unit}" if c else "" for c in cells))
        console.print(table)
