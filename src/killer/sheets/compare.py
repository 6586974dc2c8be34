"""A roster beside what the last import said, so that only the sheet's own changes are taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from killer.game import names
from killer.game.model import FALLEN, Game, Player, PlayerId, Value
from killer.sheets.identity import owners
from killer.sheets.roster import Entry
from killer.store.people import Contact, Said

CONTACT_FIELDS = ("email", "phone", "gender", "photo_source", "answers")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the sheet, the player it speaks of, and what it said at the last import."""

    entry: Entry
    player: Player | None
    known: Contact
    said: Said  # what the game says, when no import has spoken of this player yet
    aim: str | None = None  # what the sheet's cell of the target says, taken or not

    @property
    def name(self) -> str:
        """Give the nickname that the player has after the import."""
        renamed = self.player is None or self.said.nickname != self.entry.nickname
        return self.entry.nickname if renamed or self.player is None else self.player.nickname

    @property
    def contact(self) -> Contact:
        """Give the private details afterwards; an empty cell, or no column, erases nothing."""
        return Contact(
            self.entry.email or self.known.email,
            self.entry.phone or self.known.phone,
            self.entry.gender or self.known.gender,
            self.entry.photo or self.known.photo_source,
            self.entry.answers or self.known.answers,
            said_by(self.entry, self.said.stamp, self.said.aim if self.aim is None else self.aim),
        )

    def contacts_changed(self) -> tuple[str, ...]:
        """Name the private details that the import changes."""
        after = self.contact
        return tuple(n for n in CONTACT_FIELDS if getattr(self.known, n) != getattr(after, n))

    def edits(self) -> tuple[tuple[str, Value], ...]:
        """Say which cells differ; an empty one erases nothing, and nobody is demoted."""
        assert self.player is not None
        wanted: list[tuple[str, Value]] = []
        for name in ("nickname", "year", "challenge"):
            cell = getattr(self.entry, name)
            if cell and cell != getattr(self.said, name) and cell != getattr(self.player, name):
                wanted.append((name, cell))
        if self.entry.organiser and not self.said.organiser and not self.player.organiser:
            wanted.append(("organiser", True))
        return tuple(wanted)

    def history_changed(self) -> bool:
        """Tell whether a fall is new, gone or different."""
        entry, said = self.entry, self.said
        if entry.status not in FALLEN and said.status not in FALLEN:
            return False
        before = (said.status, names.key(said.killed_by), said.order)
        return before != (entry.status, names.key(entry.killed_by), entry.order)


def said_by(entry: Entry, stamp: str = "", aim: str | None = None) -> Said:
    """Keep what a row says, to compare the next import with; a lost time stamp stays known."""
    return Said(
        entry.nickname,
        entry.year,
        entry.challenge,
        entry.status,
        entry.target,
        entry.killed_by,
        entry.order,
        entry.organiser,
        entry.stamp or stamp,
        aim,
    )


def rows_of(
    game: Game,
    entries: Sequence[Entry],
    contacts: Mapping[PlayerId, Contact],
    tag: str = "",
    *,
    by_hand: bool = False,
) -> list[Row]:
    """Find the player of every row; `tag` is that of the game, to trust our own column."""
    rows = []
    whose = owners(game, entries, contacts, tag, by_hand=by_hand)
    for entry, owner in zip(entries, whose, strict=True):
        number = owner.player if owner.surely else None
        player = game.players[number] if number else None
        known = contacts.get(number, Contact()) if number else Contact()
        rows.append(Row(entry, player, known, known.said or _said_of(game, player)))
    return rows


def _said_of(game: Game, player: Player | None) -> Said:
    if player is None:
        return Said()
    target = game.players[player.target].nickname if player.target else ""
    killer = game.players[player.killed_by].nickname if player.killed_by else ""
    return Said(
        player.nickname,
        player.year,
        player.challenge,
        player.status,
        target,
        killer,
        game.order.get(player.id),
        player.organiser,
    )
