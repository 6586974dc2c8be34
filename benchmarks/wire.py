"""A small HTTP client that costs little: requests are prepared, answers read by their length."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence

PATIENCE = 60.0  # seconds for an answer


def request(
    method: str, path: str, cookie: str = "", body: bytes = b"", headers: Sequence[str] = ()
) -> bytes:
    """Write a whole request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
    if cookie:
        lines.append(f"Cookie: {cookie}")
    if body:
        lines += ["Content-Type: application/json"]
    if method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def connect(port: int, source: str = "") -> socket.socket:
    """Open a connection; from another address of this machine when its ports run short."""
    here = (source, 0) if source else None  # a port that is chosen before the connection is slow
    return socket.create_connection(("127.0.0.1", port), PATIENCE, here)


def exchange(connection: socket.socket, sent: bytes) -> tuple[int, bytes]:
    """Send a request and read its answer: the status and the body."""
    head, body = exchange_all(connection, sent)
    return int(head[9:12]), body


def exchange_all(connection: socket.socket, sent: bytes) -> tuple[bytes, bytes]:
    """Send a request and read its answer: the whole head and the body."""
    connection.sendall(sent)
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(header(head, "content-length") or 0)
    while len(body) < length:
        body += _more(connection)
    return head, body


def header(head: bytes, name: str) -> str:
    """Give a header's value from the head of an answer, or nothing."""
    lines = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
    return next((value.strip() for key, _, value in lines if key.lower() == name), "")


def ask(port: int, sent: bytes) -> bytes:
    """Ask once, on a connection of its own, and give the body of a good answer."""
    with connect(port) as connection:
        status, body = exchange(connection, sent)
    assert status < 300, (status, body[:300])
    return body


def _more(connection: socket.socket) -> bytes:
    chunk = connection.recv(65536)
    if not chunk:
        raise ConnectionError("closed by the server")
    return chunk


def each_once(port: int, asked: Sequence[bytes], connections: int) -> list[float]:
    """Send every request once, over some connections; give the seconds of each, sorted."""
    times: list[float] = []

    def one(mine: Sequence[bytes]) -> None:
        with connect(port) as connection:
            for sent in mine:
                begun = time.monotonic()
                status, body = exchange(connection, sent)
                assert status < 400, (status, body[:300])
                times.append(time.monotonic() - begun)

    at_once([lambda mine=asked[n::connections]: one(mine) for n in range(connections)])
    return sorted(times)


def at_once(jobs: Sequence[Callable[[], None]]) -> None:
    """Run jobs at the same time, each in a thread; a failure of one is a failure of all."""
    failures: list[BaseException] = []

    def guarded(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001  # told below
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(job,), daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def share(times: Sequence[float], part: float) -> float:
    """Give a quantile of sorted times, in milliseconds."""
    return 1000 * times[min(len(times) - 1, int(part * len(times)))] if times else float("nan")
