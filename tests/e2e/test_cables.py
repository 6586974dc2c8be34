"""Machines on real wires: a cable is pulled or a machine freezes, and its phones go elsewhere."""

from __future__ import annotations

import os
import random
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from e2e import rosters
from e2e.cluster import NGINX, SECRET, new
from e2e.phones import Phone, Stream, close, following, together
from e2e.server import Server
from engines import nginx, postgresql, redis
from engines.processes import (
    free_port,
    frozen,
    program,
    running,
    wait_for,
)
from engines.wires import Wires, wires
from killer.ops import lookout

PLAYERS = 16
#: How soon every phone is on another node: 5 s are promised, and a test machine may be busy. The
#: phones' own patience, without any lookout, is longer.
BOUND = 20.0
MACHINES = ("front", "base", "one", "other")


@dataclass
class Site:
    """nginx and the lookout in front, PostgreSQL and Redis behind, two nodes in between."""

    wires: Wires
    folder: Path
    nodes: dict[str, Server]
    front: int
    phones: list[Phone]
    postgres: subprocess.Popen[bytes]

    @property
    def list(self) -> str:
        return (self.folder / "nodes.inc").read_text()

    def on(self, machine: str, nickname: str) -> Phone:
        """Give a player's phone on a line to one node; to be used inside its machine."""
        (cookie,) = [phone.cookie for phone in self.phones if phone.nickname == nickname]
        return Phone(self.nodes[machine].port, nickname, cookie)

    def next_victim(self) -> tuple[str, int]:
        """Give somebody who is alive, and the game's version."""
        with self.wires.inside("front"):
            known = {phone.nickname: phone.twin().me() for phone in self.phones}
        alive = [name for name, me in known.items() if me["player"]["status"] == "alive"]
        return alive[0], max(me["game"]["version"] for me in known.values())

    def streams_of(self, machine: str) -> int:
        """Count the connections that a node has from nginx, those of streams in the end."""
        node = self.nodes[machine]
        with self.wires.inside(machine):
            lines = [line for w in node.workers() for line in w.net_connections("tcp")]
        return sum(
            line.laddr.port == node.port and line.status == psutil.CONN_ESTABLISHED
            for line in lines
        )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    with ExitStack() as stack:
        net = stack.enter_context(wires(*MACHINES))
        shared, postgres = a_base(net, folder, stack)
        nodes = {m: Server(new(folder / m), HOST="0.0.0.0", **shared) for m in ("one", "other")}
        roster = rosters.people(PLAYERS)
        with net.inside("one"):
            nodes["one"].imports(roster)
        for machine, node in nodes.items():
            stack.callback(node.end)
            with net.inside(machine):
                node.start()
        with net.inside("front"):
            front = a_front(net, folder, stack, nodes)
            phones = [Phone(front, person.nickname) for person in roster]
            for phone, person in zip(phones, roster, strict=True):
                assert phone.sign_in(person.password).status == 200
            assert phones[-1].twin().ask("POST", "/api/organiser/game/start", {}).status == 200
        yield Site(net, folder, nodes, front, phones[:PLAYERS], postgres)


def a_base(
    net: Wires, folder: Path, stack: ExitStack
) -> tuple[dict[str, str], subprocess.Popen[bytes]]:
    """Start PostgreSQL and Redis, and give the settings of the nodes, and the former."""
    files = stack.enter_context(postgresql.files())
    with (files / "data" / "pg_hba.conf").open("a") as rules:
        rules.write("host all all 10.77.0.0/24 trust\n")
    with net.inside("base"):
        database, told = free_port(), free_port()
        serving = postgresql.serving(files, database, "listen_addresses=*")
        postgres = stack.enter_context(serving)
        stack.enter_context(
            redis.server(folder, told, "--bind", "0.0.0.0", "--protected-mode", "no")
        )
    address = net.address("base")
    shared = {
        "DATABASE_URL": f"postgresql://app@{address}:{database}/postgres",
        "REDIS_URL": f"redis://{address}:{told}/0",
        "SECRET_KEY": SECRET,
        "GUNICORN_WORKERS": "2",
    }
    return shared, postgres


