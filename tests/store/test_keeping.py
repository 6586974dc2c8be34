"""Leases for what one process of all may do, and the places of those who read the log."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from killer.store import keeping
from killer.store.database import Database, StoreUnavailableError
from store.worlds import World, create_tables, look_at


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    found = create_tables(database_url)
    yield found
    found.close()


def test_only_one_holds_a_lease_and_may_take_it_for_longer(database: Database) -> None:
    assert keeping.take_lease(database, "keeper", "one", 20)
    assert not keeping.take_lease(database, "keeper", "two", 20)
    assert keeping.take_lease(database, "keeper", "one", 20)
    with database.read() as connection:
        assert keeping.holds_lease(connection, "keeper", "one")
        assert not keeping.holds_lease(connection, "keeper", "two")


def test_a_lease_that_ran_out_is_anybody_s(database: Database) -> None:
    keeping.take_lease(database, "keeper", "one", 0.01)
    time.sleep(0.05)
    with database.read() as connection:
        assert not keeping.holds_lease(connection, "keeper", "one")
    assert keeping.take_lease(database, "keeper", "two", 20)
    assert not keeping.take_lease(database, "keeper", "one", 20)


def test_a_lease_that_was_given_back_is_free_at_once(database: Database) -> None:
    keeping.take_lease(database, "keeper", "one", 20)
    keeping.leave_lease(database, "keeper", "two")  # not theirs to give
    assert not keeping.take_lease(database, "keeper", "two", 20)
    keeping.leave_lease(database, "keeper", "one")
    assert keeping.take_lease(database, "keeper", "two", 20)


def test_who_holds_a_lease_and_until_when_is_told(database_url: str) -> None:
    nobody = Database(database_url)  # before any migration
    with nobody.read() as connection:
        assert keeping.holder_of(connection, "keeper") is None
    create_tables(database_url).close()
    keeping.take_lease(nobody, "keeper", "one", 20)
    keeping.take_lease(nobody, "other", "two", -1)
    with nobody.read() as connection:
        holder, expires = keeping.holder_of(connection, "keeper") or ("", 0)
        assert (holder, expires > time.time() * 1000 + 10_000) == ("one", True)
        assert keeping.holder_of(connection, "other") is None
    nobody.close()


def test_leases_of_other_names_are_other_leases(database: Database) -> None:
    assert keeping.take_lease(database, "keeper", "one", 20)
    assert keeping.take_lease(database, "other", "two", 20)


@pytest.mark.parametrize("ran_out", [False, True])
def test_of_many_who_ask_at_once_one_gets_it(database: Database, *, ran_out: bool) -> None:
    if ran_out:
        keeping.take_lease(database, "keeper", "before", -1)
    everybody = [look_at(database.url) for _ in range(8)]

    def ask(number: int) -> bool:
        try:
            return keeping.take_lease(everybody[number].database, "keeper", str(number), 20)
        except StoreUnavailableError:
            return False  # another one's row was just there: as good as refused

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(8))) == 1
    for one in everybody:
        one.database.close()


def test_a_place_is_kept_for_each_reader_and_game(world: World) -> None:
    with world.database.write() as connection:
        assert keeping.place(connection, "sheet", world.number) == 0
        keeping.set_place(connection, "sheet", world.number, 3)
        keeping.set_place(connection, "sheet", world.number, 5)
        keeping.set_place(connection, "other", world.number, 1)
    with world.database.read() as connection:
        assert keeping.place(connection, "sheet", world.number) == 5
        assert keeping.place(connection, "other", world.number) == 1
