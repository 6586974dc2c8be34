"""Part `growth`: what the same things cost as one game gets more and more players."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks import routes, servers, wire, worlds
from benchmarks.bench import Bench
from benchmarks.figures import Rows
from benchmarks.phones import Streams
from benchmarks.servers import Server
from benchmarks.worlds import Player

ROUTES = ("GET /api/me", "GET /api/leaderboard", "GET /", "GET /leaderboard")
LISTENERS, DEATHS = 8, 20


def measure(bench: Bench) -> Rows:
    """Measure games of growing size; their players have links, no passwords."""
    rows = Rows()
    for players in bench.scale.growth:
        column = str(players)
        bench.say(f"import of {players} players")
        rows.put("import", column, "s", bench.worlds.import_seconds(players))
        folder = bench.worlds.fresh(players)
        begun = time.monotonic()
        with servers.killer(folder) as server:
            until_ready(server)
            rows.put("démarrage du serveur", column, "s", time.monotonic() - begun)
            people = worlds.start(folder, server)
            routes.reading(bench, rows, server, people, ROUTES)
            bench.say(f"{DEATHS} deaths, {players} players")
            rows.put_mean("POST /api/death", column, "ms", deaths(server, people), DEATHS)
        rows.put("base de données", column, "Mo", size(folder) / 1e6)
    return rows


def until_ready(server: Server) -> None:
    """Wait until the server says that it may have traffic."""
    wire.ask(server.port, wire.request("GET", "/health/ready"))


def deaths(server: Server, people: list[Player]) -> float:
    """Give the CPU milliseconds of a death, with its frames on open streams of all workers."""
    phones = Streams(server.port)
    phones.open([each.cookie for each in people[-1 - LISTENERS : -1]])
    before = server.cpu()
    for player in people[:DEATHS]:
        begun = time.monotonic()
        wire.ask(server.port, routes.dies(player))
        heard = phones.delays(b"event: died", begun, 5)
        assert len(heard) == LISTENERS, f"{len(heard)} of {LISTENERS} phones heard of a death"
    cost = 1000 * (server.cpu() - before) / DEATHS
    phones.close()
    return cost


def size(folder: Path) -> int:
    """Give the bytes of the database's files."""
    return sum(file.stat().st_size for file in folder.glob("killer.sqlite3*"))
