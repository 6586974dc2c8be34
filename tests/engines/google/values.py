"""The values of cells: reading several ranges, writing several ranges at once or none."""

from __future__ import annotations

from typing import Any

from engines.google.errors import invalid
from engines.google.grid import Spreadsheet, shown, trimmed, typed
from engines.google.ranges import Area, area, filtered, letters

OPTIONS = {"RAW": lambda value: value, "USER_ENTERED": typed}


def batch_get(sheet: Spreadsheet, query: dict[str, list[str]]) -> dict[str, Any]:
    across = query.get("majorDimension", ["ROWS"])[0]
    found = [area(sheet, text) for text in query.get("ranges", [])]
    ranges = [
        {"range": str(each), "majorDimension": across, **read(each, across)} for each in found
    ]
    return {"spreadsheetId": sheet.id, "valueRanges": ranges}


def read(found: Area, across: str) -> dict[str, Any]:
    """Give the texts, without the empty ones that end a line and the empty lines at the end."""
    rows = [
        [shown(cell) for cell in row[found.left : found.right]]
        for row in found.tab.cells[found.top : found.bottom]
    ]
    lines = [trimmed(row) for row in (zip(*rows, strict=True) if across == "COLUMNS" else rows)]
    last = max((n for n, line in enumerate(lines, 1) if line), default=0)
    return {"values": [list(line) for line in lines[:last]]} if last else {}


def batch_update(sheet: Spreadsheet, body: dict[str, Any]) -> dict[str, Any]:
    pairs = [(area(sheet, each["range"]), each) for each in body.get("data", [])]
    return write(sheet, body, pairs)


def batch_update_by_filter(sheet: Spreadsheet, body: dict[str, Any]) -> dict[str, Any]:
    pairs = [
        (found, each)
        for each in body.get("data", [])
        for found in filtered(sheet, each.get("dataFilter", {}))
    ]
    return write(sheet, body, pairs)


def write(
    sheet: Spreadsheet, body: dict[str, Any], pairs: list[tuple[Area, dict[str, Any]]]
) -> dict[str, Any]:
    """Fill every area, or none when one of them doesn't fit."""
    kept = OPTIONS.get(body.get("valueInputOption", ""))
    if kept is None:
        raise invalid("'valueInputOption' is required but not specified")
    plans = [(found, lines(each), each) for found, each in pairs]
    for found, rows, _ in plans:
        check(found, rows)
    responses = [fill(sheet, found, rows, each, kept) for found, rows, each in plans]
    total = sum(each["updatedCells"] for each in responses)
    return {"spreadsheetId": sheet.id, "totalUpdatedCells": total, "responses": responses}


def lines(data: dict[str, Any]) -> list[list[Any]]:
    """Give the values as rows."""
    values = data.get("values", [])
    if not all(isinstance(line, list) for line in values):
        raise invalid("Invalid value at 'data[0].values' (type.googleapis.com/google.protobuf)")
    if data.get("majorDimension", "ROWS") == "ROWS":
        return values
    tallest = max(map(len, values), default=0)
    return [[line[n] if n < len(line) else None for line in values] for n in range(tallest)]


def check(found: Area, rows: list[list[Any]]) -> None:
    bottom, right = found.bottom, found.right
    if found.single:
        bottom, right = found.tab.height, found.tab.width
    start = f"Requested writing within range [{found}], but tried writing to"
    if found.top + len(rows) > bottom:
        raise invalid(f"{start} row [{bottom + 1}]")
    if found.left + max(map(len, rows), default=0) > right:
        raise invalid(f"{start} column [{letters(right)}]")


def fill(
    sheet: Spreadsheet, found: Area, rows: list[list[Any]], data: Any, kept: Any
) -> dict[str, Any]:
    """Set the cells; null leaves one as it is, an empty text empties it."""
    cells = [
        (found.top + n, found.left + m, value)
        for n, row in enumerate(rows)
        for m, value in enumerate(row)
        if value is not None
    ]
    for row, column, value in cells:
        found.tab.cells[row][column] = kept(value)
    answer = {"spreadsheetId": sheet.id, "updatedRange": str(found), "updatedCells": len(cells)}
    chosen = data.get("dataFilter")
    return {**answer, **({"dataFilter": chosen} if chosen else {})}
