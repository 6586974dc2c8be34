"""Servers to measure, each in a process group of its own, stopped whatever happens."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from killer import serve, settings

PATIENCE = 60.0  # seconds to start
PORTS = range(10000, 20000)  # below the ephemeral range, and below those of the tests
GREEDY = Path(__file__).with_name("greedy.py")  # our configuration without the fair turn
ROOT = Path(__file__).parent.parent
PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin"))
NGINX = shutil.which("nginx", path=PATH)
TIED = [tie, "--pdeathsig", "TERM"] if (tie := shutil.which("setpriv")) else []


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
    """Find a port that nobody listens on."""
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                one.bind(("127.0.0.1", port))
                return port
    raise RuntimeError(f"no free port between {PORTS.start} and {PORTS.stop}")


@contextmanager
def started(command: list[str], environment: dict[str, str], port: int) -> Iterator[Server]:
    """Run a server until the block ends, and not longer than this process."""
    process = subprocess.Popen(
        [*TIED, *command],
        cwd=ROOT,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait(port, process)
        yield Server(port, psutil.Process(process.pid))
    finally:
        end(process)


def end(process: subprocess.Popen[bytes], patience: float = 20) -> None:
    """Ask a whole process group to stop, and make it when so many seconds have gone."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, how)
            process.wait(patience)
    process.wait()


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as one:
            if not one.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.02)
    raise RuntimeError(f"the server did not start: {process.args}")


@contextmanager
def killer(folder: Path, workers: int = 2, *, fair: bool = True, **more: str) -> Iterator[Server]:
    """Run the server on a folder that `import_roster` has filled."""
    port = free_port()
    environment = {
        "DATA_DIR": str(folder.absolute()),
        "BACKUP_MINUTES": "0",  # whatever a process that ends has used would be missing
        "PORT": str(port),
        "GUNICORN_WORKERS": str(workers),
        "GUNICORN_WORKER_CONNECTIONS": "10000",
        "GUNICORN_LOGLEVEL": "warning",
        "GUNICORN_ERROR_LOG": str(folder.absolute() / "server.log"),
        **more,
    }
    command = [sys.executable, "-m", "killer", "serve"]
    if not fair:
        chosen = settings.load(environment)
        serve.prepare(chosen)
        environment = serve.environment(chosen, environment)
        command = [sys.executable, "-m", "gunicorn", "--config", str(GREEDY)]
    with started(command, environment, port) as server:
        yield server


@contextmanager
def bare(bodies: Path, workers: int = 2) -> Iterator[Server]:
    """Run the yardstick on the same kind of worker, with these answers."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "-k", "gevent", "-w", str(workers)]
    command += ["--worker-connections", "10000", "-b", f"127.0.0.1:{port}"]
    command += ["--no-control-socket", "--log-level", "warning", "benchmarks.bare:application"]
    with started(command, {"BODIES": str(bodies)}, port) as server:
        yield server


@contextmanager
def nginx(folder: Path, locations: str, workers: int = 2) -> Iterator[Server]:
    """Run nginx on files, with as many workers.

    Raises:
        RuntimeError: there is no nginx.
    """
    if NGINX is None:
        raise RuntimeError("nginx is missing: apt-get install nginx")
    port = free_port()
    file = folder / "nginx.conf"
    file.write_text(
        _SITE
        % {
            "folder": folder,
            "port": port,
            "workers": workers,
            "locations": locations,
            # its workers must enter a temporary folder that belongs to whoever measures
            "user": "" if os.geteuid() else "user root;",
        }
    )
    log = str(folder / "error.log")
    with started([NGINX, "-c", str(file), "-p", str(folder), "-e", log], {}, port) as server:
        yield server


_SITE = """
daemon off;
%(user)s
worker_processes %(workers)d;
pid %(folder)s/pid;
error_log %(folder)s/error.log;
events { worker_connections 4096; }
http {
  access_log off;
  sendfile on;
  open_file_cache max=100;
  keepalive_requests 1000000000;
  client_body_temp_path %(folder)s/body;
  proxy_temp_path %(folder)s/proxy;
  fastcgi_temp_path %(folder)s/fastcgi;
  uwsgi_temp_path %(folder)s/uwsgi;
  scgi_temp_path %(folder)s/scgi;
  server {
    listen 127.0.0.1:%(port)d;
%(locations)s
  }
}
"""
