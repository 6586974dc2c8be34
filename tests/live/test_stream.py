"""What one phone receives, from its place on until it leaves."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from engines.processes import wait_for
from killer.game import commands as c
from killer.game.model import PlayerId
from killer.live.bell import Bell
from killer.live.frames import PING
from killer.live.stream import GOODBYE, HELLO, RETRY, SPREAD, stream
from store.worlds import World, a_world, look_at

ALICE, BOB, CHARLIE = (PlayerId(i) for i in range(1, 4))


@pytest.fixture
def world(sqlite_url: str) -> Iterator[World]:
    found = a_world(sqlite_url, 8)
    yield found
    found.hub.close()
    found.database.close()


def a_phone(world: World, viewer: PlayerId, place: int) -> Iterator[bytes]:
    return stream(world.hub, world.feed, viewer, place)


def ids(block: bytes) -> list[int]:
    return [int(line[4:]) for line in block.split(b"\n") if line.startswith(b"id: ")]


def test_a_stream_says_hello_and_how_soon_to_come_back(world: World) -> None:
    first = next(a_phone(world, ALICE, world.game.version))
    assert after_retry(first) == after_retry(HELLO)
    assert ids(first) == []


def test_phones_come_back_at_moments_of_their_own(world: World) -> None:
    hellos = [next(a_phone(world, ALICE, world.game.version)) for _ in range(40)]
    retries = {int(hello[7 : hello.index(b"\n")]) for hello in hellos}
    assert len(retries) > 10
    assert RETRY - SPREAD <= min(retries) < max(retries) <= RETRY + SPREAD


def after_retry(hello: bytes) -> bytes:
    assert hello.startswith(b"retry: ")
    return hello.partition(b"\n")[2]


def test_a_phone_gets_what_it_missed_and_nothing_twice(world: World) -> None:
    world.perform(c.Die(BOB), c.Die(CHARLIE))
    phone = a_phone(world, ALICE, 10)
    next(phone)
    assert ids(next(phone)) == [11, 12]
    world.perform(c.Pause())
    assert ids(next(phone)) == [13]


def test_only_one_s_own_stream_tells_of_one_s_own_card(world: World) -> None:
    phones = {who: a_phone(world, who, 10) for who in (ALICE, BOB, CHARLIE)}
    world.perform(c.Die(BOB))
    told = {who: b'"card":true' in list_two(phone) for who, phone in phones.items()}
    assert told == {ALICE: True, BOB: True, CHARLIE: False}


def list_two(phone: Iterator[bytes]) -> bytes:
    return next(phone) + next(phone)


@pytest.mark.parametrize("place", [999, -1])
def test_a_phone_from_nowhere_is_told_to_look_again(world: World, place: int) -> None:
    phone = a_phone(world, ALICE, place)
    next(phone)
    assert next(phone) == b'event: resync\ndata: {"version":10}\n\n'
    world.perform(c.Pause())
    assert ids(next(phone)) == [11]


def test_who_is_signed_out_everywhere_is_cut_off(world: World) -> None:
    phone, other = (a_phone(world, who, 10) for who in (BOB, ALICE))
    assert after_retry(next(phone)) == after_retry(next(other))
    world.perform(c.EndSessions(BOB))
    assert list(phone) == [GOODBYE]
    assert ids(next(other)) == [11]


def test_a_closing_server_says_goodbye(world: World) -> None:
    phone = a_phone(world, ALICE, 10)
    next(phone)
    threading.Timer(0.05, world.hub.close).start()
    assert list(phone) == [GOODBYE]


def test_a_game_that_is_removed_ends_its_streams(world: World) -> None:
    phone = a_phone(world, ALICE, 10)
    next(phone)
    threading.Timer(0.05, world.hub.forget, [world.number]).start()
    assert list(phone) == [GOODBYE]


def test_the_bell_brings_what_another_process_changed(database_url: str) -> None:
    world, serving = a_world(database_url, 8), threading.Event()
    serving.set()
    blocks: list[bytes] = []
    feed, place = world.feed, world.game.version
    reader = threading.Thread(target=lambda: blocks.extend(stream(world.hub, feed, ALICE, place)))
    (ringing,) = Bell(world.hub).start(serving=serving.is_set)
    reader.start()
    other = look_at(database_url, world.number)
    version = other.perform(c.Die(BOB)).version
    wait_for(lambda: ids(b"".join(blocks)) == [version], 10, "the news")
    serving.clear()
    ringing.join(30)
    reader.join(30)
    assert blocks[-1] == GOODBYE
    assert PING not in blocks
    other.database.close()
    world.database.close()
