"""What was measured, opened for the paper: figures by name, written as French readers expect."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from benchmarks.figures import Figure, Parts, command

ABSENT = "non mesuré"
THIN, FIRM = "\u202f", "\u00a0"  # between thousands; before a unit


def number(value: float) -> str:
    """Write a number with three digits that count, or all of a whole one."""
    if value != int(value) or abs(value) < 1000:
        value = float(f"{value:.3g}")
    text = f"{value:,.6f}".rstrip("0").rstrip(".")
    return text.replace(",", THIN).replace(".", ",")


def amount(value: float, unit: str) -> str:
    """Write a number with its unit."""
    return f"{number(value)}{FIRM}{unit}" if unit else number(value)


class Book:
    """The figures of a file; what wasn't measured is `None`, and said so where it is written."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def figure(self, part: str, row: str, column: str) -> Figure | None:
        """Find a figure."""
        found = self.parts.get(part)
        return found.rows.get(row, {}).get(column) if found else None

    def value(self, part: str, row: str, column: str) -> float | None:
        """Give a figure's value."""
        figure = self.figure(part, row, column)
        return None if figure is None else figure.value

    def worst(self, part: str, row: str, column: str) -> float | None:
        """Give the largest of the values of which a figure is the median."""
        figure = self.figure(part, row, column)
        if figure is None:
            return None
        return figure.value if figure.high is None else figure.high

    def say(self, part: str, row: str, column: str) -> str:
        """Write a figure with its unit."""
        figure = self.figure(part, row, column)
        return ABSENT if figure is None else amount(figure.value, figure.unit)

    def rows(self, part: str) -> list[str]:
        """Give the names of a part's rows."""
        return list(self.parts[part].rows) if part in self.parts else []

    def columns(self, part: str) -> list[str]:
        """Give the names of a part's columns, in the order in which they came."""
        tables = self.parts[part].rows.values() if part in self.parts else ()
        return list(dict.fromkeys(column for row in tables for column in row))

    def sizes(self, part: str) -> list[int]:
        """Give the rows that are numbers of phones or players."""
        return sorted(int(row) for row in self.rows(part) if row.isdecimal())

    def command(self, part: str) -> str:
        """Give the command that measures a part."""
        found = self.parts.get(part)
        return f"`{found.command if found else command(part)}`"

    def all(self, values: Iterable[float | None], holds: Callable[[float], bool]) -> bool | None:
        """Tell whether something holds for every value; `None` when one wasn't measured."""
        known = list(values)
        if not known or None in known:
            return None
        return all(holds(value) for value in known if value is not None)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Write a table of Markdown."""
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *map(list, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def word(held: bool | None) -> str:  # noqa: FBT001  # it is what is told
    """Say whether a line is held."""
    return ABSENT if held is None else "oui" if held else "**non**"
