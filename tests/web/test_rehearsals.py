"""A rehearsal over the API: played like a game, invisible to the real one, gone when removed."""

from __future__ import annotations

import re
from html import unescape
from itertools import pairwise
from typing import Any

import psutil
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, delete, event, func, select, text, update
from werkzeug.test import TestResponse

from killer import app as app_
from killer.chores import Chores
from killer.cli.common import game_named
from killer.game import commands as c
from killer.game.model import State, Status
from killer.keeper import google_of
from killer.store import errands, games, log
from killer.store.tables import credentials, events, links
from killer.store.tables import games as rows_of_games
from killer.store.tables import players as rows_of_players
from killer.web import routes
from killer.web.route import Who
from web.world import BOSS, PASSWORD, PLAYERS, World, contents, problem, submit

URL = "/api/organiser/rehearsals"
SIX_HOURS = 6 * 3_600_000  # milliseconds
EVIL = {"Origin": "https://evil.example"}


def rehearse(world: World, players: int = 8) -> dict[str, Any]:
    answer = world.phone(BOSS).post(URL, json={"players": players})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def remove(world: World, number: int, nickname: str = BOSS) -> TestResponse:
    return world.phone(nickname).delete(f"{URL}/{number}")


def guest(world: World, token: str) -> FlaskClient:
    """Sign somebody of a rehearsal in."""
    client = world.visitor()
    assert client.post("/api/login", json={"token": token}).status_code == 200
    return client


def organiser(world: World, made: dict[str, Any]) -> FlaskClient:
    return guest(world, made["organiser"]["token"])


def numbers(world: World) -> list[int]:
    return [row.id for row in world.site.hub.rows()]


def another_worker(world: World) -> World:
    return World(app_.create(world.site.settings), world.number)


# --- what is made ---


def test_everybody_of_a_rehearsal_signs_in_by_link_again_and_again(world: World) -> None:
    made = rehearse(world, 3)
    for one in (*made["players"], *made["players"], made["organiser"]):
        me = guest(world, one["token"]).get("/api/me").json
        assert me["player"]["nickname"] == one["nickname"]
        assert (me["game"]["name"], me["game"]["players"]) == (made["game"], 3)


def test_players_sign_in_by_name_without_naming_the_game(world: World) -> None:
    made = rehearse(world, 2)
    secret, first, second = made["password"], *(p["nickname"] for p in made["players"])
    for nickname in (first, first.upper(), f"  {first} "):
        given = {"nickname": nickname, "password": secret}
        assert world.visitor().post("/api/login", json=given).json["nickname"] == first
    named = {"nickname": first, "password": secret, "game": made["game"]}
    assert world.visitor().post("/api/login", json=named).status_code == 200
    phone = world.visitor()
    assert submit(phone, "/sign-in", nickname=second, password=secret).status_code == 303
    assert phone.get("/api/me").json["game"]["name"] == made["game"]


def test_the_shared_password_does_not_make_an_organiser(world: World) -> None:
    made = rehearse(world)
    given = {"nickname": made["organiser"]["nickname"], "password": made["password"]}
    problem(world.visitor().post("/api/login", json=given), 401, "wrong_password")


def test_players_are_invented_numbered_and_unlike_any_other(world: World) -> None:
    one, other = rehearse(world, 60), rehearse(world, 60)
    nicknames = [p["nickname"] for made in (one, other) for p in made["players"]]
    assert len(set(nicknames) - set(PLAYERS)) == 120
    assert all(re.fullmatch(r"\w+ \w+ [0-9a-f]{6}-[0-9]{4}", name) for name in nicknames)
    assert any(not name.isascii() for name in nicknames)


def test_pages_have_their_usual_size_though_some_gave_little(world: World) -> None:
    made = rehearse(world, 60)
    rows = organiser(world, made).get("/api/organiser/players").json["players"]
    challenges = [row["challenge"] for row in rows if row["status"] == "alive"]
    assert len(challenges) == 60
    assert 0 < challenges.count("") < 15
    assert sum(map(len, challenges)) / 60 > 40
    faces = organiser(world, made).get("/api/players").json["players"]
    assert {"", "1A", "5A"} <= {face["year"] for face in faces}


def test_a_thousand_share_one_hash(world: World) -> None:
    made = rehearse(world, 1000)
    assert len({p["token"] for p in made["players"]}) == 1000
    with world.site.database.read() as connection:
        hashes = select(credentials.c.password_hash).where(credentials.c.game == made["number"])
        assert len(connection.execute(hashes).all()) == 1000
        assert len(connection.execute(hashes.distinct()).all()) == 1
        assert len(log.since(connection, made["number"], 0)) == 1001


