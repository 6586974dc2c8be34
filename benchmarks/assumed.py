"""What the paper about a thousand nodes assumes: not measured, and everybody may change it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from functools import cached_property
from itertools import accumulate
from typing import Any

STEP = 600.0  # seconds of the simulated weekend, from Friday noon to Sunday midnight
HOUR = 6  # steps
NOON = 12  # the hour at which the weekend begins
STEPS = 60 * HOUR
FRIDAY, SATURDAY, SUNDAY = range(36, 54), range(132, 192), range(300, 324)
DAYS = ("Friday", "Saturday", "Sunday")


def told(default: float, sentence: str, least: float = 0, most: float = math.inf) -> Any:
    """Declare an assumption with the sentence that `--help` gives for it, and its bounds."""
    return field(default=default, metadata={"told": sentence, "least": least, "most": most})


def share(default: float, sentence: str) -> Any:
    """Declare an assumption that lies between 0 and 1."""
    return told(default, f"share of {sentence}", 0, 1)


@dataclass(frozen=True)
class Assumed:
    """The assumptions, by name; the sentence of each is its documentation."""

    cores: int = told(4, "cores of a node", 1)
    shard: int = told(3, "nodes that share one PostgreSQL", 1)
    smallest: float = told(20, "players of the smallest games", 2)
    largest: float = told(1000, "players of the largest games", 3)
    tail: float = told(
        1.2, "Pareto exponent of a game's size: the smaller, the more large games", 0.1
    )
    guess: float = told(0.5, "share by which an organiser's guess of the size may be off", 0, 1)
    dated: bool = told(True, "the organiser says on which weekend the game will be played")
    playing: float = share(0.6, "the games held that are played on this weekend")
    saturday: float = share(0.3, "those that begin on Saturday, the others Friday evening")
    evening: float = share(0.5, "the followers whose page is open from 18 to 23 h")
    day: float = share(0.2, "them from 8 to 18 h, and at 23 h")
    night: float = share(0.02, "them from 0 to 8 h")
    deaths: float = told(0.05, "deaths of a living player in an hour from 8 to 24 h")
    spectators: float = share(0.3, "the dead who go on following")
    passwords: float = share(0.25, "the sign-ins by password, the others by link")
    weekends: int = told(52, "weekends of which one may have a shard that is too hot", 1)
    wakes: float = told(6, "times that an open phone finds its shard again in an hour")
    mtbf: float = told(2160, "hours between two deaths of a node", 1)
    out: float = told(5, "seconds until nginx takes a dead node out")
    latency: float = told(1, "seconds over which the networks spread what begins together")
    answer: float = told(2, "kB of an answer, with its heads")
    frame: float = told(0.3, "kB of a frame")
    entry: float = told(64, "bytes of a game in the directory")

    def __post_init__(self) -> None:
        """Refuse what makes no sense, by its name."""
        for one in fields(self):
            value, told_ = getattr(self, one.name), one.metadata
            if not told_["least"] <= value <= told_["most"]:
                raise ValueError(f"{one.name} = {value:g} is out of its bounds")
        if self.smallest >= self.largest:
            raise ValueError("smallest has to be below largest")

    @cached_property
    def open(self) -> tuple[float, ...]:
        """Give the share of the followers whose page is open, for each step."""
        return tuple(self._open(hour_of(step)) for step in range(STEPS))

    @cached_property
    def awake(self) -> tuple[float, ...]:
        """Give the hours from 8 to 24 h that have passed before each step, and before the end."""
        up = (1 / HOUR if hour_of(step) >= 8 else 0.0 for step in range(STEPS))
        return tuple(accumulate(up, initial=0.0))

    @cached_property
    def starts(self) -> tuple[tuple[int, float], ...]:
        """Give the steps at which games begin, each with its probability."""
        days = ((FRIDAY, 1 - self.saturday), (SATURDAY, self.saturday))
        return tuple((step, share / len(day)) for day, share in days for step in day)

    def _open(self, hour: int) -> float:
        if hour < 8:
            return self.night
        return self.evening if 18 <= hour < 23 else self.day

    def moment(self, power: float) -> float:
        """Give E[X^power] of a game's size: a Pareto law cut at both ends."""
        low, high, tail = self.smallest, self.largest, self.tail
        if abs(power - tail) < 1e-9:
            tail += 1e-6
        whole = 1 - (low / high) ** tail
        rest = high ** (power - tail) - low ** (power - tail)
        return float(tail * low**tail * rest / (power - tail) / whole)

    def size(self, chance: float) -> int:
        """Give the size below which that share of the games is."""
        whole = 1 - (self.smallest / self.largest) ** self.tail
        return int(self.smallest * (1 - chance * whole) ** (-1 / self.tail) + 0.5)

    def ended(self, step: int) -> float:
        """Give the share of the games that have been ended before a step, on Sunday afternoon."""
        return min(1.0, max(0.0, (step + 1 - SUNDAY.start) / len(SUNDAY)))


def hour_of(step: int) -> int:
    """Give the hour of the day."""
    return (NOON + step // HOUR) % 24


def clock(step: int) -> str:
    """Say when a step begins."""
    day = DAYS[(NOON + step // HOUR) // 24]
    return f"{day} {hour_of(step):02}:{step % HOUR * 60 // HOUR:02}"
