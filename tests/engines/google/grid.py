"""A spreadsheet in memory: tabs of cells whose columns may carry developer metadata."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

ROWS, COLUMNS = 1000, 26


@dataclass(frozen=True)
class Formula:
    """A cell that calculates; only the sum of two numbers has a result here."""

    text: str

    def __str__(self) -> str:
        found = re.fullmatch(r"=\s*(\d+)\s*\+\s*(\d+)\s*", self.text)
        return str(int(found[1]) + int(found[2])) if found else "#ERROR!"


Cell = str | int | float | bool | Formula


def shown(cell: Cell) -> str:
    """Give what a person sees."""
    if isinstance(cell, bool):
        return str(cell).upper()
    return f"{cell:g}" if isinstance(cell, float) else str(cell)


def typed(value: Any) -> Any:
    """Give what Sheets makes of a text that is typed in, as USER_ENTERED does."""
    if not isinstance(value, str):
        return value
    if value.startswith("="):
        return Formula(value)
    if re.fullmatch(r"-?\d+", value):
        return int(value)
    return value.removeprefix("'")


@dataclass(frozen=True)
class Mark:
    """Developer metadata of a column."""

    id: int
    key: str
    value: str
    visibility: str = "DOCUMENT"


@dataclass
class Tab:
    """One tab: its grid as a list of rows, and the marks of each column; nothing else moves them.

    Rows and columns are counted from 0. A header is looked for in `header_row`; an index does too.
    """

    id: int
    title: str
    cells: list[list[Cell]]
    marks: list[list[Mark]]
    lock: Any = field(repr=False, compare=False)
    header_row: int = 0

    @property
    def width(self) -> int:
        return len(self.marks)

    @property
    def height(self) -> int:
        return len(self.cells)

    def rows(self) -> list[list[str]]:
        """Give all cells as they are shown, without the empty rows and columns at the end."""
        with self.lock:
            texts = [[shown(cell) for cell in row] for row in self.cells]
        rows = [len(row) for row in map(trimmed, texts)]
        last = max((n for n, length in enumerate(rows, 1) if length), default=0)
        return [row[: max(rows, default=0)] for row in texts[:last]]

    def index(self, header: str | int) -> int:
        """Give the first column with that header."""
        if isinstance(header, int):
            return header
        return [shown(cell) for cell in self.cells[self.header_row]].index(header)

    def cell(self, row: int, header: str | int) -> str:
        with self.lock:
            return shown(self.cells[row][self.index(header)])

    def raw(self, row: int, header: str | int) -> Cell:
        """Give a cell as it is kept: a text, a number or a Formula."""
        with self.lock:
            return self.cells[row][self.index(header)]

    def set(self, row: int, header: str | int, value: Cell) -> None:
        with self.lock:
            self.cells[row][self.index(header)] = value

    def marked(self) -> dict[str, int]:
        """Give the index of each marked column by its metadata value."""
        with self.lock:
            return {mark.value: n for n, marks in enumerate(self.marks) for mark in marks}

    def add_columns(self, at: int, number: int) -> None:
        self.marks[at:at] = [[] for _ in range(number)]
        for row in self.cells:
            row[at:at] = [""] * number

    def add_rows(self, at: int, number: int) -> None:
        self.cells[at:at] = [[""] * self.width for _ in range(number)]

    def sort(self, header: str | int, *, reverse: bool = False) -> None:
        """Move whole rows below the header; the metadata of columns stay where they are."""
        self.sort_range(range(self.width), header, reverse=reverse)

    def sort_range(
        self, columns: Sequence[str | int], header: str | int, *, reverse: bool = False
    ) -> None:
        """Sort only some columns, which tears the rows apart; empty cells come last."""
        with self.lock:
            chosen, by = [self.index(each) for each in columns], self.index(header)
            rows = self.cells[self.header_row + 1 :]
            filled = [row for row in rows if shown(row[by])]
            filled.sort(key=lambda row: shown(row[by]).casefold(), reverse=reverse)
            order = [*filled, *(row for row in rows if not shown(row[by]))]
            for row, values in zip(rows, [[row[n] for n in chosen] for row in order], strict=True):
                for n, value in zip(chosen, values, strict=True):
                    row[n] = value

    def insert_column(self, at: str | int, header: str = "") -> None:
        with self.lock:
            place = self.index(at)
            self.add_columns(place, 1)
            self.cells[self.header_row][place] = header

    def move_column(self, column: str | int, to: int) -> None:
        """Move a column with its metadata; `to` is its index afterwards."""
        with self.lock:
            place = self.index(column)
            for line in (self.marks, *self.cells):
                line.insert(to, line.pop(place))

    def delete_column(self, column: str | int) -> None:
        """Delete a column with its metadata."""
        with self.lock:
            place = self.index(column)
            for line in (self.marks, *self.cells):
                del line[place]

    def insert_row(self, at: int) -> None:
        with self.lock:
            self.add_rows(at, 1)

    def delete_row(self, row: int) -> None:
        with self.lock:
            del self.cells[row]

    def append(self, row: Sequence[Cell]) -> None:
        """Fill the first row below everything, as a form does."""
        with self.lock:
            at = len(self.rows())
            if at == self.height:
                self.add_rows(at, 1)
            self.cells[at][: len(row)] = row

    def rename(self, title: str) -> None:
        with self.lock:
            self.title = title


def trimmed(row: list[str]) -> list[str]:
    """Leave out the empty cells at the end, as Google does."""
    length = max((n for n, text in enumerate(row, 1) if text), default=0)
    return row[:length]


class Spreadsheet:
    """Tabs in order; one lock for all of it."""

    def __init__(self, id_: str, size: tuple[int, int] | None = None) -> None:
        self.id, self.size = id_, size
        self.tabs: list[Tab] = []
        self.lock = threading.RLock()
        self._ids, self._marks = count(0), count(700001)

    def __getitem__(self, title: str) -> Tab:
        return next(tab for tab in self.tabs if tab.title == title)

    def add(self, title: str, rows: Sequence[Sequence[Cell]]) -> Tab:
        """Add a tab; its grid is at least of the usual size unless another was asked for."""
        widest = max((len(row) for row in rows), default=0)
        height, width = self.size or (max(ROWS, len(rows)), max(COLUMNS, widest))
        cells = [[*row, *[""] * (width - len(row))] for row in rows]
        cells += [[""] * width for _ in range(height - len(rows))]
        tab = Tab(next(self._ids), title, cells, [[] for _ in range(width)], self.lock)
        self.tabs.append(tab)
        return tab

    def remove(self, title: str) -> None:
        """Delete a tab with everything on it."""
        with self.lock:
            self.tabs.remove(self[title])

    def new_mark(self) -> int:
        return next(self._marks)

    def by_mark(self) -> Mapping[int, tuple[Tab, int, Mark]]:
        """Give each mark's tab, column and content by its id."""
        return {
            mark.id: (tab, n, mark)
            for tab in self.tabs
            for n, marks in enumerate(tab.marks)
            for mark in marks
        }

    def saved(self) -> list[tuple[Tab, list[list[Cell]], list[list[Mark]]]]:
        """Give a copy to go back to."""
        return [
            (tab, [[*row] for row in tab.cells], [[*m] for m in tab.marks]) for tab in self.tabs
        ]

    def restore(self, saved: list[tuple[Tab, list[list[Cell]], list[list[Mark]]]]) -> None:
        for tab, cells, marks in saved:
            tab.cells, tab.marks = cells, marks
