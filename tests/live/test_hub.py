"""One feed for each game: as new as the database, in order, nothing twice."""

from __future__ import annotations

import threading
import time

import pytest

from killer.game import commands as c
from killer.game import events as e
from killer.game.model import Game, PlayerId, Status
from killer.live import hub as hub_
from killer.live.hub import HISTORY, Feed, Hub, UnknownGameError
from killer.store import games, log
from killer.store.database import StoreUnavailableError
from store.gates import Gate
from store.worlds import World, a_world, look_at, recorded

BOB = PlayerId(2)


def a_feed(events: int = 0) -> Feed:
    feed = Feed(1, Game())
    feed.advance(recorded(e.Enrolled(BOB, "Bob", "", "", Status.ALIVE, False)))
    feed.advance(recorded(*(e.SessionsEnded(BOB, i) for i in range(events)), after=1))
    return feed


def versions(feed: Feed, place: int) -> list[int] | None:
    frames = feed.since(place)
    return None if frames is None else [frame.version for frame in frames]


def test_a_feed_gives_what_came_after_a_place() -> None:
    feed = a_feed(5)
    assert versions(feed, 6) == []
    assert versions(feed, 4) == [5, 6]
    assert versions(feed, 0) == [1, 2, 3, 4, 5, 6]


def test_a_place_in_the_future_has_to_look_again() -> None:
    assert versions(a_feed(5), 7) is None


def test_a_place_too_far_back_has_to_look_again() -> None:
    feed = a_feed(HISTORY + 10)
    assert versions(feed, 10) is None
    assert versions(feed, 11) == list(range(12, HISTORY + 12))


def test_a_feed_primed_with_a_long_log_keeps_its_end() -> None:
    records = recorded(*(e.SessionsEnded(BOB, i) for i in range(HISTORY + 5)))
    feed = Feed(1, a_feed().game)
    feed.game = Game(players=feed.game.players)
    feed.prime(records)
    assert feed.game.version == HISTORY + 5
    assert versions(feed, 4) is None
    assert versions(feed, 5) == list(range(6, HISTORY + 6))


def test_recent_frames_are_those_that_tell_something_newest_first(world: World) -> None:
    world.perform(c.Die(BOB), c.EndSessions(BOB), c.Pause())
    assert [frame.news.kind for frame in world.feed.recent(2)] == ["paused", "died"]
    assert len(world.feed.recent(1000)) < world.game.version


def test_what_is_made_of_a_version_is_made_once_and_anew_for_the_next(world: World) -> None:
    made: list[int] = []

    def make(game: Game) -> int:
        made.append(game.version)
        return game.version

    assert [world.feed.once("a", make), world.feed.once("a", make)] == [10, 10]
    world.feed.once("b", make)
    world.perform(c.Die(BOB))
    assert world.feed.once("a", make) == 11
    assert made == [10, 10, 11]


def test_an_answer_made_while_the_game_moved_on_is_not_kept_for_the_new_version() -> None:
    feed = a_feed()

    def slowly(game: Game) -> int:
        feed.advance(recorded(e.SessionsEnded(BOB, 0), after=1))
        return game.version

    assert feed.once("a", slowly) == 1
    assert feed.once("a", lambda game: game.version) == 2


def test_a_feed_is_as_new_as_the_database(world: World, elsewhere: World) -> None:
    feed = elsewhere.feed
    for victim in range(2, 6):
        version = world.perform(c.Die(PlayerId(victim))).version
        assert elsewhere.feed is feed
        assert feed.game.version == version
    assert versions(feed, 10) == [11, 12, 13, 14]


def test_many_readers_at_once_apply_each_event_once(world: World, elsewhere: World) -> None:
    wrong: list[object] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            feed = elsewhere.feed
            seen = versions(feed, 10)
            if seen != list(range(11, 11 + len(seen or []))):
                wrong.append(seen)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for victim in range(2, 8):
        version = world.perform(c.Die(PlayerId(victim))).version
        if elsewhere.game.version < version:
            wrong.append(version)
    stop.set()
    for reader in readers:
        reader.join()
    assert wrong == []
    assert elsewhere.game == world.rows()


def test_readers_that_come_during_a_look_share_the_next_one(postgres_url: str) -> None:
    world = a_world(postgres_url, 3)
    feed, other = world.feed, look_at(postgres_url, world.number)
    other.perform(c.Pause())
    feed.lock = gate = Gate()
    before = feed.looks
    readers = [threading.Thread(target=lambda: world.feed) for _ in range(20)]
    for reader in readers:
        reader.start()
    gate.open_for(20)
    for reader in readers:
        reader.join()
    assert feed.looks == before + 1
    other.database.close()
    world.database.close()


def test_a_look_that_failed_counts_for_nobody(world: World, elsewhere: World) -> None:
    feed = elsewhere.feed
    version = world.perform(c.Die(BOB)).version
    feed.lock = gate = Gate()
    reader = threading.Thread(target=lambda: elsewhere.feed)
    reader.start()
    gate.until(1)
    feed.looks += 1  # as a look leaves it when the database goes away
    gate.open_for(1)
    reader.join()
    assert feed.game.version == version


def test_whoever_watches_sees_each_event_once(world: World, elsewhere: World) -> None:
    seen: list[log.Recorded] = []
    hub = Hub(elsewhere.database, seen=seen.append)
    hub.feed(world.number)
    assert seen == [], "what was there before is no news"
    world.perform(c.Die(BOB), c.Pause())
    hub.look()
    hub.look()
    assert [record.version for record in seen] == [11, 12]


def test_a_game_that_is_not_there_is_said_not_to_be(world: World) -> None:
    with pytest.raises(UnknownGameError):
        world.hub.feed(99)
    world.hub.look()


def test_new_games_are_listed_at_once(world: World, elsewhere: World) -> None:
    assert [row.name for row in elsewhere.hub.games()] == ["Une partie"]
    with world.database.write() as connection:
        number = games.create(connection, "La suivante")
    assert [row.name for row in elsewhere.hub.games()] == ["La suivante", "Une partie"]
    assert elsewhere.hub.feed(number).game.name == "La suivante"
    elsewhere.perform(c.Pause())
    assert world.hub.games()[1].state == "paused"


def test_a_game_list_that_has_not_moved_is_not_read_again(sqlite_url: str) -> None:
    world = a_world(sqlite_url)
    assert world.hub.games() is world.hub.games()
    world.database.close()


def test_without_a_database_there_is_no_answer_rather_than_an_old_one(sqlite_url: str) -> None:
    world = a_world(sqlite_url, 3)
    assert world.game.version
    world.database.close()
    broken = look_at("sqlite:////proc/nothing/killer.sqlite3")
    broken.hub._feeds.update(world.hub._feeds)
    with pytest.raises(StoreUnavailableError):
        broken.hub.feed(world.number)


def test_waiting_ends_with_the_next_event_or_its_time() -> None:
    feed = a_feed()
    began = time.monotonic()
    feed.wait(0, 60)
    assert time.monotonic() - began < 30, "there is something already"
    feed.wait(1, 0.05)
    timer = threading.Timer(0.05, lambda: feed.advance(recorded(e.SessionsEnded(BOB, 0), after=1)))
    timer.start()
    feed.wait(1, 60)
    assert feed.game.version == 2
    assert time.monotonic() - began < 30


def test_the_history_is_long_enough_for_a_phone_that_slept() -> None:
    assert hub_.HISTORY >= 500
