"""Two games on one deployment: whoever is signed in to one finds nothing of the other anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from killer.game import commands as c
from killer.game.model import Status
from killer.media import own
from killer.media.pictures import prepare
from killer.play import Request
from killer.store import games, rehearsals
from killer.web.route import Route, Who
from killer.web.routes import ROUTES
from media.darkroom import photograph
from web.conftest import opened
from web.world import World, token_in

#: In every nickname and every challenge of the other game; too long to be in a token by chance.
THEIRS = "Zqxwkj"
OURS = ("Una", "Due", "Tre", "Quat")
CHIEF = "Cheffe"
ASKED = [route for route in ROUTES if route.who in {Who.PLAYER, Who.ORGANISER}]
ONE_OF_THEIRS = [route for route in ASKED if "<nickname:nickname>" in route.rule]


class Both:
    """Our game, in which we are signed in, and the other one, of which we know everything."""

    def __init__(self, world: World) -> None:
        site = world.site
        self.theirs = World(world.app, world.number)
        self.theirs.do(
            *(c.Remove(p.id) for p in self.theirs.game.players.values() if not p.organiser)
        )
        fresh = [c.Enrol(f"{THEIRS}{n}", challenge=f"Défi {THEIRS}-{n}", seed=n) for n in range(12)]
        self.theirs.do(
            *fresh, c.Enrol(f"{THEIRS}chef", status=Status.OUT, organiser=True), c.Start(3)
        )
        with site.database.write() as connection:
            number = games.create(connection, "La nôtre")
        self.ours = World(world.app, number)
        people = [c.Enrol(n, challenge=f"Défi de {n}", seed=i) for i, n in enumerate(OURS)]
        self.ours.do(*people, c.Enrol(CHIEF, status=Status.OUT, organiser=True), c.Start(5))
        self.photo = self._photo()
        with site.database.write() as connection:
            games.set_screen(connection, self.theirs.number, None, 1)
        with site.database.write() as connection:
            self.rehearsal = games.create(connection, "Répétition", rehearses=self.theirs.number)

    def _photo(self) -> str:
        site, whose = self.theirs.site, self.theirs.who(f"{THEIRS}1")
        name = site.shelf.keep(self.theirs.number, prepare(photograph(1)))
        own.wear(site.play, self.theirs.number, whose.id, name, Request())
        return name

    def state(self) -> tuple[object, ...]:
        """Give all that must not change in the other game."""
        with self.theirs.site.database.read() as connection:
            found = games.load(connection, self.theirs.number)
            (row,) = (g for g in games.every(connection) if g.id == self.theirs.number)
            return found, row, rehearsals.standing(connection, self.theirs.number)


@pytest.fixture(scope="module")
def both(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    for world in opened(template, tmp_path_factory.mktemp("both") / "data"):
        yield Both(world)


def ask(client: FlaskClient, route: Route, path: str) -> TestResponse:
    """Call a route as its page or a program would."""
    if route.method == "GET":
        return client.get(path)
    if route.rule.startswith("/api/"):
        return client.open(path, method=route.method, json={})
    fields = {"csrf_token": token_in(client.get("/")), "sure": "yes", "reason": "essai"}
    return client.post(path, data=fields)


def filled(both: Both, route: Route) -> str:
    """Give a route's path with what exists in the other game only."""
    values = {
        "nickname": f"{THEIRS}1",
        "version": str(both.theirs.game.version),
        "number": str(both.rehearsal),
        "name": both.photo,
        "verb": "pause",
    }
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: values[found[1]], route.rule)


def told(answer: TestResponse) -> str:
    """Give what an answer tells beyond the nickname that was asked for."""
    return unescape(f"{answer.headers}\n{answer.text}").replace(f"{THEIRS}1", "")


@pytest.mark.parametrize("route", ONE_OF_THEIRS, ids=lambda route: route.name)
def test_nobody_of_another_game_is_found(both: Both, route: Route) -> None:
    before, path = both.state(), filled(both, route)
    answer = ask(both.ours.phone(CHIEF), route, path)
    assert answer.status_code == 404
    assert both.state() == before


@pytest.mark.parametrize("rule", ["/photos/<name>", "/api/organiser/rehearsals/<number:number>"])
@pytest.mark.parametrize("who", [OURS[0], CHIEF])
def test_nothing_of_another_game_is_found(both: Both, rule: str, who: str) -> None:
    (route,) = (each for each in ASKED if each.rule == rule)
    before = both.state()
    answer = ask(both.ours.phone(who), route, filled(both, route))
    assert answer.status_code == (403 if route.who is Who.ORGANISER and who != CHIEF else 404)
    assert both.state() == before


@pytest.mark.parametrize("route", ASKED, ids=lambda route: route.name)
def test_no_answer_tells_of_another_game_and_no_call_changes_it(both: Both, route: Route) -> None:
    before, path = both.state(), filled(both, route)
    for who in (OURS[0], CHIEF):
        answer = ask(both.ours.phone(who), route, path)
        text = stream(answer) if route.rule == "/api/events" else told(answer)
        assert THEIRS not in text, answer.status
        assert both.state() == before


def stream(answer: TestResponse) -> str:
    """Read the first words of a stream."""
    frames = answer.iter_encoded()
    found = next(frames)
    answer.close()
    return found.decode()


@pytest.mark.parametrize("who", [OURS[0], CHIEF])
def test_a_stream_from_the_beginning_tells_of_the_own_game_only(gathered: World, who: str) -> None:
    both = Both(gathered)
    both.ours.do(c.Kill(both.ours.game.alive[-1].id))
    answer = both.ours.phone(who).get("/api/events", headers={"Last-Event-ID": "0"})
    frames = answer.iter_encoded()
    heard = next(frames) + next(frames)
    answer.close()
    assert any(name.encode() in heard for name in OURS)
    assert THEIRS.encode() not in heard


def test_a_number_of_another_game_undoes_nothing_there(both: Both) -> None:
    both.theirs.do(c.Die(both.theirs.game.alive[0].id))
    before, version = both.state(), both.theirs.game.version
    assert version > both.ours.game.version
    answer = both.ours.phone(CHIEF).post(f"/api/organiser/undo/{version}", json={})
    assert answer.status_code == 404
    assert both.state() == before


def test_the_same_nickname_in_two_games_is_two_people(gathered: World) -> None:
    both = Both(gathered)
    both.theirs.do(c.Enrol(OURS[0], seed=9))
    mine, other = both.ours.phone(OURS[0]), both.theirs.phone(OURS[0])
    assert mine.post("/api/death", json={}).status_code == 200
    assert mine.get("/api/me").json["player"]["status"] == "dead"
    assert other.get("/api/me").json["player"]["status"] == "alive"
