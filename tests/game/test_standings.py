"""The leaderboard, both podiums, the winner and the order of elimination."""

from __future__ import annotations

from game.players import (
    ALICE,
    BOB,
    CHARLIE,
    DIANE,
    EMILE,
    a_game,
    nickname,
    over,
    play,
    running,
)
from killer.game import commands as c
from killer.game import standings
from killer.game.model import Status


def deaths(*players):
    """Let these declare their deaths, one after the other."""
    return [c.Die(player) for player in players]


def places(steps):
    """Give the place, the nicknames and the kills of each step."""
    return [(s.place, [p.nickname for p in s.players], s.kills) for s in steps]


def board(game):
    return [(line.nickname, line.kills) for line in standings.leaderboard(game)]


def test_the_leaderboard_goes_by_kills_and_then_by_nickname():
    game = play(running(5), *deaths(EMILE, BOB, CHARLIE))
    assert board(game) == [
        ("Alice", 2),
        ("Diane", 1),
        ("Bob", 0),
        ("Charlie", 0),
        ("Émile", 0),
    ]


def test_the_leaderboard_sorts_nicknames_as_people_compare_them():
    game = play(running(3), c.Edit(ALICE, (("nickname", "zoé"),)), c.Edit(BOB, (("year", "L3"),)))
    assert [line.nickname for line in standings.leaderboard(game)] == ["Bob", "Charlie", "zoé"]
    assert standings.leaderboard(game)[0].year == "L3"


def test_the_leaderboard_leaves_out_who_does_not_play():
    game = play(running(3), c.Enrol("Orga", status=Status.OUT, organiser=True), c.Remove(BOB))
    assert [name for name, _kills in board(game)] == ["Alice", "Charlie"]


def test_the_last_one_alive_wins():
    assert standings.winner(play(running(3), *deaths(BOB, CHARLIE))).id == ALICE


def test_nobody_has_won_while_the_hunt_is_on():
    assert standings.winner(a_game(1)) is None
    assert standings.winner(running(2)) is None


def test_nobody_wins_when_an_organiser_ends_the_game_early():
    assert standings.winner(over(3)) is None


def test_the_podium_of_survivors_is_the_winner_and_who_fell_last():
    game = play(running(5), *deaths(BOB, DIANE, CHARLIE, EMILE))
    assert places(standings.survivors(game)) == [
        (1, ["Alice"], 3),
        (2, ["Émile"], 0),
        (3, ["Charlie"], 1),
    ]


def test_survivors_of_an_early_end_share_the_first_step():
    game = play(running(4), *deaths(CHARLIE, DIANE), c.End())
    assert places(standings.survivors(game)) == [(1, ["Alice", "Bob"], 0), (3, ["Diane"], 0)]


def test_no_place_is_left_beside_three_survivors():
    game = play(running(4), *deaths(BOB), c.End())
    assert places(standings.survivors(game)) == [(1, ["Alice", "Charlie", "Diane"], 0)]


def test_who_gave_up_never_stands_on_the_podium_of_survivors():
    game = play(running(4), *deaths(BOB, CHARLIE), c.GiveUp(DIANE))
    assert [step[1] for step in places(standings.survivors(game))] == [
        ["Alice"],
        ["Charlie"],
        ["Bob"],
    ]


def test_an_empty_game_has_no_podium():
    assert standings.survivors(a_game(0)) == ()
    assert standings.killers(a_game(3)) == ()


def test_equal_killers_share_a_step_and_the_next_place_counts_them_all():
    game = play(running(8), *deaths(BOB, DIANE, 6, 8))
    assert places(standings.killers(game)) == [
        (1, ["Alice", "Charlie", "Gaston", "Émile"], 1),
    ]
    game = play(running(8), *deaths(BOB, CHARLIE, EMILE, 6, 8))
    assert places(standings.killers(game)) == [(1, ["Alice", "Diane"], 2), (3, ["Gaston"], 1)]


def test_the_podium_of_killers_ends_with_the_third_place():
    game = play(running(12), *deaths(2, 3, 4, 5, 7, 8, 9, 11, 12))
    assert places(standings.killers(game)) == [
        (1, ["Alice"], 4),
        (2, ["Fatou"], 3),
        (3, [nickname(10)], 2),
    ]
    game = play(running(14), *deaths(2, 3, 4, 6, 7, 9, 10, 12))
    assert [step[:1] for step in places(standings.killers(game))] == [(1,), (2,)]


def test_a_dead_killer_keeps_the_kills():
    game = play(running(4), *deaths(BOB, ALICE))
    assert ("Alice", 1) in board(game)
    assert places(standings.killers(game)) == [(1, ["Alice", "Diane"], 1)]


def test_a_removed_killer_leaves_podium_and_leaderboard():
    game = play(running(4), *deaths(BOB), c.Remove(ALICE))
    assert standings.killers(game) == ()
    assert board(game) == [("Bob", 0), ("Charlie", 0), ("Diane", 0)]


def test_the_order_of_elimination_counts_falls_of_every_kind():
    game = play(running(5), c.Die(DIANE), c.GiveUp(ALICE), c.Remove(BOB), c.Kill(EMILE))
    assert dict(game.order) == {DIANE: 1, ALICE: 2, EMILE: 3}


def test_the_order_closes_up_when_somebody_comes_back():
    game = play(running(5), *deaths(DIANE, ALICE, BOB), c.Revive(DIANE, 1))
    assert dict(game.order) == {ALICE: 1, BOB: 2}


def test_falls_of_the_roster_come_first_in_their_order():
    fallen = [c.NoteFall("Diane", Status.DEAD, "Alice"), c.NoteFall("Bob", Status.GAVEUP)]
    game = play(a_game(5), *fallen, c.Start(1), c.Die(EMILE))
    assert dict(game.order) == {DIANE: 1, BOB: 2, EMILE: 3}
    assert board(game)[0][1] == 1
