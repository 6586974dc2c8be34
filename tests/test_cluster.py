"""The test cluster: what it counts as wrong is found, and a node that dies costs nobody a death."""

from __future__ import annotations

import re
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

sys.path.append(str(Path(__file__).parent.parent))

from benchmarks.book import ABSENT, Book
from benchmarks.cluster import engine, faults, network, paper, run, truth, windows
from benchmarks.cluster.scale import FULL, QUICK
from benchmarks.cluster.streams import Streams
from benchmarks.cluster.windows import OUTSIDE, Trouble
from benchmarks.figures import Machine, Part, Rows

from engines.processes import wait_for

TINY = replace(QUICK, phones=20, nodes=("a", "b"), burst=8, spread=2.0, hold=4.0)
HEAD = b"HTTP/1.1 200 OK\r\nX-Node: 10.78.0.31:8080\r\n\r\nretry: 50\nevent: ping\n\n"
AWAY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


# --- windows ---


def test_an_error_is_inside_when_it_was_under_way_while_the_window_was_open() -> None:
    span = windows.window("kill", 10.0, 20.0)
    before, sent_before, late, after = (
        Trouble(8.0, 9.9, "502"),
        Trouble(9.0, 10.1, "502"),
        Trouble(20.0 + windows.AFTER, 30.0, "flux coupé"),
        Trouble(20.1 + windows.AFTER, 30.0, "503"),
    )
    counted = windows.sorted_into([before, sent_before, late, after], [span])
    assert counted == {"kill": {"502": 1, "flux coupé": 1}, OUTSIDE: {"502": 1, "503": 1}}


def test_an_error_of_two_windows_is_counted_once() -> None:
    spans = [windows.window("kill", 0.0, 5.0), windows.window("redis", 6.0, 9.0)]
    assert windows.sorted_into([Trouble(7.0, 7.5, "503")], spans) == {"kill": {"503": 1}}


def test_a_fault_lasts_until_the_end_of_its_last_error() -> None:
    span = windows.window("cut", 10.0, 20.0)
    troubles = [Trouble(9.0, 11.0, "502"), Trouble(12.0, 13.5, "502"), Trouble(90.0, 91.0, "502")]
    assert windows.lasted(troubles, span) == 3.5
    assert windows.lasted([], span) == 0


# --- the log ---


def test_a_log_that_holds_what_was_acknowledged_differs_in_nothing() -> None:
    told = [(7, "Ana"), (8, "Bob"), (9, "Ana")]
    assert truth.compare(reversed(told), told, []) == ([], [], [])


def test_an_acknowledged_death_that_the_log_does_not_hold_is_lost() -> None:
    assert truth.compare([(7, "Ana"), (8, "Bob")], [(7, "Ana")], []).lost == [(8, "Bob")]


def test_a_death_that_is_kept_twice_is_found() -> None:
    found = truth.compare([(7, "Ana")], [(7, "Ana"), (9, "Ana")], [])
    assert (found.lost, found.twice, found.unasked) == ([], ["Ana"], [(9, "Ana")])


def test_a_phone_that_gave_up_may_have_been_heard_once() -> None:
    assert truth.compare([], [(7, "Ana")], ["Ana"]) == ([], [], [])
    assert truth.compare([], [], ["Ana"]) == ([], [], [])
    assert truth.compare([], [(7, "Ana"), (8, "Ana")], ["Ana"]).unasked == [(8, "Ana")]


# --- the streams ---


