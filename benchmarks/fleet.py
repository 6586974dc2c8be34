"""What a fleet of nodes holds, on paper: pure arithmetic from measured costs and assumptions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

from benchmarks import cores
from benchmarks.assumed import HOUR, STEPS, Assumed
from benchmarks.measured import Cost
from killer.crowd.verdict import LIMITS

# --- a node and a shard ---


def budget(assumed: Assumed, cost: Cost) -> float:
    """Give the ms of CPU in a second that phones may take from a node."""
    return (1000 * LIMITS["cpu"] - cost.idle) * assumed.cores


def node(assumed: Assumed, cost: Cost) -> float:
    """Give the open phones of a node: what its CPU allows, but not more than was seen green."""
    return min(budget(assumed, cost) / cost.play, cost.green * assumed.cores)


def memory(assumed: Assumed, cost: Cost, phones: float) -> float:
    """Give the MB that a node's server takes with so many open phones."""
    workers = cores.WORKERS * assumed.cores
    return cost.base + cost.worker * workers + cost.phone * phones / 1000


def shards(assumed: Assumed, nodes: int) -> int:
    """Give the number of shards; what doesn't divide makes some of them larger."""
    return max(1, nodes // assumed.shard)


def limit(assumed: Assumed, cost: Cost, nodes: int) -> float:
    """Give the open phones of a shard with which it may lose a node; a lone node may not."""
    count = shards(assumed, nodes)
    return node(assumed, cost) * max(1.0, (nodes - count) / count)


def arrival(assumed: Assumed, cost: Cost, nodes: float) -> float:
    """Give the share of a shard's CPU that the largest game takes while everybody signs in."""
    each = assumed.passwords * cost.sign_in + (1 - assumed.passwords) * cost.link
    return assumed.largest * each / cores.STORM / (1000 * assumed.cores * nodes)


# --- the weekend ---


@dataclass(frozen=True)
class Moment:
    """What to expect of one player of a game that is played on this weekend, at one step."""

    step: int
    open: float  # the share of the followers whose page is open
    follows: tuple[float, float, float]  # E[f], E[f²], E[f³]; f: the share of a game that follows
    lives: float  # E[the share of a game that lives]
    hears: float  # E[the share that lives x the share that follows]: deaths times listeners


def moment(assumed: Assumed, step: int) -> Moment:
    """Work out a step: games that have begun and not ended, each as far as its age says."""
    going = 1 - assumed.ended(step)
    sums = [0.0] * 5
    for start, share in assumed.starts:
        if start <= step:
            hours = assumed.awake[step] - assumed.awake[start]
            alive = math.exp(-assumed.deaths * hours)
            f = alive + assumed.spectators * (1 - alive)
            values = (f, f * f, f**3, alive, alive * f)
            sums = [s + going * share * v for s, v in zip(sums, values, strict=True)]
    return Moment(step, assumed.open[step], (sums[0], sums[1], sums[2]), sums[3], sums[4])


@cache
def weekend(assumed: Assumed) -> tuple[Moment, ...]:
    """Work out every step."""
    return tuple(moment(assumed, step) for step in range(STEPS))


def busiest(moments: tuple[Moment, ...]) -> Moment:
    """Find the step with most open phones."""
    return max(moments, key=lambda each: each.open * each.follows[0])


def open_phones(assumed: Assumed, games: float, at: Moment) -> float:
    """Give the open phones of the whole fleet."""
    return games * assumed.playing * assumed.moment(1) * at.follows[0] * at.open


def hour_of_deaths(assumed: Assumed, moments: tuple[Moment, ...]) -> range:
    """Give the steps of the hour with most deaths."""
    return worst_hour([each.lives * woke(assumed, each.step) for each in moments])


def worst_hour(values: list[float]) -> range:
    """Give the steps of the hour in which something is largest."""
    hours = [range(begin, begin + HOUR) for begin in range(STEPS - HOUR + 1)]
    return max(hours, key=lambda hour: sum(values[step] for step in hour))


def woke(assumed: Assumed, step: int) -> float:
    """Give the hours of a step in which players may die."""
    return assumed.awake[step + 1] - assumed.awake[step]


def deaths(
    assumed: Assumed, games: float, moments: tuple[Moment, ...], steps: range = range(STEPS)
) -> float:
    """Give the deaths of the fleet in some steps."""
    lives = sum(moments[step].lives * woke(assumed, step) for step in steps)
    return games * assumed.playing * assumed.moment(1) * lives * assumed.deaths


def worst_deaths(assumed: Assumed, games: float, moments: tuple[Moment, ...]) -> float:
    """Give the deaths of the fleet in a second, in the worst hour."""
    return deaths(assumed, games, moments, hour_of_deaths(assumed, moments)) / 3600


def deliveries(assumed: Assumed, games: float, at: Moment) -> float:
    """Give the frames to phones in a second: large games have more deaths and more listeners."""
    each = assumed.deaths / 3600 * at.hears * at.open
    squares = assumed.moment(2) * (1 + assumed.guess**2 / 3)  # of sizes; those of guesses are known
    return games * assumed.playing * squares * each


def sign_ins(assumed: Assumed, games: float) -> float:
    """Give the sign-ins of the fleet in a second, in the hour in which most games begin."""
    chance = dict(assumed.starts)
    beginning = sum(chance.get(step, 0.0) for step in hour_of_arrivals(assumed))
    return games * assumed.playing * assumed.moment(1) * beginning / 3600


def hour_of_arrivals(assumed: Assumed) -> range:
    """Give the steps of the hour in which most games begin."""
    chance = dict(assumed.starts)
    return worst_hour([chance.get(step, 0.0) for step in range(STEPS)])


# --- the directory, the lines, the deaths of nodes ---


def look_ups(assumed: Assumed, games: float, at: Moment) -> float:
    """Give the look-ups of the directory in a second: at sign-in, and when a phone comes back."""
    waking = open_phones(assumed, games, at) * assumed.wakes / 3600
    return sign_ins(assumed, games) + waking


def bandwidth(assumed: Assumed, cost: Cost, games: float, at: Moment) -> float:
    """Give the Mbit/s that the fleet sends: answers, frames, and first visits."""
    kilobytes = (
        open_phones(assumed, games, at) * cost.rate * assumed.answer
        + deliveries(assumed, games, at) * assumed.frame
        + sign_ins(assumed, games) * cost.visit
    )
    return kilobytes * 8 / 1000


def node_deaths(assumed: Assumed, nodes: int) -> float:
    """Give the nodes that die in a weekend."""
    return nodes * STEPS / HOUR / assumed.mtbf


def touched(assumed: Assumed, games: float, nodes: int, moments: tuple[Moment, ...]) -> float:
    """Give the open phones that have to move in a weekend because their node has died."""
    mean = sum(open_phones(assumed, games, each) for each in moments) / STEPS
    return node_deaths(assumed, nodes) * mean / nodes
