"""`python -m benchmarks scale`: what a thousand nodes would hold, and its simulation."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks import compared, cores, figures, fleet, heat, measured
from benchmarks.assumed import Assumed, clock
from benchmarks.book import Book
from benchmarks.compared import Case, Pair
from benchmarks.heat import POLICIES
from benchmarks.measured import CROWD, Cost

SIZES = (1, 10, 100, 1000)  # nodes
FIGURES = Path(__file__).parent.parent / "docs" / "capacite.json"
EXAMPLE = "example: python -m benchmarks scale --nodes 100 --shard 2 --evening 0.8"
Row = tuple[str, ...]


def main(words: list[str]) -> None:
    """Print the measured costs, the assumptions, the arithmetic, and the simulation beside it."""
    asked = parser().parse_args(words)
    assumed = assumptions(asked)
    cost = measured.costs(Book(figures.read(asked.figures)))
    if cost is None:
        sys.exit(f"{asked.figures}: a cost is missing. Measure it first: make capacity")
    console = Console(width=None if sys.stdout.isatty() else 130)
    console.print(table("Measured", ("", ""), found(cost)))
    console.print(table("Assumed", ("name", "", ""), supposed(assumed)))
    head = ("nodes", "shards", *(f"games, {name}" for name in POLICIES.values()))
    head += ("players", "open phones, peak", "deaths /s", "Mbit/s", "directory")
    console.print(table("What nodes hold", head, sizes(assumed, cost)))
    games = asked.games or heat.holds("two", assumed, cost, asked.nodes)
    if not games:
        sys.exit("Not one game fits: give more nodes, or smaller games.")
    case = Case(assumed, cost, asked.nodes, games)
    console.print(table(f"{asked.nodes} nodes, {games:,} games", ("", ""), paper(case)))
    runs = asked.runs or enough(games)
    pairs = compare(case, asked.seed, runs)
    title = f"On paper and simulated ({runs} weekends with each placement, seed {asked.seed})"
    head = ("", "unit", "paper", "simulated", "deviation", "allowed")
    console.print(table(title, head, map(side_by_side, pairs)))
    if far := [pair.what for pair in pairs if not pair.agrees]:
        sys.exit(f"too far apart: {', '.join(far)}")


def parser() -> argparse.ArgumentParser:
    """Make a word of each assumption."""
    made = argparse.ArgumentParser(prog="python -m benchmarks scale", epilog=EXAMPLE)
    made.add_argument("--nodes", type=positive, default=SIZES[-1], help="nodes that are simulated")
    made.add_argument("--games", type=positive, help="games; else as many as the nodes hold")
    made.add_argument("--runs", type=positive, help="weekends of each placement; else enough")
    made.add_argument("--seed", type=int, default=1, help="of the random generator")
    made.add_argument("--figures", type=Path, default=FIGURES, help="the JSON of make capacity")
    for one in fields(Assumed):
        kind: dict[str, Any] = {"type": type(one.default)}
        if isinstance(one.default, bool):
            kind = {"action": argparse.BooleanOptionalAction}
        told = f"{one.metadata['told']} (%(default)s)".replace("%(default)s", str(one.default))
        made.add_argument(f"--{one.name}", default=one.default, help=told, **kind)
    made.set_defaults(refuse=made.error)
    return made


def positive(word: str) -> int:
    """Read a whole number above 0."""
    if int(word) < 1:
        raise ValueError(word)
    return int(word)


def enough(games: int) -> int:
    """Give the weekends after which chance is small beside what may deviate."""
    return max(4, 100_000 // games)


def assumptions(asked: argparse.Namespace) -> Assumed:
    """Read the assumptions; what makes no sense is refused like any wrong word."""
    told = {one.name: getattr(asked, one.name) for one in fields(Assumed)}
    try:
        return Assumed(**told)
    except ValueError as error:
        asked.refuse(str(error))
        raise


# --- the tables ---


def found(cost: Cost) -> Iterable[Row]:
    """Tell the costs, as they were found."""
    yield f"CPU of a phone at play ({CROWD})", f"{cost.play:.3g} ms/s"
    yield "CPU of a core's processes without phones", f"{cost.idle:.3g} ms/s"
    yield "largest crowd that was green", f"{cost.green:.4g} phones a core"
    yield "its p95, and a death's announcement", f"{cost.p95:.4g} ms, {cost.delay:.4g} ms"
    yield "sign-in by password, by link", f"{cost.sign_in:.3g} ms, {cost.link:.3g} ms"
    yield "a death, and each phone that hears of it", f"{cost.death:.3g} ms, {cost.delivery:.2g} ms"
    yield "opening a stream, looking at a card", f"{cost.stream:.2g} ms, {cost.card:.2g} ms"
    yield "deaths kept at once by one server", f"{cost.burst:.3g} /s"
    yield "import of a roster of 1,000, its database", f"{cost.transfer:.2g} s, {cost.log:.2g} MB"
    yield "start of a server", f"{cost.start:.2g} s"


def supposed(assumed: Assumed) -> Iterable[Row]:
    """Tell every assumption."""
    values = asdict(assumed)
    for one in fields(Assumed):
        yield one.name, f"{values[one.name]:g}", str(one.metadata["told"])


def sizes(assumed: Assumed, cost: Cost) -> Iterable[Row]:
    """Tell what some numbers of nodes hold; from the players on, with the better of two."""
    moments = fleet.weekend(assumed)
    at = fleet.busiest(moments)
    for nodes in SIZES:
        held = [heat.holds(policy, assumed, cost, nodes) for policy in POLICIES]
        games = held[list(POLICIES).index("two")]
        yield (
            f"{nodes:,}",
            f"{fleet.shards(assumed, nodes):,}",
            *(f"{each:,}" for each in held),
            f"{games * assumed.moment(1):,.0f}",
            f"{fleet.open_phones(assumed, games, at):,.0f}",
            f"{fleet.worst_deaths(assumed, games, moments):.2g}",
            f"{fleet.bandwidth(assumed, cost, games, at):,.0f}",
            f"{games * assumed.entry / 1e3:,.0f} kB",
        )


def paper(case: Case) -> Iterable[Row]:
    """Tell what follows for one fleet."""
    assumed, cost = case.assumed, case.cost
    moments = fleet.weekend(assumed)
    at = fleet.busiest(moments)
    phones, hold = fleet.open_phones(assumed, case.games, at), fleet.node(assumed, cost)
    processes = cores.WORKERS * assumed.cores
    deaths = fleet.worst_deaths(assumed, case.games, moments)
    yield "busiest step", clock(at.step)
    yield (
        "open phones of a node: by its CPU, as far as green was seen",
        (f"{fleet.budget(assumed, cost) / cost.play:,.0f}, {cost.green * assumed.cores:,.0f}"),
    )
    yield "open phones of a node then, mean", f"{phones / case.nodes:,.0f} of {hold:,.0f}"
    yield (
        "the same of a shard that may lose a node",
        (f"{fleet.limit(assumed, cost, case.nodes):,.0f}"),
    )
    yield "memory of a node's server", f"{fleet.memory(assumed, cost, phones / case.nodes):,.0f} MB"
    yield (
        "bandwidth of a node",
        (f"{fleet.bandwidth(assumed, cost, case.games, at) / case.nodes:.3g} Mbit/s"),
    )
    yield "deaths of a shard's database", f"one every {case.shards / deaths:.3g} s"
    yield "deaths of the fleet, of what one server kept", f"{deaths / cost.burst:.2%}"
    yield (
        "processes on a shard's database, if there were one for all",
        (f"{processes * case.nodes / case.shards:,.0f}, {processes * case.nodes:,}"),
    )
    yield (
        "CPU of a shard while its largest game signs in within 20 s",
        (f"{fleet.arrival(assumed, cost, case.nodes / case.shards):.1%}"),
    )
    yield (
        "the largest game of a shard",
        (f"{fleet.limit(assumed, cost, case.nodes) / assumed.evening:,.0f} players"),
    )
    yield (
        "a new release, node by node: all shards at once, one after another",
        (f"{cost.start * case.nodes / case.shards:.2g} s, {cost.start * case.nodes / 60:.2g} min"),
    )


def side_by_side(pair: Pair) -> Row:
    """Tell a quantity on paper and simulated."""
    shown = (
        f"{each:,.4g}" if each < 1000 else f"{each:,.0f}" for each in (pair.paper, pair.played)
    )
    return (pair.what, pair.unit, *shown, f"{pair.deviation:+.1%}", f"{pair.most:.0%}")


def table(title: str, head: Row, rows: Iterable[Row]) -> Table:
    """Make a table, with its title above."""
    made = Table(*head, title=title, title_justify="left", show_header=any(head))
    for row in rows:
        made.add_row(*row)
    return made


def compare(case: Case, seed: int, runs: int) -> list[Pair]:
    """Compare, and show how far it is."""
    columns = (BarColumn(20), TimeElapsedColumn(), TextColumn("{task.description}"))
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("weekends", total=1)
        return compared.pairs(case, seed, runs, lambda done: progress.update(task, completed=done))
