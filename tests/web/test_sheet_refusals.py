"""Offers of the sheet that the rules or an organiser refuse, or that are not the asker's."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from killer.game import commands as c
from killer.sheets import edits
from killer.store import sheets
from killer.store.sheets import Offer
from web.sheet_desk import (
    PAGE,
    boss,
    decide,
    elsewhere,
    offer,
    offers,
    plain,
    text,
    world,
)
from web.world import World

__all__ = ["boss", "world"]


# --- what the rules refuse ---


REFUSED = [
    ("killed_by", "Ana", "Bo", "Ana"),
    ("target", "Ana", "Personne", "Personne"),
    ("target", "Ana", "Ana", "Ana"),
    ("newcomer", "ANA", "ANA", "déjà"),
]


def test_what_the_rules_refuse_stays_offered_and_says_why(world: World, boss: FlaskClient) -> None:
    for kind, nickname, wanted, says in REFUSED:
        made = Offer(None if kind == "newcomer" else 1, kind, nickname, "", wanted)
        with world.site.database.write() as connection:
            sheets.make_offers(connection, world.number, [made])
        number, before = offers(world)[-1].id, world.game.version
        assert decide(boss, number).location == PAGE
        page = text(boss)
        assert says in page.partition('role="alert"')[2].partition("</p>")[0]
        assert f"{PAGE}/{number}/apply" in page
        assert world.game.version == before


def test_after_the_end_an_offer_is_refused_in_a_sentence(world: World, boss: FlaskClient) -> None:
    number = offer(world, "newcomer", "Zoé", "", "Zoé")
    world.do(c.End())
    assert decide(boss, number).status_code == 303
    assert "La partie est finie" in text(boss)
    assert len(offers(world)) == 1


# --- what an organiser refuses ---


def test_rows_that_come_or_go_are_not_asked_about_again(world: World, boss: FlaskClient) -> None:
    before = world.game.version
    for kind, nickname, wanted in (("newcomer", "Zoé", "Zoé"), ("gone", "Ana", "out")):
        assert decide(boss, offer(world, kind, nickname, "", wanted), "refuse").location == PAGE
        kept = offers(world)[-1]
        assert kept.refused
        assert edits.fresh([Offer(kept.player, kind, nickname, "", wanted)], [kept]) == []
    page = text(boss)
    assert "Rien à décider" in page
    assert "à décider</a>" not in page
    assert world.game.version == before


def test_a_state_that_was_refused_is_forgotten(world: World, boss: FlaskClient) -> None:
    before = world.game.version
    for kind, wanted in (("status", "dead"), ("target", "Bo"), ("killed_by", "Bo")):
        decide(boss, offer(world, kind, "Ana", "", wanted), "refuse")
        assert offers(world) == []
        assert world.game.version == before


# --- who may ---


@pytest.mark.parametrize("verb", ["apply", "refuse"])
def test_players_can_decide_nothing(world: World, verb: str) -> None:
    number, before = offer(world, "status", "Ana", "alive", "dead"), world.game.version
    phone = world.phone("Ana")
    token = {"csrf_token": token_of(phone)}
    assert phone.post(f"{PAGE}/{number}/{verb}", data=token).status_code == 403
    stranger = world.visitor()
    token = {"csrf_token": token_of(stranger, "/sign-in")}
    assert stranger.post(f"{PAGE}/{number}/{verb}", data=token).status_code == 401
    assert (len(offers(world)), world.game.version) == (1, before)


def token_of(client: FlaskClient, path: str = "/") -> str:
    return client.get(path).text.partition('csrf_token" value="')[2].partition('"')[0]


@pytest.mark.parametrize("verb", ["apply", "refuse"])
def test_another_game_s_organiser_can_neither_see_nor_decide(world: World, verb: str) -> None:
    number, before = offer(world, "status", "Ana", "alive", "dead"), world.game.version
    other = elsewhere(world)
    zoe = other.phone("Zoé")
    page = text(zoe)
    assert "Rien à décider" in page
    assert "Ana" not in page
    assert decide(zoe, number, verb).status_code == 404
    assert (len(offers(world)), world.game.version) == (1, before)


@pytest.mark.parametrize("verb", ["apply", "refuse"])
def test_a_request_without_the_page_s_token_does_nothing(
    world: World, boss: FlaskClient, verb: str
) -> None:
    number, before = offer(world, "status", "Ana", "alive", "dead"), world.game.version
    where = f"{PAGE}/{number}/{verb}"
    assert boss.post(where).status_code == 403
    token = {"csrf_token": token_of(boss, PAGE)}
    foreign = {"Origin": "https://evil.example"}
    assert boss.post(where, data=token, headers=foreign).status_code == 403
    assert boss.get(where).status_code == 405
    assert (len(offers(world)), world.game.version) == (1, before)


def test_whatever_is_written_into_the_sheet_stays_text(world: World, boss: FlaskClient) -> None:
    worst = '<script>alert(1)</script>"%(who)s'
    offer(world, "newcomer", worst, "", worst)
    world.do(c.Enrol("<b>Zoé</b>"))
    number = offer(world, "status", "<b>Zoé</b>", "alive", "dead")
    page = boss.get(PAGE).text
    for markup in ("<script>alert", "<b>Zoé", 'alert(1)</script>"'):
        assert markup not in page
    assert f"{worst} est nouveau" in plain(page)
    decide(boss, number)
    after = boss.get(PAGE).text
    assert "<b>Zoé" not in after
    assert "C’est fait : <b>Zoé</b>" in plain(after)


def test_a_target_from_the_sheet_is_told_to_organisers_only(world: World) -> None:
    offer(world, "target", "Ana", "", "Bo")
    words = "la feuille lui donne une autre cible"
    for path in ("/", "/players", "/leaderboard", "/feed"):
        assert words not in text(world.phone("Ana"), path)
