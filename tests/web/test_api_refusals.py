"""What the API can't answer: to whom, why, and in which language it says so."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from killer.game.model import State
from web.world import BOSS, World, problem


@pytest.fixture
def boss(world: World) -> FlaskClient:
    return world.phone(BOSS)


READINGS = ("/api/me", "/api/leaderboard", "/api/players", "/api/events")
COMMANDS = (
    "/api/organiser/game/start", "/api/organiser/players/Ana/kill", "/api/organiser/players",
    "/api/organiser/players/Ana/revive", "/api/organiser/players/Ana/remove",
    "/api/organiser/players/Ana/signout", "/api/organiser/undo/1",
)  # fmt: skip


@pytest.mark.parametrize("url", [*READINGS, "/api/organiser/players"])
def test_nobody_reads_anything_without_signing_in(still: World, url: str) -> None:
    problem(still.visitor().get(url), 401, "signed_out")


@pytest.mark.parametrize("url", ["/api/death", "/api/giveup", *COMMANDS])
def test_nobody_changes_anything_without_signing_in(still: World, url: str) -> None:
    before = still.game.version
    problem(still.visitor().post(url, json={}), 401, "signed_out")
    assert still.game.version == before


@pytest.mark.parametrize("url", COMMANDS)
def test_players_do_not_command(still: World, url: str) -> None:
    before = still.game.version
    problem(still.phone("Ana").post(url, json={}), 403, "organisers_only")
    problem(still.phone("Ana").get("/api/organiser/players"), 403, "organisers_only")
    assert still.game.version == before


@pytest.mark.parametrize(
    "body",
    [b"[" * 60_000, b"NaN", b'{"reason": NaN}', b'{"reason": 1' + b"0" * 5000 + b"}",
     b'{"reason":"\xff"}', b'{"reason":"\\ud800"}', b'"x"', b"null", b"{", b"\xef\xbb\xbf{}",
     b'{"reason": null}', b'{"reason": ["a"]}', b"\x00", b"reason=a"],
)  # fmt: skip
def test_what_is_not_the_expected_json_is_refused(still: World, body: bytes) -> None:
    answer = still.phone(BOSS).post(
        "/api/organiser/game/pause", data=body, content_type="application/json"
    )
    problem(answer, 400, "bad_json")
    assert still.game.state is State.RUNNING


def test_the_last_of_two_equal_fields_counts(world: World, boss: FlaskClient) -> None:
    body = b'{"credited": true, "credited": false}'
    url = "/api/organiser/players/Ana/kill"
    assert boss.post(url, data=body, content_type="application/json").status_code == 200
    assert world.who("Ana").killed_by is None


@pytest.mark.parametrize("url", ["/api/login", "/api/death"])
def test_a_body_may_be_64_kilobytes(still: World, url: str) -> None:
    huge = b'{"nickname":"' + b"x" * 70_000 + b'"}'
    answer = still.phone("Ana").post(url, data=huge, content_type="application/json")
    assert "64" in problem(answer, 413, "too_large")["title"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
def test_the_api_takes_json_only(still: World, kind: str) -> None:
    answer = still.phone("Ana").post("/api/death", data=b"{}", content_type=kind)
    problem(answer, 415, "not_json")


def test_an_unknown_address_of_the_api_says_so_in_json(world: World) -> None:
    for url in ("/api/nope", "/api/organiser/", "/api/me/", "/health/nope", "/api//me"):
        problem(world.phone("Ana").get(url), 404, "not_found")


def test_a_wrong_method_names_the_right_ones(world: World) -> None:
    answer = world.phone("Ana").put("/api/me")
    problem(answer, 405, "not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("url", [*READINGS, "/health", "/health/ready", "/api/openapi.json"])
def test_head_tells_the_headers_alone(still: World, url: str) -> None:
    answer = still.phone("Ana").head(url)
    assert (answer.status_code, answer.data) == (200, b"")


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [("fr", "Il faut se connecter"), ("en-GB,en;q=0.9", "You need to sign in"),
     ("de", "Il faut"), ("", "Il faut"), ("*", "Il faut"), ("en;q=abc", ""),
     ("\xe9;;,q", "Il faut")],
)  # fmt: skip
def test_a_problem_is_told_in_the_readers_language(
    still: World, wanted: str, sentence: str
) -> None:
    answer = still.visitor().get("/api/me", headers={"Accept-Language": wanted})
    assert problem(answer, 401, "signed_out")["title"].startswith(sentence)
