"""What the game says in a row of the sheet, and which cells say something else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from killer.game import names
from killer.game.model import Game, PlayerId
from killer.sheets.columns import Meaning, order_of, status_of
from killer.sheets.identity import mark_of
from killer.sheets.tables import Row
from killer.store.people import Contact

Value = str | int

#: The columns that belong to the game, with the header that they get when they are missing.
HEADERS = {
    Meaning.TARGET: "Cible actuelle",
    Meaning.STATUS: "État",
    Meaning.KILLED_BY: "Tué par",
    Meaning.ORDER: "Ordre d'élimination",
    Meaning.KILLS: "Nombre de kills",
    Meaning.MARK: "ID Killer",
}
STATE = (Meaning.TARGET, Meaning.STATUS, Meaning.KILLED_BY, Meaning.ORDER, Meaning.KILLS)


@dataclass(frozen=True, slots=True)
class Hand:
    """How a game is written into its sheet: with the targets or without, under which tag."""

    tag: str
    targets: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """A cell of a player's row that doesn't say what the game says."""

    player: PlayerId | None  # none: what we wrote into a row that is nobody's
    row: Row
    meaning: Meaning
    cell: str
    wanted: Value


def values(game: Game, player: PlayerId, contact: Contact, hand: Hand) -> Mapping[Meaning, Value]:
    """Say what a player's row should hold.

    When targets are kept out of the sheet, the cell holds what its editors had put there.
    """
    one = game.players[player]
    target = (contact.said and contact.said.aim) or ""
    if hand.targets:
        target = game.players[one.target].nickname if one.target else ""
    return {
        Meaning.TARGET: target,
        Meaning.STATUS: str(one.status),
        Meaning.KILLED_BY: game.players[one.killed_by].nickname if one.killed_by else "",
        Meaning.ORDER: game.order.get(player, 0),
        Meaning.KILLS: game.kills.get(player, 0),
        Meaning.MARK: mark_of(player, hand.tag),
    }


def says(meaning: Meaning, cell: str, value: Value) -> bool:
    """Tell whether a cell says a value, however its editors write it."""
    if meaning is Meaning.STATUS:
        return bool(cell.strip()) and status_of(cell) == value
    if meaning in {Meaning.TARGET, Meaning.KILLED_BY}:
        return names.key(cell) == names.key(str(value))
    if meaning is Meaning.ORDER:
        return order_of(cell) == value
    if meaning is Meaning.KILLS:
        return bool(cell.strip()) and order_of(cell) == value
    return cell.strip() == value


def differences(
    rows: Sequence[tuple[Row, PlayerId]],
    places: Mapping[Meaning, int],
    game: Game,
    contacts: Mapping[PlayerId, Contact],
    hand: Hand,
) -> Iterator[Difference]:
    """Give every cell of our columns, by their places, that doesn't say what the game says."""
    for row, player in rows:
        contact = contacts.get(player, Contact())
        wanted = values(game, player, contact, hand)
        for meaning, place in places.items():
            cell = row.cells[place] if place < len(row.cells) else ""
            if meaning is Meaning.TARGET and _nobodys_business(cell, contact, hand):
                continue
            if not says(meaning, cell, wanted[meaning]):
                yield Difference(player, row, meaning, cell, wanted[meaning])


def forgotten(
    rows: Iterable[tuple[Row, PlayerId | None]], places: Mapping[Meaning, int]
) -> Iterator[Difference]:
    """Empty what an earlier game wrote into its rows; who was out of play stays out."""
    for row, player in rows:
        for meaning, place in places.items():
            cell = row.cells[place].strip() if place < len(row.cells) else ""
            if meaning in STATE and cell and not is_out(meaning, cell):
                yield Difference(player, row, meaning, cell, "")


def is_out(meaning: Meaning | None, cell: str) -> bool:
    """Tell whether a cell says that somebody doesn't play, whichever game it is."""
    return meaning is Meaning.STATUS and status_of(cell) == "out"


def _nobodys_business(cell: str, contact: Contact, hand: Hand) -> bool:
    """Tell whether a target's cell is left alone: nothing is put back into an emptied one."""
    seen = contact.said is not None and contact.said.aim is not None
    return not hand.targets and not (seen and cell.strip())


def writable(meaning: Meaning, value: Value) -> Value:
    """Give what is written: nothing for a place in the order that nobody has yet."""
    return "" if meaning is Meaning.ORDER and value == 0 else value
