"""The arithmetic of a fleet beside its simulation: the same quantities, and how far they differ."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from statistics import mean

from benchmarks import fleet, heat, storm, weekend
from benchmarks.assumed import HOUR, STEP, STEPS, Assumed
from benchmarks.fleet import Moment
from benchmarks.heat import POLICIES
from benchmarks.measured import Cost
from benchmarks.weekend import Loss, Tell, Weekend

FIRM, LOOSE = 0.05, 0.12  # of sums over the fleet and the weekend; of the rest


@dataclass(frozen=True)
class Pair:
    """A quantity on paper, the mean of what was simulated, and how far apart they may be."""

    what: str
    unit: str
    paper: float
    played: float
    most: float

    @property
    def deviation(self) -> float:
        """Give by which share the simulation is above the paper."""
        if math.isinf(self.paper) and math.isinf(self.played):
            return 0.0
        return self.played / self.paper - 1 if self.paper else float(self.played != 0)

    @property
    def agrees(self) -> bool:
        """Tell whether they are near enough."""
        return abs(self.deviation) <= self.most


@dataclass(frozen=True)
class Case:
    """A fleet: what is assumed, what was measured, its nodes, and the games that it has."""

    assumed: Assumed
    cost: Cost
    nodes: int
    games: int

    @property
    def shards(self) -> int:
        """Give the number of its shards."""
        return fleet.shards(self.assumed, self.nodes)


def pairs(case: Case, seed: int, runs: int, tell: Tell = float) -> list[Pair]:
    """Simulate so many weekends with each policy, and put everything beside the arithmetic."""
    moments = fleet.weekend(case.assumed)
    at = fleet.busiest(moments)
    played = {
        policy: simulated(policy, case, seed, runs, part(tell, n, len(POLICIES)))
        for n, policy in enumerate(POLICIES)
    }
    usual = played["two"]
    return [
        *hottest(case, at, played),
        *flows(case, at, moments, usual),
        *broken(case, moments, usual, seeded(seed)),
    ]


def simulated(policy: str, case: Case, seed: int, runs: int, tell: Tell) -> list[Weekend]:
    """Simulate weekends, each from its own seed."""
    return [
        weekend.simulate(
            policy,
            case.assumed,
            case.games,
            case.shards,
            seeded(seed, run),
            part(tell, run, runs),
        )
        for run in range(runs)
    ]


def part(tell: Tell, number: int, of: int) -> Tell:
    """Tell of one of so many parts as of a part of the whole."""
    return lambda done: tell((number + done) / of)


def seeded(*seed: int) -> Random:
    """Make a generator that gives the same again."""
    return Random(str(seed))  # noqa: S311  # people are random here, secrets aren't


def hottest(case: Case, at: Moment, played: dict[str, list[Weekend]]) -> Iterator[Pair]:
    """Compare the busiest minutes: of the fleet, and of its hottest shard."""
    paper = fleet.open_phones(case.assumed, case.games, at)
    found = mean(each.total(at.step) for each in played["two"])
    yield Pair("open phones, busiest step", "", paper, found, FIRM)
    for policy, name in POLICIES.items():
        paper = heat.hottest(policy, case.assumed, case.games, case.shards, at)
        found = mean(each.hottest(at.step) for each in played[policy])
        yield Pair(f"hottest shard, {name}", "phones", paper, found, LOOSE)


def flows(
    case: Case, at: Moment, moments: tuple[Moment, ...], played: list[Weekend]
) -> Iterator[Pair]:
    """Compare what comes and goes in a second."""
    assumed, games = case.assumed, case.games
    near = range(max(0, at.step - HOUR // 2), min(STEPS, at.step + HOUR // 2))
    heard = mean(each.heard[step] for each in played for step in near) / STEP
    frames = mean(fleet.deliveries(assumed, games, moments[step]) for step in near)
    hour = fleet.hour_of_deaths(assumed, moments)
    died = mean(each.died[step] for each in played for step in hour) / STEP
    hour = fleet.hour_of_arrivals(assumed)
    arrived = mean(each.arrived[step] for each in played for step in hour) / STEP
    woken = mean(each.total(at.step) for each in played) * assumed.wakes / 3600
    paper = fleet.deaths(assumed, games, moments)
    yield Pair("deaths", "/weekend", paper, mean(sum(each.died) for each in played), FIRM)
    paper = fleet.worst_deaths(assumed, games, moments)
    yield Pair("deaths, worst hour", "/s", paper, died, LOOSE)
    yield Pair("frames to phones, busiest hour", "/s", frames, heard, LOOSE)
    yield Pair("sign-ins, worst hour", "/s", fleet.sign_ins(assumed, games), arrived, LOOSE)
    paper = fleet.look_ups(assumed, games, at)
    yield Pair("look-ups in the directory", "/s", paper, arrived + woken, LOOSE)


def broken(
    case: Case, moments: tuple[Moment, ...], played: list[Weekend], chance: Random
) -> Iterator[Pair]:
    """Compare what dying nodes do: how many die, who has to move, how long it takes."""
    assumed, nodes = case.assumed, case.nodes
    lost = [weekend.losses(each, assumed, nodes, chance) for each in played]
    paper = Loss(
        fleet.node_deaths(assumed, nodes), fleet.touched(assumed, case.games, nodes, moments)
    )
    yield Pair("nodes that die", "/weekend", paper.nodes, mean(x.nodes for x in lost), LOOSE)
    yield Pair("phones that move", "/weekend", paper.phones, mean(x.phones for x in lost), LOOSE)
    if nodes > case.shards:
        yield from storms(case, fleet.busiest(moments), chance)


def storms(case: Case, at: Moment, chance: Random) -> Iterator[Pair]:
    """Compare how a node of the hottest shard dies in the busiest minute."""
    phones = heat.hottest("two", case.assumed, case.games, case.shards, at)
    hit = storm.shard(case.assumed, case.cost, case.nodes / case.shards, phones)
    wait = storm.patience()
    for kind in storm.KINDS:
        paper = storm.expect(kind, hit, wait, case.assumed)
        found = storm.simulate(kind, hit, wait, case.assumed, chance)
        yield Pair(f"node {kind}: all are back", "s", paper.settled, found.settled, FIRM)
        busy = 100 * paper.busiest, 100 * found.busiest
        yield Pair(f"node {kind}: CPU, worst second", "%", busy[0], busy[1], LOOSE)
