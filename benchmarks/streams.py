"""Parts `streams` and `memory`: many open phones, a death that they all hear of, what they cost."""

from __future__ import annotations

import time
from collections.abc import Sequence

from benchmarks import servers, wire, worlds
from benchmarks.bench import Bench
from benchmarks.figures import Rows
from benchmarks.load import Reading, warm
from benchmarks.phones import Streams, allow_files
from benchmarks.routes import dies
from benchmarks.servers import Server
from benchmarks.worlds import Player

PLAYERS = 500  # each of whom has as many phones as it takes
WORKERS = (2, 8)


def measure(bench: Bench) -> Rows:
    """Open so many streams, let players die one after the other, hang up."""
    rows = Rows()
    for count in bench.scale.streams:
        allow_files(count)
        folder = bench.worlds.fresh(PLAYERS)
        with servers.killer(folder) as server:
            people = worlds.start(folder, server)[:-1]
            warm(server, Reading("/", people[0].cookie))
            phones = Streams(server.port)
            try:
                follow(bench, rows, server, phones, [people[n % PLAYERS] for n in range(count)])
            finally:
                phones.close()
    return rows


def follow(
    bench: Bench, rows: Rows, server: Server, phones: Streams, people: Sequence[Player]
) -> None:
    """Measure the life of so many streams."""
    row, count = str(len(people)), len(people)
    bench.say(f"opening {count} streams")
    before = server.memory()
    begun = time.monotonic()
    accepted = phones.open([each.cookie for each in people])
    rows.put(row, "ouverts", "", accepted)
    rows.put(row, "ouverture", "s", time.monotonic() - begun)
    time.sleep(1)
    after = server.memory()
    rows.put(row, "mémoire sans téléphone", "Mo", before / 1e6)
    rows.put(row, "mémoire par téléphone", "ko", (after - before) / count / 1000)
    deaths = []
    for number in range(bench.scale.pairs):
        bench.say(f"{count} streams, death {number + 1} of {bench.scale.pairs}")
        deaths.append(one_death(server, phones, people[number]))
    rows.put(row, "atteints", "", min(len(delays) for delays, _ in deaths))
    for name, part in (("p50", 0.5), ("p95", 0.95), ("le dernier", 1.0)):
        rows.put(row, name, "ms", *(wire.share(delays, part) for delays, _ in deaths))
    rows.put(row, "CPU par livraison", "µs", *(1e6 * cpu / count for _, cpu in deaths))
    rows.put(row, "perdus", "", count - len(phones))
    phones.close()
    time.sleep(2)
    rows.put(row, "mémoire après fermeture", "Mo", server.memory() / 1e6)


def one_death(server: Server, phones: Streams, player: Player) -> tuple[list[float], float]:
    """Let a player die; give how long each phone waited for the news, and the CPU seconds."""
    phones.drain()
    with wire.connect(server.port) as connection:
        before, begun = server.cpu(), time.monotonic()
        connection.sendall(dies(player))
        delays = phones.delays(b"event: died", begun, 10)
    return delays, server.cpu() - before


def memory(bench: Bench) -> Rows:
    """Open ever more phones on one server; and see what each worker takes by itself."""
    rows = Rows()
    allow_files(max(bench.scale.phones))
    for workers in WORKERS:
        bench.say(f"{workers} workers without phones")
        folder = bench.worlds.fresh(PLAYERS)
        with servers.killer(folder, workers) as server:
            people = worlds.start(folder, server)[:-1]
            warm(server, Reading("/", people[0].cookie))
            time.sleep(1)
            rows.put(f"{workers} processus", "mémoire", "Mo", server.memory() / 1e6)
            if workers == WORKERS[0]:
                fill(bench, rows, server, people)
    return rows


def fill(bench: Bench, rows: Rows, server: Server, people: Sequence[Player]) -> None:
    """Open phones in steps and look at the memory after each."""
    phones = Streams(server.port)
    before = server.memory()
    rows.put("0", "mémoire", "Mo", before / 1e6)
    try:
        for count in bench.scale.phones:
            bench.say(f"{count} phones")
            phones.open([people[n % PLAYERS].cookie for n in range(len(phones), count)])
            assert len(phones) == count, f"{len(phones)} of {count} streams are open"
            time.sleep(1)
            now = server.memory()
            rows.put(str(count), "mémoire", "Mo", now / 1e6)
            rows.put(str(count), "par téléphone", "ko", (now - before) / count / 1000)
    finally:
        phones.close()
