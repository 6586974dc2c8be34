"""Many open event streams, held and read by one thread."""

from __future__ import annotations

import resource
import select
import socket
import time
from collections.abc import Sequence

from benchmarks import wire

EACH_ADDRESS = 20_000  # connections from one address of this machine: it has 28,000 ports
SPARE = 200  # open files for everything but streams


def allow_files(wanted: int) -> None:
    """Let this process, and the servers that it starts, open so many files.

    Raises:
        RuntimeError: the machine doesn't allow that many.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted + SPARE:
        raise RuntimeError(f"{wanted} streams need {wanted + SPARE} open files: ulimit -Hn {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted + SPARE), hard))


class Streams:
    """Phones that have their live stream open and do nothing else."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._poll = select.epoll()
        self._open: dict[int, socket.socket] = {}
        self._opened = 0

    def __len__(self) -> int:
        """Give how many are open."""
        return len(self._open)

    def open(self, cookies: Sequence[str]) -> int:
        """Open one for each cookie; give how many the server has accepted."""
        fresh = {self._ask(cookie) for cookie in cookies}
        return len(self._until(b"HTTP/1.1 200", fresh, wire.PATIENCE))

    def _ask(self, cookie: str) -> int:
        address = self._opened // EACH_ADDRESS
        self._opened += 1
        connection = wire.connect(self._port, f"127.0.0.{1 + address}" if address else "")
        connection.sendall(wire.request("GET", "/api/events", cookie))
        connection.setblocking(False)
        self._open[connection.fileno()] = connection
        self._poll.register(connection, select.EPOLLIN)
        return connection.fileno()

    def delays(self, event: bytes, since: float, seconds: float) -> list[float]:
        """Give for each stream how long after `since` it heard of an event, sorted."""
        seen = self._until(event, set(self._open), seconds)
        return sorted(at - since for at in seen.values())

    def drain(self) -> None:
        """Read away whatever has come."""
        self._until(b"", set(self._open), 0.2)

    def _until(self, wanted: bytes, whom: set[int], seconds: float) -> dict[int, float]:
        """Read until each of these has heard something wanted; give when each did."""
        seen: dict[int, float] = {}
        until = time.monotonic() + seconds
        while len(seen) < len(whom) and time.monotonic() < until:
            for descriptor, _ in self._poll.poll(0.1):
                data = self._read(descriptor)
                if data and wanted in data and descriptor in whom:
                    seen.setdefault(descriptor, time.monotonic())
        return seen

    def _read(self, descriptor: int) -> bytes:
        """Read what is there; a stream that the server has ended is forgotten."""
        try:
            data = self._open[descriptor].recv(65536)
        except OSError:
            data = b""
        if not data:
            self._poll.unregister(descriptor)
            self._open.pop(descriptor).close()
        return data

    def close(self) -> None:
        """Hang up."""
        self._poll.close()
        for connection in self._open.values():
            connection.close()
        self._open.clear()
