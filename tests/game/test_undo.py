"""Undo takes one event back exactly, or names what stands in the way."""

from __future__ import annotations

import pytest

from game import laws
from game.players import (
    ALICE,
    BOB,
    CHARLIE,
    DIANE,
    Story,
    a_story,
    ageless,
    alice,
    bob,
    enrolments,
    round_table,
    targets,
)
from killer.game import commands as c
from killer.game import events as e
from killer.game.model import State, Status, Visibility

BEGINNINGS = {
    "preparing": lambda: Story(*enrolments(4)),
    "running": lambda: a_story(4),
    "paused": lambda: after(c.Pause()),
    "fallen": lambda: after(c.Die(BOB), c.GiveUp(CHARLIE)),
    "two": lambda: a_story(2),
}
UNDOABLE = [
    ("preparing", c.Edit(BOB, (("nickname", "Robert"), ("year", "L3"), ("organiser", True)))),
    ("preparing", round_table(2, 1, 3, 4)),
    ("preparing", c.NoteFall("Bob", Status.DEAD, "Alice")),
    ("preparing", c.NoteFall("Bob", Status.GAVEUP)),
    ("preparing", c.Start(7)),
    ("preparing", c.Remove(BOB)),
    ("running", c.Edit(BOB, (("challenge", ""), ("photo", "bob.webp")))),
    ("running", c.Die(BOB)),
    ("running", c.Kill(BOB, credited=False)),
    ("running", c.GiveUp(BOB)),
    ("running", c.Remove(BOB)),
    ("running", c.Reshuffle(3)),
    ("running", c.Redirect(BOB, ALICE)),
    ("fallen", c.Credit(BOB, None)),
    ("running", c.Pause()),
    ("running", c.SetVisibility(Visibility.OPEN)),
    ("paused", c.Resume()),
    ("paused", c.Kill(BOB)),
    ("fallen", c.Remove(BOB)),
    ("fallen", c.Remove(CHARLIE)),
    ("fallen", c.Revive(BOB, 5)),
    ("fallen", c.Revive(CHARLIE, 5)),
    ("fallen", c.Die(ALICE)),
    ("two", c.Die(BOB)),
    ("two", c.GiveUp(BOB)),
    ("two", c.Remove(BOB)),
]
NAMED = [f"{where} {type(command).__name__}" for where, command in UNDOABLE]


def after(*commands):
    """Give a story of four that has gone on with these."""
    story = a_story(4)
    story.play(*commands)
    return story


@pytest.mark.parametrize(("where", "command"), UNDOABLE, ids=NAMED)
def test_an_undo_restores_the_very_same_game_and_a_redo_what_was_undone(where, command):
    story = BEGINNINGS[where]()
    before = story.game
    done_at = before.version + 1
    story.play(command)
    done = story.game
    assert ageless(done) != ageless(before)
    undone = story.undo(done_at)
    assert ageless(story.game) == ageless(before)
    assert undone[-1].version == done_at
    assert story.undo(done_at) == ()
    story.undo(story.game.version)
    assert ageless(story.game) == ageless(done)
    story.undo(done_at)
    assert ageless(story.game) == ageless(before)


def test_a_late_joiner_leaves_again_without_a_trace_in_the_ring():
    story = a_story(4)
    before = targets(story.game)
    story.play(c.Enrol("Zoé", seed=4))
    story.undo(story.last("joined"))
    assert targets(story.game) == before
    assert story.game.find("zoé").status is Status.OUT


@pytest.mark.parametrize("command", [c.EndSessions(BOB), c.NoteContacts(BOB, ("phone",))])
def test_what_has_no_way_back_is_refused(command):
    story = after(command)
    assert story.refusal(story.game.version).code == "cannot_undo"


def test_an_enrolment_has_no_way_back():
    assert a_story(4).refusal(1).params == {"kind": "enrolled", "version": 1}


@pytest.mark.parametrize("version", [0, -1, 99])
def test_a_version_that_is_not_in_the_log_is_refused(version):
    assert a_story(4).refusal(version).code == "no_such_version"


def test_a_log_that_begins_elsewhere_is_refused():
    story = a_story(4)
    with pytest.raises(Exception, match="no_such_version"):
        story.play(c.Undo(5, story.log))


