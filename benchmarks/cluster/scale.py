"""How much is measured on the cluster."""

from __future__ import annotations

from dataclasses import dataclass, replace

from benchmarks.cluster.network import NODES


@dataclass(frozen=True)
class Scale:
    """So that the figures mean something, or that a look is quick."""

    phones: int = 1000  # open streams
    nodes: tuple[str, ...] = NODES
    deaths: int = 60  # one after the other, for each bell
    burst: int = 200  # deaths, while a fault lasts
    spread: float = 8.0  # seconds over which a burst is spread
    hold: float = 10.0  # seconds that a fault lasts
    kinds: str = "kill,cut,freeze,redis,restart,crash,away"  # of faults
    minutes: float = 10.0  # of faults at random
    seed: int = 0  # of the random faults; 0: drawn, and told
    lookout: bool = True  # beside nginx
    seconds: float = 20.0  # of saturation with each number of nodes
    steps: str = "5,10,25,50,100,200,500,1000"
    step: float = 8.0  # seconds of play in each step


FULL = Scale()
QUICK = replace(
    FULL,
    phones=60,
    deaths=10,
    burst=30,
    spread=5.0,
    hold=6.0,
    minutes=1.0,
    seconds=5.0,
    steps="5,10",
    step=2.0,
)
