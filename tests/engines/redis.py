"""A throw-away Redis for the tests of one process, empty for each test."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engines.processes import free_port, listening, program, running, wait_until_ready


@contextmanager
def server(folder: Path, port: int = 0, *more: str) -> Iterator[int]:
    """Run a server that keeps nothing on disk while the block lasts, and give its port."""
    command = program("redis-server", package="redis-server")
    port, log = port or free_port(), folder / "redis.log"
    options = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder))
    with running((command, *options, *more), log=log) as process:
        wait_until_ready(process, lambda: listening(port), log)
        yield port


def empty(port: int) -> None:
    """Forget every key of every database there."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(b"FLUSHALL\r\n")
        assert connection.recv(64).startswith(b"+OK")