def test_a_later_death_of_the_hunter_stands_in_the_way_and_goes_first():
    story = after(c.Die(BOB), c.Die(ALICE))
    first, second = story.game.version - 1, story.game.version
    blocked = story.refusal(first)
    assert (blocked.code, blocked.params) == ("undo_blocked", {"version": second, "kind": "died"})
    story.undo(second)
    story.undo(first)
    assert ageless(story.game) == ageless(a_story(4).game)


def test_a_later_death_of_the_inherited_target_stands_in_the_way():
    story = after(c.Die(BOB), c.Die(CHARLIE))
    assert story.refusal(story.game.version - 1).params["version"] == story.game.version


def test_deaths_elsewhere_in_the_ring_do_not_stand_in_the_way():
    story = a_story(6)
    story.play(c.Die(BOB), c.Die(6))
    story.undo(story.game.version - 1)
    assert targets(story.game) == {1: 2, 2: 3, 3: 4, 4: 5, 5: 1}
    laws.check_all(story.game)


def test_a_revived_player_stands_in_the_way_of_the_death():
    story = after(c.Die(BOB), c.Revive(BOB, 2))
    blocked = story.refusal(story.last("died"))
    assert blocked.params == {"version": story.last("revived"), "kind": "revived"}


def test_what_is_itself_taken_back_is_never_named():
    story = after(c.Die(BOB), c.Die(CHARLIE), c.Die(DIANE))
    bobs = story.last("died") - 2
    story.undo(story.last("died"))
    assert story.game.state is State.RUNNING
    assert story.refusal(bobs).params == {"version": bobs + 1, "kind": "died"}
    story.undo(bobs + 1)
    story.undo(bobs)
    assert ageless(story.game) == ageless(a_story(4).game)


def test_a_redo_is_named_when_what_it_takes_back_was_earlier():
    story = after(c.Edit(BOB, (("year", "L1"),)), c.Edit(ALICE, (("year", "M2"),)))
    alices, bobs = story.game.version, story.game.version - 1
    story.undo(bobs)
    taken_back = story.game.version
    story.play(c.Edit(BOB, (("year", "L2"),)))
    assert story.refusal(taken_back).params["version"] == story.game.version
    story.undo(alices)
    assert alice(story.game).year == "promo 1"


def test_a_reshuffle_stands_in_the_way_of_an_earlier_death():
    story = a_story(8)
    story.play(c.Die(BOB), c.Reshuffle(5))
    blocked = story.refusal(story.last("died"))
    assert blocked.params == {"version": story.last("reshuffled"), "kind": "reshuffled"}


def test_a_death_stands_in_the_way_of_an_earlier_reshuffle():
    story = a_story(8)
    story.play(c.Reshuffle(5), c.Die(BOB))
    blocked = story.refusal(story.last("reshuffled"))
    assert blocked.params == {"version": story.last("died"), "kind": "died"}


@pytest.mark.parametrize("seed", range(12))
def test_after_a_late_joiner_an_earlier_death_is_blocked_or_the_ring_stays_whole(seed):
    story = a_story(5)
    story.play(c.Die(BOB), c.Enrol("Zoé", seed=seed))
    if story.game.players[ALICE].target == CHARLIE:
        story.undo(story.last("died"))
        assert bob(story.game).status is Status.ALIVE
    else:
        assert story.refusal(story.last("died")).params["version"] == story.last("joined")
    laws.check_all(story.game)


@pytest.mark.parametrize("dealt", [(), (round_table(1, 2, 3),)], ids=["drawn", "given"])
def test_a_death_stands_in_the_way_of_the_start(dealt):
    story = Story(*enrolments(3), *dealt, c.Start(1), c.Die(BOB))
    blocked = story.refusal(story.last("started"))
    assert blocked.params == {"version": story.last("died"), "kind": "died"}


def test_wishes_of_the_roster_cannot_be_taken_back_behind_the_start():
    story = a_story(3)
    blocked = story.refusal(story.last("targets"))
    assert blocked.params == {"version": story.last("started"), "kind": "started"}


def test_an_earlier_fall_cannot_be_taken_back_behind_the_start():
    story = Story(*enrolments(4), c.NoteFall("Bob", Status.DEAD), c.Start(1))
    blocked = story.refusal(story.last("fell-earlier"))
    assert blocked.params == {"version": story.last("started"), "kind": "started"}


def test_a_removal_before_the_start_cannot_be_taken_back_behind_it():
    story = Story(*enrolments(4), c.Remove(BOB), c.Start(1))
    assert story.refusal(story.last("removed")).params["version"] == story.last("started")


