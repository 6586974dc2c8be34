"""`killer deploy --inventory` on two real servers, the first in front: from nothing, rolling, cut.

The tests share the servers and build on each other: they run in this order.
"""

from __future__ import annotations

import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from deploy.campus import Checkout, Federation, StrictPhone, assert_nothing_was_missed
from e2e.crowd import Crowd
from e2e.phones import Phone, Stream, following, together
from engines.processes import wait_for
from killer.live.stream import RETRY, SPREAD
from killer.ops import places

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(600)]

PROMISED = 5.0  # seconds within which a dead node's phones are on another


def test_a_dry_run_tells_the_steps_of_every_machine_and_touches_nothing(
    federation: Federation,
) -> None:
    files = "find / -xdev -newer /etc/hostname -type f | grep -v ^/var/log | sort"
    before = [server.run(files) for server in federation.servers]
    said = federation.cluster("--dry-run")
    for server in federation.servers:
        assert f"? root@{server.address}: Release of the game" in said
    assert "Lookout" in said
    assert [server.run(files) for server in federation.servers] == before


def test_one_command_brings_the_game_to_two_bare_servers(federation: Federation) -> None:
    began = time.monotonic()
    said = federation.cluster()
    print(f"\ntwo bare servers took {time.monotonic() - began:.0f} s")
    assert f"serves the players: http://{federation.server.address}" in said
    for server in federation.servers:
        assert f"root@{server.address}: killer@1.service: active" in said
    kept = [server.run(f"cat {places.ENVIRONMENT}") for server in federation.servers]
    assert kept[0] == kept[1], "one secret, one database, one Redis"
    assert f"PUBLIC_URL=http://{federation.server.address}\n" in kept[0]
    ready = Phone(federation.port).ask("GET", "/health/ready").json
    assert (ready["ready"], ready["bell"], ready["redis"]) == (True, "redis", True)
    assert federation.server.run(f"cat {places.NODES}").count("server ") == 2


def test_a_second_deployment_needs_no_inventory_and_changes_nothing(
    federation: Federation,
) -> None:
    written = "find /etc /opt /usr -xdev -type f -printf '%p %T@\\n' | sort"
    before = [server.run(written) for server in federation.servers]
    assert "0 steps changed something." in federation.deploy()
    assert [server.run(written) for server in federation.servers] == before
    strangers = federation.killer("deploy", f"root@{federation.second.address}", fails=True)
    assert f"stands behind root@{federation.server.address}" in strangers


def test_nobody_but_the_front_comes_to_a_node(federation: Federation) -> None:
    ask = "import urllib.request as u, sys; u.urlopen(sys.argv[1], timeout=1)"
    inner = f"http://{federation.second.address}:{places.NODE_PORT}/health"
    federation.server.run(f'python3 -c "{ask}" {inner}')
    words = federation.server.operator.within("python3", "-c", ask, inner)
    assert b"timed out" in subprocess.run(words, capture_output=True, check=False).stderr
    federation.second.run("nft delete table inet killer")
    assert b"403" in subprocess.run(words, capture_output=True, check=False).stderr
    federation.second.run("systemctl restart killer-firewall")


Players = tuple[dict[str, StrictPhone], list[StrictPhone]]


@pytest.fixture(scope="module")
def players(federation: Federation) -> Players:
    """Thirty people who play through the front, and two organisers."""
    return federation.players(30)


@pytest.fixture
def crowd(players: Players) -> Crowd:
    """Their hands."""
    return Crowd(dict(players[0]), list(players[1]))


@pytest.fixture
def streams(federation: Federation, players: Players) -> Iterator[list[Stream]]:
    """What each of them hears live."""
    phones = [Phone(federation.port, p.nickname, p.cookie) for p in players[0].values()]
    found = following(phones)
    with Crowd(dict(players[0]), list(players[1])).tapping():
        wait_for(lambda: all(s.place for s in found), 10, "a place for everybody to go on from")
    yield found
    together(Stream.close, found)


def test_a_rolling_update_loses_no_request_and_no_news(
    federation: Federation, crowd: Crowd, streams: list[Stream], checkout: Checkout
) -> None:
    checkout.changed("__init__.py", "0.1.0", "0.1.1")
    with crowd.tapping(hands=2):
        began = time.monotonic()
        said = federation.deploy(checkout=checkout)
        took = time.monotonic() - began
    print(f"\nan update of two nodes took {took:.0f} s; {len(crowd.deaths)} deaths meanwhile")
    assert said.count("Backup before the update (done)") == 1
    moved = [said.index(f"+ root@{s.address}: Players move") for s in federation.servers]
    assert moved == sorted(moved)
    assert federation.failed == []
    assert crowd.wrong == []
    assert len(crowd.deaths) > 20
    assert_nothing_was_missed(streams, crowd)
    assert min(s.retries[-1] for s in streams) >= RETRY - SPREAD, "each is open again"
    assert "En cours" in federation.server.run("KILLER_LANGUAGE=fr killer check")


