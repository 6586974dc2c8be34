"""Where our columns stand in the sheet: marked once, then found wherever somebody moves them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from killer.sheets.cells import HEADERS
from killer.sheets.columns import Meaning, meaning_of, recognise
from killer.sheets.google import Column, Google, Tab
from killer.sheets.tables import Row, Table


class Layout:
    """Our columns, known by marks (Google's developer metadata) that travel with them.

    Cells are written by mark, so that a column which moves between our look and our writing can't
    make us write into somebody else's. What was found holds as long as the headers are the same.
    """

    def __init__(self, google: Google, spreadsheet: str) -> None:
        self._google, self._spreadsheet = google, spreadsheet
        self._known: tuple[int, tuple[str, ...]] | None = None  # the tab and its headers
        self._columns: dict[Meaning, Column] = {}
        self._unproven: set[Meaning] = set()  # marked, but perhaps on a column that had just moved
        self._wrong: list[int] = []  # marks that aren't where they should be

    def forget(self) -> None:
        """Look at the marks again, whatever the headers say."""
        self._known = None

    def settled(self, tab: Tab, found: Table) -> bool:
        """Tell whether we know where our columns stand; when not, the sheet must be read again.

        Headers that are the same before and after the marks were looked up belong to them.
        """
        if self._known != (tab.id, found.header):
            self._look(tab)
            self._known = (tab.id, found.header)
            return False
        if self._has_twins(found):
            self._look(tab)  # two columns with the same header may change places unseen
        self._doubt(found)
        return True

    def _look(self, tab: Tab) -> None:
        known = {m.value: m for m in HEADERS}
        marked = [c for c in self._google.columns(self._spreadsheet) if c.tab == tab.id]
        marked.sort(key=lambda column: -column.mark)  # of two, always the same one stays
        self._columns = {known[c.key]: c for c in marked if c.key in known}

    def _has_twins(self, found: Table) -> bool:
        times = Counter(found.header)
        headers = [_header(found, column.index) for column in self._columns.values()]
        return any(not header or times[header] > 1 for header in headers)

    def _doubt(self, found: Table) -> None:
        """Distrust marks that hit another column than was meant, or whose column was cut out."""
        headed = {meaning_of(header) for header in found.header}
        for meaning, column in list(self._columns.items()):
            header = _header(found, column.index)
            missed = meaning in self._unproven and meaning_of(header) is not meaning
            if missed or (not header and meaning in headed):
                self._wrong.append(self._columns.pop(meaning).mark)
        self._unproven.clear()

    @property
    def marks(self) -> Mapping[Meaning, int]:
        """Give the mark of each column of ours."""
        return {meaning: column.mark for meaning, column in self._columns.items()}

    @property
    def known(self) -> tuple[tuple[Meaning, Column], ...]:
        """Give all that is known of our columns, to compare with what was known before."""
        return tuple(self._columns.items())

    def named(self, found: Table) -> Table:
        """Give the sheet with our columns under our headers, whatever they are called by now.

        Another column that could be taken for one of ours is its owner's own, and left out.
        """
        ours = {c.index: m for m, c in self._columns.items()}
        said = [meaning_of(header) for header in found.header]
        rivals = {n for n, m in enumerate(said) if n not in ours and m in self._columns}
        header = [
            ""
            if n in rivals
            else HEADERS[ours[n]]
            if n in ours and said[n] is not ours[n]
            else text
            for n, text in enumerate(found.header)
        ]
        if not rivals:
            return replace(found, header=tuple(header))
        rows = tuple(_without(row, rivals) for row in found.rows)
        return replace(found, header=tuple(header), rows=rows)

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
        taken = {column.index for column in self._columns.values()}
        places = {m: meanings.index(m) for m in missing if m in meanings}
        there = {n: m.value for m, n in places.items() if n not in taken}
        absent = {m.value: HEADERS[m] for m in missing if m.value not in there.values()}
        self.forget()  # whatever comes of it, look again
        wrong, self._wrong = self._wrong, []
        self._google.unmark_columns(self._spreadsheet, wrong)
        if there:
            self._unproven |= {Meaning(key) for key in there.values()}
            self._google.mark_columns(self._spreadsheet, tab.id, there)
        if absent:
            right, top = len(found.header), found.top - 1
            self._google.add_columns(self._spreadsheet, tab.id, right, top, absent)


def _header(found: Table, index: int) -> str:
    """Give a column's header; one that holds nothing at the right of everything has none."""
    return found.header[index] if index < len(found.header) else ""


def _without(row: Row, places: set[int]) -> Row:
    return Row(row.number, tuple("" if n in places else c for n, c in enumerate(row.cells)))
