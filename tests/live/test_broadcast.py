"""One broadcaster for many phones: each hears everything once; who is gone costs nothing."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from engines.processes import wait_for
from killer.game import commands as c
from killer.game.model import PlayerId
from killer.live.broadcast import Broadcast, Line
from killer.live.frames import PING
from killer.live.stream import GOODBYE
from store.worlds import World, a_world

ALICE, BOB, CHARLIE = (PlayerId(i) for i in range(1, 4))
SOON = 30.0  # seconds
OPEN = Path("/proc/self/fd")


class Phone:
    """The far end of a line."""

    def __init__(self, far: socket.socket) -> None:
        self.far = far
        self.heard = b""
        self.over = False

    def listen(self) -> bytes:
        """Take whatever has come until now."""
        while not self.over:
            try:
                data = self.far.recv(65536)
            except BlockingIOError:
                break
            self.over = not data
            self.heard += data
        return self.heard

    def ids(self) -> list[int]:
        *rows, _cut = self.listen().split(b"\n")
        return [int(row[4:]) for row in rows if row.startswith(b"id: ")]

    def hears(self, ids: list[int]) -> None:
        wait_for(lambda: self.ids() == ids, SOON, f"the frames {ids}")

    def parts(self) -> None:
        wait_for(lambda: self.listen() is not None and self.over, SOON, "the end of the line")


Call = Callable[..., Phone]


@pytest.fixture
def world(sqlite_url: str) -> Iterator[World]:
    found = a_world(sqlite_url, 8)
    yield found
    found.hub.close()
    found.database.close()


@pytest.fixture
def broadcast(world: World) -> Iterator[Broadcast]:
    found = Broadcast(world.hub)
    yield found
    found.close()


@pytest.fixture
def call(world: World, broadcast: Broadcast) -> Iterator[Call]:
    ends: list[socket.socket] = []

    def a_phone(viewer: PlayerId, place: int = 10, *, chunked: bool = False) -> Phone:
        near, far = socket.socketpair()
        near.setblocking(False)
        far.setblocking(False)
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        ends.append(far)
        sessions = world.game.players[viewer].sessions
        line = Line(near.detach(), viewer, sessions, place, chunked=chunked)
        broadcast.take(world.feed, line)
        return Phone(far)

    yield a_phone
    for end in ends:
        end.close()


def test_every_phone_hears_what_it_missed_and_what_comes_once(world: World, call: Call) -> None:
    world.perform(c.Die(BOB), c.Die(CHARLIE))
    late, early = call(ALICE, 10), call(BOB, 12)
    late.hears([11, 12])
    world.perform(c.Pause())
    late.hears([11, 12, 13])
    early.hears([13])


def test_only_one_s_own_line_tells_of_one_s_own_card(world: World, call: Call) -> None:
    phones = {who: call(who) for who in (ALICE, BOB, CHARLIE)}
    world.perform(c.Die(BOB))
    for phone in phones.values():
        phone.hears([11])
    told = {who: b'"card":true' in phone.heard for who, phone in phones.items()}
    assert told == {ALICE: True, BOB: True, CHARLIE: False}


def test_a_line_in_chunks_carries_the_same_words(world: World, call: Call) -> None:
    pairs = [(call(who), call(who, chunked=True)) for who in (BOB, CHARLIE)]
    world.perform(c.Die(BOB))
    for plain, chunked in pairs:
        plain.hears([11])
        wait_for(lambda a=plain, b=chunked: unwrapped(b.listen()) == a.heard, SOON, "the same")


def unwrapped(data: bytes) -> bytes:
    """Read chunks as RFC 9112 writes them."""
    found = b""
    while data:
        size, _, rest = data.partition(b"\r\n")
        length = int(size, 16)
        assert rest[length : length + 2] == b"\r\n"
        found, data = found + rest[:length], rest[length + 2 :]
    return found


def test_a_phone_from_nowhere_is_told_to_look_again(world: World, call: Call) -> None:
    phone = call(ALICE, 999)
    wait_for(lambda: phone.listen() == b'event: resync\ndata: {"version":10}\n\n', SOON, "a resync")
    world.perform(c.Pause())
    phone.hears([11])


def test_who_is_signed_out_everywhere_is_cut_off_and_nobody_else(world: World, call: Call) -> None:
    out, other = call(BOB), call(ALICE)
    world.perform(c.EndSessions(BOB))
    out.parts()
    assert out.heard == GOODBYE
    other.hears([11])
    assert not other.over


def test_a_phone_that_hangs_up_is_forgotten(broadcast: Broadcast, call: Call) -> None:
    phone, other = call(ALICE), call(BOB)
    wait_for(lambda: sum(broadcast.streams.values()) == 2, SOON, "two lines")
    phone.far.close()
    wait_for(lambda: dict(broadcast.streams) == {(1, BOB): 1}, SOON, "one line less")
    assert not other.over


@pytest.mark.parametrize("more", [0, 1], ids=["real", "rehearsal"])
def test_the_streams_of_rehearsals_are_counted_apart_too(
    world: World, call: Call, more: int
) -> None:
    world.feed.rehearsal = bool(more)
    before = counted()
    phone = call(ALICE)
    assert counted() == [before[0] + 1, before[1] + more]
    phone.far.close()
    wait_for(lambda: counted() == before, SOON, "the figures of before")


def counted() -> list[float]:
    found = (REGISTRY.get_sample_value(f"killer_{kind}streams") for kind in ("", "rehearsal_"))
    return [each or 0.0 for each in found]


def test_a_phone_that_takes_nothing_is_dropped_and_the_others_hear_all(
    world: World, broadcast: Broadcast, call: Call
) -> None:
    deaf, other = call(ALICE), call(BOB)
    seen: list[int] = []
    version = 10
    while broadcast.streams[world.number, ALICE]:
        version = world.perform(c.Pause() if version % 2 == 0 else c.Resume()).version
        seen.append(version)
        other.hears(seen)
        assert version < 2000, "nothing was ever dropped"
    assert deaf.ids() == seen[: len(deaf.ids())]  # what came, came whole and in order


def test_a_phone_that_takes_half_of_what_it_missed_is_dropped(
    world: World, broadcast: Broadcast, call: Call
) -> None:
    for _ in range(60):
        world.perform(c.Pause(), c.Resume())
    phone = call(ALICE, 10)
    wait_for(lambda: not broadcast.streams, SOON, "no line")
    phone.parts()
    assert phone.ids() == list(range(11, 11 + len(phone.ids())))
    assert len(phone.ids()) < 120


def test_an_idle_line_is_pinged(call: Call) -> None:
    phone = call(ALICE)
    wait_for(lambda: phone.listen() == PING, 60, "a sign of life")


def test_a_closing_process_says_goodbye_to_everybody(broadcast: Broadcast, call: Call) -> None:
    phones = [call(who, chunked=who == BOB) for who in (ALICE, BOB, CHARLIE)]
    broadcast.close()
    for phone in phones:
        phone.parts()
    assert phones[0].heard == GOODBYE
    assert phones[1].heard == b"c\r\n" + GOODBYE + b"\r\n0\r\n\r\n"
    wait_for(lambda: not broadcast.streams, SOON, "no line")


def test_a_feed_that_ends_lets_its_phones_go(world: World, call: Call) -> None:
    phone = call(ALICE)
    world.feed.open = False
    world.feed.wake()
    phone.parts()
    assert phone.heard == GOODBYE


def test_an_audience_without_phones_ends_and_the_next_phone_finds_another(
    world: World, broadcast: Broadcast, call: Call
) -> None:
    call(ALICE).far.close()
    wait_for(lambda: not world.feed.rings, SOON, "the end of the audience")
    assert not broadcast.streams
    world.perform(c.Pause())
    call(BOB, 10).hears([11])


def test_every_descriptor_is_given_back(world: World, broadcast: Broadcast, call: Call) -> None:
    before = len(list(OPEN.iterdir()))
    phones = [call(ALICE) for _ in range(20)]
    world.perform(c.Pause())
    for phone in phones:
        phone.hears([11])
        phone.far.close()
    wait_for(lambda: not broadcast.streams and not world.feed.rings, SOON, "an empty audience")
    wait_for(lambda: len(list(OPEN.iterdir())) <= before, SOON, "the last descriptor, an epoll's")


def test_when_telling_fails_the_phones_are_sent_away_to_resume(
    world: World, broadcast: Broadcast, call: Call
) -> None:
    phone = call(ALICE)
    near, far = socket.socketpair()
    stranger = PlayerId(99)  # nobody: looking them up fails
    broadcast.take(world.feed, Line(near.detach(), stranger, 0, 10, chunked=False))
    phone.parts()
    assert phone.heard == GOODBYE
    far.close()
    world.perform(c.Pause())
    call(BOB, 10).hears([11])