def test_the_log_of_a_rehearsal_names_nobody_of_the_real_game(world: World) -> None:
    made = rehearse(world)
    with world.site.database.read() as connection:
        records = log.since(connection, made["number"], 0)
    assert {record.actor for record in records} == {None}


# --- what is played ---


def test_the_real_game_is_the_same_after_a_rehearsal_to_the_last_byte(world: World) -> None:
    before = contents(world)
    made = rehearse(world, 5)
    boss = organiser(world, made)
    assert boss.post("/api/organiser/game/start", json={}).status_code == 200
    for one in made["players"][:2]:
        death = guest(world, one["token"]).post("/api/death", json={"reason": "touchée"})
        assert death.status_code == 200
    added = {"nickname": "Ana", "password": "trop tard"}
    assert boss.post("/api/organiser/players", json=added).status_code == 200
    assert boss.get("/api/me").json["game"]["alive"] == 4
    played = contents(world)
    assert {t for t in before if len(played[t]) > len(before[t])} >= {"events", "players", "links"}
    assert remove(world, made["number"]).status_code == 204
    assert contents(world) == before


def test_a_rehearsal_and_the_real_game_see_nothing_of_each_other(gathered: World) -> None:
    """An answer may repeat the one nickname that was asked for, and know nobody else."""
    world = gathered
    world.do(c.Enrol("Zqanna", "an-zq", "Défi-zq"), c.Enrol("Zqorga", "", "", Status.OUT, True))
    world.start()
    made = rehearse(world)
    theirs = {made["game"], *(one["nickname"] for one in made["players"][1:])}
    rehearsing, real = organiser(world, made), world.phone("Zqorga")
    rehearsing.post("/api/organiser/game/start", json={})
    ours = {"Zqorga", "Chloé", "an-zq", "Défi-zq", "Week-end"}
    assert theirs <= told(rehearsing, "/api/organiser/players", "/api/me", known=theirs)
    assert ours <= told(real, "/api/organiser/players", "/api/me", "/api/players", known=ours)
    assert not told(rehearsing, *addresses("Zqanna"), known=ours)
    assert not told(real, *addresses(made["players"][0]["nickname"]), known=theirs)


def told(client: FlaskClient, *urls: str, known: set[str]) -> set[str]:
    """Give which of some words are in the answers."""
    pages = [unescape(client.get(url).text) for url in urls]
    return {word for word in known for page in pages if word in page}


def addresses(nickname: str) -> list[str]:
    """Give everything that can be read, asked about somebody of the other game."""
    fillings = {"<nickname:nickname>": nickname, "<verb>": "end", "<number:version>": "1"}
    rules = [r.rule for r in routes.ROUTES if r.method == "GET" and r.who is not Who.MACHINE]
    for place, filling in fillings.items():
        rules = [rule.replace(place, filling) for rule in rules]
    return [rule for rule in rules if rule != "/api/events" and "<" not in rule]


@pytest.mark.parametrize("verb", ["kill", "revive", "remove", "signout"])
def test_nobody_reaches_into_the_other_game(world: World, verb: str) -> None:
    made = rehearse(world)
    there, here = made["players"][0]["nickname"], organiser(world, made)
    before = contents(world)
    for client, other in ((here, "Ana"), (world.phone(BOSS), there)):
        answer = client.post(f"/api/organiser/players/{other}/{verb}", json={})
        problem(answer, 404, "no_such_nickname")
    assert contents(world) == before


def test_ending_a_rehearsal_leaves_the_real_game_running(world: World) -> None:
    boss = organiser(world, rehearse(world))
    for verb in ("start", "end"):
        assert boss.post(f"/api/organiser/game/{verb}", json={}).status_code == 200
    assert world.game.state is State.RUNNING


def test_no_rehearsal_stands_in_a_real_player_s_way(world: World) -> None:
    """Not even when its organiser adds somebody of that nickname."""
    world.give_password("Ana")
    for _ in range(4):
        boss = organiser(world, rehearse(world, 2))
        added = {"nickname": "ANA", "password": "une répétition"}
        assert boss.post("/api/organiser/players", json=added).status_code == 200
    given = {"nickname": "Ana", "password": PASSWORD}
    assert world.visitor().post("/api/login", json=given).json["nickname"] == "Ana"
    given["password"] = "une répétition"
    problem(world.visitor().post("/api/login", json=given), 401, "wrong_password")


def test_commands_mean_the_real_game_when_they_name_none(world: World) -> None:
    rehearse(world)
    assert game_named(world.site, None) == world.number


