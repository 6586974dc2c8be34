"""Where our columns stand in the sheet: marked once, then found wherever somebody moves them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from killer.sheets.cells import HEADERS
from killer.sheets.columns import Meaning, meaning_of, recognise
from killer.sheets.google import Column, Google, Tab
from killer.sheets.tables import Table


class Layout:
    """Our columns, known by marks (Google's developer metadata) that travel with them.

    Cells are written by mark, so that a column which moves between our look and our writing can't
    make us write into somebody else's. What was found holds as long as the headers are the same.
    """

    def __init__(self, google: Google, spreadsheet: str) -> None:
        self._google, self._spreadsheet = google, spreadsheet
        self._header: tuple[str, ...] | None = None
        self._columns: dict[Meaning, Column] = {}
        self._unproven: set[Meaning] = set()  # marked, but perhaps on a column that had just moved

    def settled(self, tab: Tab, found: Table) -> bool:
        """Tell whether we know where our columns stand; when not, the sheet must be read again.

        Headers that are the same before and after the marks were looked up belong to them.
        """
        if self._header != found.header:
            self._look(tab)
            self._header = found.header
            return False
        if self._has_twins(found):
            self._look(tab)  # two columns with the same header may change places unseen
        return self._proven(found)

    def _look(self, tab: Tab) -> None:
        known = {m.value: m for m in HEADERS}
        marked = [c for c in self._google.columns(self._spreadsheet) if c.tab == tab.id]
        marked.sort(key=lambda column: -column.mark)  # of two, the older one stays
        self._columns = {known[c.key]: c for c in marked if c.key in known}

    def _has_twins(self, found: Table) -> bool:
        times = Counter(found.header)
        return any(times[found.header[c.index]] > 1 for c in self._columns.values())

    def _proven(self, found: Table) -> bool:
        """Take back marks that hit another column than was meant."""
        wrong = [
            self._columns[m].mark
            for m in self._unproven & set(self._columns)
            if meaning_of(found.header[self._columns[m].index]) is not m
        ]
        self._unproven.clear()
        if wrong:
            self._google.unmark_columns(self._spreadsheet, wrong)
            self._header = None
        return not wrong

    @property
    def marks(self) -> Mapping[Meaning, int]:
        """Give the mark of each column of ours."""
        return {meaning: column.mark for meaning, column in self._columns.items()}

    def places(self, found: Table, keys: Sequence[Meaning]) -> Mapping[Meaning, int]:
        """Give the index of each of our columns, by its header where it isn't marked yet."""
        meanings = recognise(found).meanings
        by_header = {m: meanings.index(m) for m in keys if m in meanings}
        return by_header | {m: c.index for m, c in self._columns.items() if m in keys}

    def missing(self, keys: Sequence[Meaning]) -> tuple[Meaning, ...]:
        """Name our columns that aren't marked."""
        return tuple(m for m in keys if m not in self._columns)

    def arrange(self, tab: Tab, found: Table, missing: Sequence[Meaning]) -> None:
        """Mark the columns that are there, by their headers, and add the others at the right."""
        meanings = recognise(found).meanings
        there = {meanings.index(m): m.value for m in missing if m in meanings}
        absent = {m.value: HEADERS[m] for m in missing if m not in meanings}
        self._header = None  # whatever comes of it, look again
        if there:
            self._unproven |= {m for m in missing if m in meanings}
            self._google.mark_columns(self._spreadsheet, tab.id, there)
        if absent:
            right, top = len(found.header), found.top - 1
            self._google.add_columns(self._spreadsheet, tab.id, right, top, absent)
