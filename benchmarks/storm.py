"""A node dies and its phones come to the others of its shard: on paper, and phone by phone."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from benchmarks import fleet, heat
from benchmarks.assumed import Assumed
from benchmarks.measured import Cost
from killer.live.stream import HELLO, PING_SECONDS
from killer.web import static_files

TICK = 0.05  # seconds
LONG = 300.0  # seconds after which a shard is taken not to recover
LIVE = Path(static_files.__file__).parent / "static" / "live.js"
KINDS = ("killed", "cut")  # its connections are closed at once; or nothing comes any more


@dataclass(frozen=True)
class Patience:
    """How the site's own script behaves, in seconds, read from it."""

    retry: float  # until a browser opens a closed stream again
    silence: float  # without a word until the script opens another
    ping: float  # the longest time without a word on a sound stream
    again: tuple[float, float]  # the script waits between these two before it opens another


def patience() -> Patience:
    """Read it from the stream's greeting and from live.js."""
    script, hello = LIVE.read_text(encoding="utf-8"), HELLO.decode()
    silence = number(r"SILENCE = ([\d_]+)", script) / 1000
    first = 2 * number(r"Math\.min\([\d_]+, ([\d_]+) \* 2 \*\* failures", script) / 1000
    low, spread = (
        number(rf"ms \* \({part}", script) for part in (r"([\d.]+)", r".*random.*/ (\d)")
    )
    around = (low * first, (low + 1 / spread) * first)
    return Patience(number(r"retry: (\d+)", hello) / 1000, silence, PING_SECONDS, around)


def number(pattern: str, text: str) -> float:
    """Read a number where a pattern has its group.

    Raises:
        ValueError: there is no such place.
    """
    found = re.search(pattern, text)
    if found is None:
        raise ValueError(f"the script has changed: no {pattern}")
    return float(found[1].replace("_", ""))


@dataclass(frozen=True)
class Shard:
    """The nodes of a shard, of which one dies, and its open phones."""

    nodes: float
    phones: float
    play: float  # ms of CPU of a phone in a second
    back: float  # ms of CPU of a phone that comes back: a stream, and a look at its card
    full: float  # ms of CPU in a second of a node, without what it takes by itself
    line: float  # the same within the CPU limit

    @property
    def moving(self) -> float:
        """Give the phones of the dead node."""
        return self.phones / self.nodes

    @property
    def staying(self) -> float:
        """Give the nodes that are left."""
        return self.nodes - 1


@dataclass(frozen=True)
class Storm:
    """How it went: when the last phone was served and the CPU within its limit, and how busy."""

    settled: float  # seconds after the death
    busiest: float  # ms of CPU asked for in the worst second, as a share of all that is left


def shard(assumed: Assumed, cost: Cost, nodes: float, phones: float) -> Shard:
    """Put a shard together."""
    full = (1000 - cost.idle) * assumed.cores
    back = cost.stream + cost.card
    return Shard(nodes, phones, cost.play, back, full, fleet.budget(assumed, cost))


# --- on paper ---


def returns(kind: str, wait: Patience, assumed: Assumed) -> tuple[float, float]:
    """Say between which seconds after the death phones come back, evenly.

    A killed node's streams are closed and its port refuses, so that every browser opens its own
    again after `retry`, on another node: nothing but the networks spreads them. A node that was cut
    says nothing: a phone notices some time after the last ping that it has heard, and pings are
    spread; whoever asks before nginx has taken the node out, waits for that.
    """
    if kind == "killed":
        return wait.retry, wait.retry + assumed.latency
    begin = wait.silence - wait.ping + wait.again[0]
    return max(assumed.out, begin), max(assumed.out, wait.silence + wait.again[1])


def expect(kind: str, hit: Shard, wait: Patience, assumed: Assumed) -> Storm:
    """Work out a storm: its work, and what the nodes that are left can do beside play."""
    begin, end = returns(kind, wait, assumed)
    play, able = hit.phones * hit.play, hit.full * hit.staying
    if play > hit.line * hit.staying:
        return Storm(LONG, math.inf)
    lasts = max(1.0, end - begin)
    each = hit.moving / lasts  # phones in a second; by chance, in some seconds more
    most = each + heat.largest(math.ceil(lasts), each, each)
    absent = (end - begin) / 2 * hit.play  # what a phone doesn't ask for while it is away
    settled = max(end, begin + hit.moving * (hit.back - absent) / (able - play))
    late = each / 2 * hit.play  # in the last second, half of its phones don't play yet
    return Storm(settled, (most * hit.back + play - late) / able)


# --- phone by phone ---


def simulate(kind: str, hit: Shard, wait: Patience, assumed: Assumed, chance: Random) -> Storm:
    """Let each phone come back at its own time; what can't be done at once waits its turn."""
    draw = RETURNS[kind]
    times = sorted(draw(wait, assumed, chance) for _ in range(round(hit.moving)))
    playing, queue, at, next_ = hit.phones - hit.moving, 0.0, 0.0, 0
    asked: list[float] = []
    while at < LONG and (next_ < len(times) or queue > 0):
        at += TICK
        came = next_
        while next_ < len(times) and times[next_] <= at:
            next_ += 1
        playing += next_ - came
        fresh = (next_ - came) * hit.back
        asked.append(fresh + playing * hit.play * TICK)
        queue = max(0.0, queue + asked[-1] - hit.full * hit.staying * TICK)
    if playing * hit.play > hit.line * hit.staying:
        return Storm(LONG, math.inf)
    return Storm(at, worst_second(asked) / (hit.full * hit.staying))


def worst_second(asked: list[float]) -> float:
    """Give the most that was asked for within a second."""
    ticks = round(1 / TICK)
    begins = range(max(1, len(asked) - ticks + 1))
    return max(sum(asked[begin : begin + ticks]) for begin in begins)


Return = Callable[[Patience, Assumed, Random], float]


def after_a_kill(wait: Patience, assumed: Assumed, chance: Random) -> float:
    """Give the second at which a phone is back after its stream was closed."""
    return wait.retry + chance.uniform(0, assumed.latency)


def after_a_cut(wait: Patience, assumed: Assumed, chance: Random) -> float:
    """Give the second at which a phone that hears nothing any more is back."""
    heard = chance.uniform(-wait.ping, 0)
    return max(assumed.out, heard + wait.silence + chance.uniform(*wait.again))


RETURNS: dict[str, Return] = {"killed": after_a_kill, "cut": after_a_cut}
