"""SIGKILL of workers, the master and everything, under load: what was acknowledged is kept."""

from __future__ import annotations

import os
import random
import signal
import time

import psutil
import pytest

from e2e import rosters
from e2e.conftest import Deploy
from e2e.crowd import Crowd, Told
from e2e.phones import Phone, Stream, following, together
from e2e.server import Server
from engines.processes import wait_for
from killer.store import check, games
from killer.store.database import Database

TIMES = int(os.environ.get("KILLER_TEST_KILLS", "100"))
VICTIMS = (*["worker"] * 4, "master", *["worker"] * 4, "everything")
ORPHANS_LIVE = 30.0  # seconds at most: their next look at who their parent is, and a goodbye
PLAYERS = 60


@pytest.mark.timeout(900)  # it starts the server twenty times
def test_what_was_acknowledged_survives_a_hundred_kills(deploy: Deploy) -> None:
    server = deploy()
    crowd = running_game(server)
    streams = following([p.twin() for p in list(crowd.phones.values())[:5]])
    with crowd.tapping():
        for number in range(TIMES):
            time.sleep(random.uniform(0.02, 0.3))
            kill(server, VICTIMS[number % len(VICTIMS)], crowd)
            assert not crowd.wrong
    assert not crowd.wrong
    assert_kept_once(server, "died", crowd.deaths)
    assert_kept_once(server, "revived", crowd.revivals)
    assert_nothing_was_missed(streams, server)
    assert "En cours" in server.check()
    print(f"\n{TIMES} kills, {len(crowd.deaths)} deaths, {len(crowd.revivals)} revivals")


def running_game(server: Server) -> Crowd:
    """Start a game whose players sign in by link, so that it begins at once."""
    roster = rosters.people(PLAYERS, passwords=False)
    links = server.imports(roster)
    server.start()
    hosts = [server.signed_in(person) for person in roster[PLAYERS:]]
    assert hosts[0].ask("POST", "/api/organiser/game/start", {}).status == 200
    phones = together(lambda item: server.with_link(item[1], item[0]), list(links.items()))
    return Crowd({phone.nickname: phone for phone in phones}, hosts)


def kill(server: Server, victim: str, crowd: Crowd) -> None:
    if victim == "worker":
        wait_for(lambda: a_worker_dies(server), 60, "a worker to kill")
        return
    workers = server.workers()
    if victim == "master":
        server.process.kill()
    else:
        os.killpg(server.process.pid, signal.SIGKILL)
    server.process.wait()
    assert_sound(server)
    known = max((told.version for told in list(crowd.deaths)), default=0)
    server.start()
    assert_orphans_leave(workers)
    assert crowd.hosts[0].twin().me()["game"]["version"] >= known


def a_worker_dies(server: Server) -> bool:
    """Kill one, unless there is none, or it was just ending."""
    living = [one for one in server.workers() if one.is_running()]
    try:
        random.choice(living).kill()
    except (IndexError, psutil.NoSuchProcess):
        return False
    return True


def assert_sound(server: Server) -> None:
    """What is on the disk must obey the laws, whoever was killed while writing it."""
    assert server.query("PRAGMA integrity_check") == [("ok",)]
    database = Database(f"sqlite:///{server.folder}/data/killer.sqlite3")
    with database.read() as connection:
        (row,) = games.every(connection)
        assert check.faults(connection, row) == []
    database.close()


def assert_orphans_leave(workers: list[psutil.Process]) -> None:
    """Workers without a master end by themselves."""
    _, left = psutil.wait_procs(workers, ORPHANS_LIVE)
    assert not left


def assert_kept_once(server: Server, kind: str, told: list[Told]) -> None:
    """The log holds exactly what was acknowledged: each at its version, nothing twice."""
    rows = server.query(
        "SELECT e.version, p.nickname FROM events e JOIN players p"
        " ON p.game = e.game AND p.id = json_extract(e.data, '$.player')"
        f" WHERE e.kind = '{kind}' ORDER BY e.version"
    )
    assert rows == sorted((one.version, one.nickname) for one in told)
    assert len(set(rows)) == len(rows)


def assert_nothing_was_missed(streams: list[Stream], server: Server) -> None:
    """Phones that listened through it all have every version once and in order."""
    ((last,),) = server.query("SELECT version FROM games")
    wait_for(lambda: all(s.place == last for s in streams), 60, "the last frame")
    for stream in streams:
        versions = stream.versions
        assert versions == list(range(versions[0], last + 1))
        assert stream.connections > 1


def test_the_figures_and_a_new_phone_work_after_a_kill(deploy: Deploy) -> None:
    server = deploy()
    server.start()
    os.kill(server.workers()[0].pid, signal.SIGKILL)
    host = server.organiser()
    wait_for(lambda: len(server.workers()) == 4, 60, "the fourth worker")
    phones = [Phone(server.port, cookie=host.cookie) for _ in range(20)]
    assert {p.ask("GET", "/metrics").status for p in phones} == {200}
    assert {p.ask("GET", "/health/ready").status for p in phones} == {200}
