"""Which of two answers came first, however the sheet writes the time."""

from __future__ import annotations

import pytest

from killer.sheets.moments import first, same
from killer.sheets.roster import Entry


def entries(*stamps: str) -> list[Entry]:
    return [Entry(f"row {n}", stamp=stamp, row=n) for n, stamp in enumerate(stamps, 1)]


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("17/10/2026 08:00:00", "17/10/2026 08:00:01"),
        ("9/10/2026 08:00:00", "10/10/2026 07:00:00"),
        ("02/11/2026 08:00:00", "13/11/2026 08:00:00"),
        ("31/10/2026 08:00:00", "01/11/2026 08:00:00"),
        ("10/31/2026 8:00:00", "11/1/2026 8:00:00"),
        ("2/1/2026 8:00:00", "2/13/2026 8:00:00"),
        ("2026/10/17 9:00:00 AM UTC+2", "2026/10/17 10:00:00 AM UTC+2"),
        ("2026/10/17 11:00:00 AM UTC+2", "2026/10/17 1:00:00 PM UTC+2"),
        ("2026/10/17 12:30:00 AM UTC+2", "2026/10/17 1:00:00 a.m. UTC+2"),
        ("2026-10-17T08:00:00", "2026-10-17T08:00:09"),
        ("", "17/10/2026 08:00:00"),  # an editor wrote it
    ],
)
def test_the_first_answer_is_found_wherever_it_stands(earlier: str, later: str) -> None:
    assert first(entries(earlier, later)).row == 1
    assert first(entries(later, earlier)).row == 2


@pytest.mark.parametrize("stamp", ["", "17/10/2026 08:00:00", "yesterday", "12", "12:30"])
def test_of_equal_or_unreadable_times_the_upper_row_s_is_the_first(stamp: str) -> None:
    assert first(entries(stamp, stamp)).row == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("17/10/2026 08:00:00", "17/10/2026 8:00:00"),
        ("17/10/2026 08:00:07", "2026/10/17 8:00:07 AM UTC+2"),
        ("17/10/2026 08:00:07", "17/10/2026 08:00"),
        ("10/17/2026 20:00:07", "2026/10/17 8:00:07 PM UTC+2"),
        ("un jour", "un jour"),
    ],
)
def test_one_moment_is_known_in_another_spelling(one: str, other: str) -> None:
    assert same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("17/10/2026 08:00:00", "17/10/2026 08:00:01"),
        ("17/10/2026 08:00:00", "2026/10/17 8:01:00 AM UTC+2"),
        ("17/10/2026 08:00:00", ""),
        ("", ""),
        ("un jour", "un autre jour"),
        ("un jour", "un-jour"),
    ],
)
def test_another_moment_is_another_answer(one: str, other: str) -> None:
    assert not same(one, other)
