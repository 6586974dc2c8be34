"""A hundred games of a hundred players on one server, all of them at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest

from e2e.conftest import Deploy
from e2e.phones import Phone, Stream, following, together
from e2e.server import Server
from engines.processes import wait_for
from game.players import enrolments
from killer import app as app_
from killer import serve, settings
from killer.game import commands as c
from killer.game.model import PlayerId
from killer.store import games
from killer.web.sessions import Session
from killer.web.site import Site

GAMES = 100
PLAYERS = 100
DYING = (PlayerId(2), PlayerId(3))  # in every game
WATCHING = PlayerId(1)
SECRET = "the secret of a hundred games"
BOUND = 60.0  # seconds


@dataclass
class Hundred:
    """The server, and the phones of every game by its number."""

    server: Server
    site: Site
    numbers: list[int]

    def phone(self, game: int, player: PlayerId) -> Phone:
        """Give the phone of somebody who is signed in."""
        cookie = self.site.sessions.write(Session(game=game, player=player, sessions=0))
        return Phone(self.server.port, cookie=cookie)

    def versions(self) -> dict[int, int]:
        return {row.id: row.version for row in self.site.hub.games()}


@pytest.fixture(scope="module")
def hundred(deploy_once: Deploy) -> Iterator[Hundred]:
    server = deploy_once(GUNICORN_WORKERS="2", SECRET_KEY=SECRET)
    site = app_.build(settings.load(server.environment))
    serve.prepare(site.settings)
    with closing(site.database):
        numbers = [a_game(site, number) for number in range(GAMES)]
        server.start()
        yield Hundred(server, site, numbers)


def a_game(site: Site, number: int) -> int:
    with site.database.write() as connection:
        game = games.create(connection, f"Partie {number}")
    site.play.perform(game, *enrolments(PLAYERS), c.Start(number))
    return game


def test_deaths_in_a_hundred_games_at_once_stay_each_in_its_own(hundred: Hundred) -> None:
    before = hundred.versions()
    streams = following([hundred.phone(game, WATCHING) for game in hundred.numbers])
    deaths = [(game, player) for player in DYING for game in hundred.numbers]
    answers = together(lambda death: hundred.phone(*death).ask("POST", "/api/death", {}), deaths)
    assert {answer.status for answer in answers} == {200}
    assert hundred.versions() == {game: version + 2 for game, version in before.items()}
    wait_for(lambda: all(len(s.versions) == 2 for s in streams), BOUND, "every death")
    for game, stream in zip(hundred.numbers, streams, strict=True):
        assert stream.versions == [before[game] + 1, before[game] + 2]
    close(streams)
    assert hundred.server.check().count("En cours") == GAMES


def close(streams: list[Stream]) -> None:
    for stream in streams:
        stream.closed = True
    together(lambda stream: stream.close(), streams)


def test_each_reads_the_own_game(hundred: Hundred) -> None:
    readers = [(game, PlayerId(4 + game % 90)) for game in hundred.numbers]
    told = together(lambda reader: hundred.phone(*reader).me(), readers)
    for number, me in enumerate(told):
        assert me["game"]["name"] == f"Partie {number}"
        assert me["game"]["players"] == PLAYERS
