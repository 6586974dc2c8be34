"""How much of this machine the server takes, and all that runs on it, since the last look."""

from __future__ import annotations

import os
import shutil
import socket
import time
from pathlib import Path

import msgspec
import psutil

RARELY = 15.0  # seconds between two looks at what costs milliseconds: who there is, what they hold


def name() -> str:
    """Give this machine's name, short enough to be kept beside what it has done."""
    return socket.gethostname()[:80]


class Use(msgspec.Struct, frozen=True):
    """Shares of the whole machine."""

    cpu: float = 0.0
    machine_cpu: float = 0.0
    memory: float = 0.0
    machine_memory: float = 0.0


class Machine:
    """Remembers the last look: processor time is told as sums."""

    def __init__(self, *, workers: bool) -> None:
        self._workers = workers
        self._processes: list[psutil.Process] = []
        self._spent: dict[int, float] = {}
        self._busy, self._whole = _machine()
        self._memory = 0.0
        self._looked = float("-inf")

    def use(self) -> Use:
        """Measure since the last call; the first one after a start has seen little."""
        if time.monotonic() > self._looked + RARELY:
            self._looked = time.monotonic()
            self._processes = server(workers=self._workers)
            self._memory = sum(map(held, self._processes))
        times = {process.pid: spent(process) for process in self._processes}
        busy, whole = _machine()
        passed = max(whole - self._whole, 0.01)  # of all cores together
        own = sum(max(0.0, now - self._spent.get(pid, now)) for pid, now in times.items())
        memory = psutil.virtual_memory()
        found = Use(
            cpu=min(1.0, own / passed),
            machine_cpu=min(1.0, max(0.0, busy - self._busy) / passed),
            memory=self._memory / memory.total,
            machine_memory=1 - memory.available / memory.total,
        )
        self._spent, self._busy, self._whole = times, busy, whole
        return found


def _machine() -> tuple[float, float]:
    """Give the seconds that all cores were busy, and all seconds together.

    What the host of a virtual machine took away counts as busy: nobody here can use it.
    """
    times = psutil.cpu_times()
    whole = sum(times[:8])  # guests are counted among the others already
    return whole - times.idle - getattr(times, "iowait", 0.0), whole


def free(folder: Path) -> int:
    """Give the bytes that are free on a folder's disk; none when it is gone or read-only."""
    try:
        if os.statvfs(folder).f_flag & os.ST_RDONLY:
            return 0
        return shutil.disk_usage(folder).free
    except OSError:
        return 0


def newest(folder: Path, pattern: str, now: float) -> float | None:
    """Give the age in seconds of the newest file of that name; None when there is none."""
    try:
        return max(0.0, now - max(file.stat().st_mtime for file in folder.glob(pattern)))
    except (OSError, ValueError):
        return None


def server(*, workers: bool) -> list[psutil.Process]:
    """Find the master, which is the parent in a multi-process server, and its workers."""
    me = psutil.Process()
    master = psutil.Process(os.getppid()) if workers else me
    return [master, *master.children(recursive=True)]


def spent(process: psutil.Process) -> float:
    """Give the processor seconds of a process; none when it is gone."""
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def held(process: psutil.Process) -> int:
    """Give the bytes of memory of a process, what it shares in parts."""
    try:
        return int(process.memory_full_info().pss)
    except (psutil.Error, AttributeError):
        return 0
