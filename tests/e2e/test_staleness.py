"""No worker answers from before an acknowledged change, however many are asked at once."""

from __future__ import annotations

import random
import re
import threading

import pytest

from e2e import rosters
from e2e.conftest import Deploy
from e2e.phones import Answer, Phone, together
from e2e.server import Server
from engines.processes import wait_for

CONNECTIONS = 48
READS = 1000
DEATHS = 5
KEPT = 200.0  # seconds that a reader's connection stays where it is
CARD_VERSION = re.compile(rb'id="card"[^>]* data-version="(\d+)"')
PATHS = ("/api/me", "/api/leaderboard", "/card", "/")


class Game:
    """A running game whose readers keep connections to every worker."""

    def __init__(self, server: Server) -> None:
        self.server = server
        roster = rosters.people(60, passwords=False)
        links = server.imports(roster)
        server.start()
        self.host = server.signed_in(roster[-1])
        assert self.host.ask("POST", "/api/organiser/game/start", {}).status == 200
        self.players = [server.with_link(token, name) for name, token in links.items()]
        self.lines = [random.choice(self.players).twin() for _ in range(CONNECTIONS)]
        for line in self.lines:
            line.idle = KEPT  # else who has it next is chance again
        wait_for(self.spread, 60, "connections on three workers")

    def spread(self) -> bool:
        """Connect anew, and tell whether enough workers hold a connection: which, is chance."""
        for line in self.lines:
            line.hang_up()
        together(lambda line: line.me(), self.lines, CONNECTIONS)
        return len(self.workers()) > 2

    def workers(self) -> set[int]:
        """Give the workers that hold the readers' connections."""
        taken = self.server.worker_of()
        return {taken[line.own_port] for line in self.lines if line.own_port in taken}


@pytest.fixture(scope="module")
def game(deploy_once: Deploy) -> Game:
    return Game(deploy_once(GUNICORN_KEEPALIVE=f"{2 * KEPT:.0f}"))


def version(question: tuple[Phone, str]) -> int:
    """Read something and give the version of which it is made."""
    phone, path = question
    answer = phone.ask("GET", path)
    assert answer.status == 200, (path, answer.status)
    return told(path, answer)


def told(path: str, answer: Answer) -> int:
    if path == "/api/me":
        return int(answer.json["game"]["version"])
    if path == "/api/leaderboard":
        return int(answer.json["version"])
    found = CARD_VERSION.search(answer.body)
    assert found, path
    return int(found[1])


def test_a_thousand_reads_after_a_death_are_none_from_before_it(game: Game) -> None:
    for player in game.players[:DEATHS]:  # each test has players of its own
        acknowledged = player.ask("POST", "/api/death", {}).version
        found = together(read_often, game.lines, CONNECTIONS)
        versions = [number for numbers in found for number in numbers]
        assert len(versions) >= READS
        assert set(versions) == {acknowledged}
        assert len(game.workers()) > 2


def read_often(line: Phone) -> list[int]:
    paths = [PATHS[i % len(PATHS)] for i in range(READS // CONNECTIONS + 1)]
    return [version((line, path)) for path in paths]


def test_whoever_hops_between_workers_never_travels_back_in_time(game: Game) -> None:
    over = threading.Event()
    journeys: list[list[int]] = [[] for _ in range(4)]

    def hop(journey: int) -> None:
        mine = game.lines[journey::4]
        while not over.is_set():
            journeys[journey].append(version((random.choice(mine), random.choice(PATHS))))

    travellers = [threading.Thread(target=hop, args=(i,), daemon=True) for i in range(4)]
    for traveller in travellers:
        traveller.start()
    for seen, start in enumerate((10, 20), 1):
        wait_for(lambda n=seen: all(len(set(j)) >= n for j in journeys), 60, "everybody's reading")
        dying = [phone.twin() for phone in game.players[start : start + 10]]
        together(lambda phone: phone.ask("POST", "/api/death", {}).version, dying)
    wait_for(lambda: all(len(set(j)) > 2 for j in journeys), 60, "the last readings")
    over.set()
    for traveller in travellers:
        traveller.join(30)
    for journey in journeys:
        assert journey == sorted(journey)


def test_the_own_death_is_seen_by_every_worker_at_once(game: Game) -> None:
    for player in game.players[30:40]:
        assert player.ask("POST", "/api/death", {}).status == 200
        eyes = [player.twin() for _ in range(12)]
        cards = together(lambda phone: phone.me(), eyes)
        assert {card["player"]["status"] for card in cards} == {"dead"}
        assert {card["target"] is None for card in cards} == {True}


def test_a_session_ended_everywhere_is_refused_by_every_worker_at_once(game: Game) -> None:
    player = game.players[45]
    eyes = [player.twin() for _ in range(24)]
    assert {answer.status for answer in together(lambda e: e.ask("GET", "/api/me"), eyes)} == {200}
    path = f"/api/organiser/players/{player.nickname.replace(' ', '%20')}/signout"
    assert game.host.ask("POST", path, {}).status == 200
    assert {answer.status for answer in together(lambda e: e.ask("GET", "/api/me"), eyes)} == {401}
