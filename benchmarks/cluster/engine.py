"""Programs on the hosts: each may be stopped and started again, and tells the CPU it has used."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import psutil
import psycopg

from benchmarks.cluster.network import WIRE, Network, address
from engines import postgresql
from engines.processes import end, listening, program, running, tied, wait_for, wait_until_ready

Process = subprocess.Popen[bytes]
DURABLE = ("fsync=on", "synchronous_commit=on", "full_page_writes=on")
POSTGRESQL, REDIS, HTTP = 5432, 6379, 8080
URL = f"postgresql://app@{address('base')}:{POSTGRESQL}/postgres"
REDIS_URL = f"redis://{address('base')}:{REDIS}/0"


class Engine:
    """A program that comes and goes."""

    def __init__(self, serving: Callable[[], AbstractContextManager[Process]]) -> None:
        self._serving = serving
        self._stack = ExitStack()
        self.start()

    def start(self) -> None:
        """Start it, and return when it does its work."""
        self.process = self._stack.enter_context(self._serving())

    def stop(self) -> None:
        """Stop it in order."""
        self._stack.close()

    def crash(self, how: signal.Signals) -> None:
        """End it without a word to anybody."""
        self.process.send_signal(how)
        self.process.wait()
        self.stop()

    def cpu(self) -> float:
        """Give the CPU seconds of its processes, and of those that have ended."""
        return spent(self.process.pid)


def held(pid: int) -> int:
    """Give the bytes of memory of a process and all that came from it, shared pages once."""
    root = psutil.Process(pid)
    return sum(each.memory_full_info().pss for each in [root, *root.children(recursive=True)])


def spent(pid: int) -> float:
    """Give the CPU seconds of a process and all that came from it; 0 when it is gone.

    What a child has used is its parent's once it has ended.
    """
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    total = 0.0
    for each in family:
        try:
            total += sum(each.cpu_times()[:4])  # user, system, and both of its dead children
        except psutil.NoSuchProcess:
            continue
    return total


@contextmanager
def postgres(network: Network, folder: Path) -> Iterator[Process]:
    """Run PostgreSQL as it must be run for real: what is kept has reached the disk."""
    server = program("postgres", package="postgresql", path=postgresql.binaries())
    here = (f"port={POSTGRESQL}", f"listen_addresses={address('base')}", "max_connections=300")
    files = ("unix_socket_directories=", "shared_buffers=256MB")
    words = [word for each in (*DURABLE, *here, *files) for word in ("-c", each)]
    own = tied("INT", (server, "-D", folder / "data", *words), postgresql.owner())
    command, log = network.on("base", own), folder / "server.log"
    with running(command, log=log, stop="INT", patience=20, cwd=folder) as process:
        wait_until_ready(process, answers, log)
        yield process


def answers() -> bool:
    """Tell whether PostgreSQL takes queries."""
    try:
        psycopg.connect(URL, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def postgres_files() -> Iterator[Path]:
    """Make the files of a PostgreSQL that lets every host of the wire in."""
    with postgresql.files() as folder:
        with (folder / "data" / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {WIRE}.0/24 trust\n")
        yield folder


@contextmanager
def redis(network: Network, folder: Path) -> Iterator[Process]:
    """Run a Redis that keeps nothing on disk."""
    server, log = program("redis-server", package="redis-server"), folder / "redis.log"
    words = ("--port", str(REDIS), "--bind", address("base"), "--protected-mode", "no")
    command = network.on("base", (server, *words, "--save", "", "--dir", str(folder)))
    with running(command, log=log) as process:
        wait_until_ready(process, lambda: listening(REDIS, address("base")), log)
        yield process


class Node:
    """One `killer serve`."""

    def __init__(self, folder: Path, environment: dict[str, str], command: list[str]) -> None:
        self.folder = folder
        self._environment = environment
        self._command = command
        self._process: Process | None = None

    @property
    def pid(self) -> int:
        """Give the master's number."""
        assert self._process is not None, "the node was never started"
        return self._process.pid

    def start(self, patience: float = 40) -> None:
        """Start it, and return when it may get traffic.

        From the main thread: a program ends with the thread that has started it.
        """
        with (self.folder / "server.log").open("ab") as words:
            process = subprocess.Popen(
                tied("TERM", self._command),
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._process = process
        host = self._environment["HOST"]
        wait_for(
            lambda: process.poll() is not None or listening(HTTP, host), patience, "a node's start"
        )
        said = (self.folder / "server.log").read_text(errors="replace")
        assert process.poll() is None, f"a node ended with {process.poll()}: {said[-2000:]}"

    def kill(self) -> None:
        """End the master and the workers with the signal that nothing can answer."""
        os.killpg(self.pid, signal.SIGKILL)
        assert self._process is not None
        self._process.wait()

    def freeze(self) -> None:
        """Let it stand still: it takes connections, as the system does that for it, and no more."""
        os.killpg(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.killpg(self.pid, signal.SIGCONT)

    def end(self) -> None:
        """Leave nothing behind, whatever has happened."""
        if self._process is not None and self._process.poll() is None:
            end(self._process, signal.SIGKILL)

    def cpu(self) -> float:
        """Give the CPU seconds of the master and the workers."""
        return spent(self.pid)
