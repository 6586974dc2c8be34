"""Rate limits that are counted in the database, by all processes together."""

from __future__ import annotations

import threading

from limits import parse
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy import select, update

from killer.store import games
from killer.store.hits import DatabaseStorage
from killer.store.tables import hits
from store.worlds import World


def expire(world: World, key: str) -> None:
    with world.database.write() as connection:
        gone = update(hits).where(hits.c.key == key).values(expires=games.now() - 1)
        connection.execute(gone)


def test_hits_are_counted_within_a_window_that_begins_with_the_first(world: World) -> None:
    storage = DatabaseStorage(world.database)
    assert [storage.incr("a", 60), storage.incr("a", 60, 2), storage.incr("b", 60)] == [1, 3, 1]
    assert (storage.get("a"), storage.get("b"), storage.get("c")) == (3, 1, 0)
    end = storage.get_expiry("a")
    assert 30 < end - games.now() / 1000 <= 60
    storage.incr("a", 600)
    assert storage.get_expiry("a") == end


def test_a_window_that_is_over_begins_anew_and_leaves_no_row(world: World) -> None:
    storage = DatabaseStorage(world.database)
    storage.incr("a", 60)
    storage.incr("old", 60)
    expire(world, "a")
    expire(world, "old")
    assert storage.get("a") == 0
    assert storage.incr("a", 60) == 1
    with world.database.read() as connection:
        assert [row.key for row in connection.execute(select(hits))] == ["a"]


def test_all_processes_count_together(world: World, elsewhere: World) -> None:
    storages = [DatabaseStorage(view.database) for view in (world, elsewhere)]
    seen: list[int] = []

    def hit(storage: DatabaseStorage) -> None:
        seen.extend(storage.incr("a", 60) for _ in range(10))

    threads = [threading.Thread(target=hit, args=(storage,)) for storage in storages * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(1, 41))


def test_a_limit_stops_the_sixth_of_five_and_says_when_it_ends(world: World) -> None:
    limiter, limit = FixedWindowRateLimiter(DatabaseStorage(world.database)), parse("5/minute")
    assert [limiter.hit(limit, "me") for _ in range(6)] == [True] * 5 + [False]
    assert limiter.hit(limit, "somebody else")
    window = limiter.get_window_stats(limit, "me")
    assert window.remaining == 0
    assert window.reset_time > games.now() / 1000
    assert limiter.test(limit, "a third one")


def test_hits_can_be_forgotten(world: World) -> None:
    storage = DatabaseStorage(world.database)
    storage.incr("a", 60)
    storage.incr("b", 60)
    storage.clear("a")
    assert (storage.get("a"), storage.get("b")) == (0, 1)
    assert storage.reset() == 2
    assert storage.get("b") == 0
    assert storage.check()
    assert storage.base_exceptions is Exception
