"""Every command in every state of a game: what it does, and with which code it is refused."""

from __future__ import annotations

import pytest

from game.players import (
    ALICE,
    BOB,
    CHARLIE,
    NOBODY,
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
from killer.game.model import State, Status, Visibility
from killer.game.rules import decide

# --- dying, giving up, killing ---


def test_a_death_gives_the_hunter_the_target_and_the_kill():
    game = play(running(4), c.Die(BOB))
    assert targets(game) == {1: 3, 3: 4, 4: 1}
    assert bob(game).status is Status.DEAD
    assert (bob(game).killed_by, bob(game).target) == (ALICE, None)
    assert dict(game.kills) == {ALICE: 1}


def test_a_death_tells_hunter_and_prey():
    assert decide(running(4), c.Die(BOB)) == (e.Died(BOB, ALICE, CHARLIE, credited=True),)


def test_who_gives_up_leaves_the_target_to_the_hunter_without_a_kill():
    game = play(running(4), c.GiveUp(BOB))
    assert targets(game) == {1: 3, 3: 4, 4: 1}
    assert (bob(game).status, bob(game).killed_by) == (Status.GAVEUP, None)
    assert not game.kills


@pytest.mark.parametrize(("credited", "kills"), [(True, 1), (False, 0)])
def test_an_organiser_declares_a_death_with_or_without_credit(credited, kills):
    game = play(running(3), c.Kill(BOB, credited=credited))
    assert bob(game).status is Status.DEAD
    assert game.kills.get(ALICE, 0) == kills


def test_a_whole_chain_of_deaths_is_inherited():
    game = play(running(5), c.Die(BOB), c.Die(CHARLIE), c.Die(ALICE))
    assert targets(game) == {4: 5, 5: 4}
    assert dict(game.kills) == {ALICE: 2, 5: 1}


@pytest.mark.parametrize("fall", [c.Die, c.GiveUp, c.Kill, c.Remove])
def test_the_game_ends_by_itself_when_one_of_two_falls(fall):
    happened = decide(running(2), fall(BOB))
    assert happened[1:] == (e.Ended(State.RUNNING, automatic=True),)
    game = running(2).after(*happened)
    assert game.state is State.OVER
    assert [p.id for p in game.alive] == [ALICE]
    assert alice(game).target is None


def test_a_paused_game_ends_by_itself_too():
    assert play(paused(2), c.Kill(BOB)).state is State.OVER


@pytest.mark.parametrize("tap", [c.Die, c.GiveUp, c.Kill, c.Remove])
def test_a_second_tap_does_nothing_even_when_the_game_has_ended(tap):
    for game in (running(2), running(3)):
        assert decide(play(game, tap(BOB)), tap(BOB)) == ()


@pytest.mark.parametrize(
    ("fallen", "then", "code"),
    [
        (c.GiveUp, c.Die, "already_gaveup"),
        (c.GiveUp, c.Kill, "already_gaveup"),
        (c.Die, c.GiveUp, "already_dead"),
        (c.Remove, c.Die, "already_out"),
        (c.Remove, c.GiveUp, "already_out"),
        (c.Remove, c.Kill, "already_out"),
    ],
)
def test_who_has_left_one_way_cannot_leave_another_way(fallen, then, code):
    assert refused(play(running(4), fallen(BOB)), then(BOB)) == code


@pytest.mark.parametrize("fall", [c.Die, c.GiveUp, c.Kill])
@pytest.mark.parametrize(("make", "code"), [(a_game, "game_preparing"), (over, "game_over")])
def test_nobody_falls_before_the_start_or_after_the_end(fall, make, code):
    assert refused(make(3), fall(BOB)) == code


@pytest.mark.parametrize("fall", [c.Die, c.GiveUp])
def test_players_cannot_fall_while_the_hunt_is_paused(fall):
    assert refused(paused(3), fall(BOB)) == "game_paused"


def test_an_organiser_may_kill_while_the_hunt_is_paused():
    assert bob(play(paused(3), c.Kill(BOB))).killed_by == ALICE


@pytest.mark.parametrize(
    "command",
    [
        c.Die(NOBODY),
        c.GiveUp(NOBODY),
        c.Kill(NOBODY),
        c.Remove(NOBODY),
        c.Revive(NOBODY, 1),
        c.Edit(NOBODY, ()),
        c.NoteContacts(NOBODY, ()),
        c.EndSessions(NOBODY),
    ],
)
def test_a_player_who_is_not_there_is_refused(command):
    assert refused(running(3), command) == "no_such_player"


# --- removing and reviving ---


def test_removing_a_living_player_mends_the_ring_without_a_kill_or_a_place_in_the_order():
    game = play(running(4), c.Remove(BOB))
    assert targets(game) == {1: 3, 3: 4, 4: 1}
    assert (bob(game).status, bob(game).fell) == (Status.OUT, None)
    assert not game.kills


def test_removing_a_fallen_player_takes_the_kill_back():
    game = play(running(4), c.Die(BOB), c.Remove(BOB))
    assert not game.kills
    assert not game.order
    assert targets(game) == {1: 3, 3: 4, 4: 1}


def test_removing_before_the_start_passes_the_wish_on():
    wishes = c.GiveTargets((("Alice", "Bob"), ("Bob", "Charlie"), ("Charlie", "Alice")))
    game = play(a_game(3), wishes, c.Remove(BOB))
    assert targets(game) == {1: 3, 3: 1}
    assert targets(play(game, c.Start(1))) == {1: 3, 3: 1}


def test_everybody_can_be_removed_before_the_start():
    game = play(a_game(2), c.Remove(ALICE), c.Remove(BOB))
    assert (game.state, game.alive) == (State.PREPARING, ())


def test_removing_works_in_a_pause_and_not_after_the_end():
    assert play(paused(3), c.Remove(BOB)).state is State.PAUSED
    assert refused(over(3), c.Remove(BOB)) == "game_over"


@pytest.mark.parametrize("fall", [c.Die, c.GiveUp, c.Remove])
def test_a_revived_player_comes_back_into_the_ring_and_the_fall_no_longer_counts(fall):
    game = play(running(5), fall(BOB), c.Revive(BOB, 3))
    assert bob(game).status is Status.ALIVE
    assert len(set(targets(game).values())) == 5
    assert not game.kills
    assert not game.order


def test_reviving_the_living_does_nothing():
    assert decide(running(3), c.Revive(BOB, 1)) == ()


def test_reviving_before_the_start_needs_no_place():
    game = play(a_game(3), c.NoteFall("Bob", Status.DEAD, "Alice"), c.Revive(BOB, 1))
    assert (bob(game).status, bob(game).killed_by, bob(game).fell) == (Status.ALIVE, None, None)
    assert play(a_game(3), c.Remove(BOB), c.Revive(BOB, 1)).alive == a_game(3).alive


def test_reviving_works_in_a_pause_and_not_after_the_end():
    assert bob(play(paused(3), c.Kill(BOB), c.Revive(BOB, 1))).status is Status.ALIVE
    assert refused(play(running(2), c.Die(BOB)), c.Revive(BOB, 1)) == "game_over"


# --- the game as a whole ---


def test_the_ring_of_the_roster_is_kept_whatever_the_seed():
    for seed in range(5):
        pairs = (("Alice", "Charlie"), ("Charlie", "Bob"), ("Bob", "Alice"))
        game = play(a_game(3), c.GiveTargets(pairs), c.Start(seed))
        assert targets(game) == {1: 3, 3: 2, 2: 1}


@pytest.mark.parametrize(
    "pairs",
    [
        (),
        (("Alice", "Bob"), ("Bob", "Alice"), ("Charlie", "Diane"), ("Diane", "Charlie")),
        (("Alice", "Bob"), ("Bob", "Charlie"), ("Charlie", "Alice")),
        (("Alice", "Alice"), ("Bob", "Bob"), ("Charlie", "Charlie"), ("Diane", "Diane")),
        (("Alice", "Bob"), ("Bob", "Charlie"), ("Charlie", "Diane"), ("Diane", "Bob")),
    ],
)
def test_a_ring_is_drawn_when_the_roster_has_none(pairs):
    drawn = {
        tuple(targets(play(a_game(4), c.GiveTargets(pairs), c.Start(seed))).items())
        for seed in range(60)
    }
    assert len(drawn) == 6


@pytest.mark.parametrize("players", [0, 1])
def test_a_game_needs_two_players(players):
    assert refused(a_game(players), c.Start(1)) == "too_few_players"


def test_two_players_are_a_game():
    assert targets(play(a_game(2), c.Start(1))) == {1: 2, 2: 1}


def test_the_dead_of_the_roster_do_not_make_a_game():
    fallen = c.NoteFall("Bob", Status.DEAD)
    assert refused(play(a_game(2), fallen), c.Start(1)) == "too_few_players"


def test_the_living_are_dealt_a_new_ring():
    for make in (running, paused):
        game = make(8)
        assert targets(play(game, c.Reshuffle(5))) != targets(game)
        assert decide(play(game, c.Reshuffle(5)), c.Reshuffle(5)) == ()
    assert decide(running(2), c.Reshuffle(5)) == ()


def test_a_hunter_gets_another_target_and_the_ring_stays_one():
    game = running(5)
    before = targets(game)
    hunter = ALICE
    prey = before[before[before[hunter]]]
    after = targets(play(game, c.Redirect(hunter, prey)))
    assert after[hunter] == prey
    assert after[prey] == before[hunter]
    assert len(set(after.values())) == 5
    assert sum(after[who] != before[who] for who in after) == 3


def test_three_can_be_turned_round_and_two_can_only_hunt_each_other():
    game = running(3)
    before = targets(game)
    after = targets(play(game, c.Redirect(ALICE, before[before[ALICE]])))
    assert after == {target: hunter for hunter, target in before.items()}
    assert decide(running(2), c.Redirect(ALICE, BOB)) == ()


def test_only_the_living_of_a_running_game_are_redirected():
    assert refused(a_game(3), c.Redirect(ALICE, BOB)) == "game_preparing"
    assert refused(running(3), c.Redirect(ALICE, ALICE)) == "own_target"
    fallen = play(running(4), c.Die(BOB))
    assert refused(fallen, c.Redirect(ALICE, BOB)) == "not_in_play"
    assert refused(fallen, c.Redirect(BOB, ALICE)) == "not_in_play"


def test_an_organiser_decides_whose_kill_it_was():
    game = play(running(4), c.Die(BOB))
    hunter = bob(game).killed_by
    other = next(p.id for p in game.alive if p.id != hunter)
    credited = play(game, c.Credit(BOB, other))
    assert (credited.kills.get(hunter, 0), credited.kills[other]) == (0, 1)
    assert not play(credited, c.Credit(BOB, None)).kills
    assert decide(game, c.Credit(BOB, hunter)) == ()


def test_a_kill_is_counted_for_players_only_and_never_for_its_victim():
    game = play(running(4), c.Die(BOB), c.GiveUp(CHARLIE), c.Remove(ALICE))
    assert refused(game, c.Credit(BOB, BOB)) == "no_such_hunter"
    assert refused(game, c.Credit(BOB, ALICE)) == "no_such_hunter"
    assert refused(game, c.Credit(CHARLIE, BOB)) == "not_dead"


TURNS = {
    "Start": (c.Start(1), [State.RUNNING, (), "start_paused", "start_over"]),
    "Pause": (c.Pause(), ["game_preparing", State.PAUSED, (), "game_over"]),
    "Resume": (c.Resume(), ["game_preparing", (), State.RUNNING, "game_over"]),
    "End": (c.End(), ["game_preparing", State.OVER, State.OVER, ()]),
    "Redirect": (
        c.Redirect(ALICE, BOB),
        ["game_preparing", State.RUNNING, State.PAUSED, "game_over"],
    ),
    "Reshuffle": (c.Reshuffle(5), ["game_preparing", State.RUNNING, State.PAUSED, "game_over"]),
}


@pytest.mark.parametrize("name", TURNS)
@pytest.mark.parametrize("state", range(4))
def test_a_turn_leads_to_a_state_or_does_nothing_or_is_refused(name, state):
    game = [a_game, running, paused, over][state](3)
    command, answers = TURNS[name]
    wanted = answers[state]
    if isinstance(wanted, State):
        assert play(game, command).state is wanted
    elif wanted == ():
        assert decide(game, command) == ()
    else:
        assert refused(game, command) == wanted


def test_an_organiser_ends_the_game_and_targets_stay_for_an_undo():
    assert decide(paused(3), c.End()) == (e.Ended(State.PAUSED, automatic=False),)


@pytest.mark.parametrize("make", [a_game, running, paused, over])
def test_visibility_is_chosen_in_every_state(make):
    game = play(make(2), c.SetVisibility(Visibility.OPEN))
    assert game.visibility is Visibility.OPEN
    assert decide(game, c.SetVisibility(Visibility.OPEN)) == ()


def test_what_is_no_command_is_a_mistake_of_the_developer():
    with pytest.raises(TypeError):
        decide(a_game(2), "Die")