def test_a_start_cannot_be_done_again_when_somebody_has_enrolled_since():
    story = a_story(3)
    story.undo(story.last("started"))
    taken_back = story.game.version
    story.play(c.Enrol("Zoé"))
    assert story.refusal(taken_back).code == "undo_breaks"


# --- the end ---


def test_undoing_the_final_death_reopens_the_game():
    story = a_story(2)
    story.play(c.Die(BOB))
    undone = story.undo(story.last("died"))
    assert [one.kind for one in undone] == ["ended", "died"]
    assert ageless(story.game) == ageless(a_story(2).game)


def test_redoing_the_final_death_ends_the_game_again():
    story = a_story(2)
    story.play(c.Die(BOB))
    story.undo(story.last("died"))
    redone = story.undo(story.game.version)
    assert isinstance(redone[-1], e.Ended)
    assert story.game.state is State.OVER
    assert bob(story.game).fell == story.last("died")


def test_an_automatic_end_goes_with_the_fall_that_led_to_it():
    story = a_story(2)
    story.play(c.Die(BOB))
    refusal = story.refusal(story.last("ended"))
    assert (refusal.code, refusal.params) == ("undo_the_fall", {"version": story.last("died")})


def test_an_end_that_an_organiser_declared_is_taken_back():
    story = after(c.Pause(), c.End())
    story.undo(story.last("ended"))
    assert story.game.state is State.PAUSED


def test_an_organisers_end_stands_in_the_way_of_an_earlier_death():
    story = after(c.Die(BOB), c.End())
    blocked = story.refusal(story.last("died"))
    assert blocked.params == {"version": story.last("ended"), "kind": "ended"}
    story.undo(story.last("ended"))
    story.undo(story.last("died"))
    assert ageless(story.game) == ageless(a_story(4).game)


@pytest.mark.parametrize("last", [c.End(), c.Die(BOB)], ids=["decided", "by itself"])
def test_a_text_is_put_back_after_the_end_without_reopening_the_game(last):
    story = a_story(2)
    story.play(c.Edit(ALICE, (("nickname", "Alix"),)), last)
    story.undo(story.last("edited"))
    assert alice(story.game).nickname == "Alice"
    assert story.game.state is State.OVER


def test_an_earlier_resumption_does_not_reopen_a_game_with_one_player_left():
    story = a_story(2)
    story.play(c.Pause(), c.Resume(), c.Die(BOB))
    blocked = story.refusal(story.last("resumed"))
    assert blocked.params == {"version": story.last("died"), "kind": "died"}


def test_a_fallen_player_who_was_removed_counts_again_after_the_end():
    story = a_story(3)
    story.play(c.Die(BOB), c.Remove(BOB), c.Die(CHARLIE))
    story.undo(story.last("removed"))
    assert story.game.state is State.OVER
    assert dict(story.game.order) == {BOB: 1, CHARLIE: 2}
    assert dict(story.game.kills) == {ALICE: 2}


@pytest.mark.parametrize("end", [c.End(), c.Die(BOB)], ids=["decided", "by itself"])
def test_a_reopened_game_is_ended_anew_and_not_by_an_undo(end):
    story = a_story(2)
    story.play(end)
    story.undo(story.last("ended") if isinstance(end, c.End) else story.last("died"))
    reopened = next(v for v, event in story.log if getattr(event, "kind", "") == "ended")
    assert story.refusal(reopened).code == "cannot_undo"
    story.play(c.End())
    assert story.game.state is State.OVER


# --- nicknames ---


def test_a_nickname_that_was_taken_meanwhile_cannot_be_given_back():
    story = after(c.Edit(ALICE, (("nickname", "Alix"),)), c.Enrol("ALICE"))
    refusal = story.refusal(story.last("edited"))
    assert (refusal.code, refusal.params) == ("nickname_taken", {"nickname": "Alice"})


def test_a_nickname_that_was_taken_meanwhile_cannot_be_taken_again():
    story = after(c.Edit(ALICE, (("nickname", "Alix"),)))
    story.undo(story.last("edited"))
    story.play(c.Edit(BOB, (("nickname", "alix"),)))
    assert story.refusal(story.last("undone")).code == "nickname_taken"


def test_a_new_spelling_of_ones_own_nickname_is_taken_back():
    story = after(c.Edit(ALICE, (("nickname", "ALICE"),)))
    story.undo(story.last("edited"))
    assert alice(story.game).nickname == "Alice"
