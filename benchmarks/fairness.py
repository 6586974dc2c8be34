"""Part `fairness`: how long the unlucky wait at saturation, with the fair turn and without."""

from __future__ import annotations

from benchmarks import load, servers, worlds
from benchmarks.bench import Bench
from benchmarks.figures import Rows
from benchmarks.load import Load, Reading

QUANTILES = {"p50": "p50", "p95": "p95", "p99": "p99", "le plus lent": "worst"}
WAYS = ("avec", "sans")


def measure(bench: Bench) -> Rows:
    """Let the two servers take turns."""
    rows = Rows()
    fair_folder, greedy_folder = (bench.worlds.fresh(bench.scale.sizes[0]) for _ in WAYS)
    with servers.killer(fair_folder) as fair, servers.killer(greedy_folder, fair=False) as greedy:
        asked = [
            (server, Reading("/api/me", worlds.start(folder, server)[0].cookie))
            for folder, server in ((fair_folder, fair), (greedy_folder, greedy))
        ]
        for connections in bench.scale.connections:
            found: dict[str, list[Load]] = {way: [] for way in WAYS}
            for number in range(bench.scale.pairs):
                bench.say(f"{connections} connections, pair {number + 1} of {bench.scale.pairs}")
                for way, (server, reading) in zip(WAYS, asked, strict=True):
                    seconds = 2 * bench.scale.seconds
                    found[way].append(load.saturate(server.port, reading, connections, seconds))
            note(rows, connections, found)
    return rows


def note(rows: Rows, connections: int, found: dict[str, list[Load]]) -> None:
    """Note the quantiles of both ways, and the requests of a second."""
    for way, loads in found.items():
        row = f"{connections} connexions, {way}"
        for name, attribute in QUANTILES.items():
            rows.put(row, name, "ms", *(getattr(each, attribute) for each in loads))
        rows.put(row, "débit", "/s", *(each.count / each.seconds for each in loads))
