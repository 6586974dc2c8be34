"""Everything moves to another database while nobody plays: all rows, all laws, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from game.players import enrolments
from killer.game import commands as c
from killer.game.model import PlayerId
from killer.store import dump, games, keeping, migrations, moving
from killer.store.database import Database, StoreUnavailableError
from killer.store.moving import MoveError
from store.worlds import World, a_migrated_game, look_at

Step = Callable[[str], object]


def silent(_step: str) -> None:
    """Hear the steps and say nothing."""


@pytest.fixture
def world(sqlite_url: str) -> Iterator[World]:
    """A paused game of twelve with four deaths, on SQLite."""
    found = a_migrated_game(sqlite_url)
    found.perform(*enrolments(12), c.Start(1))
    found.perform(*(c.Die(PlayerId(player)) for player in range(1, 5)), c.Pause())
    yield found
    found.database.close()


@pytest.fixture
def server(postgres_url: str) -> Iterator[Database]:
    """An empty database of a PostgreSQL server."""
    found = Database(postgres_url)
    yield found
    found.close()


def content(database: Database) -> str:
    with database.read() as connection:
        return dump.content(connection)


def refused(source: Database, target: Database, told: Step = silent) -> str:
    """Give why nothing was moved; the target must be as empty as it was."""
    before = content(target)
    with pytest.raises(MoveError) as found:
        moving.move(source, target, told)
    assert content(target) == before
    return found.value.code


def change(database: Database, statement: str) -> None:
    with database.write() as connection:
        connection.execute(text(statement))


def test_a_paused_game_moves_to_postgresql_is_played_on_and_comes_back(
    world: World, server: Database, tmp_path: Path
) -> None:
    moved = moving.move(world.database, server, silent)
    assert (moved.scores[0].players, moved.scores[0].alive, moved.served) == (12, 8, False)
    assert moved.rows > 12 + world.game.version
    there = look_at(server.url)
    assert (there.rows(), there.log()) == (world.rows(), world.log())
    there.perform(c.Resume(), c.Die(PlayerId(5)))
    there.perform(c.Pause())
    back = Database(f"sqlite:///{tmp_path}/back.sqlite3")
    moving.move(server, back, silent)
    home = look_at(back.url)
    assert (home.rows(), home.log(), home.faults()) == (there.rows(), there.log(), [])
    assert home.game.version == world.game.version + 3
    for one in (there, home):
        one.database.close()
    back.close()


def test_every_step_is_told(world: World, server: Database) -> None:
    told: list[str] = []
    moving.move(world.database, server, told.append)
    assert tuple(told) == moving.STEPS


@pytest.mark.parametrize("begun", [False, True])
def test_a_target_with_a_schema_and_no_row_is_empty(
    world: World, server: Database, *, begun: bool
) -> None:
    migrations.migrate(server)
    if begun:
        keeping.take_lease(server, "keeper", "somebody", 20)
    assert moving.move(world.database, server, silent).tables


def test_a_game_that_runs_stays_where_it_is(world: World, server: Database) -> None:
    world.perform(c.Resume())
    assert refused(world.database, server) == "running"


def test_a_rehearsal_that_runs_hinders_nobody(world: World, server: Database) -> None:
    with world.database.write() as connection:
        number = games.create(connection, "Répétition", rehearses=world.number)
    look_at(world.database.url, number).perform(*enrolments(3), c.Start(1))
    assert len(moving.move(world.database, server, silent).scores) == 2


def test_nothing_is_written_over_rows(world: World, server: Database) -> None:
    moving.move(world.database, server, silent)
    assert refused(world.database, server) == "not_empty"
    assert refused(world.database, world.database) == "not_empty"


def test_an_empty_source_is_named(server: Database, sqlite_url: str) -> None:
    source = Database(sqlite_url)
    assert refused(source, server) == "nothing"
    source.close()


def test_only_this_version_s_schema_is_moved(world: World, server: Database) -> None:
    change(server, "CREATE TABLE players (shirt INTEGER)")
    assert refused(world.database, server) == "other_schema"
    change(world.database, "UPDATE alembic_version SET version_num = '0002'")
    change(server, "DROP TABLE players")
    assert refused(world.database, server) == "other_schema"


def test_a_game_that_breaks_a_law_is_not_moved(world: World, server: Database) -> None:
    change(world.database, "UPDATE players SET target = id WHERE status = 'alive'")
    assert refused(world.database, server) == "broken"


def test_a_row_that_can_t_be_there_is_named(world: World, server: Database) -> None:
    change(world.database, "UPDATE players SET challenge = 'a' || char(0) WHERE id = 2")
    assert refused(world.database, server) == "row"


def test_what_changes_meanwhile_is_not_left_behind(world: World, server: Database) -> None:
    def meddle(step: str) -> None:
        if step == "again":
            world.perform(c.Edit(PlayerId(9), (("challenge", "Chanter"),)))

    assert refused(world.database, server, meddle) == "moved"
    assert moving.move(world.database, server, silent).scores[0].version == world.game.version


def test_a_server_at_work_on_the_old_database_is_told(world: World, server: Database) -> None:
    keeping.take_lease(world.database, keeping.KEEPER, "a worker", 20)
    assert moving.move(world.database, server, silent).served


def test_a_server_that_doesn_t_answer_is_said(world: World) -> None:
    with pytest.raises(StoreUnavailableError):
        moving.move(world.database, Database("postgresql://app@127.0.0.1:9/x"), silent)


@pytest.mark.parametrize("url", ["postgresql:killer", "postgresql://a@b:port/c"])
def test_what_is_no_address_is_said(url: str) -> None:
    with pytest.raises(MoveError) as found:
        moving.opened(url)
    assert found.value.code == "no_address"
