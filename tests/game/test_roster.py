"""Who plays: enrolling, correcting, and the roster of a game that began elsewhere."""

from __future__ import annotations

import pytest

from game.players import (
    ALICE,
    BOB,
    CHARLIE,
    a_game,
    alice,
    bob,
    over,
    paused,
    play,
    refused,
    running,
    targets,
)
from killer.game import commands as c
from killer.game import events as e
from killer.game.model import Game, Status
from killer.game.rules import decide

# --- enrolling ---


def test_a_player_is_enrolled_with_the_next_number():
    game = play(a_game(2), c.Enrol(" Zoé ", year=" L3 ", challenge="chanter"))
    zoe = game.find("ZOÉ")
    assert (zoe.id, zoe.nickname, zoe.year, zoe.challenge) == (3, "Zoé", "L3", "chanter")
    assert zoe.status is Status.ALIVE


def test_a_minimal_player_has_a_nickname_only():
    zoe = play(Game(), c.Enrol("Zoé")).find("zoé")
    assert (zoe.year, zoe.challenge, zoe.photo, zoe.target, zoe.organiser) == (
        "",
        "",
        "",
        None,
        False,
    )


def test_an_organiser_who_does_not_play_is_in_no_ring():
    boss = c.Enrol("Orga", status=Status.OUT, organiser=True)
    game = play(a_game(3), boss, c.Start(1))
    assert game.find("orga").organiser
    assert set(targets(game)) == {1, 2, 3}
    assert play(game, c.Enrol("Autre", status=Status.OUT)).version == game.version + 1


def test_an_organiser_may_play():
    game = play(a_game(2), c.Enrol("Orga", organiser=True), c.Start(1))
    assert game.find("orga").target is not None


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("make", [running, paused])
def test_a_late_joiner_enters_the_ring_and_the_hunter_never_knew_the_newcomers_prey(make, seed):
    before = make(3)
    enrolled, joined = decide(before, c.Enrol("Zoé", seed=seed))
    assert enrolled.status is Status.OUT  # nobody lives outside the ring, not for one version
    after = before.after(enrolled, joined)
    zoe = after.find("zoé")
    assert zoe.status is Status.ALIVE
    assert before.players[after.hunters[zoe.id]].target != zoe.target
    assert len(set(targets(after).values())) == 4


def test_nobody_joins_after_the_end():
    assert refused(over(3), c.Enrol("Zoé")) == "game_over"


def test_an_organiser_can_be_enrolled_after_the_end():
    game = play(over(3), c.Enrol("Orga", status=Status.OUT, organiser=True))
    assert game.find("orga").organiser


@pytest.mark.parametrize("name", ["", "  ", "\u200b", "\u200d \u2060"])
def test_a_nickname_that_shows_nothing_is_refused(name):
    assert refused(a_game(1), c.Enrol(name)) == "nickname_empty"
    assert refused(a_game(1), c.Edit(ALICE, (("nickname", name),))) == "nickname_empty"


@pytest.mark.parametrize("name", ["Alice", " ALICE ", "al\u200bice", "\uff21lice"])
def test_a_nickname_that_looks_the_same_is_taken(name):
    assert refused(a_game(2), c.Enrol(name)) == "nickname_taken"
    assert refused(a_game(2), c.Edit(BOB, (("nickname", name),))) == "nickname_taken"


@pytest.mark.parametrize("status", [Status.DEAD, Status.GAVEUP])
def test_nobody_is_enrolled_fallen_because_a_fall_has_its_place_in_the_order(status):
    with pytest.raises(ValueError, match=status):
        decide(a_game(1), c.Enrol("Zoé", status=status))


@pytest.mark.parametrize(
    "command",
    [
        c.Enrol("z" * 61),
        c.Enrol("Zoé", year="z" * 61),
        c.Enrol("Zoé", challenge="z" * 501),
        c.Edit(BOB, (("photo", "z" * 201),)),
        c.Edit(BOB, (("nickname", "z" * 61),)),
    ],
)
def test_a_text_that_is_too_long_is_refused(command):
    assert refused(a_game(2), command) == "too_long"


def test_a_text_as_long_as_allowed_is_kept():
    game = play(a_game(1), c.Enrol("z" * 60, "y" * 60, "c" * 500))
    kept = game.players[BOB]
    assert [len(kept.nickname), len(kept.year), len(kept.challenge)] == [60, 60, 500]


def test_what_no_database_can_keep_is_left_out_of_a_text():
    game = play(Game(), c.Enrol("Zoé", year="L\0003", challenge="un \ud800défi\0 👩\u200d🚀"))
    assert (alice(game).year, alice(game).challenge) == ("L3", "un défi 👩\u200d🚀")


# --- correcting ---


@pytest.mark.parametrize("make", [a_game, running, paused, over])
def test_a_player_is_corrected_in_every_state(make):
    fields = (("nickname", "Robert"), ("year", "M2"), ("photo", "b.webp"), ("organiser", True))
    robert = bob(play(make(3), c.Edit(BOB, fields)))
    assert (robert.nickname, robert.year) == ("Robert", "M2")
    assert (robert.photo, robert.organiser) == ("b.webp", True)


def test_a_correction_tells_only_what_differs():
    happened = decide(a_game(2), c.Edit(BOB, (("nickname", "Bob "), ("year", "M2"))))
    assert happened == (e.Edited(BOB, (("year", "promo 2", "M2"),)),)


