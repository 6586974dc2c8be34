"""A small HTTP client that costs little: requests are prepared, answers read by their length."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable, Sequence


def request(method: str, path: str, cookie: str = "", body: bytes = b"") -> bytes:
    """Write a whole request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    if cookie:
        lines.append(f"Cookie: {cookie}")
    if body:
        lines += ["Content-Type: application/json"]
    if method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def connect(port: int) -> socket.socket:
    """Open a connection."""
    return socket.create_connection(("127.0.0.1", port), timeout=60)


def exchange(connection: socket.socket, sent: bytes) -> tuple[int, bytes]:
    """Send a request and read its answer: the status and the body."""
    connection.sendall(sent)
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (
            int(h.split(b":")[1])
            for h in head.split(b"\r\n")
            if h.lower().startswith(b"content-length")
        ),
        0,
    )
    while len(body) < length:
        body += _more(connection)
    return int(head[9:12]), body


def _more(connection: socket.socket) -> bytes:
    chunk = connection.recv(65536)
    if not chunk:
        raise ConnectionError("closed by the server")
    return chunk


def hammer(port: int, sent: bytes, connections: int, seconds: float) -> tuple[int, list[float]]:
    """Repeat a request on kept-alive connections; give how many were answered, and in how long."""
    times: list[list[float]] = [[] for _ in range(connections)]
    until = time.monotonic() + seconds

    def one(mine: list[float]) -> None:
        with connect(port) as connection:
            while (begun := time.monotonic()) < until:
                status, _ = exchange(connection, sent)
                assert status == 200, status
                mine.append(time.monotonic() - begun)

    at_once([lambda mine=mine: one(mine) for mine in times])
    every = sorted(t for mine in times for t in mine)
    return len(every), every


def at_once(jobs: Sequence[Callable[[], None]]) -> None:
    """Run jobs at the same time, each in a thread; a failure of one is a failure of all."""
    failures: list[BaseException] = []

    def guarded(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001  # told below
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


class Streams:
    """Many open event streams, read by one thread."""

    def __init__(self, port: int, cookies: Sequence[str]) -> None:
        self._poll = select.epoll()
        self._open: dict[int, socket.socket] = {}
        for cookie in cookies:
            connection = connect(port)
            connection.sendall(request("GET", "/api/events", cookie))
            connection.setblocking(False)
            self._open[connection.fileno()] = connection
            self._poll.register(connection, select.EPOLLIN)

    def settle(self) -> int:
        """Wait until every stream has said hello; give how many have."""
        greeted = self._read_until(b"event: ping", len(self._open), 60)
        return len(greeted)

    def delays(self, event: bytes, since: float, seconds: float) -> list[float]:
        """Give for each stream how long after `since` the event was there, sorted."""
        seen = self._read_until(event, len(self._open), seconds)
        return sorted(at - since for at in seen.values())

    def _read_until(self, wanted: bytes, count: int, seconds: float) -> dict[int, float]:
        seen: dict[int, float] = {}
        until = time.monotonic() + seconds
        while len(seen) < count and time.monotonic() < until:
            for descriptor, _ in self._poll.poll(0.5):
                data = self._open[descriptor].recv(65536)
                if wanted in data:
                    seen.setdefault(descriptor, time.time())
        return seen

    def close(self) -> None:
        """Hang up."""
        for connection in self._open.values():
            connection.close()


def share(times: Sequence[float], part: float) -> float:
    """Give a quantile of sorted times, in milliseconds."""
    return 1000 * times[min(len(times) - 1, int(part * len(times)))] if times else float("nan")
