"""What editors of the sheet ask for: shown to the organisers, applied once, or refused."""

from __future__ import annotations

import re
import threading

import pytest
from flask.testing import FlaskClient

from engines.processes import wait_for
from killer.game import commands as c
from killer.store import sheets
from web.sheet_desk import (
    ENGLISH,
    PAGE,
    another_organiser,
    boss,
    decide,
    faults,
    last,
    offer,
    offers,
    text,
    world,
)
from web.world import BOSS, World

__all__ = ["boss", "world"]

#: The kind, what is before and wanted, and words of the offer and of its consequence.
SENTENCES = [
    (
        "status",
        "alive",
        "dead",
        "Ana : en vie → éliminé dans la feuille.",
        "compte pour son chasseur",
    ),
    ("status", "alive", "gaveup", "Ana : en vie → abandon", "sans élimination"),
    ("status", "alive", "out", "Ana : en vie → hors jeu", "le retire du jeu"),
    ("status", "dead", "alive", "Ana : éliminé → en vie", "nouvelle place du cercle"),
    ("target", "", "Bo", "Ana : la feuille lui donne une autre cible, Bo.", "trois joueurs"),
    ("killed_by", "Gus", "Bo", "Ana : éliminé par Gus → Bo", "l’élimination pour Bo"),
    ("killed_by", "", "Bo", "Ana : éliminé par personne → Bo", "l’élimination pour Bo"),
    ("newcomer", "", "Zoé", "Zoé est nouveau dans la feuille.", "une place dans le cercle"),
    ("gone", "", "out", "Ana n’est plus dans la feuille.", "rien ne change dans le jeu"),
]
ENGLISH_WORDS = {
    "status": ("in the sheet.", "put right already"),
    "target": ("the sheet gives another target, Bo.", "three players"),
    "killed_by": ("→ Bo in the sheet.", "counts the kill for Bo"),
    "newcomer": ("Zoé is new in the sheet.", "a place in the ring"),
    "gone": ("Ana is no longer in the sheet.", "nothing changes in the game"),
}


def test_an_offer_is_a_sentence_and_its_consequence(world: World, boss: FlaskClient) -> None:
    for kind, before, wanted, words, consequence in SENTENCES:
        number = offer(world, kind, "Zoé" if kind == "newcomer" else "Ana", before, wanted)
        page = text(boss)
        assert words in page
        assert consequence in page
        assert all(said in text(boss, **ENGLISH) for said in ENGLISH_WORDS[kind])
        assert "%(" not in page
        decide(boss, number, "refuse")


# --- applying ---


def ana(world: World) -> str:
    return world.who("Ana").status


def not_the_prey(world: World) -> str:
    """Name somebody alive whom Ana doesn't hunt yet."""
    return next(n for n in ("Bo", "Gus") if world.prey("Ana").nickname != n)


@pytest.mark.parametrize(
    ("wanted", "kind"),
    [("dead", "died"), ("gaveup", "gave_up"), ("out", "removed")],
)
def test_applying_a_status_is_a_command_like_any_other(
    world: World, boss: FlaskClient, wanted: str, kind: str
) -> None:
    hunter, prey = world.hunter("Ana"), world.prey("Ana")
    answer = decide(boss, offer(world, "status", "Ana", "alive", wanted))
    assert (answer.status_code, answer.location) == (303, PAGE)
    assert ana(world) == wanted
    assert world.prey(hunter.nickname).id == prey.id
    assert world.game.kills.get(hunter.id, 0) == (wanted == "dead")
    assert_recorded(world)


def assert_recorded(world: World) -> None:
    """Expect the log to name the organiser and the reason, the laws to hold, no offer left."""
    recorded = last(world)
    assert (recorded.actor, recorded.reason) == (
        world.who(BOSS).id,
        "demandé dans la feuille Google",
    )
    assert faults(world) == []
    assert offers(world) == []


def test_applying_brings_a_dead_player_back(world: World, boss: FlaskClient) -> None:
    world.do(c.Kill(world.who("Ana").id))
    decide(boss, offer(world, "status", "Ana", "dead", "alive"))
    assert (ana(world), world.prey("Ana").status) == ("alive", "alive")
    assert_recorded(world)


def test_applying_a_target_keeps_the_ring_whole(world: World, boss: FlaskClient) -> None:
    wanted = not_the_prey(world)
    decide(boss, offer(world, "target", "Ana", "", wanted))
    assert world.prey("Ana").nickname == wanted
    assert_recorded(world)