def test_a_node_that_is_cut_off_takes_nobody_with_it(
    federation: Federation, crowd: Crowd, streams: list[Stream]
) -> None:
    with federation.second.cut():
        with reading_its_list(federation, crowd):
            assert_news_arrive(federation, crowd, streams)
        assert f"{federation.second.address}:{places.NODE_PORT}" in down(federation)
        assert_nothing_fails(federation, crowd)
    with reading_its_list(federation, crowd):
        wait_for(lambda: not down(federation), 30, "the node to be back")
    assert_nothing_was_missed(streams, crowd)


def test_a_game_that_stops_on_the_front_goes_on_behind_it(
    federation: Federation, crowd: Crowd, streams: list[Stream]
) -> None:
    units = places.units(federation.slot())
    with reading_its_list(federation, crowd):
        federation.server.run(f"systemctl stop {units}")
        assert_news_arrive(federation, crowd, streams)
    assert "127.0.0.1" in down(federation)
    assert_nothing_fails(federation, crowd)
    with reading_its_list(federation, crowd):
        federation.server.run(f"systemctl start {units}")
        wait_for(lambda: not down(federation), 30, "the node to be back")
    assert_nothing_was_missed(streams, crowd)


@contextmanager
def reading_its_list(federation: Federation, crowd: Crowd) -> Iterator[None]:
    """Wait in the end until nginx has read its list anew, and closed the lines that were idle."""
    command = "pgrep -f '^nginx: worker process$'"
    before = set(federation.server.run(command).split())
    yield

    def all_new() -> bool:
        now = set(federation.server.run(command, check=False).split())
        return bool(now) and not now & before

    wait_for(all_new, 20, "nginx's new processes")
    for phone in (*crowd.phones.values(), *crowd.hosts):
        phone.hang_up()


def assert_news_arrive(federation: Federation, crowd: Crowd, streams: list[Stream]) -> None:
    """A pause is acknowledged, everybody hears of it soon, and the node is out."""
    began = time.monotonic()
    host = crowd.hosts[0].twin()
    version = host.insist("/api/organiser/game/pause", secrets.token_hex(8)).version
    wait_for(lambda: all(version in s.versions for s in streams), 2 * PROMISED, "the news")
    print(f"\neverybody on another node after {time.monotonic() - began:.1f} s")
    wait_for(lambda: down(federation), 2 * PROMISED, "the node to be out")
    assert host.insist("/api/organiser/game/resume", secrets.token_hex(8)).status == 200


def assert_nothing_fails(federation: Federation, crowd: Crowd) -> None:
    """From now on every answer is a good one."""
    federation.failed.clear()
    with crowd.tapping():
        wait_for(lambda: len(crowd.deaths) >= 10, 30, "ten more deaths")
    assert federation.failed == []
    assert crowd.wrong == []


def down(federation: Federation) -> str:
    """Give the lines of nginx's list that name a node which is out."""
    return federation.server.run(f"grep ' down;' {places.NODES}", check=False)


def test_nodes_that_disagree_are_named_before_anything_is_touched(federation: Federation) -> None:
    change = f"s|^REDIS_URL=.*|REDIS_URL={federation.bell}1|"
    federation.second.run(f"sed -i.kept '{change}' {places.ENVIRONMENT}")
    said = federation.deploy(fails=True)
    federation.second.run(f"mv {places.ENVIRONMENT}.kept {places.ENVIRONMENT}")
    assert f"root@{federation.second.address}: REDIS_URL isn't the same" in said
    assert federation.bell not in said
    assert "(already so)" not in said


def test_a_release_that_does_not_serve_stops_at_the_first_node(
    federation: Federation, checkout: Checkout
) -> None:
    checkout.changed(
        "ops/gunicorn.py", "import gc\n", "import gc\n\nraise RuntimeError('broken')\n"
    )
    before = federation.second.run("ls /opt/killer/releases")
    said = federation.deploy(checkout=checkout, fails=True)
    first, second = (f"root@{server.address}" for server in federation.servers)
    assert "RuntimeError: broken" in said
    assert f"Stopped at {first}, which keeps the release of before." in said
    assert f"Not touched: {second}." in said
    assert federation.second.run("ls /opt/killer/releases") == before


def test_logs_know_every_node(federation: Federation) -> None:
    shown = federation.killer("logs", federation.name, "-n", "5")
    for server in federation.servers:
        assert f"root@{server.address}: " in shown
