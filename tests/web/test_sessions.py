"""The cookie: what it proves, what breaks it, and how a session ends."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from killer import app as app_
from killer.game import commands as c
from killer.web.sessions import COOKIE, LIFETIME, Session, SignedCookies
from web.world import BOSS, World, settings_in, submit

COOKIES = SignedCookies(b"the secret of this test")
SOUND = COOKIES.write(Session(game=1, player=2, sessions=0))


def status_with(world: World, cookie: str, url: str = "/api/me") -> int:
    raw = world.app.test_client(use_cookies=False)
    return raw.get(url, headers={"Cookie": f"{COOKIE}={cookie}"}).status_code


def test_a_session_is_read_as_it_was_written() -> None:
    assert COOKIES.parse(SOUND) == {"game": 1, "player": 2, "sessions": 0}


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(SOUND) - 1), st.characters(codec="utf-8"))
def test_a_cookie_with_one_other_character_is_nobodys(place: int, other: str) -> None:
    forged = SOUND[:place] + other + SOUND[place + 1 :]
    assert COOKIES.parse(forged) == ({} if forged != SOUND else COOKIES.parse(SOUND))


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(st.text(), st.integers(0, len(SOUND)).map(lambda n: SOUND[:n]).filter(SOUND.__ne__))
)
def test_whatever_we_did_not_write_is_nobodys(text: str) -> None:
    assert COOKIES.parse(text) == {}


def test_another_secret_opens_nothing() -> None:
    assert SignedCookies(b"another").parse(SOUND) == {}


def test_a_cookie_grows_old() -> None:
    old, before = Session(game=1, player=2, sessions=0), int(time.time())
    body = COOKIES.write(old).partition(".")[0]
    assert before <= json.loads(urlsafe_b64decode(body))["at"] <= time.time()
    aged = urlsafe_b64decode(body).replace(b'"at":', b'"at":-')
    assert LIFETIME == 30 * 86400
    assert COOKIES.parse(f"{aged.hex()}.{'0' * 64}") == {}


@pytest.mark.parametrize(
    "cookie",
    ["", ".", "..", "a.b", "é.é", "\xff.\xff", "x" * 5000, '"quoted"', "%00.%00", "a=b; killer=c"],
)
def test_a_broken_cookie_is_like_none(still: World, cookie: str) -> None:
    assert status_with(still, cookie) == 401
    assert status_with(still, cookie, "/sign-in") == 200


def test_a_cookie_is_needed_whole(still: World) -> None:
    sound = still.cookie("Ana")
    assert status_with(still, sound) == 200
    for forged in (sound[:-1], sound + "0", sound.upper(), "A" + sound, sound.replace(".", "=.")):
        assert status_with(still, forged) == 401
        assert status_with(still, forged, "/players") == 401


def test_a_session_survives_a_restart(world: World) -> None:
    cookie = world.cookie("Ana")
    again = World(app_.create(settings_in(world.site.settings.data_dir)), world.number)
    assert status_with(again, cookie) == 200
    again.site.database.close()


def test_signing_out_forgets_the_cookie(world: World) -> None:
    phone = world.phone("Ana")
    assert phone.post("/api/logout").status_code == 204
    assert phone.get("/api/me").status_code == 401
    assert phone.post("/api/logout").status_code == 204
    page = world.phone("Bo")
    assert submit(page, "/sign-out", "/").headers["Location"] == "/sign-in"
    assert page.get("/api/me").status_code == 401


def test_an_organiser_ends_all_sessions_of_a_player_and_only_these(world: World) -> None:
    phones, other = [world.phone("Ana"), world.phone("Ana")], world.phone("Bo")
    stream = phones[0].get("/api/events")
    frames = stream.iter_encoded()
    next(frames)
    boss = world.phone(BOSS)
    done = submit(boss, "/organiser/players/Ana/signout", "/organiser/players/Ana", reason="perdu")
    assert done.status_code == 303
    assert [phone.get("/api/me").status_code for phone in phones] == [401, 401]
    assert other.get("/api/me").status_code == 200
    assert next(frames).startswith(b"retry")
    assert next(frames, None) is None
    assert world.phone("Ana").get("/api/me").status_code == 200


def test_an_organisers_own_sessions_can_be_ended(world: World) -> None:
    boss = world.phone(BOSS)
    assert boss.post(f"/api/organiser/players/{BOSS}/signout", json={}).status_code == 200
    assert boss.get("/organiser").status_code == 401


def test_ended_sessions_never_come_back(world: World) -> None:
    cookie, boss = world.cookie("Ana"), world.phone(BOSS)
    version = boss.post("/api/organiser/players/Ana/signout", json={}).json["version"]
    assert boss.post(f"/api/organiser/undo/{version}", json={}).status_code == 409
    assert status_with(world, cookie) == 401


def test_a_removed_player_has_no_target_any_more(world: World) -> None:
    phone = world.phone("Ana")
    world.do(c.Remove(world.who("Ana").id))
    me = phone.get("/api/me").json
    assert (me["player"]["status"], me["target"]) == ("out", None)
    assert phone.post("/api/death", json={}).status_code == 409


def test_a_session_of_a_game_that_is_gone_is_nobodys(world: World) -> None:
    held = Session(game=99, player=1, sessions=0)
    cookie = world.app.session_interface.write(held)
    assert status_with(world, cookie) == 401


def test_signing_in_gives_a_fresh_session(world: World) -> None:
    """Whoever planted a cookie in a browser knows nothing of the session that follows."""
    visitor = world.visitor()
    visitor.get("/sign-in")
    planted = visitor.get_cookie(COOKIE)
    assert planted is not None
    submit(visitor, "/language", lang="en", next="/sign-in")
    visitor.post("/api/login", json={"token": world.link("Ana")})
    fresh = session_in(world, visitor.get_cookie(COOKIE).value)
    assert set(fresh) == {"game", "player", "sessions", "lang"}
    assert status_with(world, planted.value) == 401


def session_in(world: World, value: str) -> Session:
    return world.app.session_interface.parse(value)


def test_monitors_get_no_session(world: World) -> None:
    for url in ("/health", "/health/ready", "/metrics", "/api/openapi.json"):
        assert "Set-Cookie" not in world.visitor().get(url).headers
