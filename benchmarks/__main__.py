"""`make bench`: the lines of capacity in one run, with a bare WSGI program beside them."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import bare, servers, sheet, wire

PAIRS = 5
SECONDS = 2.0
CONNECTIONS = 8
STREAMS = 1000
Figures = dict[str, float | str]


def cost(server: servers.Server, path: str, cookie: str) -> float:
    """Give the CPU milliseconds that one request costs the server."""
    before = server.cpu()
    count, _ = wire.hammer(server.port, wire.request("GET", path, cookie), CONNECTIONS, SECONDS)
    return 1000 * (server.cpu() - before) / count


def costs(folder: Path, players: int) -> Figures:
    """Compare the hot routes with the bare program, in pairs."""
    found: Figures = {}
    with servers.killer(folder) as ours, servers.bare() as yardstick:
        cookie = servers.links(folder, ours.port)["Joueur 0"]
        for path in ("/health", "/api/me", "/api/leaderboard"):
            pairs = [
                (cost(ours, path, cookie), cost(yardstick, path, bare.cookie()))
                for _ in range(PAIRS)
            ]
            found[f"{path} with {players} players: CPU ms"] = statistics.median(a for a, _ in pairs)
            found[f"{path} bare: CPU ms"] = statistics.median(b for _, b in pairs)
            found[f"{path} with {players} players: ratio to bare"] = statistics.median(
                a / b for a, b in pairs
            )
    return found


def start_game(folder: Path, server: servers.Server) -> dict[str, str]:
    """Start the game and give everybody's cookie."""
    cookies = servers.links(folder, server.port)
    with wire.connect(server.port) as connection:
        start = wire.request("POST", "/api/organiser/game/start", cookies["Orga"], b"{}")
        assert wire.exchange(connection, start)[0] == 200
    return cookies


def deaths(folder: Path, count: int = 200) -> Figures:
    """Let many players die in the same second."""
    with servers.killer(folder, workers=4) as server:
        cookies = start_game(folder, server)
        dying = [cookies[f"Joueur {n}"] for n in range(count)]
        times: list[float] = []
        ready = threading.Barrier(count + 1)

        def die(cookie: str) -> None:
            with wire.connect(server.port) as connection:
                ready.wait()
                begun = time.monotonic()
                status, body = wire.exchange(
                    connection, wire.request("POST", "/api/death", cookie, b"{}")
                )
                assert status == 200, body
                times.append(time.monotonic() - begun)

        def gun() -> None:
            ready.wait()

        begun = time.monotonic()
        wire.at_once([gun, *(lambda c=c: die(c) for c in dying)])
        took = time.monotonic() - begun
        with wire.connect(server.port) as connection:
            _, body = wire.exchange(connection, wire.request("GET", "/api/me", cookies["Joueur 0"]))
    alive = json.loads(body)["game"]["alive"]
    times.sort()
    return {
        f"{count} deaths at once: kept": float(500 - alive),
        f"{count} deaths at once: seconds": took,
        f"{count} deaths at once: p95 ms": wire.share(times, 0.95),
    }


def streams(folder: Path, count: int) -> Figures:
    """Open many streams, let one player die, and see when the last phone knows."""
    with servers.killer(folder) as server:
        cookies = start_game(folder, server)
        everybody = [cookies[f"Joueur {n % 500}"] for n in range(count)]
        before = server.memory()
        phones = wire.Streams(server.port, everybody)
        greeted = phones.settle()
        after = server.memory()
        rounds = [_one_death(server, phones, cookies[f"Joueur {n}"]) for n in range(PAIRS)]
        phones.close()
    return {
        f"{count} streams: open": float(greeted),
        f"{count} streams: death to phones p95 ms": statistics.median(r[0] for r in rounds),
        f"{count} streams: death to last phone ms": statistics.median(r[1] for r in rounds),
        f"{count} streams: phones reached": float(min(r[2] for r in rounds)),
        f"{count} streams: kB for each phone": (after - before) / count / 1000,
        "memory without phones: MB": before / 1e6,
    }


def _one_death(
    server: servers.Server, phones: wire.Streams, cookie: str
) -> tuple[float, float, int]:
    with wire.connect(server.port) as connection:
        begun = time.time()
        connection.sendall(wire.request("POST", "/api/death", cookie, b"{}"))
        delays = phones.delays(b"event: died", begun, 10)
    return wire.share(delays, 0.95), wire.share(delays, 1), len(delays)


def sign_ins(folder: Path, count: int = 500, seconds: float = 20.0) -> Figures:
    """Let many players sign in by password, spread over some seconds."""
    with servers.killer(folder, workers=4) as server:
        times: list[float] = []

        def sign_in(n: int) -> None:
            time.sleep(seconds * n / count)
            body = json.dumps({"nickname": f"joueur {n}", "password": f"pass-{n}"}).encode()
            begun = time.monotonic()
            with wire.connect(server.port) as connection:
                status, _ = wire.exchange(connection, wire.request("POST", "/api/login", "", body))
            assert status == 200, status
            times.append(time.monotonic() - begun)

        wire.at_once([lambda n=n: sign_in(n) for n in range(count)])
    times.sort()
    return {f"{count} sign-ins in {seconds:.0f} s: p95 ms": wire.share(times, 0.95)}


def main() -> None:
    """Measure everything, print a table, keep the figures as JSON; `sheet` measures the sheet."""
    if sys.argv[1:2] == ["sheet"]:
        sheet.main(sys.argv[2:])
        return
    figures: Figures = {}
    with tempfile.TemporaryDirectory(prefix="killer-bench-") as place:
        small, large = Path(place) / "100", Path(place) / "500"
        servers.import_roster(small, 100)
        servers.import_roster(large, 500)
        figures |= costs(small, 100)
        figures |= costs(large, 500)
        figures |= sign_ins(large)
        figures |= streams(large, STREAMS)
        servers.import_roster(Path(place) / "fresh", 500)
        figures |= deaths(Path(place) / "fresh")
    table = Table("what", "figure")
    for name, value in figures.items():
        table.add_row(name, f"{value:.3f}" if isinstance(value, float) else value)
    Console().print(table)
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