def test_a_correction_that_corrects_nothing_is_nothing():
    assert decide(a_game(2), c.Edit(BOB, (("nickname", "Bob"),))) == ()


def test_the_last_word_counts_when_a_field_is_corrected_twice():
    happened = decide(a_game(2), c.Edit(BOB, (("year", "M1"), ("year", "M2"))))
    assert happened == (e.Edited(BOB, (("year", "promo 2", "M2"),)),)


def test_nothing_is_no_nickname():
    assert refused(a_game(2), c.Edit(BOB, (("nickname", None),))) == "nickname_empty"


def test_ones_own_nickname_may_be_written_otherwise():
    assert bob(play(a_game(2), c.Edit(BOB, (("nickname", "BOB"),)))).nickname == "BOB"


def test_a_nickname_is_free_again_when_its_owner_has_another():
    game = play(a_game(2), c.Edit(BOB, (("nickname", "Robert"),)), c.Enrol("bob"))
    assert game.find("Bob").id == 3


def test_status_and_target_are_not_corrected_by_hand():
    for field in ("status", "target", "killed_by", "fell", "sessions"):
        with pytest.raises(KeyError):
            decide(running(3), c.Edit(BOB, ((field, "1"),)))


@pytest.mark.parametrize("make", [a_game, running, paused, over])
def test_contacts_and_sessions_are_noted_in_every_state(make):
    game = play(make(2), c.NoteContacts(BOB, ("phone",)), c.EndSessions(BOB), c.EndSessions(BOB))
    assert bob(game).sessions == 2
    assert game.version == make(2).version + 3


# --- the roster of a game that began elsewhere ---


def test_targets_of_the_roster_are_wishes_and_the_last_list_counts():
    game = play(a_game(3), c.GiveTargets((("alice", "BOB"),)), c.GiveTargets((("Bob", "Alice"),)))
    assert targets(game) == {1: None, 2: 1, 3: None}
    assert decide(game, c.GiveTargets((("Bob", "Alice"),))) == ()


@pytest.mark.parametrize("pair", [("Alice", "Personne"), ("Personne", "Alice")])
def test_a_target_who_is_not_there_is_refused(pair):
    assert refused(a_game(2), c.GiveTargets((pair,))) == "no_such_nickname"


def test_a_fall_of_the_roster_counts_for_the_killer():
    game = play(a_game(3), c.NoteFall("Bob", Status.DEAD, "charlie"))
    assert (bob(game).status, bob(game).killed_by) == (Status.DEAD, CHARLIE)
    assert bob(game).fell == game.version


def test_who_had_given_up_counts_for_nobody():
    assert not play(a_game(3), c.NoteFall("Bob", Status.GAVEUP, "Alice")).kills


def test_who_killed_themselves_counts_for_nobody():
    game = play(a_game(3), c.NoteFall("Bob", Status.DEAD, "Bob"))
    assert (bob(game).status, bob(game).killed_by) == (Status.DEAD, None)


@pytest.mark.parametrize("status", [Status.ALIVE, Status.OUT])
def test_only_a_fall_is_a_fall(status):
    assert decide(a_game(2), c.NoteFall("Bob", status)) == ()


def test_a_fall_is_noted_once():
    game = play(a_game(3), c.NoteFall("Bob", Status.DEAD))
    assert decide(game, c.NoteFall("Bob", Status.GAVEUP)) == ()


@pytest.mark.parametrize("fall", [("Personne", ""), ("Bob", "Personne")])
def test_a_fall_of_or_by_somebody_who_is_not_there_is_refused(fall):
    assert refused(a_game(2), c.NoteFall(fall[0], Status.DEAD, fall[1])) == "no_such_nickname"


@pytest.mark.parametrize("make", [running, paused, over])
def test_the_roster_no_longer_counts_once_the_game_has_started(make):
    assert refused(make(3), c.GiveTargets(())) == "already_started"
    assert refused(make(3), c.NoteFall("Bob", Status.DEAD)) == "already_started"


def test_a_game_goes_on_where_the_roster_left_it():
    wishes = (("Alice", "Charlie"), ("Charlie", "Diane"), ("Diane", "Alice"), ("Bob", "Charlie"))
    fallen = c.NoteFall("Bob", Status.DEAD, "Alice")
    game = play(a_game(4), c.GiveTargets(wishes), fallen, c.Start(1), c.Die(CHARLIE))
    assert targets(game) == {1: 4, 4: 1}
    assert bob(game).target is None
    assert dict(game.kills) == {ALICE: 2}


# --- organisers ---


def test_an_organiser_s_right_is_taken_away_and_signed_out():
    game = play(a_game(2), c.Enrol("Orga", organiser=True), c.Enrol("Autre", organiser=True))
    orga = game.find("orga")
    taken = e.Edited(orga.id, (("organiser", True, False),))
    assert decide(game, c.Dismiss(orga.id)) == (taken, e.SessionsEnded(orga.id, 0))
    after = play(game, c.Dismiss(orga.id))
    assert (after.find("orga").organiser, after.find("orga").status) == (False, Status.ALIVE)
    assert decide(after, c.Dismiss(orga.id)) == ()


def test_the_last_organiser_goes_only_if_that_is_meant():
    game = play(a_game(2), c.Enrol("Orga", organiser=True))
    orga = game.find("orga").id
    assert refused(game, c.Dismiss(orga)) == "last_organiser"
    assert not play(game, c.Dismiss(orga, even_last=True)).find("orga").organiser
