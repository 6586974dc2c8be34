"""Sessions in Redis: a cookie that says nothing, ends where it is ended, and outlives a silence."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest
from flask.testing import FlaskClient

from engines import redis as redis_engine
from engines.processes import free_port, wait_for
from killer import app as app_
from killer.store.redis import SESSION, Redis
from killer.web.kept_sessions import KeptSessions
from killer.web.sessions import COOKIE, Session
from web.world import BOSS, World, problem, settings_in, submit


@pytest.fixture
def world(template: Path, tmp_path: Path, redis_url: str) -> Iterator[World]:
    """A running game on a server that keeps its sessions in Redis."""
    yield from kept_in(redis_url, template, tmp_path)


def kept_in(url: str, template: Path, folder: Path) -> Iterator[World]:
    shutil.copytree(template, folder / "data")
    settings = settings_in(folder / "data", redis_url=url, session_backend="redis")
    found = World(app_.create(settings), 1)
    found.start()
    yield found
    found.site.database.close()


def signed_in(world: World, nickname: str) -> FlaskClient:
    phone = world.visitor()
    answer = phone.post("/api/login", json={"token": world.link(nickname)})
    assert answer.status_code == 200
    return phone


def value(phone: FlaskClient) -> str:
    cookie = phone.get_cookie(COOKIE)
    assert cookie is not None
    return cookie.value


def kept(world: World) -> list[bytes]:
    assert world.site.redis is not None
    return list(world.site.redis._client.scan_iter(f"{SESSION}*"))


def status_with(world: World, cookie: str, url: str = "/api/me") -> int:
    raw = world.app.test_client(use_cookies=False)
    return raw.get(url, headers={"Cookie": f"{COOKIE}={cookie}"}).status_code


def test_the_cookie_of_whoever_is_signed_in_says_nothing(world: World) -> None:
    phone = world.visitor()
    answer = phone.post("/api/login", json={"token": world.link("Ana")})
    attributes = answer.headers["Set-Cookie"]
    for wanted in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"):
        assert wanted in attributes
    assert len(value(phone)) == 32
    assert "." not in value(phone)
    assert phone.get("/api/me").json["player"]["nickname"] == "Ana"
    assert phone.get("/").status_code == 200
    (name,) = kept(world)
    assert value(phone).encode() not in name, "whoever reads Redis can sign in as nobody"


def test_visitors_and_monitors_fill_no_memory(world: World) -> None:
    for url in ("/sign-in", "/health", "/health/ready", "/", "/api/me"):
        world.visitor().get(url)
    assert kept(world) == []


def test_signing_out_ends_the_session_itself(world: World) -> None:
    phone, other = signed_in(world, "Ana"), signed_in(world, "Ana")
    stolen = value(phone)
    assert phone.post("/api/logout").status_code == 204
    assert phone.get_cookie(COOKIE) is None
    assert status_with(world, stolen) == 401
    assert status_with(world, stolen, "/players") == 401
    assert other.get("/api/me").status_code == 200
    assert len(kept(world)) == 1


def test_signing_in_again_ends_the_session_before(world: World) -> None:
    phone = signed_in(world, "Ana")
    before = value(phone)
    assert phone.post("/api/login", json={"token": world.link("Bo")}).status_code == 200
    assert value(phone) != before
    assert status_with(world, before) == 401
    assert phone.get("/api/me").json["player"]["nickname"] == "Bo"
    assert len(kept(world)) == 1


def test_an_organiser_ends_all_sessions_of_a_player(world: World) -> None:
    phones, boss = [signed_in(world, "Ana"), signed_in(world, "Ana")], signed_in(world, BOSS)
    assert boss.post("/api/organiser/players/Ana/signout", json={}).status_code == 200
    assert [phone.get("/api/me").status_code for phone in phones] == [401, 401]
    assert boss.get("/api/me").status_code == 200


def test_what_a_page_leaves_in_the_session_is_kept(world: World) -> None:
    phone = signed_in(world, "Ana")
    before = value(phone)
    submit(phone, "/language", "/", lang="en", next="/")
    assert 'lang="en"' in phone.get("/").text
    assert value(phone) == before


def test_whoever_signed_in_before_sessions_were_kept_here_stays_and_is_moved(world: World) -> None:
    phone = world.phone("Ana")
    assert phone.get("/api/me").status_code == 200
    assert kept(world) == []
    assert phone.get("/").status_code == 200
    assert "." not in value(phone)
    assert len(kept(world)) == 1
    assert phone.get("/api/me").status_code == 200


def test_another_deployment_on_the_same_redis_knows_nobody(world: World, redis_url: str) -> None:
    cookie = value(signed_in(world, "Ana"))
    assert world.site.sessions.parse(cookie)
    assert KeptSessions(b"another secret", Redis(redis_url)).parse(cookie) == Session()


@pytest.mark.parametrize("cookie", ["x", "x" * 32, "x" * 5000, "é", "*", "..", "a b"])
def test_a_name_that_nobody_was_given_is_nobodys(world: World, cookie: str) -> None:
    assert status_with(world, cookie) == 401
    assert status_with(world, cookie, "/sign-in") == 200


def test_without_redis_nobody_is_signed_out_and_everybody_is_told(
    template: Path, tmp_path: Path
) -> None:
    port = free_port()
    with ExitStack() as first:
        first.enter_context(redis_engine.server(tmp_path, port))
        world = next(kept_in(f"redis://127.0.0.1:{port}", template, tmp_path))
        phone = signed_in(world, "Ana")
        before = value(phone)
        first.close()
        for url in ("/api/me", "/api/events", "/api/leaderboard"):
            told = phone.get(url, headers={"Accept-Language": "fr"})
            assert "Personne n'est déconnecté" in problem(told, 503, "sessions_away")["title"]
            assert int(told.headers["Retry-After"]) > 0
            assert "Set-Cookie" not in told.headers
        page = phone.get("/", headers={"Accept-Language": "fr"})
        assert (page.status_code, page.headers["Retry-After"]) == (503, "2")
        assert "Personne n&#39;est déconnecté" in page.text
        assert "Set-Cookie" not in page.headers
        assert phone.get("/health").status_code == 200
        assert phone.get("/health/ready").json["redis"] is False
        told = world.visitor().post("/api/login", json={"token": world.link("Bo")})
        problem(told, 503, "sessions_away")
        assert "Set-Cookie" not in told.headers
        assert value(phone) == before
        with redis_engine.server(tmp_path, port):
            keep_again(world, before)
            wait_for(lambda: phone.get("/api/me").status_code == 200, 30, "the way back")
    world.site.database.close()


def keep_again(world: World, cookie: str) -> None:
    """Restore what a Redis that writes to its disk would still have."""
    redis = world.site.redis
    assert isinstance(redis, Redis)
    wait_for(redis.answers, 30, "Redis")
    sessions = world.site.sessions
    assert isinstance(sessions, KeptSessions)
    session = sessions.parse(world.cookie("Ana"))
    value = msgspec.json.encode(session)
    redis.keep_session(sessions._name(cookie), value, 60, fresh=True)
