"""Part `deaths`: many players die in the same second, and a worker process is killed meanwhile."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Sequence

from benchmarks import servers, wire, worlds
from benchmarks.bench import Bench
from benchmarks.figures import Rows
from benchmarks.routes import dies
from benchmarks.servers import Server
from benchmarks.worlds import Player

PLAYERS, WORKERS = 500, 4
PATIENCE = 30.0  # seconds after which a phone gives up


def measure(bench: Bench) -> Rows:
    """Measure a burst of deaths, and the same with a worker killed in the middle."""
    rows = Rows()
    for row, harm in (("ensemble", False), ("un processus tué", True)):
        bench.say(f"{bench.scale.deaths} deaths in the same second, {row}")
        folder = bench.worlds.fresh(PLAYERS)
        with servers.killer(folder, WORKERS) as server:
            people = worlds.start(folder, server)
            burst(rows, row, server, people[: bench.scale.deaths], harm=harm)
            truth(rows, row, server, people)
        worlds.check(folder)
    return rows


def burst(rows: Rows, row: str, server: Server, dying: Sequence[Player], *, harm: bool) -> None:
    """Let them die; one that gets no answer repeats itself with the same key, as phones do."""
    times: list[float] = []
    ready = threading.Barrier(len(dying) + 1)

    def one(n: int) -> None:
        sent = dies(dying[n], f"death-{n}")
        ready.wait()
        begun = time.monotonic()
        patiently(server.port, sent)
        times.append(time.monotonic() - begun)

    def gun() -> None:
        ready.wait()
        if harm:
            time.sleep(0.05)
            os.kill(server.process.children()[0].pid, signal.SIGKILL)

    begun = time.monotonic()
    wire.at_once([gun, *(lambda n=n: one(n) for n in range(len(dying)))])
    rows.put(row, "durée", "s", time.monotonic() - begun)
    rows.put(row, "déclarées", "", len(dying))
    rows.put(row, "acceptées", "", len(times))
    rows.put(row, "p95", "ms", wire.share(sorted(times), 0.95))
    rows.put(row, "la plus lente", "ms", wire.share(sorted(times), 1))


def patiently(port: int, sent: bytes) -> None:
    """Ask until there is a good answer."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            wire.ask(port, sent)
        except (OSError, AssertionError):
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return


def truth(rows: Rows, row: str, server: Server, people: Sequence[Player]) -> None:
    """Look at the table of the organiser: who is dead, who has killed, whether the ring is one."""
    told = worlds.table(server, people[-1])
    alive = {each["nickname"]: each["target"] for each in told if each["status"] == "alive"}
    rows.put(row, "gardées", "", sum(each["status"] == "dead" for each in told))
    rows.put(row, "coups comptés", "", sum(max(0, each["kills"]) for each in told))
    rows.put(row, "hors de l'anneau", "", len(alive) - ring(alive))


def ring(targets: dict[str, str]) -> int:
    """Give how many are in the cycle of targets that the first one is in."""
    seen: list[str] = []
    now = next(iter(targets))
    while now in targets and now not in seen:
        seen.append(now)
        now = targets[now]
    return len(seen) if seen and now == seen[0] else 0
