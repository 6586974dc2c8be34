"""The ring of targets: drawn, entered and checked, against a walk of the tests' own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from game import laws
from game.players import ALICE, BOB, a_game, over, paused, running
from killer.game import ring
from killer.game.events import Removed
from killer.game.model import Game, Player, State, Status

SEEDS = st.integers()


@given(st.sets(st.integers(1, 500), min_size=2), SEEDS)
def test_a_drawn_ring_goes_once_through_everybody(players, seed):
    drawn = ring.draw(sorted(players), seed)
    assert laws.one_ring(drawn)
    assert set(drawn) == players


@given(st.lists(st.integers(1, 500), min_size=2, unique=True), SEEDS)
def test_the_same_seed_draws_the_same_ring_in_whatever_order_players_come(players, seed):
    assert ring.draw(players, seed) == ring.draw(players[::-1], seed)


def test_seeds_draw_different_rings():
    assert len({tuple(ring.draw(range(1, 30), seed).items()) for seed in range(50)}) == 50


def test_every_ring_can_be_drawn():
    drawn = {tuple(sorted(ring.draw([1, 2, 3, 4], seed).items())) for seed in range(200)}
    assert len(drawn) == 6


@given(st.dictionaries(st.integers(1, 5), st.one_of(st.none(), st.integers(1, 6)), min_size=1))
def test_whole_agrees_with_a_simple_walk(targets):
    assert ring.whole(targets) is laws.one_ring(targets)


def test_nobody_is_a_whole_ring():
    assert ring.whole({})


def entered(size, seed):
    """Let a newcomer in, and give the rings before and after with the moves between."""
    before = ring.draw(range(1, size + 1), seed)
    moves = ring.enter(before, size + 1, seed)
    after = before | {hunter: prey for hunter, _old, prey in moves}
    return before, after, moves


@given(st.integers(2, 200), SEEDS)
def test_a_newcomer_keeps_the_ring_whole(size, seed):
    before, after, moves = entered(size, seed)
    assert laws.one_ring(after)
    assert set(after) == {*before, size + 1}
    assert all(before.get(hunter) == old for hunter, old, _new in moves)


@given(st.integers(3, 200), SEEDS)
def test_who_receives_the_newcomer_never_knew_the_newcomers_prey(size, seed):
    before, after, _moves = entered(size, seed)
    hunter = next(one for one, prey in after.items() if prey == size + 1)
    assert before[hunter] != after[size + 1]


@given(st.integers(3, 200), SEEDS)
def test_no_hunter_but_three_learns_of_a_newcomer(size, seed):
    before, after, moves = entered(size, seed)
    assert len(moves) == 4
    assert sum(before[hunter] != after[hunter] for hunter in before) == 3


def test_a_newcomer_can_come_anywhere():
    before = {1: 2, 2: 3, 3: 4, 4: 1}
    hunters = set()
    for seed in range(100):
        hunters |= {hunter for hunter, _old, prey in ring.enter(before, 5, seed) if prey == 5}
    assert hunters == {1, 2, 3, 4}


def test_a_walk_tells_the_ring_in_its_order():
    assert ring.walk({1: 3, 3: 2, 2: 1}, 2) == [2, 1, 3]


@pytest.mark.parametrize("game", [a_game(3), running(3), paused(3), over(3), running(2)])
def test_a_sound_game_has_no_faults(game):
    assert ring.faults(game) == []


def broken(state=State.RUNNING, **fields):
    """Give a game of three in which something about Alice is wrong."""
    game = running(3)
    players = dict(game.players)
    values = {name: getattr(players[ALICE], name) for name in Player.__dataclass_fields__}
    players[ALICE] = Player(**values | fields)
    return Game(state=state, players=players)


@pytest.mark.parametrize(
    ("game", "fault"),
    [
        (broken(target=ALICE), "not one ring"),
        (broken(target=None), "not one ring"),
        (broken(State.PAUSED, target=3), "not one ring"),
        (broken(State.OVER, status=Status.OUT), "not alive has a target"),
        (broken(killed_by=BOB), "counts as a kill"),
        (broken(fell=4), "order of elimination"),
        (broken(status=Status.DEAD, target=None), "order of elimination"),
    ],
)
def test_a_broken_game_says_what_is_wrong(game, fault):
    assert any(fault in found for found in ring.faults(game))


def test_leaving_without_inheritance_would_be_seen():
    removed = Removed(BOB, Status.ALIVE, None, running(3).players[BOB].target, None, None)
    assert ring.faults(running(3).after(removed)) == ["the targets of the living are not one ring"]
