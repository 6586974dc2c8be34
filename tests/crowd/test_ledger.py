"""Counts that can be added up: of several processes, in whatever pages they come."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from killer.crowd.figures import Times
from killer.crowd.ledger import Ledger, Page, Tally, bucket, less, times

REQUEST = st.tuples(
    st.sampled_from(["arrival", "play"]),
    st.sampled_from(["GET /", "POST /death", "live"]),
    st.floats(0, 20_000),
    st.sampled_from(["", "", "", "503", "timeout", "dropped"]),
)


@given(requests=st.lists(REQUEST, max_size=60), workers=st.integers(1, 4), cut=st.integers(1, 9))
def test_pages_of_workers_add_up_to_what_one_process_counts(
    requests: list[tuple[str, str, float, str]], workers: int, cut: int
) -> None:
    alone, master = Ledger(), Ledger()
    others = [Ledger() for _ in range(workers)]
    for number, (moment, route, took, kind) in enumerate(requests):
        alone.request(moment, route, took, kind)
        others[number % workers].request(moment, route, took, kind)
        if number % cut == 0:
            master.add(others[number % workers].take())
    for other in others:
        sent = msgspec.msgpack.encode(other.take())  # as it travels
        master.add(msgspec.msgpack.decode(sent, type=Page))
    assert master.total() == alone.total()
    for moment in ("arrival", "play"):
        assert master.total(moment) == alone.total(moment)
    assert {r.name: r for r in master.routes()} == {r.name: r for r in alone.routes()}


def test_deaths_and_notes_add_up() -> None:
    master = Ledger()
    for arrived in (2.0, 3.0):
        worker = Ledger()
        worker.death(7, b"told", arrived, 1.0)
        worker.page.gaps, worker.page.resyncs, worker.page.signed_out = 1, 2, 3
        master.add(worker.take())
        assert worker.notes(7) == []
    assert sorted(master.notes(7)) == [(2.0, 1.0), (3.0, 1.0)]
    assert (master.page.gaps, master.page.resyncs, master.page.signed_out) == (2, 4, 6)
    assert (master.page.deaths, master.notes(8)) == ({7: b"told"}, [])


def test_a_tap_keeps_its_time_when_its_answer_comes_on_a_later_page() -> None:
    master, worker = Ledger(), Ledger()
    worker.tap("Ivan", 5.0)
    worker.tap("Ivan", 6.0)  # sent again: the first counts
    master.add(worker.take())
    worker.acknowledge("Ivan")
    master.add(worker.take())
    tap = master.page.taps["Ivan"]
    assert (tap.at, tap.acknowledged) == (5.0, True)


def test_streams_are_no_requests_but_their_errors_count() -> None:
    ledger = Ledger()
    ledger.request("play", "live", 12.0, "")
    ledger.request("play", "live", 0.0, "dropped")
    ledger.request("play", "GET /", 3.0, "503")
    assert ledger.total() == Tally({3.0: 1}, {"dropped": 1, "503": 1})
    assert {r.name: (r.times.count, r.errors) for r in ledger.routes()} == {
        "live": (1, 1),
        "GET /": (1, 1),
    }


@given(st.floats(0.1, 100_000))
def test_a_duration_is_kept_to_half_a_percent(took: float) -> None:
    assert bucket(took) == pytest.approx(took, rel=0.005, abs=0.051)


def test_a_line_of_500_is_not_missed_by_rounding() -> None:
    assert bucket(496.4) == 496.0
    assert bucket(1234.0) == 1230.0


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=200))
def test_percentiles_are_those_of_the_sorted_list(values: list[int]) -> None:
    counted: dict[float, int] = {}
    for value in values:
        counted[value] = counted.get(value, 0) + 1
    ordered = sorted(values)

    def nearest(percent: int) -> int:
        return ordered[max(0, -(-len(values) * percent // 100) - 1)]

    found = times(counted)
    assert found.count == len(values)
    assert (found.p50, found.p95) == (nearest(50), nearest(95))
    assert found.worst == ordered[-1]


def test_nothing_has_no_percentiles() -> None:
    assert times({}) == Times()


def test_what_came_since_an_earlier_look() -> None:
    before, now = Tally({1.0: 2}), Tally({1.0: 3, 5.0: 1})
    assert less(now, before) == {1.0: 1, 5.0: 1}
