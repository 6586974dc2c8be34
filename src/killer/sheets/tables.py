"""The bytes of an exported file as a table of text, or the reason why they can't be one."""

import codecs
import csv
import io
import itertools
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from killer.game.names import clean

LARGEST: Final = 5_000_000
"""Bytes of the largest file that is read."""
MOST_ROWS: Final = 20_000
"""Rows of the longest table that is read, its header and empty rows not counted."""

# A tie goes to the first: commas are also punctuation, tabs hardly ever stand in a sentence.
_DELIMITERS = ("\t", ";", ",")
_SAMPLE = 200
_NAMES_SHOWN = 3

# A last record of our own: a quote that is never closed swallows it with the rows before it.
_END = "\x03end"

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_FORMATS = tuple(
    (re.compile(start, re.DOTALL | re.IGNORECASE), code)
    for start, code in (
        (rb"PK\x03\x04.{0,80}opendocument\.spreadsheet", "unreadable_ods"),
        (rb"PK\x03\x04.*xl/", "unreadable_xlsx"),
        (rb"\xd0\xcf\x11\xe0", "unreadable_xlsx"),
        (rb"PK\x03\x04|PK\x05\x06|\x1f\x8b|Rar!\x1a|7z\xbc\xaf", "unreadable_zip"),
        (rb"%PDF", "unreadable_pdf"),
        (rb"\x89PNG|\xff\xd8\xff|GIF8[79]a|RIFF....WEBP|....ftyp", "unreadable_image"),
        (rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html)", "unreadable_html"),
    )
)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something to tell about a file; its sentence is `roster.` + code in the catalogues.

    A note doesn't stop the import. `row` is None when the whole file is meant, `column` is the
    header as written, or empty. `params` fill the sentence and never hold a password.
    """

    file: str
    row: int | None
    column: str
    code: str
    params: tuple[tuple[str, str], ...] = ()
    severity: Literal["problem", "note"] = "problem"


def told_once(found: Iterable[Problem], codes: Collection[str]) -> list[Problem]:
    """Give notes with these codes once for all rows of a column: how many (`n`), and who (`names`).

    Such a note comes with the one parameter `nickname`.
    """
    together: dict[object, list[Problem]] = {}
    for one in found:
        alike = (one.file, one.column, one.code) if one.code in codes else one
        together.setdefault(alike, []).append(one)
    return [_sum(same) if same[0].code in codes else same[0] for same in together.values()]


def shown(names: Sequence[str]) -> str:
    """The first names of many, to put into a sentence."""
    return ", ".join(names[:_NAMES_SHOWN]) + "…" * (len(names) > _NAMES_SHOWN)


def _sum(same: Sequence[Problem]) -> Problem:
    names = [name for one in same for _, name in one.params if name]
    row = same[0].row if len(same) == 1 else None
    return replace(same[0], row=row, params=(("n", str(len(same))), ("names", shown(names))))


class UnreadableTable(Exception):
    """A file that is no table at all; `problem` says why, with a code `unreadable_…`."""

    def __init__(self, code: str, file: str, **params: str) -> None:
        super().__init__(code, file)
        self.code = code
        self.file = file
        self.params = tuple(params.items())
        self.problem = Problem(file, None, "", code, self.params)


@dataclass(frozen=True, slots=True)
class Row:
    """One record; `number` is its row in the spreadsheet, counted from 1 with the header."""

    number: int
    cells: tuple[str, ...] = field(repr=False)  # a password may be among them


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that aren't empty, under their header.

    Every row has at least as many cells as the header; more only if one too many is filled.
    """

    file: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    top: int = 1  # the header's own row, counted from 1


def read_table(file: str, data: bytes) -> Table:
    """The table in the bytes of a CSV export, `file` being the name that problems will mention.

    Reads UTF-8, UTF-16 with its mark, and Windows-1252; commas, semicolons or tabs; any line end.
    Raises UnreadableTable when the bytes are something else, too large, or have no header.
    """
    _refuse_other_formats(file, data)
    filled = _filled_rows(_records(file, _decoded(file, data)))
    return _table(file, filled, len(filled[0].cells) if filled else 0)


def table_of(name: str, rows: Sequence[Sequence[str]]) -> Table:
    """The table in the rows of a spreadsheet's tab; columns without a header are kept.

    Raises UnreadableTable when there is no header, or too much.
    """
    filled = _filled_rows([list(row) for row in rows])
    return _table(name, filled, max((len(row.cells) for row in filled), default=0))


def _table(file: str, filled: Sequence[Row], width: int) -> Table:
    if not filled or not any(map(str.isalpha, "".join(filled[0].cells))):
        raise UnreadableTable("unreadable_no_header", file)
    if len(filled) > MOST_ROWS + 1:
        raise UnreadableTable("unreadable_too_many_rows", file, limit=str(MOST_ROWS))
    header, *rows = (_fitted(row, width) for row in filled)
    return Table(file, tuple(map(clean, header.cells)), tuple(rows), header.number)


def _refuse_other_formats(file: str, data: bytes) -> None:
    for start, code in _FORMATS:
        if start.match(data):
            raise UnreadableTable(code, file)
    if len(data) > LARGEST:
        raise UnreadableTable("unreadable_too_big", file, limit=str(LARGEST // 1_000_000))


def _decoded(file: str, data: bytes) -> str:
    """The text, by its mark or else by trial: hardly any Windows-1252 text is valid UTF-8."""
    marked = [encoding for bom, encoding in _BOMS if data.startswith(bom)]
    for encoding in marked or ["utf-8", "cp1252"]:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return _checked(file, text)
    raise UnreadableTable("unreadable_encoding", file)


def _checked(file: str, text: str) -> str:
    if "\0" in text:
        raise UnreadableTable("unreadable_nul", file)
    if not text.strip():
        raise UnreadableTable("unreadable_empty", file)
    return text


def _records(file: str, text: str) -> list[list[str]]:
    delimiter = max(_DELIMITERS, key=lambda candidate: _likelihood(text, candidate))
    records: list[list[str]] = []
    try:
        records.extend(_parsed(f"{text}\n{_END}", delimiter))
    except csv.Error:  # a cell over 131,072 characters: the csv module's own limit
        raise UnreadableTable("unreadable_quote", file, row=str(len(records) + 1)) from None
    if records.pop() != [_END]:
        raise UnreadableTable("unreadable_quote", file, row=str(len(records) + 1))
    return records


def _parsed(text: str, delimiter: str) -> Iterable[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _likelihood(text: str, delimiter: str) -> tuple[int, int]:
    """How many of the first records are as wide as the first, then how wide that is."""
    try:
        sample = itertools.islice(filter(None, _parsed(text, delimiter)), _SAMPLE)
        widths = [len(record) for record in sample]
    except csv.Error:
        return (0, 0)
    if not widths or widths[0] == 1:
        return (0, 0)
    return (widths.count(widths[0]), widths[0])


def _filled_rows(records: Sequence[list[str]]) -> list[Row]:
    return [
        Row(number, tuple(record))
        for number, record in enumerate(records, start=1)
        if any(map(clean, record))
    ]


def _fitted(row: Row, width: int) -> Row:
    cells = row.cells + ("",) * (width - len(row.cells))
    return Row(row.number, cells if any(map(clean, cells[width:])) else cells[:width])
