"""One reading of the sheet beside the game at that moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from killer.game.model import Game, PlayerId
from killer.sheets.google import Tab
from killer.sheets.identity import Owner, is_strange
from killer.sheets.roster import Entry
from killer.sheets.tables import Row, Table
from killer.store.people import Contact


@dataclass(frozen=True, slots=True)
class Reading:
    """The cells of one look: the players' tab as it is, and the challenges where there are any."""

    tab: Tab
    table: Table
    challenges: Table | None


@dataclass(slots=True)
class Seen:
    """A reading with our columns under their own headers, whose each row is, and the game."""

    table: Table
    entries: tuple[Entry, ...]
    owners: list[Owner]
    contacts: dict[PlayerId, Contact]
    game: Game

    @property
    def rows(self) -> list[tuple[Row, PlayerId]]:
        """Give the rows of known players."""
        known = dict(zip((e.row for e in self.entries), self.owners, strict=True))
        rows = [(row, known.get(row.number)) for row in self.table.rows]
        return [(row, owner.player) for row, owner in rows if owner and owner.player]

    @property
    def sure(self) -> frozenset[PlayerId]:
        """Give those whose row is surely theirs: only these are marked."""
        return frozenset(one.player for one in self.owners if one.player and one.surely)

    @property
    def places(self) -> Mapping[PlayerId, int]:
        """Give the number of each player's row."""
        return {owner: row.number for row, owner in self.rows}

    def strangers(self, tag: str) -> Iterator[tuple[Row, PlayerId | None]]:
        """Give the rows that another game has marked as its own, and whose they are here."""
        marked = {e.row for e in self.entries if is_strange(e.mark, tag)}
        known = {row.number: owner for row, owner in self.rows}
        rows = (row for row in self.table.rows if row.number in marked)
        return ((row, known.get(row.number)) for row in rows)
