"""The hottest shard of a fleet, by the way in which games are placed: pure arithmetic."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

from benchmarks import fleet
from benchmarks.assumed import Assumed
from benchmarks.fleet import Moment
from benchmarks.measured import Cost

POLICIES = {"hash": "hashed", "two": "better of two", "least": "least loaded"}


@dataclass(frozen=True)
class Scatter:
    """How the open phones of one shard are spread around their mean."""

    mean: float
    variance: float
    third: float  # central moment


def hottest(
    policy: str, assumed: Assumed, games: float, count: int, at: Moment, weekends: int = 1
) -> float:
    """Give the open phones to expect on the hottest of so many shards in so many weekends.

    The largest of n is the mean, the largest of n normal values (Blom), and what the skew of large
    games adds (Cornish and Fisher).
    """
    found = scatter(policy, assumed, games, count, at)
    return found.mean + largest(count * weekends, found.variance, found.third)


def scatter(policy: str, assumed: Assumed, games: float, count: int, at: Moment) -> Scatter:
    """Work out a shard's phones: a compound Poisson sum of its games.

    Where games are placed by what is known at their creation, only what isn't known then is left:
    how far the guess is off, who will have begun, and on which weekend if nobody says it.
    """
    known = 1.0 if assumed.dated else assumed.playing  # that it is played on this weekend
    each = games * assumed.playing / known / count  # games that the placement had to balance
    first, second, third = (assumed.moment(power) for power in (1, 2, 3))
    m1, m2, m3 = (known * f * e * at.open**n for n, f, e in powers(assumed, at))
    mean, chance = each * first * m1, each * second
    alone = mean * (1 - at.open)  # the chance of each phone by itself
    if policy == "hash":
        return Scatter(mean, chance * m2 + alone, each * third * m3)
    left = min(imbalance(policy, first, second, third), chance)
    placed = left * (1 - 1 / count) + chance / count  # the fleet's whole varies, too
    spread = chance * (m2 - m1**2) + placed * m1**2
    return Scatter(mean, spread + alone, each * third * (m3 - 3 * m1 * m2 + 2 * m1**3))


def powers(assumed: Assumed, at: Moment) -> Iterator[tuple[int, float, float]]:
    """Give the power, the moment of who follows, and that of size by guessed size."""
    errors = (1.0, 1 + assumed.guess**2 / 3, 1 + assumed.guess**2)
    return zip((1, 2, 3), at.follows, errors, strict=True)


def imbalance(policy: str, first: float, second: float, third: float) -> float:
    """Give the variance of the players on a shard after placements, in the long run.

    The better of two: a shard's distance y from the mean drifts by E[X](1 - 2F(y)) for each game,
    with E[X²] of noise; that settles as a logistic law of scale E[X²] / 2E[X]. The least loaded: a
    shard that was the lowest lies above the water by the rest of its last game, a residual life.
    """
    scale = second / (2 * first)
    if policy == "two":
        return (math.pi * scale) ** 2 / 3
    return third / (3 * first) - scale**2


def largest(count: int, variance: float, third: float) -> float:
    """Give by how much the largest of so many values exceeds their mean."""
    z = NormalDist().inv_cdf((count - 0.375) / (count + 0.25))
    narrow = 1 / (1 + 12 * math.log(count) / math.pi**2)  # the variance of that largest value
    skewed = third / variance * (z * z + narrow - 1) / 6 if variance else 0.0
    return max(0.0, z * math.sqrt(variance) + skewed)


def holds(policy: str, assumed: Assumed, cost: Cost, nodes: int) -> int:
    """Give the games with which no shard is too hot more often than one weekend in so many."""
    at, count = fleet.busiest(fleet.weekend(assumed)), fleet.shards(assumed, nodes)
    most = fleet.limit(assumed, cost, nodes)
    low, high = 0, math.ceil(2 * most * count / max(1e-9, fleet.open_phones(assumed, 1, at)))
    while high - low > 1:
        middle = (low + high) // 2
        heat = hottest(policy, assumed, middle, count, at, assumed.weekends)
        low, high = (middle, high) if heat <= most else (low, middle)
    return low
