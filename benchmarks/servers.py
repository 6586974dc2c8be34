"""Servers to measure, each in a process group of its own, stopped whatever happens."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

PATIENCE = 60.0  # seconds to start


@dataclass(frozen=True)
class Server:
    """A running server: its port and its processes."""

    port: int
    process: psutil.Process

    def _all(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]

    def cpu(self) -> float:
        """Give the CPU seconds that all its processes have used."""
        return sum(sum(p.cpu_times()[:2]) for p in self._all())

    def memory(self) -> int:
        """Give the bytes of memory of all its processes, shared pages counted once."""
        return sum(p.memory_full_info().pss for p in self._all())


def free_port() -> int:
    """Find a port that nobody listens on, below the ephemeral range."""
    for port in range(18000, 19000):
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)):
                return port
    raise SystemExit("no free port between 18000 and 19000")


@contextmanager
def started(command: list[str], environment: dict[str, str], port: int) -> Iterator[Server]:
    """Run a server until the block ends."""
    process = subprocess.Popen(
        command, env=os.environ | environment, start_new_session=True, stderr=subprocess.DEVNULL
    )
    try:
        _wait(port, process)
        yield Server(port, psutil.Process(process.pid))
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as one:
            if not one.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.05)
    raise SystemExit("the server did not start")


@contextmanager
def killer(folder: Path, workers: int = 2) -> Iterator[Server]:
    """Run the server on a folder that `import_roster` has filled."""
    port = free_port()
    environment = {
        "DATA_DIR": str(folder),
        "PORT": str(port),
        "GUNICORN_WORKERS": str(workers),
        "GUNICORN_WORKER_CONNECTIONS": "10000",
        "GUNICORN_LOGLEVEL": "warning",
    }
    with started([sys.executable, "-m", "killer", "serve"], environment, port) as server:
        yield server


@contextmanager
def bare(workers: int = 2) -> Iterator[Server]:
    """Run the yardstick on the same kind of worker."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "-k", "gevent", "-w", str(workers)]
    command += ["--worker-connections", "10000", "-b", f"127.0.0.1:{port}"]
    command += ["--no-control-socket", "--log-level", "warning", "benchmarks.bare:application"]
    with started(command, {}, port) as server:
        yield server


def roster(players: int) -> str:
    """Write an export of that many invented players, the passwords being `p` and the number."""
    lines = ["Surnom,Année,Mot de passe,Défi ciblé,Admin,État"]
    lines += [f"Joueur {n},{n % 5 + 1}A,pass-{n},Lui faire dire {n},FALSE," for n in range(players)]
    return "\n".join([*lines, "Orga,,pass-orga,,TRUE,admin"])


def import_roster(folder: Path, players: int) -> None:
    """Make a game in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    export = folder / "roster.csv"
    export.write_text(roster(players))
    command = [sys.executable, "-m", "killer", "import", "--players", str(export)]
    subprocess.run(
        command, env=os.environ | {"DATA_DIR": str(folder)}, check=True, capture_output=True
    )


def links(folder: Path, port: int) -> dict[str, str]:
    """Give a session cookie for every player, made through sign-in links of the store."""
    script = Path(__file__).with_name("make_links.py")
    done = subprocess.run(
        [sys.executable, str(script), str(folder)], check=True, capture_output=True, text=True
    )
    assert port
    return dict(re.findall(r"^(.*)\t(.*)$", done.stdout, re.MULTILINE))