def test_what_a_rehearsal_asks_for_is_never_sent(world: World) -> None:
    made, site = rehearse(world), world.site
    with site.database.write() as connection:
        errands.ask(connection, made["number"], "photos", None)
        errands.ask(connection, world.number, "photos", None)
    Chores(site.settings, site.play, google_of(site.settings), lambda: False).tick()
    with site.database.read() as connection:
        assert errands.latest(connection, made["number"], "photos").state == "waiting"
        assert errands.latest(connection, world.number, "photos").state == "done"


# --- what is removed ---


def test_a_removed_rehearsal_opens_nothing_any_more(world: World) -> None:
    made, worker = rehearse(world), another_worker(world)
    one = made["players"][0]
    here, there = guest(world, one["token"]), guest(worker, one["token"])
    assert there.get("/api/me").status_code == 200
    assert remove(world, made["number"]).status_code == 204
    for client in (here, there):
        problem(client.get("/api/me"), 401, "signed_out")
        problem(client.post("/api/death", json={}), 401, "signed_out")
        assert client.get("/").status_code == 401
    given = {"nickname": one["nickname"], "password": made["password"]}
    for app in (world, worker):
        problem(app.visitor().post("/api/login", json={"token": one["token"]}), 401, "bad_link")
        problem(app.visitor().post("/api/login", json=given), 401, "wrong_password")
        assert app.phone("Ana").get("/api/me").status_code == 200
    worker.site.database.close()


def test_an_old_session_never_opens_the_next_game(world: World) -> None:
    made = rehearse(world)
    left = guest(world, made["players"][0]["token"])
    remove(world, made["number"])
    again = rehearse(world)
    assert again["number"] != made["number"]
    problem(left.get("/api/me"), 401, "signed_out")


def test_photos_of_a_rehearsal_go_with_it(world: World) -> None:
    shelf, made = world.site.shelf, rehearse(world)
    mine, others = (shelf.path(n, "0" * 32, "small") for n in (made["number"], world.number))
    for path in (mine, others):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"picture")
    remove(world, made["number"])
    assert (mine.exists(), others.exists()) == (False, True)


def test_only_who_made_a_rehearsal_removes_it(world: World) -> None:
    made = rehearse(world)
    with world.site.database.write() as connection:
        other = World(world.app, games.create(connection, "Une autre"))
    other.do(c.Enrol("Chef", status=Status.OUT, organiser=True))
    problem(remove(other, made["number"], "Chef"), 404, "no_such_rehearsal")
    problem(remove(world, made["number"], "Ana"), 403, "organisers_only")
    problem(world.visitor().delete(f"{URL}/{made['number']}"), 401, "signed_out")
    evil = world.phone(BOSS).delete(f"{URL}/{made['number']}", headers=EVIL)
    problem(evil, 403, "foreign_origin")
    assert made["number"] in numbers(world)
    assert remove(world, made["number"]).status_code == 204
    problem(remove(world, made["number"]), 404, "no_such_rehearsal")


def test_no_real_game_is_removed_by_anybody(world: World) -> None:
    made = rehearse(world)
    boss = organiser(world, made)
    before = contents(world)
    problem(remove(world, world.number), 404, "no_such_rehearsal")
    for number in (world.number, made["number"]):
        problem(boss.delete(f"{URL}/{number}"), 404, "no_such_rehearsal")
    assert contents(world) == before


# --- how many ---


def test_a_rehearsal_has_no_rehearsals(world: World) -> None:
    made = rehearse(world)
    before = numbers(world)
    answer = organiser(world, made).post(URL, json={"players": 2})
    assert "vraie partie" in problem(answer, 409, "rehearsal_of_rehearsal")["title"]
    assert numbers(world) == before


@pytest.mark.parametrize("nickname", ["", "Ana"])
def test_only_organisers_make_rehearsals(still: World, nickname: str) -> None:
    client = still.phone(nickname) if nickname else still.visitor()
    answer = client.post(URL, json={"players": 2})
    status, code = (403, "organisers_only") if nickname else (401, "signed_out")
    problem(answer, status, code)
    assert numbers(still) == [still.number]


def test_the_sixth_is_told_which_one_to_remove(world: World) -> None:
    made = [rehearse(world, 1)["number"] for _ in range(5)]
    for language, word in (("fr", "Retirez"), ("en", "Remove")):
        headers = {"Accept-Language": language}
        answer = world.phone(BOSS).post(URL, json={"players": 1}, headers=headers)
        sentence = problem(answer, 409, "too_many_rehearsals")["title"]
        assert word in sentence
        assert ", ".join(map(str, made)) in sentence
        assert f"{URL}/{made[0]} " in sentence.replace(",", " ")
    assert len(numbers(world)) == 6
    remove(world, made[0])
    assert rehearse(world, 1)["number"] in numbers(world)