@pytest.fixture
def door() -> Iterator[Callable[[Sequence[bytes]], tuple[str, int]]]:
    """A server that answers each connection with the next of some bytes, and hangs up."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve(answers: Sequence[bytes]) -> None:
        for told in answers:
            try:
                line, _ = listening.accept()
            except OSError:
                return
            with line:
                line.recv(65_536)
                line.sendall(told)

    def opened(answers: Sequence[bytes]) -> tuple[str, int]:
        threading.Thread(target=serve, args=(answers,), daemon=True).start()
        return listening.getsockname()

    yield opened
    listening.close()


def frame(version: int) -> bytes:
    return b'id: %d\nevent: died\ndata: {"version":%d}\n\n' % (version, version)


def follow(place: tuple[str, int], until: int) -> Streams:
    streams = Streams(place, ["killer=x"], 0)
    streams.start()
    try:
        wait_for(lambda: not streams.behind(until), 30, "the last frame")
    finally:
        streams.__exit__()
    return streams


def test_a_version_that_a_stream_passes_over_is_a_gap(door) -> None:
    assert follow(door([HEAD + frame(1) + frame(3)]), 3).gaps == 1


def test_a_version_that_is_told_again_after_a_break_is_a_gap(door) -> None:
    streams = follow(door([HEAD + frame(1) + frame(2), HEAD + frame(2) + frame(3)]), 3)
    assert streams.gaps == 1


def test_a_stream_that_broke_goes_on_where_it_was(door) -> None:
    streams = follow(door([HEAD + frame(1), AWAY, HEAD + frame(2)]), 2)
    assert streams.gaps == 0
    assert [each.kind for each in streams.troubles][:2] == ["flux coupé", "flux 503"]
    assert [move.node for move in streams.moves] == ["10.78.0.31:8080"] * 2


# --- the verdict and the paper ---


def rows(**changes: float) -> Rows:
    made = Rows()
    zero = dict.fromkeys(
        ("perdus", "en double", "jamais acquittés", "gardés sans avoir été acquittés"), 0.0
    )
    zero |= {"lois rompues (killer check)": 0.0, "trous dans les flux": 0.0}
    for name, value in (zero | changes).items():
        made.put(faults.WHOLE, name, "", value)
    made.put(OUTSIDE, "erreurs", "", changes.get("erreurs", 0.0))
    return made


@pytest.mark.parametrize("name", ["perdus", "en double", "trous dans les flux"])
def test_what_must_not_be_is_named(name: str) -> None:
    assert faults.clean(rows()) == []
    assert faults.clean(rows(**{name: 1.0})) == [name]


def test_an_error_outside_of_the_windows_is_named() -> None:
    assert faults.clean(rows(erreurs=1.0)) == [OUTSIDE]


def part(told: Rows) -> Part:
    machine = Machine("a machine", 2, 8.0, "2026-11-28T17:00:00+00:00", 0.0)
    return Part("the command", machine, 1.0, False, {}, dict(told))


def test_a_part_that_was_not_measured_is_said_to_be_so() -> None:
    assert run.verdict({}, "faults") == ["not measured"]
    assert run.verdict({"bells": part(Rows())}, "bells") == []
    told = paper.text(Book({}), Book({}))
    assert ABSENT in told
    assert "**non**" not in told
    assert "oui" not in told


def test_the_template_holds_no_figure() -> None:
    template = (Path(paper.__file__).with_name(paper.TEMPLATE)).read_text()
    assert not re.search(r"\d", re.sub(r"\{[{%].*?[%}]\}|`[^`]*`", "", template))


def test_the_paper_says_what_was_lost() -> None:
    told = paper.text(Book({"faults": part(rows(perdus=3.0))}), Book({}))
    assert "perdus : 3" in told
    assert "**non**" in told


def test_the_words_change_what_is_measured() -> None:
    asked = run.parser().parse_args(["--quick", "--phones", "7", "--nodes", "2"])
    assert run.scale(asked) == replace(QUICK, phones=7, nodes=("a", "b"))
    assert run.scale(run.parser().parse_args([])) == FULL


# --- the cluster itself ---


@pytest.fixture
def hosts() -> None:
    if why := network.needed():
        pytest.skip(why)  # CI is root


def test_a_killed_node_costs_nobody_a_death_and_a_lost_one_would_be_found(hosts: None) -> None:
    said: list[str] = []
    with faults.acted(TINY, said.append) as scene:
        faults.one_round(scene, "kill", "a", TINY.hold)
        (seen,) = scene.seen
        assert seen.victims > 0
        assert seen.moved > 0
        found = faults.told(scene)
        assert found[faults.WHOLE]["morts acquittées"].value == TINY.burst
        assert faults.clean(found) == []
        lose_one_death()
        found = faults.told(scene)
        assert found[faults.WHOLE]["perdus"].value == 1
        assert {"perdus", "lois rompues (killer check)"} <= set(faults.clean(found))
        name = f"{scene.cluster.network.name}-"
    assert not [space for space in network.spaces() if space.startswith(name)]


def lose_one_death() -> None:
    """Do what must never happen: an event is gone from the log."""
    with closing(psycopg.connect(engine.URL, autocommit=True)) as line:
        line.execute(
            "DELETE FROM events WHERE version ="
            " (SELECT max(version) FROM events WHERE kind = 'died')"
        )
