"""A weekend of a fleet, simulated: games are drawn, placed, begin, lose their players and end.

It shares the assumptions with the arithmetic of `fleet`, and none of its formulas.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from benchmarks.assumed import HOUR, STEPS, SUNDAY, Assumed

Tell = Callable[[float], object]  # how much is done, from 0 to 1


@dataclass(frozen=True)
class Game:
    """One game: what its organiser guesses, what comes of it, and where it lives."""

    guess: float
    players: int
    start: int
    end: int
    plays: bool  # on this weekend
    shard: int


@dataclass
class Weekend:
    """What has happened: by step, and by shard and step."""

    games: int
    open: list[list[float]]  # open phones by shard and step
    died: list[int] = field(default_factory=lambda: [0] * STEPS)
    heard: list[float] = field(default_factory=lambda: [0.0] * STEPS)  # frames to phones
    arrived: list[int] = field(default_factory=lambda: [0] * STEPS)

    def total(self, step: int) -> float:
        """Give the open phones of the fleet."""
        return sum(shard[step] for shard in self.open)

    def busiest(self) -> int:
        """Give the step with most open phones."""
        return max(range(STEPS), key=self.total)

    def hottest(self, step: int) -> float:
        """Give the open phones of the shard that has most."""
        return max(shard[step] for shard in self.open)


def simulate(
    policy: str, assumed: Assumed, games: int, shards: int, chance: Random, tell: Tell = float
) -> Weekend:
    """Play a weekend."""
    following = [[0] * STEPS for _ in range(shards)]  # first the changes, then their sums
    found = Weekend(games, [])
    for number, game in enumerate(drawn(policy, assumed, games, shards, chance)):
        if game.plays:
            play(assumed, game, found, following[game.shard], chance)
        if number % 256 == 0:
            tell(number / games)
    found.open = [seen(assumed, shard, chance) for shard in following]
    return found


def drawn(policy: str, assumed: Assumed, games: int, shards: int, chance: Random) -> Iterator[Game]:
    """Draw games and place each; where the date is known, only its weekend's games count."""
    place = PLACES[policy](shards, chance)
    steps = [step for step, _ in assumed.starts]
    weights = [share for _, share in assumed.starts]
    begins = chance.choices(steps, weights, k=games)
    for start in begins:
        guess = assumed.size(chance.random())
        players = max(1, round(guess * chance.uniform(1 - assumed.guess, 1 + assumed.guess)))
        plays = chance.random() < assumed.playing
        shard = place(guess) if plays or not assumed.dated else 0
        yield Game(guess, players, start, chance.choice(SUNDAY), plays, shard)


def play(
    assumed: Assumed, game: Game, found: Weekend, following: list[int], chance: Random
) -> None:
    """Play a game to its end: one death after the other, until one is left or Sunday ends it."""
    alive = followers = game.players
    found.arrived[game.start] += game.players
    following[game.start] += followers
    up = assumed.awake[game.start]  # the clock of deaths, in hours: it stands still at night
    step = game.start
    while alive > 1 and assumed.deaths:
        up += chance.expovariate(assumed.deaths * alive)
        step = bisect_right(assumed.awake, up, step) - 1
        if step >= game.end:
            break
        found.died[step] += 1
        found.heard[step] += followers * assumed.open[step]
        alive -= 1
        if chance.random() >= assumed.spectators:
            followers -= 1
            following[step] -= 1
    following[game.end] -= followers


def seen(assumed: Assumed, changes: list[int], chance: Random) -> list[float]:
    """Give how many of those who follow have their page open, each by chance."""
    following, found = 0, []
    for step, change in enumerate(changes):
        following += change
        share = assumed.open[step]
        noise = chance.gauss(0, 1) * (following * share * (1 - share)) ** 0.5
        found.append(max(0.0, following * share + noise))
    return found


# --- where a game is placed ---


def hashed(shards: int, chance: Random) -> Callable[[float], int]:
    """Place by a hash of the game's name, which is chance."""
    return lambda _: chance.randrange(shards)


def better_of_two(shards: int, chance: Random) -> Callable[[float], int]:
    """Look at two shards and take the one with fewer players promised."""
    promised = [0.0] * shards

    def place(guess: float) -> int:
        pair = chance.randrange(shards), chance.randrange(shards)
        shard = min(pair, key=promised.__getitem__)
        promised[shard] += guess
        return shard

    return place


def least_loaded(shards: int, chance: Random) -> Callable[[float], int]:  # noqa: ARG001  # as the others
    """Look at all shards and take the one with fewest players promised."""
    heap = [(0.0, shard) for shard in range(shards)]

    def place(guess: float) -> int:
        promised, shard = heap[0]
        heapq.heapreplace(heap, (promised + guess, shard))
        return shard

    return place


PLACES = {"hash": hashed, "two": better_of_two, "least": least_loaded}


# --- what is read from it ---


@dataclass(frozen=True)
class Loss:
    """A weekend's dead nodes, and the open phones that had to move."""

    nodes: float
    phones: float


def losses(
    found: Weekend, assumed: Assumed, nodes: int, chance: Random, weekends: int = 1000
) -> Loss:
    """Let nodes die on many weekends like the one that was played, and give the mean."""
    shards = len(found.open)
    died, moved = 0, 0.0
    for _ in range(weekends):
        at = chance.expovariate(nodes / assumed.mtbf)
        while at < STEPS / HOUR:
            died += 1
            moved += found.open[chance.randrange(shards)][int(at * HOUR)] * shards / nodes
            at += chance.expovariate(nodes / assumed.mtbf)
    return Loss(died / weekends, moved / weekends)
