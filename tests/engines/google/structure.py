"""What a spreadsheet is made of: its tabs, new rows and columns, developer metadata."""

from __future__ import annotations

from typing import Any

from engines.google.errors import Refused, invalid
from engines.google.grid import Formula, Mark, Spreadsheet, Tab
from engines.google.ranges import matching


def describe(sheet: Spreadsheet) -> dict[str, Any]:
    return {
        "spreadsheetId": sheet.id,
        "properties": {"title": sheet.id, "locale": "fr_FR"},
        "sheets": [{"properties": properties(n, tab)} for n, tab in enumerate(sheet.tabs)],
    }


def properties(index: int, tab: Tab) -> dict[str, Any]:
    size = {"rowCount": tab.height, "columnCount": tab.width}
    named = {"sheetId": tab.id, "title": tab.title, "index": index}
    return {**named, "sheetType": "GRID", "gridProperties": size}


def search(sheet: Spreadsheet, body: dict[str, Any]) -> dict[str, Any]:
    """Give the metadata that any of the filters selects; nothing at all when none does."""
    found = [
        {"developerMetadata": metadata(*each), "dataFilters": [wanted]}
        for wanted in body.get("dataFilters", [])
        for each in matching(sheet, wanted.get("developerMetadataLookup", {}))
    ]
    return {"matchedDeveloperMetadata": found} if found else {}


def metadata(tab: Tab, index: int, mark: Mark) -> dict[str, Any]:
    place = {"sheetId": tab.id, "dimension": "COLUMNS", "startIndex": index, "endIndex": index + 1}
    return {
        "metadataId": mark.id,
        "metadataKey": mark.key,
        "metadataValue": mark.value,
        "location": {"locationType": "COLUMN", "dimensionRange": place},
        "visibility": mark.visibility,
    }


def batch_update(sheet: Spreadsheet, body: dict[str, Any]) -> dict[str, Any]:
    """Do every request in order, or none of them."""
    saved, replies = sheet.saved(), []
    try:
        for n, request in enumerate(body.get("requests", [])):
            replies.append(do(sheet, f"Invalid requests[{n}]", request))
    except Refused:
        sheet.restore(saved)
        raise
    except (LookupError, TypeError) as error:
        sheet.restore(saved)
        raise invalid(f"Invalid JSON payload received: {error!r}") from error
    if not replies:
        raise invalid("Must specify at least one request.")
    return {"spreadsheetId": sheet.id, "replies": replies}


def do(sheet: Spreadsheet, where: str, request: dict[str, Any]) -> dict[str, Any]:
    match request:
        case {"insertDimension": dict(body)}:
            insert(sheet, f"{where}.insertDimension", body)
        case {"appendDimension": dict(body)}:
            append(sheet, f"{where}.appendDimension", body)
        case {"updateCells": dict(body)}:
            update_cells(sheet, f"{where}.updateCells", body)
        case {"createDeveloperMetadata": dict(body)}:
            made = mark(sheet, f"{where}.createDeveloperMetadata", body["developerMetadata"])
            return {"createDeveloperMetadata": {"developerMetadata": made}}
        case {"deleteDeveloperMetadata": {"dataFilter": {"developerMetadataLookup": dict(lookup)}}}:
            return {"deleteDeveloperMetadata": {"deletedDeveloperMetadata": unmark(sheet, lookup)}}
        case _:
            name = next(iter(request), "")
            raise invalid(f'Invalid JSON payload received. Unknown name "{name}" at requests')
    return {}


def tab_of(sheet: Spreadsheet, where: str, place: dict[str, Any]) -> Tab:
    number = place.get("sheetId", 0)
    found = next((tab for tab in sheet.tabs if tab.id == number), None)
    if found is None:
        raise invalid(f"{where}: No grid with id: {number}")
    return found


def insert(sheet: Spreadsheet, where: str, body: dict[str, Any]) -> None:
    place = body["range"]
    tab, columns = tab_of(sheet, where, place), place["dimension"] == "COLUMNS"
    start, size = place.get("startIndex", 0), tab.width if columns else tab.height
    before = body.get("inheritFromBefore", False)
    if start > size or (start == size and not before):
        limit = f"must be less than the grid size ({size}) if inheritFromBefore is false."
        raise invalid(f"{where}: range.startIndex[{start}] {limit}")
    if start == 0 and before:
        raise invalid(f"{where}: inheritFromBefore cannot be true if inserting at index 0.")
    (tab.add_columns if columns else tab.add_rows)(start, place["endIndex"] - start)


def append(sheet: Spreadsheet, where: str, body: dict[str, Any]) -> None:
    tab = tab_of(sheet, where, body)
    if body["dimension"] == "COLUMNS":
        tab.add_columns(tab.width, body["length"])
    else:
        tab.add_rows(tab.height, body["length"])


def update_cells(sheet: Spreadsheet, where: str, body: dict[str, Any]) -> None:
    if body.get("fields") not in {"userEnteredValue", "*"}:
        raise invalid(f"{where}: At least one field must be listed in 'fields'.")
    start = body["start"]
    tab, left = tab_of(sheet, where, start), start.get("columnIndex", 0)
    for row, line in enumerate(body["rows"], start.get("rowIndex", 0)):
        for column, cell in enumerate(line["values"], left):
            if row >= tab.height or column >= tab.width:
                raise invalid(f"{where}: Attempting to write column: {column}, beyond the grid")
            value = cell.get("userEnteredValue", {"stringValue": ""})
            kind, content = next(iter(value.items()))
            tab.cells[row][column] = Formula(content) if kind == "formulaValue" else content


def mark(sheet: Spreadsheet, where: str, wanted: dict[str, Any]) -> dict[str, Any]:
    place = wanted["location"]["dimensionRange"]
    tab, index = tab_of(sheet, where, place), place.get("startIndex", 0)
    if place["dimension"] != "COLUMNS" or place["endIndex"] != index + 1:
        raise invalid(f"{where}: a dimensionRange must be one row or column.")
    if index >= tab.width:
        raise invalid(f"{where}: dimensionRange is beyond the grid.")
    if "visibility" not in wanted or "metadataKey" not in wanted:
        raise invalid(f"{where}: metadataKey and visibility must be set.")
    number = wanted.get("metadataId") or sheet.new_mark()
    if number in sheet.by_mark():
        raise invalid(f"{where}: metadataId {number} is already in use.")
    made = Mark(
        number, wanted["metadataKey"], wanted.get("metadataValue", ""), wanted["visibility"]
    )
    tab.marks[index].append(made)
    return metadata(tab, index, made)


def unmark(sheet: Spreadsheet, lookup: dict[str, Any]) -> list[dict[str, Any]]:
    """Delete a mark by its id; none of that id is no error."""
    found = sheet.by_mark().get(lookup["metadataId"])
    if found is None:
        return []
    tab, index, gone = found
    tab.marks[index].remove(gone)
    return [metadata(tab, index, gone)]
