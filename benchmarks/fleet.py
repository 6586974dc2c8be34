"""What a fleet of nodes holds, on paper: pure arithmetic from measured costs and assumptions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

from benchmarks import cores
from benchmarks.assumed import HOUR, STEPS, Assumed
from benchmarks.book import Book
from killer.crowd.verdict import LIMITS

POLICIES = {"hash": "hashed", "two": "better of two", "least": "least loaded"}
CROWD = "crowd-postgresql"  # the crowd that was measured on the database that shards have


@dataclass(frozen=True)
class Cost:
    """What was measured, and nothing else: no field has a default."""

    play: float  # ms of CPU of a phone in a second of play, on PostgreSQL
    idle: float  # ms of CPU in a second of what a core's processes do without any phone
    green: float  # phones for each core of the largest crowd that held every line
    rate: float  # requests of such a phone in a second
    p95: float  # ms of an answer, with that crowd
    delay: float  # ms, p95, from a death to its announcement, with that crowd
    sign_in: float  # ms of CPU by password
    link: float  # ms of CPU by link
    death: float  # ms of CPU
    delivery: float  # ms of CPU of a frame to one phone
    stream: float  # ms of CPU of opening a stream
    card: float  # ms of CPU of a look at one's card
    burst: float  # deaths that one server kept in a second, all at once
    start: float  # s from the start of a server until it is ready
    transfer: float  # s of importing a game of 1,000 players
    log: float  # MB of the database of such a game
    visit: float  # kB of a first visit
    base: float  # MB of memory without workers
    worker: float  # MB
    phone: float  # kB of memory


def costs(book: Book) -> Cost | None:
    """Read the costs; nothing when one of them wasn't measured."""
    general, crowd = cores.costs(book), book.sizes(CROWD)
    held = [n for n in crowd if book.value(CROWD, str(n), "tenu")]
    if general is None or len(crowd) < 2 or not held:
        return None
    here, most = book.parts[CROWD].machine.cores, str(max(held))
    size = book.columns("routes")[-1]
    streams = str(book.sizes("streams")[-1]) if book.sizes("streams") else ""
    at_play = line(book, crowd[0], crowd[-1])
    found = {
        "rate": book.value(CROWD, most, "débit"),
        "p95": book.value(CROWD, most, "p95"),
        "delay": book.value(CROWD, most, "annonce p95"),
        "death": book.value("routes", "POST /api/death", size),
        "delivery": book.value("streams", streams, "CPU par livraison"),
        "stream": book.value("routes", "GET /api/events", size),
        "card": book.value("routes", "GET /card", size),
        "kept": book.value("deaths", "ensemble", "gardées"),
        "burst": book.value("deaths", "ensemble", "durée"),
        "start": book.value("growth", "démarrage du serveur", "1000"),
        "transfer": book.value("growth", "import", "1000"),
        "log": book.value("growth", "base de données", "1000"),
        "visit": book.value("first_load", "en tout", "taille"),
    }
    known = {name: value for name, value in found.items() if value is not None}
    if at_play is None or len(known) < len(found):
        return None
    known["burst"] = known.pop("kept") / known["burst"]
    known["rate"] /= max(held)
    known["delivery"] /= 1000
    own = {name: getattr(general, name) for name in ("sign_in", "link", "base", "worker", "phone")}
    idle, play = at_play
    return Cost(play=play, idle=idle / here, green=max(held) / here, **own, **known)


def line(book: Book, few: int, many: int) -> tuple[float, float] | None:
    """Draw the line through two crowds: ms/s of CPU without phones, and for each phone."""
    each = [book.value(CROWD, str(n), "CPU par téléphone en jeu") for n in (few, many)]
    if None in each:
        return None
    low, high = ((value or 0.0) * n for value, n in zip(each, (few, many), strict=True))
    play = (high - low) / (many - few)
    return max(0.0, low - play * few), play


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


def weekend(assumed: Assumed) -> list[Moment]:
    """Work out every step."""
    return [moment(assumed, step) for step in range(STEPS)]


def busiest(moments: list[Moment]) -> Moment:
    """Find the step with most open phones."""
    return max(moments, key=lambda each: each.open * each.follows[0])


def open_phones(assumed: Assumed, games: float, at: Moment) -> float:
    """Give the open phones of the whole fleet."""
    return games * assumed.playing * assumed.moment(1) * at.follows[0] * at.open


def hour_of_deaths(assumed: Assumed, moments: list[Moment]) -> range:
    """Give the steps of the hour with most deaths."""
    return worst_hour([each.lives * woke(assumed, each.step) for each in moments])


def worst_hour(values: list[float]) -> range:
    """Give the steps of the hour in which something is largest."""
    hours = [range(begin, begin + HOUR) for begin in range(STEPS - HOUR + 1)]
    return max(hours, key=lambda hour: sum(values[step] for step in hour))


def woke(assumed: Assumed, step: int) -> float:
    """Give the hours of a step in which players may die."""
    return assumed.awake[step + 1] - assumed.awake[step]


def deaths(assumed: Assumed, games: float, moments: list[Moment]) -> float:
    """Give the deaths of the fleet in a second, in the worst hour."""
    hour = hour_of_deaths(assumed, moments)
    lives = sum(moments[step].lives * woke(assumed, step) for step in hour)
    return games * assumed.playing * assumed.moment(1) * lives * assumed.deaths / 3600


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


# --- the hottest shard ---


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
    m1, m2, m3 = (known * f * e * at.open**n for n, f, e in shares(assumed, at))
    mean, chance = each * first * m1, each * second
    alone = mean * (1 - at.open)  # the chance of each phone by itself
    if policy == "hash":
        return Scatter(mean, chance * m2 + alone, each * third * m3)
    left = min(imbalance(policy, first, second, third), chance)
    placed = left * (1 - 1 / count) + chance / count  # the fleet's whole varies, too
    spread = chance * (m2 - m1**2) + placed * m1**2
    return Scatter(mean, spread + alone, each * third * (m3 - 3 * m1 * m2 + 2 * m1**3))


def shares(assumed: Assumed, at: Moment) -> Iterator[tuple[int, float, float]]:
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
    at, count = busiest(weekend(assumed)), shards(assumed, nodes)
    most = limit(assumed, cost, nodes)
    low, high = 0, math.ceil(2 * most * count / max(1e-9, open_phones(assumed, 1, at)))
    while high - low > 1:
        middle = (low + high) // 2
        heat = hottest(policy, assumed, middle, count, at, assumed.weekends)
        low, high = (middle, high) if heat <= most else (low, middle)
    return low


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


def touched(assumed: Assumed, games: float, nodes: int, moments: list[Moment]) -> float:
    """Give the open phones that have to move in a weekend because their node has died."""
    mean = sum(open_phones(assumed, games, each) for each in moments) / STEPS
    return node_deaths(assumed, nodes) * mean / nodes
