"""The weather's plots, as shapes of a drawing 300 wide and 60 high; SVG is the template's work."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

from killer.bulletin import told
from killer.language import say
from killer.watch.register import LAST_HOUR, TWO_DAYS, Point
from killer.watch.weather import BUSY, CROWDED, SLOW, TOLD_LATE

WIDE, HIGH = 300, 60
PLOTTED = 150  # points of a line, about: each is two units wide
GAP = 4  # slots without a point that cut a line
#: Name and kind of figure, its limit (0: none), the least height of the scale.
KINDS: tuple[tuple[str, str, Callable[[Point], float], float, float], ...] = (
    ("answers", "time", attrgetter("p95"), SLOW[1], 0.6),
    ("cpu", "share", attrgetter("cpu"), BUSY[1], 1.0),
    ("memory", "share", attrgetter("memory"), CROWDED[1], 1.0),
    ("phones", "n", attrgetter("phones"), 0.0, 4.0),
    ("delay", "time", attrgetter("delay"), TOLD_LATE[1], 1.2),
)


@dataclass(frozen=True, slots=True)
class Curve:
    """One plot: its words, the pieces of its line, and the height of its limit."""

    name: str
    title: str
    now: str
    most: str
    about: str
    pieces: tuple[str, ...]
    limit: str = ""
    limit_at: float = 0.0


def curves(points: Sequence[Point], span: str, now: float) -> tuple[Curve, ...]:
    """Draw every figure of the last hour, or of two days (`span` is hour or days)."""
    ring = TWO_DAYS if span == "days" else LAST_HOUR
    return tuple(_curve(points, span, now, ring.seconds, ring.slots, kind) for kind in KINDS)


def _curve(
    points: Sequence[Point],
    span: str,
    now: float,
    seconds: int,
    slots: int,
    kind: tuple[str, str, Callable[[Point], float], float, float],
) -> Curve:
    name, unit, figure, limit, least = kind
    step = max(1, slots // PLOTTED) * seconds
    known = _thinned([(p.at, figure(p)) for p in points if not math.isnan(figure(p))], step)
    title = say(f"weather.plot.{name}")
    if not known:
        nothing = say("weather.plot.nothing")
        return Curve(name, title, nothing, "", nothing, ())
    highest = max(value for _, value in known)
    scale = max(least, highest * 1.1)
    places = [
        (at, WIDE * (1 - (now - at) / (seconds * slots)), HIGH * (1 - value / scale))
        for at, value in known
    ]
    pieces = tuple(
        " ".join(f"{x:.1f},{y:.1f}" for _, x, y in piece) for piece in _cut(places, step)
    )
    last, most = told(unit, known[-1][1]), told(unit, highest)
    about = say("weather.plot.desc", now=last, most=most, span=say(f"weather.span.{span}"))
    top = say("weather.plot.most", most=most)
    if not limit:
        return Curve(name, title, last, top, about, pieces)
    words = say("weather.plot.limit", limit=told(unit, limit))
    return Curve(name, title, last, top, about, pieces, words, round(HIGH * (1 - limit / scale), 1))


def _thinned(known: list[tuple[float, float]], step: float) -> list[tuple[float, float]]:
    """Keep the worst of each step: a peak must not get lost."""
    worst: dict[int, tuple[float, float]] = {}
    for at, value in known:
        place = int(at / step)
        if place not in worst or value >= worst[place][1]:
            worst[place] = (at, value)
    return list(worst.values())


def _cut(
    places: list[tuple[float, float, float]], step: float
) -> Iterator[list[tuple[float, float, float]]]:
    """Cut a line where nothing was measured; a lone point becomes a short line."""
    piece: list[tuple[float, float, float]] = []
    for place in places:
        if piece and place[0] - piece[-1][0] > GAP * step:
            yield _visible(piece)
            piece = []
        piece.append(place)
    if piece:
        yield _visible(piece)


def _visible(piece: list[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    if len(piece) > 1:
        return piece
    at, x, y = piece[0]
    return [(at, x - 1, y), (at, x, y)]
