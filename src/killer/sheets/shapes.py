"""A spreadsheet in Google's own words: what it says of tabs and columns, how to ask for changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

KEY: Final = "killer"
"""The key of all our developer metadata."""


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab of a spreadsheet; rows and columns are the size of its grid."""

    id: int
    title: str
    rows: int
    columns: int

    @classmethod
    def said(cls, known: Mapping[str, Any]) -> Self:
        """Read SheetProperties; Google may leave out a zero."""
        grid = known["gridProperties"]
        size = (grid.get("rowCount", 0), grid.get("columnCount", 0))
        return cls(known.get("sheetId", 0), known["title"], *size)


@dataclass(frozen=True, slots=True)
class Column:
    """A column that we marked with developer metadata, wherever it stands now, counted from 0."""

    mark: int
    key: str
    tab: int
    index: int

    @classmethod
    def said(cls, known: Mapping[str, Any]) -> Self:
        """Read DeveloperMetadata that stands at a column."""
        place = known["location"]["dimensionRange"]
        where = (place.get("sheetId", 0), place.get("startIndex", 0))
        return cls(known["metadataId"], known.get("metadataValue", ""), *where)


def inserted(tab: int, at: int, number: int, width: int) -> dict[str, Any]:
    """Make room for new columns at an index of a grid so wide."""
    columns = {"sheetId": tab, "dimension": "COLUMNS"}
    if at == width:  # Google inserts before a column, never after the last one
        return {"appendDimension": {**columns, "length": number}}
    place = {**columns, "startIndex": at, "endIndex": at + number}
    return {"insertDimension": {"range": place, "inheritFromBefore": False}}


def texts(tab: int, at: int, row: int, words: Sequence[str]) -> dict[str, Any]:
    """Put words side by side, as plain text whatever they begin with."""
    start = {"sheetId": tab, "rowIndex": row, "columnIndex": at}
    cells = [{"userEnteredValue": {"stringValue": word}} for word in words]
    return {
        "updateCells": {"start": start, "rows": [{"values": cells}], "fields": "userEnteredValue"}
    }


def mark(tab: int, index: int, key: str) -> dict[str, Any]:
    """Tie a key to a column; every program that may see the spreadsheet sees it."""
    place = {"sheetId": tab, "dimension": "COLUMNS", "startIndex": index, "endIndex": index + 1}
    metadata = {
        "metadataKey": KEY,
        "metadataValue": key,
        "location": {"dimensionRange": place},
        # A key file of another project must find it again.
        "visibility": "DOCUMENT",
    }
    return {"createDeveloperMetadata": {"developerMetadata": metadata}}


def unmark(marked: int) -> dict[str, Any]:
    """Take a mark back."""
    lookup = {"developerMetadataLookup": {"metadataId": marked}}
    return {"deleteDeveloperMetadata": {"dataFilter": lookup}}


def filled(marked: int, rows: Mapping[int, str | int]) -> dict[str, Any]:
    """Fill cells of a marked column from the top; Google skips the nulls."""
    column = [rows.get(row) for row in range(max(rows) + 1)]
    lookup = {"developerMetadataLookup": {"metadataId": marked}}
    return {"dataFilter": lookup, "majorDimension": "COLUMNS", "values": [column]}
