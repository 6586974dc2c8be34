"""People are told after a minute of red, hourly at most, and when it is over."""

from __future__ import annotations

from collections.abc import Iterable

from killer.watch.alarm import Alarm, Message, step
from killer.watch.weather import Colour

GREEN, ORANGE, RED = Colour
EVERY = 5  # seconds


def told(course: Iterable[tuple[Colour, int]]) -> list[tuple[float, Message]]:
    """Give the messages of a course of colours, each for so many seconds."""
    alarm, at, found = Alarm(), 1000.0, []
    for colour, seconds in course:
        for _ in range(0, seconds, EVERY):
            alarm, message = step(alarm, colour, at)
            if message:
                found.append((at - 1000.0, message))
            at += EVERY
    return found


def test_a_short_red_wakes_nobody() -> None:
    assert told([(GREEN, 300), (RED, 55), (GREEN, 300), (RED, 55), (ORANGE, 600)]) == []


def test_red_for_a_minute_is_told_once() -> None:
    assert told([(GREEN, 300), (RED, 600)]) == [(360.0, "red")]


def test_red_from_the_first_moment_is_told_too() -> None:
    assert told([(RED, 600)]) == [(60.0, "red")]


def test_lasting_red_is_told_again_every_hour() -> None:
    assert told([(RED, 3 * 3600)]) == [(60.0, "red"), (3660.0, "again"), (7260.0, "again")]


def test_its_end_is_told_once_when_it_lasts() -> None:
    assert told([(RED, 120), (GREEN, 600)]) == [(60.0, "red"), (180.0, "over")]


def test_orange_after_red_is_an_end() -> None:
    assert told([(RED, 120), (ORANGE, 120)])[-1] == (180.0, "over")


def test_what_comes_and_goes_is_told_once() -> None:
    course = [(RED, 120), *[(GREEN, 30), (RED, 30)] * 20]
    assert told(course) == [(60.0, "red")]


def test_what_comes_back_after_its_end_is_told_anew() -> None:
    course = [(RED, 120), (GREEN, 120), (RED, 120)]
    assert [message for _, message in told(course)] == ["red", "over", "red"]
