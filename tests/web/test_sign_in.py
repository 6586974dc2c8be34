"""Signing in by password and by link, and how little a guesser learns from either."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from killer import passwords
from killer.game import commands as c
from killer.store import games, people
from killer.threads import Places
from killer.web.entrance import BY_ADDRESS, _counted, hashing
from web.world import BOSS, PASSWORD, World, submit, without_tokens

ELSEWHERE = (
    "//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "evil", "",
    "\t//evil.example", "/\n/evil.example", "/\r\nSet-Cookie: a=b", "javascript:alert(1)",
    "\\\\evil.example",
    " //evil.example", "/\x00/evil.example", "///evil.example",
)  # fmt: skip
NICKNAME_AGAIN = (
    "Chloé", "chloé", "CHLOÉ", " Chloé ", "Chloe\u0301", "Ch\u200blo\u00adé", "\ufeffChloé",
    "\uff23hloé", "\u24b8hloé", "\u2102hloé\u2060", "\u200b" * 100 + "Chloé",
)  # fmt: skip

HERE, ELSEWHERE_ON_EARTH = "127.0.0.1", "192.0.2.7"
ONE_NAME = {"X-Request-Id": "the-same-for-all"}


@pytest.fixture
def door(world: World) -> FlaskClient:
    world.give_password("Chloé")
    return world.visitor()


def tried(client: FlaskClient, nickname: str, password: str, **headers: str) -> TestResponse:
    body = {"nickname": nickname, "password": password}
    return client.post("/api/login", json=body, headers=headers)


# --- by password ---


@pytest.mark.parametrize("nickname", NICKNAME_AGAIN[:4] + NICKNAME_AGAIN[5:6])
def test_a_nickname_is_recognised_however_it_is_typed(door: FlaskClient, nickname: str) -> None:
    answer = tried(door, nickname, PASSWORD)
    assert answer.json == {"nickname": "Chloé", "organiser": False}
    assert {"HttpOnly", "SameSite=Lax"} <= set(answer.headers["Set-Cookie"].split("; "))
    assert door.get("/api/me").json["player"]["nickname"] == "Chloé"


def test_a_space_that_a_keyboard_adds_behind_the_password_does_no_harm(door: FlaskClient) -> None:
    assert tried(door, "Chloé", f" {PASSWORD} ").status_code == 200


@pytest.mark.parametrize("language", ["fr", "en"])
def test_an_unknown_nickname_and_a_wrong_password_look_alike(
    door: FlaskClient, language: str
) -> None:
    answers = [
        tried(door, nickname, password, **{"Accept-Language": language} | ONE_NAME)
        for nickname, password in (
            ("Chloé", "faux"), ("Nemo", "faux"), ("Ana", "sans mot de passe"), ("Chloé", ""),
            ("Chloé", PASSWORD + "x"), ("x" * 5000, "faux"), ("\u200b", "faux"),
            ("\ufdfa" * 300, "faux"), ("Chloé", "\0"),
        )
    ]  # fmt: skip
    assert [a.status_code for a in answers] == [401] * 9
    assert len({a.text for a in answers}) == 1
    assert not any("Set-Cookie" in a.headers for a in answers)
    assert answers[0].json["title"].startswith({"fr": "Surnom", "en": "Unknown nick"}[language])


def test_no_nickname_and_no_token_is_no_sign_in(door: FlaskClient) -> None:
    for body in ({}, {"nickname": ""}, {"password": "x"}, {"nickname": "Chloé", "admin": True}):
        assert door.post("/api/login", json=body).status_code == 400


def test_unknown_and_wrong_take_the_same_time(world: World, door: FlaskClient) -> None:
    world.give_password("Bo")

    def took(nickname: str) -> float:
        start = time.thread_time()
        assert tried(door, nickname, "faux").status_code == 401
        return time.thread_time() - start

    took("nobody")  # the hash of nobody is made once
    known = ("Chloé", "Bo") * 3
    strange = (*(f"nobody {n}" for n in range(3)), "Ana", "Dédé", "Hana")
    turns = [(took(one), took(other)) for one, other in zip(known, strange, strict=True)]
    wrong, unknown = map(min, zip(*turns, strict=True))  # whatever else ran cost both of a turn
    assert 0.6 < unknown / wrong < 1.7


def test_a_guesser_has_eight_tries_under_whatever_spelling(door: FlaskClient) -> None:
    answers = [tried(door, name, f"guess {n}") for n, name in enumerate(NICKNAME_AGAIN)]
    assert [a.status_code for a in answers] == [401] * 8 + [429] * 3
    told = answers[-1]
    assert 1 <= int(told.headers["Retry-After"]) <= 300
    assert told.json["title"].startswith("Trop d’essais")
    right = tried(door, "Chloé", PASSWORD)
    assert right.status_code == 429
    assert tried(door, "Bo", "guess").status_code == 401


def test_unknown_nicknames_are_limited_like_known_ones(door: FlaskClient) -> None:
    assert [tried(door, "Nemo", str(n)).status_code for n in range(9)] == [401] * 8 + [429]


def test_guesses_at_the_same_time_are_counted_one_by_one(world: World) -> None:
    world.give_password("Ana")
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda n: tried(world.visitor(), "Ana", str(n)).status_code, range(20))
    assert sorted(answers) == [401] * 8 + [429] * 12


def test_a_link_opens_even_when_the_password_is_blocked(world: World, door: FlaskClient) -> None:
    for n in range(9):
        tried(door, "Chloé", str(n))
    assert door.post("/api/login", json={"token": world.link("Chloé")}).status_code == 200


def test_a_campus_behind_one_address_signs_in(world: World) -> None:
    names = [f"Élève {n}" for n in range(20)]
    world.do(*map(c.Enrol, names))
    for name in names:
        world.give_password(name, "mot")
    answers = [tried(world.visitor(), name, "mot").status_code for name in names]
    assert answers == [200] * 20


def test_the_game_may_be_named_and_must_be_there(world: World, door: FlaskClient) -> None:
    with world.site.database.write() as connection:
        other = games.create(connection, "Autre")
    world.site.play.perform(other, c.Enrol("Chloé"))
    named = {"nickname": "Chloé", "password": PASSWORD, "game": "Week-end"}
    assert door.post("/api/login", json=named).status_code == 200
    lost = named | {"game": "Nulle part"}
    assert door.post("/api/login", json=lost).status_code == 401


# --- a flood ---


def tries_kept(world: World) -> list[int]:
    with world.site.database.read() as connection:
        return list(connection.execute(text("SELECT count FROM hits")).scalars())


def test_an_address_over_its_limit_writes_nothing(world: World, door: FlaskClient) -> None:
    world.site.local_limits.hit(BY_ADDRESS, *_counted("address", HERE), cost=BY_ADDRESS.amount)
    for nickname in ("Chloé", "Bo", "Nemo"):
        assert tried(door, nickname, PASSWORD).status_code == 429
    assert tries_kept(world) == []


def test_a_nickname_over_its_limit_writes_nothing_more(world: World, door: FlaskClient) -> None:
    for n in range(12):
        tried(door, "Chloé", f"guess {n}")
    assert tries_kept(world) == [8]


def waiting(world: World) -> Places:
    return hashing(world.site.settings.worker_count)


def test_when_too_many_wait_the_next_one_is_asked_to_come_again(
    world: World, door: FlaskClient
) -> None:
    places = waiting(world)
    with ExitStack() as others:
        for number in range(places._most):
            others.enter_context(places.taken(f"192.0.2.{number}"))
        answer = tried(door, "Chloé", PASSWORD)
        page = submit(door, "/sign-in", nickname="Chloé", password=PASSWORD)
        link = world.visitor().post("/api/login", json={"token": world.link("Bo")})
    for refused in (answer, page):
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert answer.json["title"].startswith("Beaucoup de monde se connecte")
    assert "Beaucoup de monde se connecte" in page.text
    assert 'value="Chloé"' in page.text
    assert tries_kept(world) == [], "what wasn't tried is not counted"
    assert link.status_code == 200, "a link needs no hash"
    assert tried(door, "Chloé", PASSWORD).status_code == 200


def test_one_address_leaves_places_for_the_others(world: World, door: FlaskClient) -> None:
    places = waiting(world)
    with ExitStack() as flood:
        for _ in range(places._each):
            flood.enter_context(places.taken(HERE))
        assert tried(door, "Chloé", PASSWORD).status_code == 503
        other = world.app.test_client()
        other.environ_base["REMOTE_ADDR"] = ELSEWHERE_ON_EARTH
        assert tried(other, "Chloé", PASSWORD).status_code == 200


def test_all_who_wait_on_all_workers_are_heard_while_their_phones_wait() -> None:
    for workers in (1, 4, 8, 16):
        assert workers * hashing(workers)._most <= 600 * passwords.CPUS
    assert hashing(1000)._most == 10


# --- the page ---


def test_the_page_signs_in_and_leads_home(world: World, door: FlaskClient) -> None:
    answer = submit(door, "/sign-in", nickname="chloé", password=PASSWORD)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert door.get("/sign-in").headers["Location"] == "/"
    world.give_password(BOSS)
    answer = submit(world.visitor(), "/sign-in", nickname=BOSS, password=PASSWORD)
    assert answer.headers["Location"] == "/organiser"


def test_the_page_says_what_is_wrong_and_when_to_come_back(door: FlaskClient) -> None:
    wrong = submit(door, "/sign-in", nickname='"><script>', password="faux", next="/players")
    assert wrong.status_code == 401
    assert "&lt;script&gt;" in wrong.text
    assert 'name="next" value="/players"' in wrong.text
    for n in range(8):
        submit(door, "/sign-in", nickname="Chloé", password=str(n))
    slow = submit(door, "/sign-in", nickname="Chloé", password=PASSWORD)
    assert slow.status_code == 429
    minutes = -(-int(slow.headers["Retry-After"]) // 60)
    assert re.search(rf"\b[{minutes - 1}{minutes}]\smin", slow.text)


@pytest.mark.parametrize("wanted", ELSEWHERE, ids=repr)
def test_signing_in_leads_to_no_other_site(world: World, wanted: str) -> None:
    world.give_password("Ana")
    form = {"nickname": "Ana", "password": PASSWORD, "next": wanted}
    assert submit(world.visitor(), "/sign-in", **form).headers["Location"] == "/"
    language = submit(world.visitor(), "/language", lang="en", next=wanted)
    assert language.headers["Location"] == "/"
    page = world.visitor().get("/sign-in", query_string={"next": wanted}).text
    assert "evil" not in without_tokens(page)


def test_signing_in_leads_back_to_where_one_was(door: FlaskClient) -> None:
    form = {"nickname": "Chloé", "password": PASSWORD, "next": "/organiser/log?before=3"}
    assert submit(door, "/sign-in", **form).headers["Location"] == "/organiser/log?before=3"


def test_nobody_is_signed_in_by_another_site(world: World, door: FlaskClient) -> None:
    """Whoever is signed in as the attacker would play for the attacker."""
    evil = {"Origin": "https://evil.example"}
    body = {"nickname": "Chloé", "password": PASSWORD}
    assert door.post("/api/login", json=body, headers=evil).status_code == 403
    assert door.post("/sign-in", data=body).status_code == 403
    assert door.post(f"/s/{world.link('Chloé')}").status_code == 403
    assert door.get("/api/me").status_code == 401


def test_the_language_is_chosen_and_kept(world: World) -> None:
    visitor = world.visitor()
    french = {"Accept-Language": "fr"}
    submit(visitor, "/language", lang="en", next="/sign-in")
    assert '<html lang="en"' in visitor.get("/sign-in", headers=french).text
    visitor.post("/api/login", json={"token": world.link("Ana")})
    assert '<html lang="en"' in visitor.get("/", headers=french).text
    submit(visitor, "/language", "/", lang="tlh")
    assert '<html lang="en"' in visitor.get("/", headers=french).text


# --- by link ---


def test_looking_at_a_link_does_not_use_it_up(world: World) -> None:
    token = world.link("Ana", once=True)
    for _ in range(3):
        page = world.visitor().get(f"/s/{token}")
        assert page.status_code == 200
        assert "Ana" in page.text
    phone = world.visitor()
    assert submit(phone, f"/s/{token}", f"/s/{token}").headers["Location"] == "/"
    assert phone.get("/api/me").json["player"]["nickname"] == "Ana"


def test_a_link_for_once_opens_once(world: World) -> None:
    token = world.link(BOSS, once=True)
    first = world.visitor().post("/api/login", json={"token": token})
    assert first.json == {"nickname": BOSS, "organiser": True}
    again = world.visitor().post("/api/login", json={"token": token}, headers=ONE_NAME)
    unknown = world.visitor().post("/api/login", json={"token": "unknown"}, headers=ONE_NAME)
    assert (again.status_code, again.text) == (401, unknown.text)
    page = world.visitor().get(f"/s/{token}")
    assert (page.status_code, BOSS in page.text) == (404, False)


def test_a_link_for_once_opens_once_in_a_race(world: World) -> None:
    token = world.link("Ana", once=True)
    with ThreadPoolExecutor(6) as pool:
        body = {"token": token}
        answers = pool.map(lambda _: world.visitor().post("/api/login", json=body), range(6))
    assert sorted(a.status_code for a in answers) == [200, 401, 401, 401, 401, 401]


def test_a_new_link_revokes_the_older_ones(world: World) -> None:
    old, boss = world.link("Ana"), world.phone(BOSS)
    page = submit(boss, "/organiser/players/Ana/link", "/organiser/players/Ana", reason="perdu")
    found = re.search(r"http://localhost/s/([\w-]+)", page.text)
    assert found
    assert page.headers["Cache-Control"] == "no-store"
    assert world.visitor().post("/api/login", json={"token": old}).status_code == 401
    assert world.visitor().post("/api/login", json={"token": found[1]}).status_code == 200


def test_a_revoked_link_opens_nothing(world: World) -> None:
    token = world.link("Ana")
    with world.site.database.write() as connection:
        people.revoke_links(connection, world.number, world.who("Ana").id)
    visitor = world.visitor()
    assert visitor.post("/api/login", json={"token": token}).status_code == 401
    assert submit(visitor, f"/s/{token}").status_code == 401
    assert visitor.get(f"/s/{token}").status_code == 404


@pytest.mark.parametrize("token", ["", "x", "é", "%00", "' OR 1=1 --", "a" * 5000, "..", "%2e%2e"])
def test_an_invented_link_opens_nothing(still: World, token: str) -> None:
    assert still.visitor().get(f"/s/{token}").status_code in {401, 404}
    wanted = still.visitor().post("/api/login", json={"token": token or "-"})
    assert wanted.status_code == 401


@pytest.mark.parametrize("token", ["mistyped", "used"])
def test_a_link_that_opens_nothing_is_not_said_to_wait_nor_to_have_run_out(
    world: World, token: str
) -> None:
    if token == "used":
        token = world.link("Ana", once=True)
        submit(world.visitor(), f"/s/{token}")
    page = unescape(world.visitor().get(f"/s/{token}").text)
    assert "<title>Ce lien n’ouvre plus rien</title>" in page
    assert "Lien mort" in page
    assert "Périmé" not in page