def test_one_that_was_left_over_makes_room(world: World) -> None:
    made = [rehearse(world, 1) for _ in range(5)]
    old = made[2]
    left = guest(world, old["players"][0]["token"])
    with world.site.database.write() as connection:
        row = update(rows_of_games).where(rows_of_games.c.id == old["number"])
        connection.execute(row.values(created=games.now() - SIX_HOURS - 1))
    fresh = rehearse(world, 1)["number"]
    expected = {world.number, fresh} | {one["number"] for one in made if one is not old}
    assert set(numbers(world)) == expected
    problem(left.get("/api/me"), 401, "signed_out")


@pytest.mark.parametrize("players", [0, -1, 5001, 1.5, "8", None, [], True, 10**30])
def test_a_size_of_no_use_is_refused(still: World, players: object) -> None:
    problem(still.phone(BOSS).post(URL, json={"players": players}), 400, "bad_json")
    assert numbers(still) == [still.number]


def test_a_size_has_to_be_given(still: World) -> None:
    problem(still.phone(BOSS).post(URL, json={}), 400, "bad_json")


def test_a_request_that_is_repeated_is_told_the_same_again(world: World) -> None:
    phone = world.phone(BOSS)
    keyed = {"Idempotency-Key": "a test of tonight"}
    made = phone.post(URL, json={"players": 3}, headers=keyed).json
    english = keyed | {"Accept-Language": "en"}
    assert phone.post(URL, json={"players": 3}, headers=english).json == made
    assert numbers(world) == [made["number"], world.number]
    for one in (*made["players"], made["organiser"]):
        me = guest(world, one["token"]).get("/api/me").json
        assert me["player"]["nickname"] == one["nickname"]
    given = {"nickname": made["players"][0]["nickname"], "password": made["password"]}
    assert world.visitor().post("/api/login", json=given).status_code == 200


def test_another_request_or_none_of_that_key_makes_another(world: World) -> None:
    phone, key = world.phone(BOSS), {"Idempotency-Key": "a test of tonight"}
    wishes = [(2, key), (3, key), (2, {}), (2, {})]
    made = [phone.post(URL, json={"players": n}, headers=with_).json for n, with_ in wishes]
    assert len({one["number"] for one in made}) == len(made)
    tokens = [player["token"] for one in made for player in one["players"]]
    assert len(set(tokens)) == len(tokens) == 9


def test_a_rehearsal_that_another_request_still_fills_is_not_told(world: World) -> None:
    """As when the first answer took so long that the network gave up."""
    phone, keyed = world.phone(BOSS), {"Idempotency-Key": "a test of tonight"}
    made = phone.post(URL, json={"players": 3}, headers=keyed).json
    with world.site.database.write() as connection:
        last = (rows_of_players.c.game == made["number"], rows_of_players.c.id == 4)
        for table in (links, credentials):
            mine = (table.c.game == made["number"], table.c.player == 4)
            connection.execute(delete(table).where(*mine))
        connection.execute(delete(rows_of_players).where(*last))
    again = phone.post(URL, json={"players": 3}, headers=keyed)
    problem(again, 409, "rehearsal_in_making")
    assert again.headers["Retry-After"] == "2"


def test_no_transaction_holds_a_whole_crowd(world: World) -> None:
    """Whoever falls for real in that second waits for the database hardly longer than usual."""
    kept: list[int] = []

    def count(connection: Connection) -> None:
        kept.append(connection.execute(select(func.count()).select_from(events)).scalar_one())

    event.listen(world.site.database.engine, "commit", count)
    rehearse(world, 450)
    steps = [later - earlier for earlier, later in pairwise(kept)]
    assert sum(steps) >= 450
    assert max(steps) <= 100


def test_a_rehearsal_that_cannot_be_filled_does_not_stay(world: World) -> None:
    with world.site.database.write() as connection:
        broken = "SELECT RAISE(ABORT, 'database or disk is full')"
        connection.execute(text(f"CREATE TRIGGER t BEFORE INSERT ON links BEGIN {broken}; END"))
    before = contents(world)
    problem(world.phone(BOSS).post(URL, json={"players": 2}), 503, "disk_full")
    assert contents(world) == before


# --- for whoever measures from afar ---


def test_the_metrics_tell_how_large_the_machine_is(still: World) -> None:
    page = still.visitor().get("/metrics").text
    told = dict(re.findall(r"^(killer_machine\w+) (\S+)$", page, re.MULTILINE))
    assert float(told["killer_machine_cores"]) == psutil.cpu_count()
    assert float(told["killer_machine_memory_bytes"]) == psutil.virtual_memory().total
