"""Live streams on several workers: quick, without gaps, and awake after any sleep."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from statistics import median

import pytest

from e2e import rosters
from e2e.conftest import Deploy
from e2e.phones import Phone, Stream, following, together
from e2e.server import Server
from engines.processes import wait_for
from killer.crowd.line import SILENCE

Listen = Callable[..., list[Stream]]
Shared = tuple[Server, Phone, list[Phone]]

BOUND = 60.0  # seconds; how quick it really is, the benchmark says


def game(server: Server, players: int) -> tuple[Phone, list[Phone]]:
    """Start a game and sign the first hundred players in; give the organiser and them."""
    roster = rosters.people(players, passwords=False)
    links = list(server.imports(roster).items())[:100]
    server.start()
    host = server.signed_in(roster[-1])
    assert host.ask("POST", "/api/organiser/game/start", {}).status == 200
    return host, together(lambda item: server.with_link(item[1], item[0]), links)


@pytest.fixture(scope="module")
def shared(deploy_once: Deploy) -> Shared:
    server = deploy_once()
    return server, *game(server, 100)


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Open streams as `following` does, and close them after the test."""
    opened: list[Stream] = []

    def open_(phones: Sequence[Phone], place: int | None = None) -> list[Stream]:
        opened.extend(found := following([phone.twin() for phone in phones], place))
        return found

    yield open_
    for stream in opened:
        stream.closed = True
    together(lambda stream: stream.close(), opened)


def on_every_worker(server: Server, listen: Listen, phones: Sequence[Phone]) -> list[Stream]:
    """Open streams, again until each worker has some: which one lets a phone in is chance."""
    streams: list[Stream] = []

    def spread() -> bool:
        streams.extend(listen(phones))
        return set(server.worker_of().values()) == {worker.pid for worker in server.workers()}

    wait_for(spread, 60, "a stream on every worker")
    return streams


def revive(host: Phone, phone: Phone) -> int:
    name = phone.nickname.encode().hex("%")
    return host.ask("POST", f"/api/organiser/players/%{name}/revive", {}).version


def test_two_hundred_phones_on_four_workers_hear_of_a_death(shared: Shared, listen: Listen) -> None:
    server, _, phones = shared
    streams = on_every_worker(server, listen, [*phones, *phones])
    delays = []
    for phone in phones[:10]:
        tapped = time.monotonic()
        version = phone.ask("POST", "/api/death", {}).version
        wait_for(lambda v=version: all(s.place == v for s in streams), BOUND, "every phone")
        delays += [stream.frames[-1].at - tapped for stream in streams]
    delays.sort()
    p95, last = delays[len(delays) * 95 // 100], delays[-1]
    print(f"\ntap to frame: p50 {median(delays):.3f} p95 {p95:.3f} last {last:.3f} s")
    assert last < BOUND


def test_a_phone_that_slept_resumes_without_a_gap_on_any_worker(
    shared: Shared, listen: Listen
) -> None:
    _, host, everybody = shared
    phones = everybody[20:40]  # each test has players of its own
    listening = listen(phones[:8])
    first = phones[0].ask("POST", "/api/death", {}).version
    wait_for(lambda: all(s.place == first for s in listening), BOUND, "the first frame")
    for stream in listening:
        stream.close()
    for phone in phones[1:10]:
        phone.ask("POST", "/api/death", {})
        last = revive(host, phone)
    awake = [Stream(old.phone.twin(), old.place) for old in listening * 3]
    for stream in awake:
        stream.start()
    wait_for(lambda: all(s.place == last for s in awake), BOUND, "what was missed")
    for stream in awake:
        stream.close()
        assert stream.versions == list(range(first + 1, last + 1))
        assert "resync" not in {frame.event for frame in stream.frames}


def test_a_phone_too_far_behind_is_told_to_look_again_and_then_follows(
    deploy: Deploy, listen: Listen
) -> None:
    server = deploy()
    _, phones = game(server, 1020)
    now = phones[0].me()["game"]["version"]
    streams = listen(phones[1:9], 1)
    wait_for(lambda: all(s.place == now for s in streams), BOUND, "the resync")
    died = phones[0].ask("POST", "/api/death", {}).version
    wait_for(lambda: all(s.place == died for s in streams), BOUND, "the death")
    for stream in streams:
        told = [(f.event, f.id) for f in stream.frames]
        assert told[0] == ("ping", None)
        assert [each for each in told if each[0] != "ping"] == [("resync", None), ("died", died)]


def test_an_idle_stream_shows_a_sign_of_life(shared: Shared, listen: Listen) -> None:
    phones = shared[2][40:45]
    streams = listen(phones)
    time.sleep(2)  # so that a ping is not due at once
    phones[0].twin().ask("POST", "/api/death", {})
    wait_for(lambda: all(len(s.frames) >= 3 for s in streams), BOUND, "a ping after a frame")
    for stream in streams:
        told = [frame.event for frame in stream.frames]
        assert told[0] == "ping"
        assert set(told) == {"ping", "died"}  # in any order: each phone has its own second
        assert max(stream.pauses) < SILENCE, "the page has not given it up"


def test_a_stream_begins_the_same_before_flask_and_through_it(shared: Shared) -> None:
    server, _, phones = shared
    once = f"killer={phones[0].cookie}"
    quick, slow = (begin(server, cookie) for cookie in (once, f"{once}; {once}"))
    assert quick == slow
    assert quick[0] == "HTTP/1.1 200 OK"
    assert quick[-1] == "data: {}"


def begin(server: Server, cookie: str) -> list[str]:
    """Ask for a stream and give the lines of its beginning, but for what each has of its own."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=BOUND) as line:
        head = f"GET /api/events HTTP/1.1\r\nHost: killer\r\nCookie: {cookie}\r\n\r\n"
        line.sendall(head.encode())
        heard = b""
        while b"data: {}" not in heard:
            heard += line.recv(65536)
    return sorted_head(heard.decode())


def sorted_head(text: str) -> list[str]:
    head, _, body = text.partition("\r\n\r\n")
    first, *fields = head.split("\r\n")
    alike = [re.sub("^(Date|X-Request-Id): .+", r"\1", field) for field in fields]
    rows = [re.sub(r"^(retry): \d+$", r"\1", row) for row in body.splitlines() if row]
    return [first, *sorted(alike), *rows]


@pytest.mark.parametrize("deed", ["signout", "remove"])
def test_the_stream_of_a_player_who_is_sent_away_tells_no_more_than_it_may(
    shared: Shared, listen: Listen, deed: str
) -> None:
    _, host, (*_, late, stays, removed, signed_out) = shared
    gone = {"remove": removed, "signout": signed_out}[deed]
    streams = listen([gone, stays])
    path = f"/api/organiser/players/%{gone.nickname.encode().hex('%')}/{deed}"
    last = host.ask("POST", path, {}).version
    wait_for(lambda: streams[1].place == last, BOUND, "the frame")
    if deed == "signout":
        wait_for(lambda: streams[0].status == 401, BOUND, "the end of the stream")
    later = late.ask("POST", "/api/death", {}).version
    revive(host, late)
    wait_for(lambda: later in streams[1].versions, BOUND, "the death")
    if deed == "remove":
        wait_for(lambda: later in streams[0].versions, BOUND, "the death, which is no secret")
    else:
        time.sleep(0.2)  # for what must not come
        assert later not in streams[0].versions
