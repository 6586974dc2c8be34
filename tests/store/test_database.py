"""The database says clearly when it can't answer, and leaves nothing half done."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event, insert, select, text

from engines.processes import free_port
from game.players import enrolments
from killer.game import commands as c
from killer.store import games, log
from killer.store.database import Database, StoreUnavailableError
from killer.store.tables import hits
from store.worlds import World, a_world

PATIENCE = 0.2


def path_of(world: World) -> Path:
    return Path(world.database.url.removeprefix("sqlite:///"))


def count_hits(database: Database) -> int:
    with database.read() as connection:
        return len(connection.execute(select(hits)).all())


def write_a_hit(database: Database, key: str) -> None:
    with database.write() as connection:
        connection.execute(insert(hits).values(key=key, count=1, expires=1))


def test_a_server_that_is_not_there_is_unavailable() -> None:
    database = Database(f"postgresql://app@127.0.0.1:{free_port()}/app", patience=PATIENCE)
    with pytest.raises(StoreUnavailableError) as caught:
        database.ping()
    assert not caught.value.full
    with pytest.raises(StoreUnavailableError):
        write_a_hit(database, "a")


def test_a_file_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    database = Database(f"sqlite:///{tmp_path}/file/killer.sqlite3")
    for ask in (database.ping, database.generation, lambda: write_a_hit(database, "a")):
        with pytest.raises(StoreUnavailableError):
            ask()


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "killer.sqlite3").write_bytes(b"This is a letter to my grandmother. " * 100)
    database = Database(f"sqlite:///{tmp_path}/killer.sqlite3")
    with pytest.raises(StoreUnavailableError):
        database.ping()
    database.close()


def test_a_full_disk_is_told_as_such_and_changes_nothing(sqlite_url: str) -> None:
    world = a_world(sqlite_url, 8)
    before, version = world.rows(), world.game.version
    world.database.close()
    event.listen(world.database.engine, "connect", keep_it_this_small)
    with pytest.raises(StoreUnavailableError) as caught:
        world.perform(*(c.Enrol(f"Nouveau {i}", challenge="x" * 500, seed=i) for i in range(300)))
    assert caught.value.full
    assert world.rows() == before
    assert world.perform(c.EndSessions(world.player("Bob").id)).version == version + 1
    world.database.close()


def keep_it_this_small(connection: sqlite3.Connection, _record: object) -> None:
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages + 4}")


def test_a_file_that_another_program_keeps_locked_is_unavailable(sqlite_url: str) -> None:
    world = a_world(sqlite_url)
    hasty = Database(sqlite_url, patience=PATIENCE)
    with closing(sqlite3.connect(path_of(world), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with pytest.raises(StoreUnavailableError):
            write_a_hit(hasty, "refused")
        assert PATIENCE <= time.monotonic() - began < 40 * PATIENCE
        assert count_hits(hasty) == 0, "reading goes on meanwhile"
    write_a_hit(hasty, "kept")
    assert count_hits(hasty) == 1
    hasty.close()


def test_whoever_waits_behind_another_waiting_writer_waits_no_longer(sqlite_url: str) -> None:
    world, patience = a_world(sqlite_url), 1.0
    hasty = Database(sqlite_url, patience=patience)
    took: list[float] = []

    def try_to_write() -> None:
        began = time.monotonic()
        with pytest.raises(StoreUnavailableError):
            write_a_hit(hasty, "refused")
        took.append(time.monotonic() - began)

    with closing(sqlite3.connect(path_of(world), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        threads = [threading.Thread(target=try_to_write) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert max(took) < 8 * patience, (
        "twelve of them, one after the other, take twelve times as long"
    )
    hasty.close()


def test_whoever_waits_behind_a_slow_writer_of_the_same_process_gives_up(world: World) -> None:
    hasty = Database(world.database.url, patience=PATIENCE)
    gone: list[bool] = []

    def try_to_write() -> None:
        with pytest.raises(StoreUnavailableError):
            write_a_hit(hasty, "refused")
        gone.append(True)

    with hasty.write():
        thread = threading.Thread(target=try_to_write)
        thread.start()
        thread.join(30)
        assert gone == [True]
    write_a_hit(hasty, "kept")
    hasty.close()


def test_a_writer_gets_its_turn_when_the_other_has_finished(sqlite_url: str) -> None:
    world = a_world(sqlite_url)
    other = sqlite3.connect(path_of(world), isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.1, lambda: other.execute("COMMIT"))
    timer.start()
    write_a_hit(world.database, "kept")
    timer.join()
    other.close()
    assert count_hits(world.database) == 1


def test_what_fails_in_the_middle_is_as_if_it_had_not_begun(world: World) -> None:
    for error in (RuntimeError, KeyboardInterrupt):
        with pytest.raises(error):
            fail_half_way(world, error)
    assert count_hits(world.database) == 0
    write_a_hit(world.database, "whole")
    assert count_hits(world.database) == 1


def fail_half_way(world: World, error: type[BaseException]) -> None:
    with world.database.write() as connection:
        connection.execute(insert(hits).values(key="half", count=1, expires=1))
        raise error


def test_a_mistake_in_sql_leaves_no_connection_in_a_transaction(world: World) -> None:
    for _ in range(30):  # more than the pool holds
        with pytest.raises(StoreUnavailableError), world.database.write() as connection:
            connection.execute(text("SELECT * FROM nowhere"))
        with pytest.raises(StoreUnavailableError), world.database.read() as connection:
            connection.execute(text("SELECT * FROM nowhere"))
    world.perform(c.Die(world.player("Bob").id))


def test_one_reading_sees_one_state_however_long_it_takes(world: World, elsewhere: World) -> None:
    with world.database.read() as connection:
        version = games.load(connection, world.number).version
        elsewhere.perform(c.Die(world.player("Bob").id))
        assert log.since(connection, world.number, version) == []
        assert games.load(connection, world.number).version == version
    assert world.game.version == version + 1


def test_a_reader_does_not_wait_for_a_writer(world: World) -> None:
    with world.database.write() as connection:
        connection.execute(insert(hits).values(key="unseen", count=1, expires=1))
        assert count_hits(world.database) == 0
    assert count_hits(world.database) == 1


def test_the_generation_moves_with_every_commit_and_only_then(database_url: str) -> None:
    world, other = a_world(database_url), Database(database_url)
    before = world.database.generation()
    count_hits(world.database)
    assert world.database.generation() == before
    write_a_hit(other, "elsewhere")
    after = world.database.generation()
    assert after != before
    write_a_hit(world.database, "here")
    assert world.database.generation() not in {before, after}
    other.close()
    world.database.close()


def test_a_database_that_was_closed_opens_again(world: World) -> None:
    world.database.close()
    assert world.perform(*enrolments(0), c.Pause()).events
    world.database.close()
    world.database.ping()


def test_a_connection_that_the_server_cut_is_replaced(postgres_url: str) -> None:
    world = a_world(postgres_url, 3)
    with closing(psycopg.connect(postgres_url, autocommit=True)) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert world.perform(c.Pause()).events
    world.database.close()


def test_an_error_says_nothing_of_what_was_to_be_written(world: World) -> None:
    with pytest.raises(StoreUnavailableError) as caught, world.database.write() as connection:
        connection.execute(insert(hits).values(key="a secret", count=None, expires=1))
    assert "a secret" not in str(caught.value)
    assert "a secret" not in str(caught.value.__cause__).partition("DETAIL")[0]