def test_applying_a_killer_counts_the_kill_for_that_one(world: World, boss: FlaskClient) -> None:
    hunter = world.hunter("Ana")
    other = next(n for n in ("Bo", "Gus") if n != hunter.nickname)
    world.do(c.Kill(world.who("Ana").id))
    decide(boss, offer(world, "killed_by", "Ana", hunter.nickname, other))
    assert world.game.kills.get(world.who(other).id) == 1
    assert world.game.kills.get(hunter.id, 0) == 0
    assert_recorded(world)


def test_applying_a_newcomer_gives_a_place_in_the_ring(world: World, boss: FlaskClient) -> None:
    decide(boss, offer(world, "newcomer", "Zoé", "", "Zoé"))
    assert (world.who("Zoé").status, world.prey("Zoé").status) == ("alive", "alive")
    assert_recorded(world)


def test_applying_an_absence_takes_the_player_out(world: World, boss: FlaskClient) -> None:
    decide(boss, offer(world, "gone", "Ana"))
    assert ana(world) == "out"
    assert_recorded(world)


def test_who_applies_is_told_that_it_is_done(world: World, boss: FlaskClient) -> None:
    decide(boss, offer(world, "gone", "Ana"))
    assert "C’est fait : Ana." in text(boss)
    assert "Rien à décider" in text(boss)


# --- twice ---


@pytest.mark.parametrize("verb", ["apply", "refuse"])
def test_a_second_tap_is_told_that_it_is_settled(
    world: World, boss: FlaskClient, verb: str
) -> None:
    number = offer(world, "status", "Ana", "alive", "dead")
    decide(boss, number, idempotency_key="the same")
    version = world.game.version
    assert decide(boss, number, idempotency_key="the same").status_code == 303  # a lost answer's
    again = decide(boss, number, verb, idempotency_key="the other button's")
    assert again.status_code == 404
    assert "Cette question est déjà réglée." in again.text
    assert world.game.version == version
    assert "Le jeu reste" not in text(boss)


def test_what_one_organiser_refused_another_cannot_apply(world: World, boss: FlaskClient) -> None:
    other = another_organiser(world)
    number = offer(world, "newcomer", "Zoé", "", "Zoé")
    decide(other, number, "refuse")
    assert decide(boss, number).status_code == 404
    assert decide(boss, number, "refuse").status_code == 404
    assert world.game.find("Zoé") is None


@pytest.mark.parametrize(
    ("kind", "nickname", "wanted"),
    [("status", "Ana", "dead"), ("newcomer", "Zoé", "Zoé"), ("status", "Ana", "alive")],
)
def test_who_comes_second_at_the_same_moment_changes_nothing(
    world: World, boss: FlaskClient, kind: str, nickname: str, wanted: str
) -> None:
    """The second one has read the offer; then the first one's transaction takes it."""
    if kind == "newcomer":
        world.do(c.Enrol("Zoé"))
    before, number = world.game.version, offer(world, kind, nickname, "alive", wanted)
    if kind == "newcomer":
        number = renamed(world)
    answers: list[int] = []
    turn = world.site.play._turn[world.number]
    late = threading.Thread(target=lambda: answers.append(decide(boss, number).status_code))
    with world.site.database.write() as connection:
        late.start()
        wait_for(turn.locked, 20, "the second one's command")
        assert sheets.take_offer(connection, world.number, number)
    late.join(20)
    assert answers == [404]
    assert world.game.version == before


def renamed(world: World) -> int:
    """Offer a newcomer whom the rules would refuse, because somebody is called so by now."""
    with world.site.database.write() as connection:
        fresh = sheets.Offer(None, "newcomer", "Zoé", "", "Zoé")
        sheets.make_offers(connection, world.number, [fresh])
    return offers(world)[-1].id


def test_two_organisers_at_once_apply_it_once(world: World, boss: FlaskClient) -> None:
    phones = [boss, another_organiser(world)]
    number = offer(world, "status", "Ana", "alive", "dead")
    before, together, answers = world.game.version, threading.Barrier(2), []

    def tap(phone: FlaskClient) -> None:
        token = re.search(r'csrf_token" value="([^"]+)', phone.get(PAGE).text)[1]
        together.wait(20)
        data = {"csrf_token": token}
        answers.append(phone.post(f"{PAGE}/{number}/apply", data=data).status_code)

    taps = [threading.Thread(target=tap, args=(phone,)) for phone in phones]
    for each in taps:
        each.start()
    for each in taps:
        each.join(20)
    assert sorted(answers) == [303, 404]
    assert world.game.version == before + 1
