"""When errors may be: the windows of the faults, and what fell inside and outside of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

OUTSIDE = "hors des fenêtres"
AFTER = 5.0  # seconds after a fault's end that still belong to it


class Window(NamedTuple):
    """From the moment a fault begins until it is over and the stated seconds have gone."""

    kind: str
    begin: float  # monotonic seconds, like all times here
    end: float

    def holds(self, trouble: Trouble) -> bool:
        """Tell whether something went on while the window was open."""
        return trouble.asked <= self.end and trouble.answered >= self.begin


class Trouble(NamedTuple):
    """What a phone must not meet in quiet times: from when it was asked until it failed."""

    asked: float
    answered: float
    kind: str  # such as "503", "délai dépassé", "flux coupé"


def window(kind: str, begin: float, end: float) -> Window:
    """Give the window of a fault that lasted from one moment to another."""
    return Window(kind, begin, end + AFTER)


def sorted_into(troubles: Iterable[Trouble], windows: Sequence[Window]) -> dict[str, Counter[str]]:
    """Count troubles by the kind of the first window that holds them, then by their own kind."""
    found: dict[str, Counter[str]] = {}
    for trouble in troubles:
        where = next((each.kind for each in windows if each.holds(trouble)), OUTSIDE)
        found.setdefault(where, Counter())[trouble.kind] += 1
    return found


def lasted(troubles: Iterable[Trouble], span: Window) -> float:
    """Give the seconds from a fault's begin to the end of its last trouble; 0 without any."""
    ends = [each.answered - span.begin for each in troubles if span.holds(each)]
    return max([0.0, *ends])
