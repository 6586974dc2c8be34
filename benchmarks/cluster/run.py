"""`python -m benchmarks cluster`: the parts, bounded in time, kept as JSON, told in a paper."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import figures, phones
from benchmarks import run as runs
from benchmarks.book import number
from benchmarks.cluster import bells, by_hand, capacity, faults, network, nodes, paper, standing
from benchmarks.cluster.scale import FULL, QUICK, Scale
from benchmarks.figures import Part, Parts, Rows

ROOT = Path(__file__).parent.parent.parent
FIGURES = "grappe.json"
EXAMPLE = "example: python -m benchmarks cluster --part random --minutes 10 --seed 7"
Measure = Callable[[Scale, Callable[[str], None]], Rows]


@dataclass(frozen=True)
class Plan:
    """A part: how it is measured, what must be told with it, the seconds that it may take."""

    measure: Measure
    most: Callable[[Scale], float]
    settings: dict[str, str]


SHARED = {
    "nœuds": f"{len(network.NODES)} `killer serve`, gevent, {standing.WORKERS} processus chacun",
    "base": "PostgreSQL (fsync et synchronous_commit actifs) et Redis, sur le même hôte",
    "cœurs": "partagés par tous, téléphones compris",
}
QUOTAS = {
    "nœuds": f"{nodes.WORKERS} processus chacun, {number(nodes.SHARE)} cœur chacun (quota), "
    "tous sur le même cœur",
    "cœurs": "le premier pour la charge, nginx, PostgreSQL et Redis ; le second pour les nœuds",
    "générateur de charge": "wrk, 60 connexions ; 9 /api/me sans ETag, 1 /api/leaderboard ; "
    f"{number(nodes.DEATHS)} morts et retours par seconde",
}
PLANS: dict[str, Plan] = {
    "bells": Plan(bells.measure, lambda s: 240 + 3 * s.deaths * 2, SHARED),
    "faults": Plan(faults.in_turn, lambda s: 240 + 7 * (100 + s.hold), SHARED),
    "random": Plan(faults.at_random, lambda s: 300 + 90 * s.minutes, SHARED),
    "nodes": Plan(nodes.measure, lambda s: 240 + 6 * s.seconds, QUOTAS),
    "capacity": Plan(capacity.measure, lambda s: 240 + 100 * len(s.steps.split(",")), SHARED),
}


def parser() -> argparse.ArgumentParser:
    """Describe the words."""
    made = argparse.ArgumentParser(prog="python -m benchmarks cluster", epilog=EXAMPLE)
    made.add_argument("--part", action="append", default=[], choices=[*PLANS], help="only this one")
    made.add_argument("--quick", action="store_true", help="small numbers, for a look at build/")
    made.add_argument("--out", type=Path, help="the JSON file; the paper goes beside it")
    made.add_argument("--by-hand", action="store_true", help="let it stand, and fail as is typed")
    made.add_argument("--sweep", action="store_true", help="remove what a killed run has left")
    for one in fields(Scale):
        if one.name not in {"nodes", "lookout"}:
            kind = type(one.default)
            told = f"instead of {one.default}"
            made.add_argument(f"--{one.name}", type=kind, default=None, help=told)
    made.add_argument("--no-lookout", dest="lookout", action="store_false", help="nginx alone")
    made.add_argument("--nodes", type=int, choices=(2, 3), default=3)
    return made


def scale(asked: argparse.Namespace) -> Scale:
    """Give how much is asked for."""
    base = QUICK if asked.quick else FULL
    told = {one.name: getattr(asked, one.name) for one in fields(Scale)}
    told["nodes"] = network.NODES[: asked.nodes]
    return replace(base, **{name: value for name, value in told.items() if value is not None})


def main(words: list[str]) -> None:
    """Measure what the words say."""
    asked = parser().parse_args(words)
    if asked.sweep:
        sys.stdout.write("".join(f"{name}\n" for name in network.sweep()))
        return
    if why := network.needed():
        sys.exit(why)
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, lambda *_: sys.exit(143))
    if asked.by_hand:
        by_hand.stand(scale(asked))
        return
    chosen, folder = scale(asked), ROOT / ("build/cluster" if asked.quick else "docs")
    out = asked.out or folder / FIGURES
    out.parent.mkdir(parents=True, exist_ok=True)
    phones.allow_files(4 * chosen.phones)
    wanted = asked.part or list(PLANS)
    found = measured(wanted, chosen, out, quick=asked.quick)
    show_all({name: found[name] for name in wanted if name in found})
    paper.write(found, out.with_suffix(".md"))
    wrong = [f"{name}: {what}" for name in wanted for what in verdict(found, name)]
    if wrong:
        sys.exit("; ".join(wrong))


def show_all(parts: Parts) -> None:
    """Print every figure, a column for each row: there are more kinds of figures than rows."""
    console = Console(width=None if sys.stdout.isatty() else 180)
    for name, part in parts.items():
        table = Table("", *part.rows, title=f"{name}, {part.seconds:.0f} s", title_justify="left")
        for column in dict.fromkeys(each for row in part.rows.values() for each in row):
            cells = (row.get(column) for row in part.rows.values())
            table.add_row(column, *(f"{c.value:.4g} {c.unit}" if c else "" for c in cells))
        console.print(table)


def measured(wanted: Iterable[str], chosen: Scale, out: Path, *, quick: bool) -> Parts:
    """Measure parts and put them beside those that are kept; one that fails is told."""
    found, names = figures.read(out), list(wanted)
    with runs.shown(len(names)) as show:
        for name in names:
            try:
                part = one(name, chosen, lambda doing, name=name: show(name, doing), quick=quick)
            except Exception as error:  # noqa: BLE001  # the others are measured all the same
                show.console.print(f"[red]{name}: {type(error).__name__}: {error}")
                found.pop(name, None)
            else:
                found[name] = part
                figures.write({each: found[each] for each in PLANS if each in found}, out)
            show.advance()
    return found


def one(name: str, chosen: Scale, say: Callable[[str], None], *, quick: bool) -> Part:
    """Measure one part within its time."""
    machine, begun, plan = figures.machine(), time.monotonic(), PLANS[name]
    with runs.within(plan.most(chosen)):
        rows = plan.measure(chosen, say)
    seconds = figures.rounded(time.monotonic() - begun)
    command = figures.command(name, quick=quick, paper="cluster")
    return Part(command, machine, seconds, quick, plan.settings, dict(rows))


def verdict(found: Parts, name: str) -> list[str]:
    """Name what a part has shown to be wrong; a part that is missing is wrong too."""
    if name not in found:
        return ["not measured"]
    return faults.clean(Rows(found[name].rows)) if name in {"faults", "random"} else []