def a_front(net: Wires, folder: Path, stack: ExitStack, nodes: dict[str, Server]) -> int:
    """Start nginx and the lookout, and give the port that phones know."""
    port, servers = free_port(), folder / "nodes.inc"
    addresses = [f"{net.address(machine)}:{node.port}" for machine, node in nodes.items()]
    servers.write_text("".join(f"server {address};\n" for address in addresses))
    listed = f"zone nodes 64k; include {servers};"
    server, http = program("nginx", package="nginx"), NGINX.format(port=port, nodes=listed)
    stack.enter_context(nginx.serving(server, folder, http, port))
    program("ss", package="iproute2")
    reload = shlex.join([*nginx.command(server, folder, http), "-s", "reload"])
    command = [sys.executable, "-I", "-S", lookout.__file__, "--servers", str(servers)]
    watch = running([*command, "--reload", reload, *addresses], log=folder / "lookout.log")
    stack.enter_context(watch)
    return port


def all_in(site: Site) -> bool:
    return site.list.count("server ") == 2 and " down" not in site.list


def pull(site: Site, machine: str) -> None:
    site.wires.cut(machine)


def freeze(site: Site, machine: str) -> None:
    os.killpg(site.nodes[machine].process.pid, signal.SIGSTOP)


def put_back(site: Site, machine: str) -> None:
    site.wires.heal(machine)
    os.killpg(site.nodes[machine].process.pid, signal.SIGCONT)


def on_both(site: Site, before: int) -> list[Stream] | None:
    """Open everybody's stream; nginx may not have read the list yet in which both nodes are in."""
    with site.wires.inside("front"):
        streams = following([phone.twin() for phone in site.phones], before, patient=True)
    if site.streams_of("one") >= PLAYERS // 3:
        return streams
    close(streams)
    return None


@pytest.mark.parametrize("trouble", [pull, freeze])
def test_the_phones_of_a_node_that_falls_silent_are_on_the_other_without_a_gap(
    site: Site, trouble: Callable[[Site, str], None]
) -> None:
    wait_for(lambda: all_in(site), 60, "both nodes")
    victim, before = site.next_victim()
    streams = wait_for(lambda: on_both(site, before), 60, "streams on both nodes")
    began = time.monotonic()
    trouble(site, "one")
    try:
        with site.wires.inside("other"):
            version = site.on("other", victim).insist("/api/death", f"during {trouble}").version
        told = f"{victim}'s death on every phone"
        wait_for(lambda: all(s.place == version for s in streams), BOUND, told)
    finally:
        put_back(site, "one")
    last = max(stream.frames[-1].at for stream in streams) - began
    moved = [stream for stream in streams if stream.connections > 1]
    print(
        f"\n{trouble.__name__}: {len(moved)} of {PLAYERS} phones moved, the last after {last:.1f} s"
    )
    assert len(moved) >= PLAYERS // 3
    for stream in streams:
        assert stream.versions == list(range(before + 1, version + 1))
    close(streams)


@contextmanager
def a_base_without_cable(site: Site) -> Iterator[None]:
    site.wires.cut("base")
    try:
        yield
    finally:
        site.wires.heal("base")


def a_frozen_database(site: Site) -> AbstractContextManager[None]:
    """Its kernel goes on acknowledging packets and taking connections."""
    return frozen(site.postgres)


@pytest.mark.parametrize("trouble", [a_base_without_cable, a_frozen_database])
def test_a_database_that_falls_silent_is_told_and_nobody_waits_for_long(
    site: Site, trouble: Callable[[Site], AbstractContextManager[None]]
) -> None:
    wait_for(lambda: all_in(site), 60, "both nodes")
    victim, before = site.next_victim()
    with site.wires.inside("front"):
        streams = following([phone.twin() for phone in site.phones], before)
    with site.wires.inside("one"), trouble(site):
        for when in ("at once", "later", "later still"):
            phones = [site.on("one", phone.nickname) for phone in site.phones]
            took = together(timed_refusal, phones, PLAYERS)
            print(f"\n{trouble.__name__}, {when}: refused after {max(took):.1f} s at most")
            assert max(took) < BOUND
        assert site.on("one", victim).ask("GET", "/health/ready").status == 503
        assert all_in(site), "another node would be no better"
    with site.wires.inside("one"):
        version = site.on("one", victim).insist("/api/death", f"after {trouble}").version
    wait_for(lambda: all(s.place == version for s in streams), BOUND, f"the death of {victim}")
    assert [stream.connections for stream in streams] == [1] * PLAYERS
    close(streams)


def timed_refusal(phone: Phone) -> float:
    began = time.monotonic()
    ask = random.choice([("GET", "/api/me"), ("POST", "/api/giveup", {}), ("GET", "/api/events")])
    answer = phone.ask(*ask)
    assert answer.status == 503, answer
    assert int(answer.headers["Retry-After"]) > 0
    return time.monotonic() - began
