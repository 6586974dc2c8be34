"""When people are told: after a minute of red, at most every hour, and once when it is over."""

from __future__ import annotations

from typing import Literal

import msgspec

from killer.watch.weather import Colour

LASTING = 60.0  # seconds that red or its end must last before anybody is told
AGAIN = 3600.0  # seconds between two messages about the same trouble

Message = Literal["red", "again", "over"]


class Alarm(msgspec.Struct, frozen=True):
    """What was told so far; times in seconds since 1970, UTC.

    `since` is when red, or not red, began; `told` when people last heard of red, None when all that
    they know is well.
    """

    red: bool = False
    since: float = 0.0
    told: float | None = None


def step(alarm: Alarm, whole: Colour, at: float) -> tuple[Alarm, Message | None]:
    """Take note of the present colour; give what is to be told now, if anything."""
    red = whole is Colour.RED
    if red is not alarm.red:
        return Alarm(red, at, alarm.told), None
    if at - alarm.since < LASTING:
        return alarm, None
    if red and alarm.told is None:
        return Alarm(red, alarm.since, at), "red"
    if red and alarm.told is not None and at - alarm.told >= AGAIN:
        return Alarm(red, alarm.since, at), "again"
    if not red and alarm.told is not None:
        return Alarm(red, alarm.since, None), "over"
    return alarm, None
