"""The bell: each kind rings elsewhere, the next best takes over, a lost ring is made good."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engines import redis as redis_engine
from engines.processes import free_port, wait_for
from killer.game import commands as c
from killer.game.model import PlayerId
from killer.live.bell import Bell, Source
from killer.live.hub import Hub
from killer.play import Play
from killer.store.database import Database, StoreUnavailableError
from killer.store.postgresql import Notices
from killer.store.redis import Redis, RedisUnavailableError, Teller
from store.worlds import World, a_world, look_at

BOB = PlayerId(2)
PATIENCE = 30.0  # seconds


@dataclass
class Listener:
    """In the place of a hub: what it was told, and how often it looked."""

    database: Database
    told: list[int] = field(default_factory=list)
    looks: int = 0
    closed: bool = False
    away: bool = False

    def heard(self, number: int) -> None:
        self.told.append(number)
        if self.away:
            raise StoreUnavailableError(OSError("away"))

    def look(self) -> None:
        self.looks += 1

    def close(self) -> None:
        self.closed = True


@contextmanager
def ringing(bell: Bell, works: str = "look") -> Iterator[None]:
    serving = threading.Event()
    serving.set()
    threads = bell.start(serving.is_set)
    try:
        wait_for(lambda: bell.works == works, PATIENCE, works)
        yield
    finally:
        serving.clear()
        for thread in threads:
            thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads)


@pytest.fixture
def world(postgres_url: str) -> Iterator[World]:
    found = a_world(postgres_url, 8)
    yield found
    found.database.close()


@pytest.fixture
def listener(world: World) -> Listener:
    return Listener(world.database)


def with_redis(world: World, redis_url: str) -> World:
    """Give another process's view, whose changes are told through Redis."""
    database = Database(world.database.url)
    hub = Hub(database, tell=Teller(Redis(redis_url)))
    return World(database, hub, Play(database, hub), world.number)


def test_postgresql_tells_of_a_game_when_its_change_is_kept(
    world: World, listener: Listener
) -> None:
    bell = Bell(listener, [Notices(world.database.url)])
    with ringing(bell, "postgresql"):
        with pytest.raises(RuntimeError):
            world.play.perform(world.number, c.Pause(), alongside=fail)
        world.perform(c.Die(BOB))
        wait_for(lambda: listener.told, PATIENCE, "a ring")
    assert listener.told == [world.number]
    assert listener.closed


def fail(*_: object) -> None:
    raise RuntimeError


def test_redis_tells_of_a_game_when_its_change_is_kept(
    world: World, listener: Listener, redis_url: str
) -> None:
    elsewhere = with_redis(world, redis_url)
    with ringing(Bell(listener, [Redis(redis_url)]), "redis"):
        with pytest.raises(RuntimeError):
            elsewhere.play.perform(world.number, c.Pause(), alongside=fail)
        elsewhere.perform(c.Die(BOB))
        wait_for(lambda: listener.told, PATIENCE, "a ring")
    assert listener.told == [world.number]
    elsewhere.database.close()


def test_without_anything_that_rings_it_looks(sqlite_url: str) -> None:
    world = a_world(sqlite_url, 8)
    listener = Listener(world.database)
    with ringing(Bell(listener)):
        wait_for(lambda: listener.looks > 5, PATIENCE, "looks")
    world.database.close()


class Once:
    """Rings for one game and is silent for ever."""

    name = "redis"
    errors = ()

    def listening(self) -> nullcontext[Iterator[set[int]]]:
        return nullcontext(iter([{5}]))

    def answers(self) -> bool:
        return True


def test_whoever_begins_to_listen_looks_for_what_was_told_before(listener: Listener) -> None:
    Bell(listener)._follow(Once(), [])
    assert (listener.looks, listener.told) == (1, [5])


@pytest.mark.parametrize("kind", ["look", "postgresql", "redis"])
def test_a_death_elsewhere_wakes_whoever_follows_here(
    world: World, redis_url: str, kind: str
) -> None:
    sources: dict[str, list[Source]] = {
        "look": [],
        "postgresql": [Notices(world.database.url)],
        "redis": [Redis(redis_url)],
    }
    here, there = look_at(world.database.url, world.number), with_redis(world, redis_url)
    feed = here.feed
    with ringing(Bell(here.hub, sources[kind]), kind):
        version = there.perform(c.Die(BOB)).version
        wait_for(lambda: feed.game.version == version, PATIENCE, "the death")
    for one in (here, there):
        one.database.close()


def test_a_ring_that_nobody_heard_is_made_good(world: World, redis_url: str) -> None:
    here = look_at(world.database.url, world.number)
    feed = here.feed
    with ringing(Bell(here.hub, [Redis(redis_url)]), "redis"):
        version = world.perform(c.Die(BOB)).version  # it tells no Redis
        wait_for(lambda: feed.game.version == version, PATIENCE, "the death")
    here.database.close()


def test_when_redis_is_gone_postgresql_rings_until_it_is_back(
    world: World, listener: Listener, tmp_path: Path
) -> None:
    port = free_port()
    redis = Redis(f"redis://127.0.0.1:{port}")
    bell = Bell(listener, [redis, Notices(world.database.url)])
    with ExitStack() as first:
        first.enter_context(redis_engine.server(tmp_path, port))
        with ringing(bell, "redis"):
            first.close()
            wait_for(lambda: bell.works == "postgresql", PATIENCE, "the second best")
            world.perform(c.Die(BOB))
            wait_for(lambda: listener.told == [world.number], PATIENCE, "a ring")
            looks = listener.looks
            with redis_engine.server(tmp_path, port):
                wait_for(lambda: bell.works == "redis", PATIENCE, "the best")
                wait_for(lambda: listener.looks > looks, PATIENCE, "a look for what was told then")
                wait_for(lambda: tells(redis, 77) and 77 in listener.told, PATIENCE, "a ring")


def tells(redis: Redis, number: int) -> bool:
    try:
        redis.tell(number)
    except RedisUnavailableError:
        return False
    return True


def test_a_listener_that_the_server_cut_listens_again(world: World, listener: Listener) -> None:
    with ringing(Bell(listener, [Notices(world.database.url)]), "postgresql"):
        with world.database.write() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE query = 'LISTEN killer' AND datname = current_database()"
            )
        looks = listener.looks
        wait_for(lambda: listener.looks > looks, PATIENCE, "a look")
        wait_for(lambda: rings(world, listener), PATIENCE, "a ring")


def rings(world: World, listener: Listener) -> bool:
    """Change something, and tell whether that or a change before was heard."""
    world.perform(c.EndSessions(BOB))
    return bool(listener.told)


def test_a_database_that_is_away_does_not_silence_the_bell(
    world: World, listener: Listener, redis_url: str
) -> None:
    listener.away = True
    redis, bell = Redis(redis_url), Bell(listener, [Redis(redis_url)])
    with ringing(bell, "redis"):
        redis.tell(1)
        wait_for(lambda: 1 in listener.told, PATIENCE, "the first ring")
        redis.tell(2)
        wait_for(lambda: 2 in listener.told, PATIENCE, "the second ring")
        assert bell.works == "redis"
