"""Who is an organiser: how the right comes, how it goes, and what opens doors meanwhile."""

from __future__ import annotations

import pytest

from killer.game import commands as c
from killer.game.model import Status
from killer.web.sessions import COOKIE
from web.world import BOSS, World, problem, submit

DESK = "/api/organiser/players"


def second_organiser(world: World, *, plays: bool) -> str:
    status = Status.ALIVE if plays else Status.OUT
    world.do(c.Enrol("Deuxième", status=status, organiser=True))
    return "Deuxième"


def sign_in(world: World, token: str) -> int:
    return world.visitor().post("/api/login", json={"token": token}).status_code


def remove(world: World, who: str, by: str, *, page: bool) -> None:
    if page:
        one = f"/organiser/players/{who}"
        assert submit(world.phone(by), f"{one}/remove", one, reason="parti").status_code == 303
    else:
        assert world.phone(by).post(f"{DESK}/{who}/remove", json={}).status_code == 200


def test_a_player_s_lasting_link_ends_when_the_right_comes(gathered: World) -> None:
    old = gathered.link("Ana")
    assert sign_in(gathered, old) == 200
    gathered.do(c.Edit(gathered.who("Ana").id, (("organiser", True),)))
    assert sign_in(gathered, old) == 401
    assert gathered.visitor().get(f"/s/{old}").status_code == 404
    fresh = gathered.link("Ana", once=True)
    gathered.do(c.Edit(gathered.who("Ana").id, (("year", "9A"),)))
    assert sign_in(gathered, fresh) == 200


@pytest.mark.parametrize("page", [True, False])
@pytest.mark.parametrize("plays", [True, False])
def test_removing_an_organiser_takes_the_right_the_session_and_the_links(
    gathered: World, *, plays: bool, page: bool
) -> None:
    who = second_organiser(gathered, plays=plays)
    link, held = gathered.link(who, once=True), gathered.cookie(who)
    remove(gathered, who, BOSS, page=page)
    old = gathered.visitor()
    old.set_cookie(COOKIE, held)
    problem(old.get(DESK), 401, "signed_out")
    assert sign_in(gathered, link) == 401
    assert gathered.who(who).status is Status.OUT
    again = gathered.phone(who)  # by a password, say
    problem(again.get(DESK), 403, "organisers_only")
    problem(again.post("/api/organiser/game/start"), 403, "organisers_only")


def test_the_right_is_taken_after_the_game_too(gathered: World) -> None:
    who = second_organiser(gathered, plays=True)
    gathered.start()
    gathered.do(c.End())
    remove(gathered, who, BOSS, page=True)
    assert not gathered.who(who).organiser
    assert gathered.who(who).status is Status.ALIVE


@pytest.mark.parametrize("by", [BOSS, "Deuxième"])
def test_the_page_keeps_one_organiser(gathered: World, by: str) -> None:
    who = second_organiser(gathered, plays=False)
    remove(gathered, BOSS if by == who else who, by, page=False)
    refused = gathered.phone(by).post(f"{DESK}/{by}/remove", json={})
    problem(refused, 409, "last_organiser")
    assert gathered.who(by).organiser


def test_the_page_of_an_organiser_offers_to_take_the_right_away(gathered: World) -> None:
    who = second_organiser(gathered, plays=False)
    shown = gathered.phone(BOSS).get(f"/organiser/players/{who}").text
    assert f"{who}/remove" in shown.replace("Deuxi%C3%A8me", who)
    assert "organise plus" in shown


def test_a_removed_player_s_page_says_nothing_of_rights(gathered: World) -> None:
    shown = gathered.phone(BOSS).get("/organiser/players/Ana").text
    assert "organise plus" not in shown
