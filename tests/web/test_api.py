"""Every call of the public contract: what it answers, to whom, and what it changes."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from flask.testing import FlaskClient

from killer.game import commands as c
from killer.game.model import State, Status, Visibility
from web.world import BOSS, PLAYERS, WORST_NAMES, World, problem, quoted


@pytest.fixture
def boss(world: World) -> FlaskClient:
    return world.phone(BOSS)


# --- the own card ---


def test_the_own_card_holds_the_target_and_the_counts(world: World) -> None:
    prey = world.prey("Ana")
    me = world.phone("Ana").get("/api/me")
    assert me.json == {
        "player": {"nickname": "Ana", "status": "alive", "kills": 0},
        "target": {"nickname": prey.nickname, "challenge": prey.challenge, "photo": None},
        "game": {
            "name": "Week-end",
            "state": "running",
            "alive": 8,
            "players": 8,
            "version": world.game.version,
        },
    }


@pytest.mark.parametrize("name", ["Ana", BOSS])
def test_nobody_has_a_target_before_the_start(gathered: World, name: str) -> None:
    assert gathered.phone(name).get("/api/me").json["target"] is None


@pytest.mark.parametrize("url", ["/api/me", "/api/leaderboard"])
def test_an_answer_that_the_reader_has_is_not_sent_again(world: World, url: str) -> None:
    phone = world.phone("Ana")
    first = phone.get(url)
    again = phone.get(url, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    world.do(c.Die(world.prey("Ana").id))
    fresh = phone.get(url, headers={"If-None-Match": first.headers["ETag"]})
    assert fresh.status_code == 200
    assert fresh.headers["ETag"] != first.headers["ETag"]


def test_two_players_never_share_an_etag_of_the_own_card(world: World) -> None:
    tags = {world.phone(name).get("/api/me").headers["ETag"] for name in PLAYERS}
    assert len(tags) == len(PLAYERS)


def test_nothing_that_depends_on_the_reader_is_kept_by_a_shared_cache(world: World) -> None:
    for url in ("/api/me", "/api/leaderboard", "/api/players", "/", "/players"):
        answer = world.phone("Ana").get(url)
        assert {"private", "no-store"} & set(answer.headers["Cache-Control"].split(", ")), url


def test_compression_is_a_choice_of_the_reader(world: World) -> None:
    world.do(*(c.Enrol(f"Joueuse {n}") for n in range(40)))
    phone = world.phone("Ana")
    plain = phone.get("/api/leaderboard", headers={"Accept-Encoding": "gzip;q=0, identity"})
    zipped = phone.get("/api/leaderboard", headers={"Accept-Encoding": "br, gzip"})
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(zipped.data) == plain.data


# --- falling ---


def test_i_am_dead_hands_the_target_on_and_counts_once(world: World) -> None:
    prey, hunter = world.prey("Ana"), world.hunter("Ana").nickname
    answer = world.phone("Ana").post("/api/death", json={})
    assert answer.status_code == 200
    assert answer.json == {"version": world.game.version}
    mine = world.phone(hunter).get("/api/me").json
    assert mine["player"]["kills"] == 1
    assert mine["target"]["nickname"] == prey.nickname
    own = world.phone("Ana").get("/api/me").json
    assert (own["player"]["status"], own["target"]) == ("dead", None)


@pytest.mark.parametrize("deed", ["death", "giveup"])
@pytest.mark.parametrize("body", [{"json": {}}, {}, {"json": {"reason": "oui"}}])
def test_a_second_tap_changes_nothing(world: World, deed: str, body: dict[str, Any]) -> None:
    phone = world.phone("Ana")
    first = phone.post(f"/api/{deed}", **body).json["version"]
    again = phone.post(f"/api/{deed}", **body)
    assert (again.status_code, again.json) == (200, {"version": first})
    assert world.game.version == first


def test_giving_up_hands_the_target_on_and_counts_nothing(world: World) -> None:
    prey, hunter = world.prey("Ana"), world.hunter("Ana").nickname
    assert world.phone("Ana").post("/api/giveup", json={}).status_code == 200
    mine = world.phone(hunter).get("/api/me").json
    assert mine["player"]["kills"] == 0
    assert mine["target"]["nickname"] == prey.nickname
    assert world.who("Ana").status is Status.GAVEUP


def test_nobody_falls_before_the_start_during_a_pause_or_after_the_end(gathered: World) -> None:
    phone = gathered.phone("Ana")
    problem(phone.post("/api/death", json={}), 409, "game_preparing")
    gathered.start()
    gathered.do(c.Pause())
    problem(phone.post("/api/death", json={}), 409, "game_paused")
    problem(phone.post("/api/giveup", json={}), 409, "game_paused")
    gathered.do(c.Resume(), c.End())
    problem(phone.post("/api/death", json={}), 409, "game_over")


def test_an_organiser_who_does_not_play_cannot_die(boss: FlaskClient) -> None:
    problem(boss.post("/api/death", json={}), 409, "already_out")


def test_the_last_two_end_the_game_by_themselves(world: World) -> None:
    for name in PLAYERS[1:]:
        assert world.phone(name).post("/api/death", json={}).status_code == 200
    me = world.phone("Ana").get("/api/me").json
    assert (me["game"]["state"], me["game"]["alive"], me["target"]) == ("over", 1, None)


# --- the key that makes a repetition harmless ---


def test_a_repeated_request_gets_the_answer_of_the_first(world: World) -> None:
    boss = world.phone(BOSS)
    key = {"Idempotency-Key": "k-1"}
    first = boss.post("/api/organiser/players/Ana/signout", json={}, headers=key)
    again = boss.post("/api/organiser/players/Ana/signout", json={}, headers=key)
    assert again.json == first.json
    assert world.game.version == first.json["version"]
    assert world.who("Ana").sessions == 1


def test_a_key_serves_one_request_only(world: World) -> None:
    boss = world.phone(BOSS)
    key = {"Idempotency-Key": "k-2"}
    boss.post("/api/organiser/game/pause", json={"reason": "a"}, headers=key)
    other = boss.post("/api/organiser/game/pause", json={"reason": "b"}, headers=key)
    problem(other, 422, "key_reused")
    problem(boss.post("/api/organiser/game/end", json={}, headers=key), 422, "key_reused")
    assert world.game.state is State.PAUSED


def test_a_key_belongs_to_whoever_used_it(world: World) -> None:
    key = {"Idempotency-Key": "shared"}
    for name in ("Ana", "Bo"):
        assert world.phone(name).post("/api/death", json={}, headers=key).status_code == 200
    assert {world.who(n).status for n in ("Ana", "Bo")} == {Status.DEAD}


def test_a_key_is_no_novel(world: World) -> None:
    answer = world.phone("Ana").post("/api/death", json={}, headers={"Idempotency-Key": "k" * 201})
    problem(answer, 400, "long_key")
    assert world.who("Ana").status is Status.ALIVE


# --- what everybody may look at ---


def test_the_leaderboard_is_sorted_by_kills_then_by_nickname(world: World) -> None:
    hunter = world.hunter("Ana").nickname
    world.phone("Ana").post("/api/death", json={})
    board = world.phone("Bo").get("/api/leaderboard").json
    names = [line["nickname"] for line in board["players"]]
    assert (board["alive"], board["version"]) == (7, world.game.version)
    assert board["players"][0] == {
        "nickname": hunter,
        "kills": 1,
        "year": world.who(hunter).year,
    }
    assert names[1:] == [name for name in PLAYERS if name not in (hunter, "Élie")] + (
        ["Élie"] if hunter != "Élie" else []  # by code point, as `names.key` writes them
    )


def test_a_discreet_game_shows_kills_and_counts_but_nobody_s_fate(world: World) -> None:
    world.do(c.SetVisibility(Visibility.DISCREET), c.Die(world.who("Ana").id))
    board = world.phone("Bo").get("/api/leaderboard").json
    assert (board["alive"], len(board["players"])) == (7, len(PLAYERS))
    assert board["players"][0]["kills"] == 1
    assert all(set(line) == {"nickname", "kills", "year"} for line in board["players"])


def test_the_trombinoscope_shows_faces_and_whom_to_call(world: World) -> None:
    faces = world.phone("Ana").get("/api/players").json
    assert [face["nickname"] for face in faces["players"]] == list(PLAYERS)
    assert faces["players"][0] == {"nickname": "Ana", "year": "1A", "photo": None}
    assert faces["organisers"] == [{"nickname": BOSS, "phone": ""}]


@pytest.mark.parametrize(
    ("place", "first"),
    [(None, "ping"), ("0", "enrolled"), ("99999", "resync"), ("9" * 500, "ping"), ("-1", "ping"),
     ("1.5", "ping"), ("é", "ping"), ("٣", "enrolled"), ("", "ping")],
)  # fmt: skip
def test_a_stream_resumes_from_the_place_that_a_phone_names(
    still: World, place: str | None, first: str
) -> None:
    headers = {} if place is None else {"Last-Event-ID": place}
    answer = still.phone("Ana").get("/api/events", headers=headers)
    assert answer.mimetype == "text/event-stream"
    frames = answer.iter_encoded()
    hello = next(frames)
    told = hello if first == "ping" else next(frames)
    answer.close()
    assert f"event: {first}\n".encode() in told


def test_only_real_events_carry_an_id(world: World) -> None:
    answer = world.phone("Ana").get("/api/events", headers={"Last-Event-ID": "8"})
    frames = answer.iter_encoded()
    hello, events = next(frames), next(frames)
    answer.close()
    assert b"id:" not in hello
    assert events.startswith(b"id: 9\nevent: ")


def test_a_player_cannot_take_every_connection_with_streams(world: World) -> None:
    phone, opened = world.phone("Ana"), []
    for _ in range(60):
        answer = phone.get("/api/events")
        if answer.status_code == 200:
            next(answer.iter_encoded())
            opened.append(answer)
    assert len(opened) == 50
    refused = phone.get("/api/events")
    problem(refused, 429, "too_many_streams")
    assert int(refused.headers["Retry-After"]) > 0
    assert world.phone("Bo").get("/api/events").status_code == 200
    for answer in opened:
        answer.close()
    assert phone.get("/api/events").status_code == 200


# --- organisers ---


def test_the_organisers_table_tells_everything(world: World, boss: FlaskClient) -> None:
    world.do(c.Die(world.who("Bo").id))
    table = boss.get("/api/organiser/players").json
    rows = {row["nickname"]: row for row in table["players"]}
    assert table["version"] == world.game.version
    assert set(rows) == {*PLAYERS, BOSS}
    assert rows["Ana"]["target"] == world.prey("Ana").nickname
    assert rows["Ana"]["hunter"] == world.hunter("Ana").nickname
    assert (rows["Bo"]["status"], rows["Bo"]["order"], rows["Bo"]["target"]) == ("dead", 1, None)
    assert rows[rows["Bo"]["killed_by"]]["kills"] == 1
    assert (rows[BOSS]["status"], rows[BOSS]["hunter"]) == ("out", None)
    assert list(rows["Ana"]) == [
        "nickname", "status", "target", "hunter", "challenge", "kills", "killed_by", "order",
    ]  # fmt: skip


def test_an_organiser_starts_pauses_resumes_and_ends(gathered: World) -> None:
    boss = gathered.phone(BOSS)
    for verb, state in (
        ("start", "running"), ("pause", "paused"), ("resume", "running"), ("end", "over"),
    ):  # fmt: skip
        answer = boss.post(f"/api/organiser/game/{verb}", json={"reason": "c'est l'heure"})
        assert answer.json == {"version": gathered.game.version}
        assert gathered.game.state == state
    problem(boss.post("/api/organiser/game/start", json={}), 409, "start_over")
    problem(boss.post("/api/organiser/game/explode", json={}), 404, "not_found")


def test_a_kill_is_credited_or_not_and_can_be_undone(world: World, boss: FlaskClient) -> None:
    before = {p.id: p.target for p in world.game.alive}
    url = "/api/organiser/players/Ana/kill"
    version = boss.post(url, json={"reason": "vu", "credited": False}).json["version"]
    assert world.who("Ana").killed_by is None
    undone = boss.post(f"/api/organiser/undo/{version}", json={"reason": "erreur"})
    assert undone.json["version"] == version + 1
    assert {p.id: p.target for p in world.game.alive} == before
    boss.post(url, json={})
    assert world.who("Ana").killed_by is not None


def test_an_undo_says_why_it_cannot(world: World, boss: FlaskClient) -> None:
    problem(boss.post("/api/organiser/undo/1", json={}), 409, "cannot_undo")
    problem(boss.post("/api/organiser/undo/0", json={}), 404, "no_such_version")
    problem(boss.post("/api/organiser/undo/4000", json={}), 404, "no_such_version")
    version = boss.post("/api/organiser/players/Ana/kill", json={}).json["version"]
    boss.post("/api/organiser/players/Ana/revive", json={})
    problem(boss.post(f"/api/organiser/undo/{version}", json={}), 409, "undo_blocked")


@pytest.mark.parametrize("digits", [10, 30, 5000])
def test_no_number_is_too_large_to_be_refused(still: World, digits: int) -> None:
    problem(
        still.phone(BOSS).post(f"/api/organiser/undo/{'9' * digits}", json={}), 404, "not_found"
    )


def test_a_player_is_brought_back_and_taken_out(world: World, boss: FlaskClient) -> None:
    for verb, status in (("kill", "dead"), ("revive", "alive"), ("remove", "out")):
        answer = boss.post(f"/api/organiser/players/Ana/{verb}", json={"reason": "litige"})
        assert answer.json == {"version": world.game.version}
        assert world.who("Ana").status == status
    problem(boss.post("/api/organiser/players/Nemo/kill", json={}), 404, "no_such_nickname")


def test_a_reason_is_kept_in_the_log(world: World, boss: FlaskClient) -> None:
    boss.post("/api/organiser/players/Ana/remove", json={"reason": "  partie en train <b>  "})
    assert "partie en train &lt;b&gt;" in boss.get("/organiser/log").text


@pytest.mark.parametrize("nickname", WORST_NAMES)
def test_a_nickname_in_an_address_may_be_anything(world: World, nickname: str) -> None:
    boss = world.phone(BOSS)
    assert boss.post("/api/organiser/players", json={"nickname": nickname}).status_code == 200
    kill = boss.post(f"/api/organiser/players/{quoted(nickname)}/kill", json={})
    assert kill.status_code == 200, kill.text
    assert world.who(nickname).status is Status.DEAD
    assert boss.get(f"/organiser/players/{quoted(nickname)}").status_code == 200


@pytest.mark.parametrize("password", ["  sésame\t", "é" * 300, f" {'x' * 300} "])
def test_a_password_that_was_accepted_signs_in(
    world: World, boss: FlaskClient, password: str
) -> None:
    late = {"nickname": "Retard", "password": password}
    assert boss.post("/api/organiser/players", json=late).status_code == 200
    for typed in (password, password.strip()):
        tried = {"nickname": "Retard", "password": typed}
        assert world.visitor().post("/api/login", json=tried).status_code == 200
    longer = {"nickname": "Retard", "password": password.strip() + "x"}
    assert world.visitor().post("/api/login", json=longer).status_code == 401


def test_a_password_that_could_not_be_typed_is_refused(world: World, boss: FlaskClient) -> None:
    late = {"nickname": "Retard", "password": "x" * 301}
    problem(boss.post("/api/organiser/players", json=late), 422, "password_too_long")
    assert world.game.find("Retard") is None


def test_a_latecomer_joins_the_running_game(world: World, boss: FlaskClient) -> None:
    late = {"nickname": "Retard", "year": "3A", "challenge": "Danser", "password": "sésame"}
    assert boss.post("/api/organiser/players", json=late).status_code == 200
    assert world.prey("Retard") != world.hunter("Retard")
    signed = world.visitor().post("/api/login", json={"nickname": "retard", "password": "sésame"})
    assert signed.json == {"nickname": "Retard", "organiser": False}
    problem(boss.post("/api/organiser/players", json=late), 422, "nickname_taken")
    problem(
        boss.post("/api/organiser/players", json={"nickname": "\u200b "}), 422, "nickname_empty"
    )
    problem(boss.post("/api/organiser/players", json={"nickname": "x" * 61}), 422, "too_long")
    problem(boss.post("/api/organiser/players", json={}), 400, "bad_json")
