"""The check finds what somebody broke by hand."""

from __future__ import annotations

from sqlalchemy import delete, update

from killer.game import commands as c
from killer.store.tables import events, games, players
from store.worlds import World


def break_by_hand(world: World, *statements: object) -> list[str]:
    with world.database.write() as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[call-overload]  # any statement
    return world.faults()


def test_a_sound_game_has_no_faults(world: World) -> None:
    world.perform(c.Die(world.player("Bob").id))
    assert world.faults() == []


def test_a_ring_broken_by_hand_is_found(world: World) -> None:
    bob = world.player("Bob").id
    [ring, *_more] = break_by_hand(world, update(players).where(players.c.id == 1).values(target=1))
    assert ring == "the targets of the living are not one ring"
    assert bob == 2


def test_a_gap_in_the_log_is_found(world: World) -> None:
    found = break_by_hand(world, delete(events).where(events.c.version == 5))
    assert found == ["the log has gaps, or another length than the game's version"]


def test_a_lost_end_of_the_log_is_found(world: World) -> None:
    last = world.game.version
    found = break_by_hand(world, delete(events).where(events.c.version == last))
    assert found == ["the log has gaps, or another length than the game's version"]


def test_a_version_that_ran_ahead_is_found(world: World) -> None:
    found = break_by_hand(world, update(games).values(version=99))
    assert found == ["the log has gaps, or another length than the game's version"]


def test_a_row_that_differs_from_the_log_is_found(world: World) -> None:
    found = break_by_hand(world, update(players).where(players.c.id == 3).values(year="9A"))
    assert found == ["the rows of the players differ from what the log says"]


def test_a_player_who_vanished_is_found(world: World) -> None:
    found = break_by_hand(world, delete(players).where(players.c.id == 8))
    assert "the rows of the players differ from what the log says" in found


def test_a_kill_of_somebody_alive_is_found(world: World) -> None:
    found = break_by_hand(world, update(players).where(players.c.id == 3).values(killed_by=2))
    assert "player 3 is not dead but counts as a kill" in found


def test_a_state_changed_by_hand_is_found(world: World) -> None:
    found = break_by_hand(world, update(games).values(state="paused"))
    assert found == ["the rows of the players differ from what the log says"]
