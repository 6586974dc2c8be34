"""The readings that are answered before Flask say the same as Flask does."""

from __future__ import annotations

import pytest

from web.world import World

HOT = ("/api/me", "/api/leaderboard")
SAME = ("ETag", "Cache-Control", "Vary", "Content-Type", "Content-Encoding", "Content-Length")


def both_ways(world: World, path: str, **headers: str) -> tuple[list[object], list[object]]:
    """Ask before Flask, and through it."""
    quick = world.phone("Ana").get(path, headers=headers)
    twice = world.app.test_client(use_cookies=False)
    slow = twice.get(path, headers={"Cookie": _twice(world)} | headers)
    shown = [[r.status, r.data, *(r.headers.get(h) for h in SAME)] for r in (quick, slow)]
    return shown[0], shown[1]


def _twice(world: World) -> str:
    """Write a cookie that only Flask takes, because it is there twice."""
    cookie = f"killer={world.cookie('Ana')}"
    return f"{cookie}; {cookie}"


@pytest.mark.parametrize("path", HOT)
@pytest.mark.parametrize("coding", ["", "gzip"])
def test_both_ways_give_the_same_bytes_and_headers(world: World, path: str, coding: str) -> None:
    world.start()
    quick, slow = both_ways(world, path, **{"Accept-Encoding": coding})
    assert quick == slow


@pytest.mark.parametrize("path", HOT)
def test_both_ways_know_what_the_reader_has(world: World, path: str) -> None:
    etag = world.phone("Ana").get(path).headers["ETag"]
    quick, slow = both_ways(world, path, **{"If-None-Match": etag})
    assert quick == slow
    assert quick[0] == "304 NOT MODIFIED"


@pytest.mark.parametrize("path", HOT)
def test_nobody_is_answered_by_flask_with_a_sentence(world: World, path: str) -> None:
    answer = world.visitor().get(path)
    assert answer.status_code == 401
    assert answer.json["title"]


def test_a_session_that_was_ended_is_refused_at_once(world: World) -> None:
    phone = world.phone("Ana")
    assert phone.get("/api/me").status_code == 200
    boss = world.phone("Orga")
    boss.post("/api/organiser/players/Ana/signout", json={})
    assert phone.get("/api/me").status_code == 401


def test_health_has_two_bytes_and_no_cookie(world: World) -> None:
    answer = world.visitor().get("/health")
    assert (answer.status_code, answer.data, answer.mimetype) == (200, b"ok", "text/plain")
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("coding", ["", "gzip"])
@pytest.mark.parametrize("name", ["site.css", "live.js", "mark.svg"])
def test_files_are_the_same_both_ways(world: World, name: str, coding: str) -> None:
    url, client = world.site.static.url(name), world.visitor()
    asked = {"Accept-Encoding": coding, "X-Request-Id": "the-same-for-both"}
    quick = client.get(url, headers=asked)
    slow = client.head(url, headers=asked)  # only Flask answers a HEAD
    assert (quick.status, quick.headers) == (slow.status, slow.headers)
    assert len(quick.data) == int(slow.headers["Content-Length"])
    assert "Set-Cookie" not in quick.headers


def test_a_file_that_has_changed_since_is_not_found_either_way(world: World) -> None:
    url = world.site.static.url("site.css").replace("site", "sight")
    for path in (url, "/static/", "/static/0/site.css"):
        assert world.visitor().get(path).status_code == 404
