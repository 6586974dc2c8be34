"""Games as rows say what the log says, and move only from where they were read."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select

from game.any_game import AnyGame
from killer.game import commands as c
from killer.game import events as e
from killer.game.model import Game, State, Visibility
from killer.store import games
from killer.store.database import StaleVersionError, StoreUnavailableError
from killer.store.tables import answers, players
from store.worlds import World, a_world, recorded


def test_a_new_game_is_empty_and_listed_first(database_url: str) -> None:
    world = a_world(database_url, name="L'ancienne")
    with world.database.write() as connection:
        number = games.create(connection, "La nouvelle", Visibility.OPEN)
        assert [row.name for row in games.every(connection)] == ["La nouvelle", "L'ancienne"]
        game = games.load(connection, number)
        row = games.every(connection)[0]
    assert game == Game("La nouvelle", visibility=Visibility.OPEN) == games.blank(row)
    assert (row.state, row.version) == (State.PREPARING, 0)
    world.database.close()


def test_two_games_of_one_name_are_refused(database_url: str) -> None:
    world = a_world(database_url, name="La même")
    with pytest.raises(StoreUnavailableError), world.database.write() as connection:
        games.create(connection, "La même")
    world.database.close()


def test_the_rows_are_what_the_log_says_after_everything_that_can_happen(world: World) -> None:
    bob, diane, emile = (world.player(name).id for name in ("Bob", "Diane", "Émile"))
    log = world.perform(c.Die(bob)).version
    for command in (
        c.Undo(log),
        c.Die(bob),
        c.Revive(bob, 1),
        c.GiveUp(diane),
        c.Kill(emile, credited=False),
        c.Remove(emile),
        c.Enrol("Zoé", seed=3),
        c.Edit(bob, (("challenge", "chanter"), ("organiser", True))),
        c.NoteContacts(bob, ("email",)),
        c.EndSessions(bob),
        c.Reshuffle(4),
        c.SetVisibility(Visibility.OPEN),
        c.Pause(),
        c.Resume(),
        c.End(),
    ):
        world.perform(command)
        replayed = Game("Une partie").after(*(record.event for record in world.log()))
        assert world.rows() == world.game == replayed
    assert world.faults() == []


def test_random_games_are_the_same_in_rows_and_in_the_log(sqlite_url: str) -> None:
    """Rules draw what happens; the store must keep each step."""
    world = a_world(sqlite_url)
    machine = AnyGame()
    machine.gather(30, "given", Visibility.DEATHS, 1)
    for pick in range(40):
        machine.fall(pick, [c.Die, c.GiveUp, c.Kill, c.Remove][pick % 4])
        machine.revive(pick * 3, pick)
        machine.undo(pick % 5)
    step = 0
    while step < len(machine.log):
        save_some(world, machine, step, step + 7)
        step += 7
    assert world.rows().players == machine.game.players
    assert world.faults() == []
    world.database.close()


def save_some(world: World, machine: AnyGame, first: int, end: int) -> None:
    events = [event for _version, event in machine.log[first:end]]
    with world.database.write() as connection:
        before = games.load(connection, world.number)
        records = recorded(*events, after=before.version)
        games.save(connection, world.number, before, before.after(*events), records)


def test_a_game_is_only_saved_from_where_it_was_read(world: World) -> None:
    old = world.rows()
    world.perform(c.Pause())
    after = old.after(e.Ended(State.RUNNING, automatic=False))
    with pytest.raises(StaleVersionError), world.database.write() as connection:
        games.save(connection, world.number, old, after, recorded(e.Paused(), after=old.version))
    assert world.rows().state is State.PAUSED
    assert world.faults() == []


def test_only_the_rows_that_differ_are_written(world: World) -> None:
    with world.database.write() as connection:
        before = games.load(connection, world.number)
        damaged = players.update().where(players.c.nickname == "Alice").values(year="gardé")
        connection.execute(damaged)
        event = e.SessionsEnded(before.by_key["bob"], 0)
        records = recorded(event, after=before.version)
        games.save(connection, world.number, before, before.after(event), records)
    assert world.rows().find("alice").year == "gardé"  # type: ignore[union-attr]  # she is there


def test_an_answer_is_kept_for_one_key_of_one_actor_in_one_game(world: World) -> None:
    with world.database.write() as connection:
        mine = {(3, "key"): ("a death", 17), (5, "another"): ("", 18)}
        games.remember(connection, world.number, mine)
        assert games.remembered(connection, world.number, mine) == mine
        for game, other in (
            (world.number, (4, "key")),
            (world.number, (3, "KEY")),
            (99, (3, "key")),
        ):
            assert games.remembered(connection, game, [other]) == {}
        assert games.remembered(connection, world.number, ()) == {}


def test_old_answers_can_be_forgotten(world: World) -> None:
    with world.database.write() as connection:
        row = {"game": 1, "actor": 1, "request": "", "version": 1}
        connection.execute(insert(answers).values(**row, key="old", at=1000))
        connection.execute(insert(answers).values(**row, key="new", at=2000))
        games.forget_answers(connection, 2000)
        assert [r.key for r in connection.execute(select(answers))] == ["new"]


def test_each_game_has_its_own_version(world: World) -> None:
    with world.database.read() as connection:
        assert games.version(connection, world.number) == 10
        assert games.version(connection, 99) is None


def test_the_longest_nickname_that_the_rules_allow_can_be_kept(world: World) -> None:
    """Some letters stand for eighteen in the form that is compared."""
    world.perform(c.Enrol("\ufdfa" * 60, year="é" * 60, challenge="🔪" * 500, seed=1))
    assert world.rows() == world.game


def test_the_big_screen_s_number_moves_only_from_what_was_seen(world: World) -> None:
    def screen() -> int | None:
        with world.database.read() as connection:
            return next(row.screen for row in games.every(connection) if row.id == world.number)

    assert screen() is None
    for before, after, found in (
        (None, 2**62, 2**62),
        (None, 5, 2**62),
        (2**62, 7, 7),
        (2**62, None, 7),
        (7, None, None),
    ):
        with world.database.write() as connection:
            moved = games.set_screen(connection, world.number, before, after)
        assert screen() == found
        assert moved is (found == after)
