"""The weather in words: a line's title, its figure, and the sentence that says what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from killer.language import catalogue, current, say, say_kept
from killer.watch.register import Reading
from killer.watch.weather import Colour, Line, aged, worst

DAY, HOUR, MINUTE = 86_400, 3600, 60  # seconds
GIGABYTE, MEGABYTE = 1e9, 1e6

Word = Literal["green", "orange", "red"]
WORDS: tuple[Word, Word, Word] = ("green", "orange", "red")


@dataclass(frozen=True, slots=True)
class Said:
    """One line as people read it; `more` is a detail that only organisers may see."""

    name: str
    colour: Word
    title: str
    figure: str
    text: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class Bulletin:
    """The whole: the verdict, and every line, the worst first."""

    colour: Word
    verdict: str
    lines: tuple[Said, ...]
    unsent: str = ""


def bulletin(reading: Reading | None, now: float) -> Bulletin:
    """Say the newest reading, as seen at this time (seconds since 1970, UTC).

    Another release may have written it: a line of which we know no words counts and isn't told.
    """
    if reading is None:
        lines: tuple[Line, ...] = (Line("measure", Colour.RED, "never"),)
    else:
        lines = aged(reading.lines, now - reading.seen.at)
    said = (_said(line, reading) for line in sorted(lines, key=_badness) if _is_known(line))
    colour = WORDS[worst(lines)]
    unsent = say_kept(reading.unsent) if reading and reading.unsent else ""
    return Bulletin(colour, say(f"weather.verdict.{colour}"), tuple(said), unsent)


def _is_known(line: Line) -> bool:
    return f"weather.{line.name}.{line.code}" in catalogue(current())


def _badness(line: Line) -> int:
    return -line.colour


def _said(line: Line, reading: Reading | None) -> Said:
    figure = told(line.figure, line.params[line.figure]) if line.figure else ""
    more = _trouble(reading) if line.code.endswith("_cut") else ""
    return Said(line.name, WORDS[line.colour], title(line.name), figure, sentence(line), more)


def _trouble(reading: Reading | None) -> str:
    """Say in the sheet's own words what is wrong with it."""
    sheet = reading.seen.pulse.sheet if reading else None
    return say_kept(sheet.trouble, **sheet.details) if sheet and sheet.trouble else ""


def title(name: str) -> str:
    """Name a line."""
    return say(f"weather.title.{name}")


def sentence(line: Line) -> str:
    """Say how a line is, and what to do if it isn't well; no name, no address is ever in it."""
    words = {name: told(name, value) for name, value in line.params.items()}
    return say(f"weather.{line.name}.{line.code}", **words)


def told(name: str, value: float | str) -> str:
    """Write a figure in the reader's language; the last word of its name tells what it is."""
    if isinstance(value, str):
        return value
    match name.rpartition("_")[2]:
        case "time":
            return duration(value)
        case "share":
            return percent(value)
        case "size":
            return size(value)
        case "age":
            return age(value)
    return f"{value:.0f}"


def duration(seconds: float) -> str:
    """Write a short time, as 84 ms or 1,2 s."""
    milliseconds = seconds < 0.9995  # noqa: PLR2004  # a second, as it is rounded
    return f"{seconds * 1000:.0f}\u00a0ms" if milliseconds else f"{_decimal(seconds)}\u00a0s"


def percent(share: float) -> str:
    """Write a share of 1."""
    return say("weather.unit.percent", n=f"{share * 100:.0f}")


def size(number: float) -> str:
    """Write bytes as megabytes or gigabytes."""
    if number >= GIGABYTE:
        return say("weather.unit.gigabytes", n=_decimal(number / GIGABYTE))
    return say("weather.unit.megabytes", n=f"{number / MEGABYTE:.0f}")


def age(seconds: float) -> str:
    """Write a long time in its largest unit."""
    for unit, name in ((DAY, "weather.days"), (HOUR, "sheet.hours"), (MINUTE, "sheet.minutes")):
        if seconds >= unit * (2 if unit == DAY else 1):
            return say(name, n=int(seconds // unit))
    return say("sheet.seconds", n=max(0, int(seconds)))  # clocks differ


def _decimal(number: float) -> str:
    written = f"{number:.1f}"
    return written.replace(".", ",") if current() == "fr" else written
