"""Part `nodes`: the throughput of one, two, three equal nodes, and what each part costs."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from benchmarks import load
from benchmarks.cluster import bells, hands
from benchmarks.cluster.game import Game
from benchmarks.cluster.scale import Scale
from benchmarks.cluster.standing import FRONT, Cluster, Setup, standing
from benchmarks.figures import Rows

PLAYERS = 200
LINES = 60  # connections of the load
SHARE = 0.3  # cores of each node: three of them share one real core
WORKERS = 1  # processes of each node: more would share the same third of a core
DEATHS = 2.0  # a second, so that what the nodes keep is renewed all the time
WARM = 2.0  # seconds before anything is counted
MIX, DONE = Path(__file__).with_name("mix.lua"), load.SCRIPT


def measure(scale: Scale, say: Callable[[str], None]) -> Rows:
    """Measure each number of nodes; everything else has the first core."""
    rows = Rows()
    first, *others = sorted(os.sched_getaffinity(0))
    with on_core(first):
        for count in range(1, len(scale.nodes) + 1):
            say(f"{count} nodes")
            game = Game(PLAYERS)
            pinned = ("taskset", "-c", str(others[0] if others else first))
            names = scale.nodes[:count]
            setup = Setup(names, WORKERS, cores=SHARE, pinned=pinned)
            with standing(setup, game.prepare) as cluster:
                bells.start(game)
                saturate(rows, cluster, game, scale.seconds)
    return rows


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Hold this process, and what it starts, to one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def saturate(rows: Rows, cluster: Cluster, game: Game, seconds: float) -> None:
    """Ask for the mix as fast as it is answered, while some die and come back."""
    file = cluster.folder / "mix"
    file.write_text("\n".join(game.cookies.values()) + "\n")
    wrk(file, WARM)
    over = threading.Event()
    people = hands.Hands(bells.PLACE, game.cookies, game.organisers)
    dying = threading.Thread(target=die, args=(people, over))
    before, begun = cluster.cpu(), time.monotonic()
    dying.start()
    try:
        found = wrk(file, seconds)
    finally:
        over.set()
        dying.join()
    took = time.monotonic() - begun
    used = {name: one - before[name] for name, one in cluster.cpu().items()}
    note(rows, str(len(cluster.nodes)), found, used, took)
    rows.put(str(len(cluster.nodes)), "morts", "", len(people.deaths))
    rows.put(str(len(cluster.nodes)), "erreurs", "", found.errors + len(people.troubles))


def wrk(file: Path, seconds: float) -> load.Load:
    """Let wrk ask for the mix.

    Raises:
        RuntimeError: there is no wrk.
    """
    if not load.WRK:
        raise RuntimeError("wrk is missing: apt-get install wrk")
    command = [load.WRK, "-t1", f"-c{LINES}", f"-d{max(1, round(seconds))}s", "-s", str(MIX)]
    done = subprocess.run(
        [*command, "--timeout", "60s", FRONT],
        env=os.environ | {"MIX": str(file), "DONE": str(DONE)},
        check=True,
        capture_output=True,
        text=True,
        timeout=seconds + 90,
    )
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=load.Load)


def die(people: hands.Hands, over: threading.Event) -> None:
    """Let players die and come back at a steady rate."""
    names = list(people.cookies)[: PLAYERS // 2]
    number = 0
    while not over.wait(1 / DEATHS):
        people.burst([names[number % len(names)]], 0)
        people.revive([names[number % len(names)]])
        number += 1


def note(rows: Rows, row: str, found: load.Load, used: dict[str, float], took: float) -> None:
    """Note the throughput, and the CPU of each part for a request."""
    rows.put(row, "débit", "/s", found.count / found.seconds)
    for name in ("p50", "p95"):
        rows.put_mean(row, name, "ms", getattr(found, name), found.count)
    nodes = sum(cpu for name, cpu in used.items() if name.startswith("nœud"))
    parts = {"nœuds": nodes, **{n: c for n, c in used.items() if not n.startswith("nœud")}}
    for name, cpu in parts.items():
        rows.put_mean(row, f"CPU par requête, {name}", "ms", 1000 * cpu / found.count, found.count)
    for name, cpu in parts.items():
        rows.put(row, f"cœurs occupés, {name}", "", cpu / took)
