"""Which tab of a spreadsheet holds the players and which one the challenges, by their headers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from killer.sheets.columns import Meaning, Sheet, recognise
from killer.sheets.google import GoogleError, Tab
from killer.sheets.tables import Table, UnreadableTable, table_of

Cells = Sequence[Sequence[str]]

#: What a players' tab has besides names, and a tab of challenges alone hasn't.
_ABOUT_PEOPLE = frozenset(
    {
        Meaning.TIMESTAMP,
        Meaning.PASSWORD,
        Meaning.EMAIL,
        Meaning.PHONE,
        Meaning.PHOTO,
        Meaning.YEAR,
        Meaning.STATUS,
        Meaning.MARK,
    }
)
_CHALLENGES = frozenset({Meaning.CHALLENGE, Meaning.ACTION})


@dataclass(frozen=True, slots=True)
class Tabs:
    """The tab of the players, and the one of the challenges where there is one."""

    players: Tab
    challenges: Tab | None


def choose(tabs: Sequence[Tab], cells: Sequence[Cells], players: str, challenges: str) -> Tabs:
    """Find the two tabs; titles that are set in the settings go before headers.

    Raises:
        GoogleError: `no_players_tab` or `no_such_tab`.
    """
    found = {tab.title: tab for tab in tabs}
    for title in filter(None, (players, challenges)):
        if title not in found:
            raise GoogleError("no_such_tab", tab=title)
    sheets = {tab.id: _sheet(tab, rows) for tab, rows in zip(tabs, cells, strict=True)}
    people = [tab for tab in tabs if _people(sheets[tab.id])]
    people.sort(key=lambda tab: -_people(sheets[tab.id]))  # the first one among equals
    if not players and not people:
        raise GoogleError("no_players_tab", tabs=", ".join(found))
    main = found[players] if players else people[0]
    rest = [tab for tab in tabs if tab != main and _challenging(sheets[tab.id])]
    second = found[challenges] if challenges else next(iter(rest), None)
    return Tabs(main, second)


def _sheet(tab: Tab, rows: Cells) -> Sheet | None:
    try:
        return recognise(table(tab, rows))
    except UnreadableTable:
        return None


def table(tab: Tab, rows: Cells) -> Table:
    """Read a tab's cells.

    Raises:
        UnreadableTable: it is empty, or has no header.
    """
    return table_of(tab.title, rows)


def _people(sheet: Sheet | None) -> int:
    """Count what a tab tells about people; nothing unless it names them."""
    if sheet is None or not sheet.naming:
        return 0
    return len(_ABOUT_PEOPLE & set(sheet.meanings))


def _challenging(sheet: Sheet | None) -> bool:
    """Tell whether a tab says what is to be done to whom, and little else."""
    if sheet is None or _people(sheet) > 1:
        return False
    whom = sheet.naming or Meaning.TARGET in sheet.meanings
    return bool(whom and _CHALLENGES & set(sheet.meanings))
