"""A live stream read by hand: frames wherever the network cuts, gaps, repeats, ends."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import gevent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from killer.crowd.client import Address, Chunks, Client
from killer.crowd.line import Frame, Frames, Line, Place, parse, version_of

HELLO = b"retry: 2000\nevent: ping\ndata: {}\n\n"
LONG = b"retry: 60000\n\n"  # nobody comes back while a test lasts
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"


def event(version: int, kind: str = "died", more: str = "") -> bytes:
    data = f'{{"version":{version},"type":"{kind}"{more}}}'
    return f"id: {version}\nevent: {kind}\ndata: {data}\n\n".encode()


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in pairwise(places)]


@given(
    versions=st.lists(st.integers(1, 10**9), max_size=8),
    cuts=st.lists(st.integers(0, 10_000), max_size=12),
    together=st.booleans(),
    wrapped=st.booleans(),
)
def test_frames_come_out_wherever_the_network_cuts(
    *, versions: list[int], cuts: list[int], together: bool, wrapped: bool
) -> None:
    blocks = [HELLO, *(event(v) for v in versions)]
    parts = [b"".join(blocks)] if together else blocks
    data = chunked(*parts) if wrapped else b"".join(parts)
    frames = Frames(chunked=wrapped)
    found = [frame for piece in pieces(data, cuts) for frame in frames.feed(piece)]
    assert found[0] == Frame(None, "ping", b"{}", 2000)
    assert [frame.version for frame in found[1:]] == versions
    assert not frames.ended


@given(body=st.binary(max_size=200), cuts=st.lists(st.integers(0, 1000), max_size=8))
def test_chunks_give_the_body_back_and_know_its_end(body: bytes, cuts: list[int]) -> None:
    data = (chunked(body) if body else b"") + b"0\r\n\r\n"
    chunks = Chunks()
    assert b"".join(chunks.feed(piece) for piece in pieces(data, cuts)) == body
    assert chunks.ended


def test_what_is_no_chunk_is_refused() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        Chunks().feed(b"<html>\r\n")


def test_a_frame_tells_whether_the_own_card_has_changed() -> None:
    assert parse(event(7, more=',"card":true').strip()).touches_card
    assert not parse(event(7).strip()).touches_card


def test_fields_in_another_order_are_read_all_the_same() -> None:
    assert parse(b'event: died\nid: 4\ndata: {"a":1}') == Frame(4, "died", b'{"a":1}')
    assert parse(b": a comment") == Frame(None, "")
    assert parse(b"retry: 500") == Frame(None, "", b"", 500)


@pytest.mark.parametrize(
    ("told", "gaps"),
    [([4, 5, 6], 0), ([5], 1), ([4, 4], 1), ([3], 1), ([4, 7, 8], 2), ([9, 4], 6), ([], 0)],
)
def test_what_is_passed_over_or_told_twice_is_a_gap(told: list[int], gaps: int) -> None:
    place = Place(3)
    for version in told:
        place.take(version)
    assert place.gaps == gaps
    assert place.version == max([3, *told])


def test_a_resync_names_its_version() -> None:
    assert version_of(Frame(None, "resync", b'{"version":12}'), 3) == 12
    assert version_of(Frame(None, "resync", b'{"version":12,"a":1}'), 3) == 12
    assert version_of(Frame(None, "resync"), 3) == 3


class Ear:
    """Hears a stream."""

    def __init__(self) -> None:
        self.versions: list[int | None] = []
        self.kinds: list[str] = []
        self.refusals: list[int] = []
        self.gaps = self.resyncs = self.streams = self.most = 0

    def hear(self, frame: Frame, arrived: float, opened: float) -> None:
        assert arrived >= opened
        self.versions.append(frame.version)

    def refused(self, status: int) -> None:
        self.refusals.append(status)

    def found(self, *, gaps: int = 0, resyncs: int = 0, streams: int = 0) -> None:
        self.gaps += gaps
        self.resyncs += resyncs
        self.streams += streams
        self.most = max(self.most, self.streams)

    def told(self, _: float, kind: str) -> None:
        self.kinds.append(kind)


@contextmanager
def server(*answers: bytes) -> Iterator[tuple[Client, list[bytes]]]:
    """Give one answer to each connection, then close it."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as door:

        def serve() -> None:
            for answer in answers:
                line, _ = door.accept()
                with line:
                    asked.append(line.recv(65_536))
                    line.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield Client(Address("http", "127.0.0.1", door.getsockname()[1])), asked


