"""Saturating a server with one request on kept-alive connections: by wrk, or else by ourselves."""

from __future__ import annotations

import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks import servers, wire

WRK = shutil.which("wrk") or ""
NAME = "wrk" if WRK else "Python"
SCRIPT = Path(__file__).with_name("wrk.lua")


class Load(msgspec.Struct, frozen=True):
    """What a saturated server did; times in milliseconds."""

    count: int
    seconds: float
    p50: float
    p95: float
    p99: float
    worst: float
    errors: int = 0


@dataclass(frozen=True)
class Reading:
    """A GET that is repeated."""

    path: str
    cookie: str = ""
    headers: tuple[str, ...] = ("Accept-Encoding: gzip",)

    def bytes(self) -> bytes:
        """Write it as it goes over the wire."""
        return wire.request("GET", self.path, self.cookie, headers=self.headers)


def saturate(port: int, reading: Reading, connections: int, seconds: float) -> Load:
    """Repeat a request on some connections for some seconds.

    Raises:
        AssertionError: a request failed.
    """
    found = (_wrk if WRK else _ourselves)(port, reading, connections, seconds)
    assert not found.errors, f"{reading.path}: {found.errors} of {found.count} failed"
    return found


def _wrk(port: int, reading: Reading, connections: int, seconds: float) -> Load:
    headers = [*reading.headers, *([f"Cookie: {reading.cookie}"] if reading.cookie else [])]
    command = [WRK, "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "-s", str(SCRIPT)]
    command += ["--timeout", "60s", *(word for each in headers for word in ("-H", each))]
    command.append(f"http://127.0.0.1:{port}{reading.path}")
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=seconds + wire.PATIENCE
    )
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Load)


def _ourselves(port: int, reading: Reading, connections: int, seconds: float) -> Load:
    times: list[list[float]] = [[] for _ in range(connections)]
    sent, until = reading.bytes(), time.monotonic() + seconds

    def one(mine: list[float]) -> None:
        with wire.connect(port) as connection:
            while (begun := time.monotonic()) < until:
                status, _ = wire.exchange(connection, sent)
                assert status < 400, status
                mine.append(time.monotonic() - begun)

    wire.at_once([lambda mine=mine: one(mine) for mine in times])
    every = sorted(t for mine in times for t in mine)
    quantiles = [wire.share(every, part) for part in (0.5, 0.95, 0.99, 1)]
    return Load(len(every), seconds, *quantiles)


def cost(server: servers.Server, reading: Reading, seconds: float, connections: int = 8) -> float:
    """Give the CPU milliseconds that one request costs all the server's processes."""
    before = server.cpu()
    found = saturate(server.port, reading, connections, seconds)
    return 1000 * (server.cpu() - before) / found.count


def warm(server: servers.Server, reading: Reading) -> None:
    """Let every worker have answered before anything is measured."""
    wire.each_once(server.port, [reading.bytes()] * 100, 20)
