"""Rows that only claim to be somebody's, told apart before anything of them is taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from killer.game import names
from killer.game.model import Game, PlayerId
from killer.sheets import moments
from killer.sheets.columns import Sheet, recognise
from killer.sheets.identity import mark_of, owners, said_names
from killer.sheets.roster import Entry, Reading, everybody, read_roster
from killer.sheets.tables import Problem, Table
from killer.store.people import Contact


@dataclass(frozen=True, slots=True)
class Sorted:
    """A table without the rows that only claim to be somebody's, and what to say of those."""

    table: Table
    problems: tuple[Problem, ...] = ()

    def read(self, challenges: Table | None = None) -> Reading:
        """Read the roster of the rows that count; the others are told as problems of theirs."""
        reading = read_roster(self.table, challenges)
        return replace(reading, problems=(*reading.problems, *self.problems))


def sort_out(
    found: Table,
    game: Game,
    contacts: Mapping[PlayerId, Contact],
    tag: str,
    *,
    by_hand: bool = True,
) -> Sorted:
    """Leave out the rows that bear the name of a player of the game and aren't surely his.

    So does a second row of one newcomer: the first answer holds, wherever it stands.
    """
    sheet = recognise(found)
    if not sheet.naming:
        return Sorted(found)
    problems = tuple(_claims(sheet, game, contacts, tag, by_hand=by_hand))
    aside = {one.row for one in problems}
    rows = tuple(row for row in found.rows if row.number not in aside)
    return Sorted(replace(found, rows=rows) if aside else found, problems)


def _claims(
    sheet: Sheet, game: Game, contacts: Mapping[PlayerId, Contact], tag: str, *, by_hand: bool
) -> Iterator[Problem]:
    entries = everybody(sheet)
    called = {**game.by_key, **said_names(contacts)}
    fresh: dict[str, list[Entry]] = {}
    for entry, owner in zip(
        entries, owners(game, entries, contacts, tag, by_hand=by_hand), strict=True
    ):
        key = names.key(entry.nickname)
        player = owner.player or called.get(key)
        if player and not owner.surely:
            params = {"nickname": entry.nickname, "mark": mark_of(player, tag)}
            yield sheet.problem(entry.row, sheet.naming[0], "taken_name", **params)
        elif not player:
            fresh.setdefault(key, []).append(entry)
    for namesakes in fresh.values():
        yield from _second_answers(sheet, namesakes)


def _second_answers(sheet: Sheet, namesakes: list[Entry]) -> Iterator[Problem]:
    first = moments.first(namesakes)
    for entry in namesakes:
        if entry is not first:
            params = {"nickname": entry.nickname, "other": str(first.row)}
            yield sheet.problem(entry.row, sheet.naming[0], "answered_twice", **params)