def until(condition: Callable[[], bool]) -> None:
    """Let the line work until something has come."""
    with gevent.Timeout(30):
        while not condition():
            gevent.sleep(0.01)


def listen(client: Client, since: int) -> tuple[Line, Ear]:
    """Open a stream and let it be read to its first end."""
    ear = Ear()
    line = Line(client, ear, since, ear.told)
    gevent.sleep(0)
    return line, ear


def test_after_a_goodbye_a_stream_is_resumed_and_nothing_was_dropped() -> None:
    first = HEAD + b"\r\n" + b"retry: 2000\nevent: ping\ndata: {}\n\n" + event(4) + b"retry: 1\n\n"
    second = HEAD + b"\r\n" + LONG + event(5)
    with server(first, second) as (client, _):
        line, ear = listen(client, 3)
        until(lambda: len(ear.kinds) == 3)
        line.close()
    assert ear.versions == [4, 5]
    assert ear.kinds == ["", "", "dropped"], "what it says afterwards takes the goodbye back"


def test_a_stream_that_ends_by_itself_was_dropped_and_is_resumed_from_its_last_id() -> None:
    first = HEAD + b"\r\n" + b"retry: 1\n\n" + event(4) + event(5)
    body = chunked(LONG + event(6)) + b"0\r\n\r\n"
    second = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + body
    with server(first, second) as (client, asked):
        line, ear = listen(client, 3)
        assert ear.kinds == ["", "dropped"]
        until(lambda: len(ear.kinds) == 4)
        line.close()
    assert ear.versions == [4, 5, 6]
    assert ear.kinds == ["", "dropped", "", "dropped"]
    assert (ear.gaps, ear.streams, ear.most) == (0, 0, 1)
    assert b"/api/events?since=3 " in asked[0]
    assert b"Last-Event-ID" not in asked[0]
    assert b"\r\nLast-Event-ID: 5\r\n" in asked[1]


def test_a_gap_and_a_resync_are_counted_apart() -> None:
    told = event(5) + b'event: resync\ndata: {"version":9}\n\n' + event(10)
    with server(HEAD + b"\r\n" + told) as (client, _):
        line, ear = listen(client, 3)
        line.close()
    assert (ear.gaps, ear.resyncs) == (1, 1)
    assert ear.versions == [5, None, 10]


@pytest.mark.parametrize(("status", "kind"), [(503, "503"), (401, "http"), (501, None)])
def test_a_refused_stream_is_not_tried_again(status: int, kind: str | None) -> None:
    with server(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status) as (client, asked):
        line, ear = listen(client, 0)
        line.close()
    assert ear.kinds == ([kind] if kind else [])  # sync workers have no streams: no error
    assert (ear.refusals, ear.most, len(asked)) == ([status], 0, 1)


def test_a_stream_that_has_worked_is_tried_again_after_a_refusal() -> None:
    """As when nginx has just noticed that the stream's node is gone."""
    no = b"HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n"
    again = HEAD + b"\r\n" + LONG + event(5)
    with server(HEAD + b"\r\n" + b"retry: 1\n\n" + event(4), no, again) as (client, asked):
        line, ear = listen(client, 3)
        until(lambda: len(ear.kinds) == 5)  # the script waits for a second, more or less
        line.close()
    assert ear.kinds == ["", "dropped", "http", "", "dropped"]
    assert (ear.versions, ear.refusals, len(asked)) == ([4, 5], [], 3)


def test_what_is_no_http_is_a_broken_connection() -> None:
    with server(b"SSH-2.0-OpenSSH\r\n") as (client, _):
        line, ear = listen(client, 0)
        line.close()
    assert (ear.kinds, ear.refusals) == (["connection"], [])


def test_a_line_that_is_cut_twice_comes_back_once() -> None:
    with server(*[HEAD + b"\r\n" + LONG] * 3) as (client, asked):
        line, ear = listen(client, 3)
        both = [gevent.spawn(line.cut, 0.01) for _ in range(2)]
        gevent.joinall(both)
        gevent.sleep(0.1)
        line.close()
    assert (len(asked), ear.streams) == (2, 0)


def test_a_line_that_is_closed_while_it_is_cut_stays_closed() -> None:
    with server(*[HEAD + b"\r\n" + LONG] * 2) as (client, asked):
        line, ear = listen(client, 3)
        cutting = gevent.spawn(line.cut, 0.01)
        closing = gevent.spawn(line.close)
        gevent.joinall([cutting, closing])
        gevent.sleep(0.1)
    assert (len(asked), ear.streams) == (1, 0)
