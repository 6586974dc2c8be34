"""Which cells a request means: A1 notation, grid ranges, or a column found by its metadata."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from engines.google.errors import invalid
from engines.google.grid import Mark, Spreadsheet, Tab

PLACE = re.compile(r"([A-Za-z]*)(\d*)")


@dataclass(frozen=True)
class Area:
    """A rectangle of cells, ends not included; a single cell is where a write begins."""

    tab: Tab
    top: int
    left: int
    bottom: int
    right: int
    single: bool = False

    def __str__(self) -> str:
        title = self.tab.title.replace("'", "''")
        start = f"{letters(self.left)}{self.top + 1}"
        return f"'{title}'!{start}:{letters(self.right - 1)}{self.bottom}"


def letters(index: int) -> str:
    name = ""
    while index >= 0:
        index, rest = divmod(index, 26)
        name, index = chr(65 + rest) + name, index - 1
    return name


def number(name: str) -> int:
    index = 0
    for letter in name.upper():
        index = index * 26 + ord(letter) - 64
    return index - 1


def area(sheet: Spreadsheet, text: str) -> Area:
    """Read A1 notation: 'a title', Title!A1:C9, 'a title'!B:C; open ends reach the grid's."""
    found = re.fullmatch(r"(?:'((?:[^']|'')+)'|([^'!]+))(?:!([A-Za-z0-9:]+))?", text)
    title = (found[1] or found[2]).replace("''", "'") if found else ""
    tab = next((each for each in sheet.tabs if each.title == title), None)
    if found is None or tab is None:
        raise invalid(f"Unable to parse range: {text}")
    if not found[3]:
        return Area(tab, 0, 0, tab.height, tab.width)
    return within(tab, found[3], text)


def within(tab: Tab, cells: str, text: str) -> Area:
    start, _, end = cells.partition(":")
    first, last = PLACE.fullmatch(start), PLACE.fullmatch(end or start)
    if first is None or last is None:
        raise invalid(f"Unable to parse range: {text}")
    top, left = int(first[2] or 1) - 1, max(0, number(first[1]))
    bottom = int(last[2]) if last[2] else tab.height
    right = number(last[1]) + 1 if last[1] else tab.width
    if top >= tab.height or left >= tab.width:
        size = f"Max rows: {tab.height}, max columns: {tab.width}"
        raise invalid(f"Range ({text}) exceeds grid limits. {size}")
    return Area(tab, top, left, min(bottom, tab.height), min(right, tab.width), single=not end)


def filtered(sheet: Spreadsheet, wanted: dict[str, Any]) -> list[Area]:
    """Give the areas that a DataFilter selects."""
    match wanted:
        case {"a1Range": str(text)}:
            return [area(sheet, text)]
        case {"developerMetadataLookup": dict(lookup)}:
            found = matching(sheet, lookup)
            if not found and "metadataId" in lookup:
                raise invalid(f"No developer metadata with ID {lookup['metadataId']}.")
            return [Area(tab, 0, n, tab.height, n + 1) for tab, n, _ in found]
    raise invalid("Invalid dataFilter: one of a1Range, developerMetadataLookup must be set.")


def matching(sheet: Spreadsheet, lookup: dict[str, Any]) -> list[tuple[Tab, int, Mark]]:
    """Give each marked column that has everything that the lookup says."""
    names = {"metadataId": "id", "metadataKey": "key", "metadataValue": "value"}
    names["visibility"] = "visibility"
    if lookup.get("locationType", "COLUMN") != "COLUMN":
        return []
    return [
        (tab, n, mark)
        for tab, n, mark in sheet.by_mark().values()
        if all(
            getattr(mark, ours) == lookup.get(name, getattr(mark, ours))
            for name, ours in names.items()
        )
    ]
