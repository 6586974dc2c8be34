"""The truth of a game: rings that are broken and deaths that are lost or doubled are found."""

from __future__ import annotations

import random

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from killer.crowd import truth
from killer.crowd.truth import Row

replace = msgspec.structs.replace


def ring(size: int, dead: int = 0) -> list[Row]:
    """Give a sound game: everybody alive hunts the next; the dead were killed by the first."""
    names = [f"Player {n:03}" for n in range(size)]
    rows = [
        Row(
            name,
            "alive",
            target=names[(n + 1) % size],
            hunter=names[n - 1],
            kills=dead if n == 0 else 0,
        )
        for n, name in enumerate(names)
    ]
    fallen = [Row(f"Dead {n:03}", "dead", killed_by=names[0], order=n + 1) for n in range(dead)]
    return [*rows, *fallen, Row("Orga", "out")]


def dead_of(rows: list[Row]) -> set[str]:
    return {row.nickname for row in rows if row.status == "dead"}


SIZES = st.integers(2, 12)


@given(SIZES, st.integers(0, 5))
def test_a_sound_game_has_no_fault(size: int, dead: int) -> None:
    rows = ring(size, dead)
    random.shuffle(rows)
    assert truth.outside(rows) == 0
    assert truth.lost(rows, dead_of(rows)) == 0
    assert truth.doubled(rows, dead_of(rows), told=dead) == 0


def test_whoever_is_alone_needs_no_target() -> None:
    assert truth.outside([Row("Winner", "alive"), Row("Orga", "out")]) == 0


@given(size=SIZES, who=st.integers(0, 11), whom=st.integers(0, 11))
def test_any_other_target_breaks_the_ring(size: int, who: int, whom: int) -> None:
    rows = ring(size)
    who, whom = who % size, whom % size
    assume(rows[who].target != rows[whom].nickname)
    rows[who] = replace(rows[who], target=rows[whom].nickname)
    assert truth.outside(rows) > 0


@given(size=SIZES, who=st.integers(0, 11), target=st.sampled_from([None, "Orga", "Nobody"]))
def test_a_target_who_is_not_alive_breaks_the_ring(size: int, who: int, target: str | None) -> None:
    rows = ring(size)
    rows[who % size] = replace(rows[who % size], target=target)
    assert truth.outside(rows) == size


@given(first=st.integers(2, 6), second=st.integers(2, 6))
def test_two_rings_are_one_too_many(first: int, second: int) -> None:
    others = [
        replace(r, nickname=f"B {r.nickname}", target=f"B {r.target}", hunter=f"B {r.hunter}")
        for r in ring(second)
        if r.status == "alive"
    ]
    assert truth.outside([*ring(first), *others]) == min(first, second)


@given(size=SIZES, who=st.integers(0, 11))
def test_a_hunter_who_hunts_another_is_found(size: int, who: int) -> None:
    rows = ring(size)
    rows[who % size] = replace(rows[who % size], hunter="Orga")
    assert truth.outside(rows) == 1


def test_an_acknowledged_death_that_the_game_does_not_know_is_lost() -> None:
    rows = ring(4, dead=2)
    assert truth.lost(rows, {"Dead 000", "Player 001", "Stranger"}) == 2


def test_a_death_without_its_hunter_is_lost() -> None:
    rows = [replace(row, killed_by=None) for row in ring(4, dead=2)]
    assert truth.lost(rows, dead_of(rows)) == 2


@given(dead=st.integers(0, 4), more=st.integers(1, 3))
def test_a_kill_that_counts_twice_is_found(dead: int, more: int) -> None:
    rows = ring(4, dead)
    rows[0] = replace(rows[0], kills=dead + more)
    assert truth.doubled(rows, dead_of(rows), told=dead) == more


def test_a_death_that_nobody_declared_is_found() -> None:
    assert truth.doubled(ring(4, dead=2), {"Dead 000"}, told=2) == 1


def test_a_death_that_was_told_twice_is_found() -> None:
    rows = ring(4, dead=2)
    assert truth.doubled(rows, dead_of(rows), told=3) == 1


def test_who_fell_is_read_from_what_was_told() -> None:
    rows = ring(4, dead=2)
    told = {9: b'{"text":{"fr":"Dead 001 tombe."}}', 8: b'"Dead 000 falls"'}
    assert truth.fallen(rows, told) == {"Dead 001": 9, "Dead 000": 8}


def test_who_fell_is_taken_in_order_where_no_names_are_told() -> None:
    assert truth.fallen(ring(4, dead=2), {9: b"{}", 8: b"{}"}) == {"Dead 000": 8, "Dead 001": 9}


def test_who_fell_is_left_open_when_it_cannot_be_known() -> None:
    assert truth.fallen(ring(4, dead=2), {9: b"{}"}) == {}


def test_a_name_within_another_is_not_mistaken() -> None:
    rows = [Row("Zoé", "dead", order=1), Row("Zoé B", "dead", order=2)]
    told = {5: '"Zoé B tombe"'.encode(), 6: '"Zoé tombe"'.encode()}
    assert truth.fallen(rows, told) == {"Zoé B": 5, "Zoé": 6}


def test_only_streams_that_were_open_at_the_tap_are_timed() -> None:
    notes = {7: [(10.5, 9.0), (10.25, 10.0), (12.0, 11.0)]}  # arrived, opened
    found = truth.delays({"Ivan": 10.125, "Zoe": 1.0}, {"Ivan": 7, "Judith": 8}, notes)
    assert found == {"Ivan": [375.0, 125.0]}
