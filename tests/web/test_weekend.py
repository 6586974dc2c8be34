"""What goes wrong over a weekend: lost phones, second games, forms sent again, stricter rules."""

from __future__ import annotations

from flask.testing import FlaskClient

from killer.game import commands as c
from killer.game.model import Visibility
from killer.store import games
from web.world import BOSS, PASSWORD, World, submit, token_in


def sign_in(client: FlaskClient, **body: str) -> int:
    return client.post("/api/login", json=body).status_code


def test_a_lost_phone_is_locked_out_with_its_links(world: World) -> None:
    token = world.link("Ana")
    assert sign_in(world.visitor(), token=token) == 200
    world.phone(BOSS).post("/api/organiser/players/Ana/signout", json={"reason": "perdu"})
    assert sign_in(world.visitor(), token=token) == 401


def test_an_organiser_s_new_link_holds_once(world: World) -> None:
    page = submit(world.phone(BOSS), f"/organiser/players/{BOSS}/link", "/organiser", reason="x")
    token = page.text.split("http://localhost/s/")[1].split('"')[0]
    assert [sign_in(world.visitor(), token=token) for _ in range(2)] == [200, 401]


def test_a_key_that_comes_again_with_another_text_is_refused(world: World) -> None:
    boss = world.phone(BOSS)
    url = "/organiser/players/Ana/edit"
    sent = {"csrf_token": token_in(boss.get("/organiser")), "idempotency_key": "k", "reason": "x"}
    answers = [
        boss.post(url, data=sent | {"challenge": text}).status_code
        for text in ("premier", "premier", "second")
    ]
    assert answers == [303, 303, 422]
    assert world.who("Ana").challenge == "premier"


def test_an_older_game_can_still_be_entered_by_password(world: World) -> None:
    world.give_password("Ana")
    with world.site.database.write() as connection:
        newer = games.create(connection, "Autre week-end")
    world.site.play.perform(newer, c.Enrol("Ana"))
    assert sign_in(world.visitor(), nickname="Ana", password=PASSWORD) == 200


def test_what_was_told_before_a_stricter_rule_is_not_told_again(world: World) -> None:
    world.do(c.SetVisibility(Visibility.OPEN), c.Die(world.who("Ana").id))
    assert "Ana" in world.phone("Bo").get("/feed").text
    world.do(c.SetVisibility(Visibility.DISCREET))
    bo = world.phone("Bo")
    assert "Ana" not in bo.get("/feed").text
    first = next(iter(bo.get("/api/events?since=1").iter_encoded()))
    assert b"Ana" not in first
