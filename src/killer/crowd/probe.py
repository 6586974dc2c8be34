"""What the server's machine gives: CPU, memory and open streams, and what the phones take of it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from typing import NamedTuple, Protocol

import gevent
import psutil

from killer.crowd.client import Address, Client

OK = 200
#: Seconds between two looks at the memory: the system adds up every page, 10 ms for each process.
MEMORY = 3.0
_FIGURE = re.compile(r"^(killer_\w+)(?:\{[^}]*\})? (\S+)$", re.MULTILINE)


class Reading(NamedTuple):
    """One look at a server; None is what can't be seen."""

    at: float  # monotonic seconds
    cpu: float | None = None  # seconds of all cores since it began
    cores: int | None = None
    memory: int | None = None  # bytes, shared ones once
    total: int | None = None  # bytes that the machine has
    streams: int | None = None


def share(before: Reading, now: Reading) -> float | None:
    """Give the share of all cores that was used between two looks, 0 to 1."""
    if before.cpu is None or now.cpu is None or not now.cores or now.at <= before.at:
        return None
    return max(0.0, (now.cpu - before.cpu) / (now.at - before.at) / now.cores)


class Probe(Protocol):
    """Somebody who looks at a server."""

    def look(self) -> Reading:
        """Look now."""

    def streams(self) -> int | None:
        """Count the open streams of rehearsals; None when the server doesn't tell."""


class Metrics:
    """Asks `/metrics`, from this machine or with the token."""

    def __init__(self, address: Address, token: str = "") -> None:
        self._client = Client(address)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def figures(self) -> dict[str, float]:
        """Read every figure without labels, those with labels added up; none when closed."""
        answer = self._client.ask("GET", "/metrics", headers=self._headers)
        found: dict[str, float] = {}
        for name, value in _FIGURE.findall(answer.text if answer.status == OK else ""):
            found[name] = found.get(name, 0.0) + float(value)
        return found

    def look(self) -> Reading:
        """Look from afar."""
        found = self.figures()

        def whole(name: str) -> int | None:
            return int(found[name]) if name in found else None

        return Reading(
            at=time.monotonic(),
            cpu=found.get("killer_cpu_seconds_total"),
            cores=whole("killer_machine_cores"),
            memory=whole("killer_memory_bytes"),
            total=whole("killer_machine_memory_bytes"),
            streams=whole("killer_streams"),
        )

    def streams(self) -> int | None:
        """Count those of rehearsals: people may come and go in the real game meanwhile."""
        found = self.figures().get("killer_rehearsal_streams")
        return None if found is None else int(found)


class Tree:
    """Looks at a server on this machine: its first process and all that come from it."""

    def __init__(self, pid: int, metrics: Metrics) -> None:
        self._root = psutil.Process(pid)
        self._metrics = metrics
        self._known: dict[int, float] = {}  # CPU seconds by process, also of those that are gone
        self._memory: int | None = None
        self._looked = -MEMORY

    def look(self) -> Reading:
        """Look from a thread of its own: the phones must not wait meanwhile."""
        reading: Reading = gevent.get_hub().threadpool.apply(self._look)
        return reading

    def _look(self) -> Reading:
        processes = family(self._root)
        self._known |= {p.pid: seconds for p in processes if (seconds := cpu_of(p)) is not None}
        now = time.monotonic()
        if now - self._looked >= MEMORY:
            self._looked, self._memory = now, sum(map(_memory_of, processes))
        total = psutil.virtual_memory().total
        return Reading(now, sum(self._known.values()), cores(), self._memory, total)

    def streams(self) -> int | None:
        """Count those of rehearsals."""
        return self._metrics.streams()


class Generator:
    """Looks at the processes that are the phones."""

    def __init__(self, pids: Iterable[int]) -> None:
        self._processes = [psutil.Process(pid) for pid in (os.getpid(), *pids)]
        self._began, self._cpu = time.monotonic(), self._seconds()

    def _seconds(self) -> float:
        return sum(cpu_of(process) or 0.0 for process in self._processes)

    def share(self) -> float:
        """Give the mean share of this machine's cores so far, 0 to 1."""
        took = time.monotonic() - self._began
        return (self._seconds() - self._cpu) / took / cores() if took > 0 else 0.0


def family(root: psutil.Process) -> list[psutil.Process]:
    """Give a process and all that come from it."""
    try:
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


def cpu_of(process: psutil.Process) -> float | None:
    """Give the CPU seconds of a process; None when it is gone."""
    try:
        spent = process.cpu_times()
    except psutil.Error:
        return None
    return float(spent.user + spent.system)


def _memory_of(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.Error, AttributeError):
        return 0


def cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0))


def machine() -> str:
    """Name this machine in one line: processor, cores and memory."""
    return ", ".join((_processor(), f"{cores()} CPU", f"{psutil.virtual_memory().total >> 20} MB"))


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123  # no file of ours
            names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    except OSError:
        names = []
    return names[0] if names else os.uname().machine
