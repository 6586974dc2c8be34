"""Part `beside`: the same bytes from this server, from a bare WSGI program, and from nginx."""

from __future__ import annotations

from benchmarks import answers, bare, load, servers, worlds
from benchmarks.bench import Bench
from benchmarks.figures import Rows
from benchmarks.load import Reading
from benchmarks.servers import Server

PATHS = ("/health", "/api/me", "/api/leaderboard", "/")
CONNECTIONS = 50
NAMES = ("killer", "WSGI nu", "nginx")


def measure(bench: Bench) -> Rows:
    """Let the three take turns at the same route, and compare within each round."""
    rows = Rows()
    players = bench.scale.sizes[0]
    folder = bench.worlds.fresh(players)
    files = bench.place / "beside"
    files.mkdir(exist_ok=True)
    with servers.killer(folder) as ours:
        cookie = worlds.start(folder, ours)[0].cookie
        asked = {path: Reading(path, cookie) for path in PATHS}
        locations = answers.keep(ours, list(asked.values()), files)
        with (
            servers.bare(files / answers.INDEX) as yardstick,
            servers.nginx(files, locations) as limit,
        ):
            three = (ours, yardstick, limit)
            for path, reading in asked.items():
                theirs = Reading(path, bare.cookie())
                compare(bench, rows, three, (reading, theirs, theirs))
    return rows


def compare(
    bench: Bench, rows: Rows, three: tuple[Server, ...], asked: tuple[Reading, ...]
) -> None:
    """Measure one route in rounds, each server once in a round."""
    row = f"GET {asked[0].path}"
    for server, reading in zip(three, asked, strict=True):
        load.warm(server, reading)
    rounds = []
    for number in range(bench.scale.pairs):
        bench.say(f"{row}, round {number + 1} of {bench.scale.pairs}")
        rounds.append(
            [
                one(server, reading, bench.scale.seconds)
                for server, reading in zip(three, asked, strict=True)
            ]
        )
    for place, name in enumerate(NAMES):
        rows.put(row, f"{name} CPU", "ms", *(each[place][0] for each in rounds))
        rows.put(row, f"{name} débit", "/s", *(each[place][1] for each in rounds))
    for place, name in enumerate(NAMES[1:], 1):
        rows.put(row, f"killer / {name}", "fois", *(each[0][0] / each[place][0] for each in rounds))


def one(server: Server, reading: Reading, seconds: float) -> tuple[float, float]:
    """Give the CPU milliseconds of a request, and the requests of a second."""
    before = server.cpu()
    found = load.saturate(server.port, reading, CONNECTIONS, seconds)
    return 1000 * (server.cpu() - before) / found.count, found.count / found.seconds
