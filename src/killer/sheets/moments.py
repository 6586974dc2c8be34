"""When a form was sent, as sheets write it: which of two answers came first, which are the same."""

from __future__ import annotations

import re
from collections.abc import Iterable

from killer.sheets.roster import Entry

_ZONE = re.compile(r"(?:utc|gmt).*$", re.IGNORECASE)
_HALF = re.compile(r"([ap])\.?\s?m\b", re.IGNORECASE)
_YEARS = 1000  # what is smaller counts days and months

Numbers = tuple[int, ...]


def first(entries: Iterable[Entry]) -> Entry:
    """Give the row that was there first: one that an editor wrote, the first answer, the upper."""
    rows = list(entries)
    american = any(_day_is_second(_numbers(one.stamp)) for one in rows)

    def order(entry: Entry) -> tuple[bool, Numbers, int]:
        return bool(entry.stamp), _moment(entry.stamp, american=american), entry.row

    return min(rows, key=order)


def same(one: str, other: str) -> bool:
    """Tell whether two texts say one moment; to the minute where they are written differently."""
    if not one or not other or _shape(one) == _shape(other):
        return bool(one) and _numbers(one) == _numbers(other)
    return any(_minute(one, american=x) == _minute(other, american=x) != () for x in (False, True))


def _shape(stamp: str) -> str:
    return re.sub(r"\d+", "0", stamp)


def _numbers(stamp: str) -> Numbers:
    return tuple(int(digits) for digits in re.findall(r"\d+", _ZONE.sub("", stamp)))


def _day_is_second(numbers: Numbers) -> bool:
    return len(numbers) > 2 and numbers[2] >= _YEARS and numbers[1] > 12  # noqa: PLR2004  # months


def _minute(stamp: str, *, american: bool) -> Numbers:
    return _moment(stamp, american=american)[:5]


def _moment(stamp: str, *, american: bool = False) -> Numbers:
    """Give year, month, day, hour, minute, second, as far as they are there; else nothing."""
    numbers = _numbers(stamp)
    day, time = numbers[:3], list(numbers[3:6])
    if len(day) == 3 and day[2] >= _YEARS:  # noqa: PLR2004  # day, month, year
        day = (day[2], day[0], day[1]) if american else (day[2], day[1], day[0])
    if len(day) < 3 or day[0] < _YEARS:  # noqa: PLR2004  # as above
        return ()
    if time and (half := _HALF.search(stamp)):
        time[0] = time[0] % 12 + (12 if half[1] in "pP" else 0)
    return (*day, *time)
