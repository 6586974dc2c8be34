"""How the server starts and stops: nothing that was begun is lost, and everybody comes back."""

from __future__ import annotations

import time

from e2e.conftest import Deploy
from e2e.crowd import Crowd
from e2e.phones import Phone, following, together
from e2e.server import Server
from e2e.test_kill_nine import assert_kept_once, assert_nothing_was_missed, running_game
from engines.processes import wait_for
from killer.live.stream import RETRY, SPREAD

LONGEST_STOP = 15.0  # seconds
PASSWORD = "mdp-du-nouveau"


def with_newcomer(server: Server, crowd: Crowd) -> None:
    """Add somebody with a password, which takes long to compare."""
    new = {"nickname": "Nouveau", "password": PASSWORD}
    assert crowd.hosts[0].ask("POST", "/api/organiser/players", new).status == 200


def test_requests_in_flight_are_answered_when_the_server_is_told_to_stop(deploy: Deploy) -> None:
    server = deploy()
    crowd = running_game(server)
    with_newcomer(server, crowd)
    dying = [phone.twin() for phone in list(crowd.phones.values())[:20]]
    together(Phone.hang_up, [*crowd.hosts, *crowd.phones.values()])
    entering = [Phone(server.port, "Nouveau") for _ in range(8)]
    together(lambda phone: phone.ask("GET", "/health"), [*dying, *entering])
    for phone in entering:
        phone.send("POST", "/api/login", {"nickname": "Nouveau", "password": PASSWORD})
    for phone in dying:
        phone.send("POST", "/api/death", {})
    assert_stops(server)
    assert [phone.receive().status for phone in entering] == [200] * len(entering)
    versions = {phone.receive().version: phone.nickname for phone in dying}
    rows = server.query("SELECT version FROM events WHERE kind = 'died'")
    assert {version for (version,) in rows} == set(versions)
    assert len(versions) == len(dying)


def assert_stops(server: Server) -> None:
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < LONGEST_STOP


def test_a_restart_under_load_loses_nothing_and_signs_nobody_out(deploy: Deploy) -> None:
    server = deploy()
    crowd = running_game(server)
    streams = following([phone.twin() for phone in list(crowd.phones.values())[:20]])
    with crowd.tapping():
        time.sleep(1)
        assert_stops(server)
        wait_for(lambda: {s.retries[-1] for s in streams} == {500}, 60, "everybody's goodbye")
        server.start()
        time.sleep(1)
    assert not crowd.wrong
    assert_kept_once(server, "died", crowd.deaths)
    assert_kept_once(server, "revived", crowd.revivals)
    assert_nothing_was_missed(streams, server)
    cards = together(lambda phone: phone.me(), list(crowd.phones.values()))
    assert {card["player"]["nickname"] for card in cards} == set(crowd.phones)
    assert "Traceback" not in server.log.read_text()


def test_open_streams_are_closed_with_a_hint_when_to_come_back(deploy: Deploy) -> None:
    server = deploy()
    crowd = running_game(server)
    streams = following([phone.twin() for phone in crowd.phones.values()])
    together(Phone.hang_up, [*crowd.hosts, *crowd.phones.values()])
    for stream in streams:
        stream.again = False
    assert_stops(server)
    for stream in streams:
        stream.join(60)
        assert not stream.is_alive()
        opened, goodbye = stream.retries
        assert RETRY - SPREAD <= opened <= RETRY + SPREAD
        assert goodbye == 500


def test_the_settings_in_force_are_logged_at_the_start(deploy: Deploy) -> None:
    server = deploy()
    server.start()
    said = server.log.read_text()
    wanted = ("workers: 4", "worker_class: gevent", "timeout: 120", "worker_connections: 1000")
    for line in (*wanted, "keepalive: 5", "preload_app: True"):
        assert f'"event": "{line}"' in said


def test_health_sets_no_cookie(deploy: Deploy) -> None:
    server = deploy()
    server.start()
    for path in ("/health", "/health/ready", "/metrics"):
        answer = Phone(server.port).ask("GET", path)
        assert answer.status == 200
        assert answer.headers["Set-Cookie"] is None


def test_synchronous_workers_serve_everything_but_streams(deploy: Deploy) -> None:
    server = deploy(GUNICORN_WORKER_CLASS="sync", GUNICORN_WORKERS="3")
    crowd = running_game(server)
    said = server.log.read_text()
    assert '"event": "workers: 3"' in said
    assert '"event": "worker_class: sync"' in said
    phones = list(crowd.phones.values())
    refused = phones[0].ask("GET", "/api/events")
    assert refused.status == 501
    assert refused.headers["Content-Type"] == "application/problem+json"
    versions = together(lambda phone: phone.ask("POST", "/api/death", {}).version, phones[:20], 20)
    assert len(set(versions)) == 20
    for path in ("/", "/card", "/players", "/leaderboard", "/podium", "/feed"):
        answers = together(lambda phone, path=path: phone.ask("GET", path), phones[:30], 10)
        assert {answer.status for answer in answers} == {200}
    cards = together(lambda phone: phone.me(), phones, 10)
    assert {card["game"]["version"] for card in cards} == {max(versions)}
    with_newcomer(server, crowd)
    newcomer = Phone(server.port, "Nouveau")
    assert [newcomer.sign_in(word).status for word in ("wrong", PASSWORD)] == [401, 200]
    assert "En cours" in server.check()
    wait_for(lambda: len(server.workers()) == 3, 60, "three workers")
    assert_stops(server)
