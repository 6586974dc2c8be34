"""Part `capacity`: `killer loadtest` against the front, and which part used the CPU."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import psutil

from benchmarks import crowd
from benchmarks.cluster.game import Game
from benchmarks.cluster.scale import Scale
from benchmarks.cluster.standing import FRONT, Cluster, Setup, standing
from benchmarks.figures import Rows
from killer.crowd import verdict
from killer.crowd.figures import Step


def measure(scale: Scale, say: Callable[[str], None]) -> Rows:
    """Play every step, each as a load test of its own so that its CPU can be told apart."""
    rows = Rows()
    game = Game(2)  # the steps play rehearsals of their own
    with (
        standing(Setup(scale.nodes, lookout=scale.lookout), game.prepare) as cluster,
        tempfile.TemporaryDirectory(prefix="killer-grappe-crowd-") as place,
    ):
        for phones in scale.steps.split(","):
            say(f"{phones} players")
            one_step(rows, cluster, game, scale, phones, Path(place))
    return rows


def one_step(
    rows: Rows, cluster: Cluster, game: Game, scale: Scale, phones: str, place: Path
) -> None:
    """Play with so many phones and note what was found."""
    before = cluster.cpu()
    words = ["--host", FRONT, "--token", game.token]
    report = crowd.played(phones, scale.step, place, words, {})
    used = {name: seconds - before[name] for name, seconds in cluster.cpu().items()}
    (step,) = report.steps
    share = sum(used.values()) / report.seconds / crowd.CPUS
    memory = cluster.memory() / psutil.virtual_memory().total
    step = msgspec.structs.replace(step, cpu=share, cpu_peak=None, memory=memory)
    crowd.note(rows, step, verdict.Size(step.phones, verdict.lines_of(step)))
    by_part(rows, step, used, report.seconds)
    rows.put(phones, "CPU des téléphones", "%", 100 * report.generator_cpu)


def by_part(rows: Rows, step: Step, used: dict[str, float], seconds: float) -> None:
    """Note each part's share of the machine; the nodes together, for the paper's width."""
    row = str(step.phones)
    nodes = sum(cpu for name, cpu in used.items() if name.startswith("nœud"))
    parts = {"nœuds": nodes, **{n: c for n, c in used.items() if not n.startswith("nœud")}}
    for name, cpu in parts.items():
        rows.put(row, f"CPU {name}", "%", 100 * cpu / seconds / crowd.CPUS)
