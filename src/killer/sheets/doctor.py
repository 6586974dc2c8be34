"""The doctor of the sheet: looks at everything that can be wrong, and says what to click."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from killer.game.model import Game
from killer.settings import Settings
from killer.sheets import tabs as tabs_
from killer.sheets.cells import HEADERS
from killer.sheets.claims import sort_out
from killer.sheets.columns import Meaning, Sheet, recognise
from killer.sheets.google import Google, GoogleError, Tab
from killer.sheets.tables import Table, UnreadableTable

Grade = Literal["fine", "note", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `key` names the sentence that `params` fill."""

    grade: Grade
    key: str
    params: tuple[tuple[str, str], ...] = ()
    where: str = ""  # the row and the column, where it is about a cell


def examine(settings: Settings, google: Google) -> Iterator[Finding]:
    """Look at one thing after the other, as far as it goes; nothing is changed anywhere."""
    try:
        yield from _look(settings, google)
    except GoogleError as error:
        yield Finding("wrong", error.sentence, tuple(error.params.items()))
    except UnreadableTable as error:
        yield Finding("wrong", f"roster.{error.code}", error.params, error.file)


def _look(settings: Settings, google: Google) -> Iterator[Finding]:
    if not settings.spreadsheet:
        yield Finding("wrong", "sheet.check.no_id")
        return
    if not settings.key_file.name:
        yield Finding("wrong", "sheet.check.no_key")
        return
    yield Finding("fine", "sheet.check.key", (("address", google.address),))
    if settings.key_file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        yield Finding("note", "sheet.check.open_key", (("file", str(settings.key_file)),))
    found = google.tabs(settings.spreadsheet)
    yield Finding("fine", "sheet.check.shared", (("tabs", ", ".join(t.title for t in found)),))
    yield _may_edit(settings, google)
    cells = google.read(settings.spreadsheet, [tab.title for tab in found])
    chosen = tabs_.choose(found, cells, settings.players_tab, settings.actions_tab)
    tables = {tab.id: rows for tab, rows in zip(found, cells, strict=True)}
    players = tabs_.table(chosen.players, tables[chosen.players.id])
    yield from _about_tab("players", chosen.players, players)
    second = None
    if chosen.challenges:
        second = tabs_.table(chosen.challenges, tables[chosen.challenges.id])
        yield from _about_tab("challenges", chosen.challenges, second)
    else:
        yield Finding("note", "sheet.check.no_challenges")
    yield from _about_columns(recognise(players), targets=settings.sheet_targets)
    yield from _about_rows(players, second)


def _may_edit(settings: Settings, google: Google) -> Finding:
    try:
        allowed = google.may_edit(settings.spreadsheet)
    except GoogleError as error:  # without Drive, only the photos are out of reach
        return Finding("note", error.sentence, tuple(error.params.items()))
    if allowed:
        return Finding("fine", "sheet.check.may_edit")
    return Finding("wrong", "sheet.check.may_not_edit", (("address", google.address),))


def _about_tab(which: str, tab: Tab, table: Table) -> Iterator[Finding]:
    params = (("tab", tab.title), ("n", str(len(table.rows))))
    yield Finding("fine", f"sheet.check.tab.{which}", params)
    meanings = recognise(table).meanings
    known = [h for h, meaning in zip(table.header, meanings, strict=True) if meaning]
    others = [h for h, meaning in zip(table.header, meanings, strict=True) if h and not meaning]
    yield Finding("fine", "sheet.check.columns", (("columns", " · ".join(known)),))
    if others:
        yield Finding("note", "sheet.check.other_columns", (("columns", " · ".join(others)),))


def _about_columns(sheet: Sheet, *, targets: bool) -> Iterator[Finding]:
    absent = [HEADERS[m] for m in HEADERS if m not in sheet.meanings]
    if not targets and HEADERS[Meaning.TARGET] in absent:
        absent.remove(HEADERS[Meaning.TARGET])
    if absent:
        yield Finding("note", "sheet.check.to_add", (("columns", ", ".join(absent)),))
    yield Finding("note", "sheet.check.targets" if targets else "sheet.check.no_targets")


def _about_rows(players: Table, challenges: Table | None) -> Iterator[Finding]:
    reading = sort_out(players, Game(), {}, "").read(challenges)
    for one in reading.problems:
        row = "" if one.row is None else f":{one.row}"
        where = f"{one.file}{row} {one.column}".strip()
        grade: Grade = "wrong" if one.severity == "problem" else "note"
        yield Finding(grade, f"roster.{one.code}", one.params, where)
    if reading.sound:
        yield Finding("fine", "sheet.check.sound", (("n", str(len(reading.entries))),))
