"""Offers of the sheet that aren't applied: by the rules, by an organiser, or because of who asks."""

from __future__ import annotations

from html import unescape

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
    text,
    world,
)
from web.world import World

__all__ = ["boss", "world"]


# --- what the rules refuse ---


@pytest.mark.parametrize(
    ("kind", "nickname", "wanted", "says"),
    [
        ("killed_by", "Ana", "Bo", "Ana"),
        ("target", "Ana", "Personne", "Personne"),
        ("newcomer", "ANA", "ANA", "déjà"),
        ("status", "Ana", "alive", "Ana"),
    ],
)
def test_what_the_rules_refuse_stays_offered_and_says_why(
    world: World, boss: FlaskClient, kind: str, nickname: str, wanted: str, says: str
) -> None:
    made = Offer(None if kind == "newcomer" else world.who("Ana").id, kind, nickname, "", wanted)
    with world.site.database.write() as connection:
        sheets.make_offers(connection, world.number, [made])
    (number,) = (each.id for each in offers(world))
    before = world.game.version
    answer = decide(boss, number)
    page = unescape(answer.text) if answer.status_code != 303 else text(boss)
    assert says in page
    assert 'role="alert"' in page or answer.status_code >= 400
    assert [each.id for each in offers(world)] == [number]
    assert world.game.version == before


def test_after_the_end_an_offer_is_refused_in_a_sentence(world: World, boss: FlaskClient) -> None:
    number = offer(world, "newcomer", "Zoé", "", "Zoé")
    world.do(c.End())
    assert decide(boss, number).status_code == 303
    assert "La partie est terminée" in text(boss)
    assert len(offers(world)) == 1


# --- what an organiser refuses ---


@pytest.mark.parametrize(("kind", "nickname"), [("newcomer", "Zoé"), ("gone", "Ana")])
def test_rows_that_come_or_go_are_not_asked_about_again(
    world: World, boss: FlaskClient, kind: str, nickname: str
) -> None:
    before = world.game.version
    wanted = "Zoé" if kind == "newcomer" else "out"
    assert decide(boss, offer(world, kind, nickname, "", wanted), "refuse").location == PAGE
    (kept,) = offers(world)
    assert kept.refused
    assert edits.fresh([Offer(kept.player, kind, nickname, "", wanted)], [kept]) == []
    page = text(boss)
    assert "Rien à décider" in page
    assert "à décider</a>" not in page
    assert world.game.version == before


@pytest.mark.parametrize(
    ("kind", "wanted"), [("status", "dead"), ("target", "Bo"), ("killed_by", "Bo")]
)
def test_a_state_that_was_refused_is_forgotten(
    world: World, boss: FlaskClient, kind: str, wanted: str
) -> None:
    before = world.game.version
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
    assert f"{worst} est nouveau" in unescape(page)
    decide(boss, number)
    after = boss.get(PAGE).text
    assert "<b>Zoé" not in after
    assert "C'est fait : <b>Zoé</b>" in unescape(after)


def test_a_target_from_the_sheet_is_told_to_organisers_only(world: World) -> None:
    offer(world, "target", "Ana", "", "Bo")
    words = "la feuille lui donne une autre cible"
    for path in ("/", "/players", "/leaderboard", "/feed"):
        assert words not in text(world.phone("Ana"), path)
