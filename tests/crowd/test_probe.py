"""What is seen of a server's machine, from afar and from beside it."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from killer.crowd.client import Address
from killer.crowd.probe import Metrics, Reading, Tree, machine, share

FIGURES = b"""# HELP killer_streams Open live streams.
killer_streams 12.0
killer_rehearsal_streams 7.0
killer_requests_total{route="GET /health",status="200"} 75.0
killer_requests_total{route="GET /",status="200"} 5.0
killer_cpu_seconds_total 3.5
killer_memory_bytes 1.5e+08
killer_machine_cores 2.0
killer_machine_memory_bytes 8e+09
"""


@contextmanager
def telling(status: int, body: bytes) -> Iterator[tuple[Address, list[bytes]]]:
    asked: list[bytes] = []
    head = b"HTTP/1.1 %d It\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
    with socket.create_server(("127.0.0.1", 0)) as door:

        def serve() -> None:
            line, _ = door.accept()
            with line:
                asked.append(line.recv(65_536))
                line.sendall(head + body)

        threading.Thread(target=serve, daemon=True).start()
        yield Address("http", "127.0.0.1", door.getsockname()[1]), asked


def test_figures_are_read_with_the_token() -> None:
    with telling(200, FIGURES) as (address, asked):
        seen = Metrics(address, "secret").look()
    assert (seen.cpu, seen.cores, seen.memory) == (3.5, 2, 150_000_000)
    assert (seen.total, seen.streams) == (8_000_000_000, 12)
    assert b"\r\nAuthorization: Bearer secret\r\n" in asked[0]


def test_streams_are_those_of_rehearsals() -> None:
    with telling(200, FIGURES) as (address, _):
        assert Metrics(address).streams() == 7
    with telling(403, b"") as (address, _):
        assert Metrics(address).streams() is None


def test_labels_are_added_up() -> None:
    with telling(200, FIGURES) as (address, _):
        assert Metrics(address).figures()["killer_requests_total"] == 80


@pytest.mark.parametrize(("status", "body"), [(403, FIGURES), (200, b"<html>")])
def test_what_is_closed_is_unknown(status: int, body: bytes) -> None:
    with telling(status, body) as (address, _):
        seen = Metrics(address).look()
    assert set(seen[1:]) == {None}


def test_the_share_is_of_all_cores() -> None:
    before, now = Reading(10.0, cpu=4.0, cores=2), Reading(12.0, cpu=5.0, cores=2)
    assert share(before, now) == 0.25
    assert share(before, before) is None
    assert share(Reading(1.0), now) is None


def test_a_tree_is_this_process_and_all_that_come_from_it() -> None:
    seen = Tree(os.getpid(), Metrics(Address("http", "127.0.0.1", 9))).look()
    assert (seen.cpu or 0) > 0
    assert 1_000_000 < (seen.memory or 0) < (seen.total or 0)
    assert f"{seen.cores} CPU" in machine()
