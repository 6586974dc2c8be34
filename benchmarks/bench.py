"""What every part of the measurement gets: how much, games, and a way to say what it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.figures import Rows
from benchmarks.worlds import Worlds


@dataclass(frozen=True)
class Scale:
    """How much is measured, so that the figures mean something, or that a look is quick."""

    pairs: int = 5  # repetitions
    seconds: float = 2.0  # of saturation, each time
    sizes: tuple[int, ...] = (100, 500)  # players
    growth: tuple[int, ...] = (100, 500, 1000, 5000)
    streams: tuple[int, ...] = (1000, 10_000)
    phones: tuple[int, ...] = (250, 500, 1000, 2000, 5000)
    connections: tuple[int, ...] = (50, 200)
    signers: int = 500
    storm: float = 20.0  # seconds
    deaths: int = 200
    requests: int = 400  # of those that are not repeated on kept-alive connections
    steps: str = "100,500"
    standard: str = "5,10,25,50,100"
    most: str = "1000"
    hold: float = 8.0  # seconds of each step


FULL = Scale()
QUICK = replace(
    FULL,
    pairs=2,
    seconds=1.0,
    sizes=(100,),
    growth=(100,),
    streams=(1000,),
    phones=(250, 500),
    connections=(50,),
    signers=60,
    storm=5.0,
    deaths=100,
    requests=60,
    steps="5,10",
    standard="5,10",
    most="25",
    hold=2.0,
)


@dataclass(frozen=True)
class Bench:
    """One run of parts."""

    scale: Scale
    worlds: Worlds
    place: Path  # a folder that goes with the run
    say: Callable[[str], None]  # what is being done now


Measure = Callable[[Bench], Rows]
