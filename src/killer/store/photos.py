"""Which photos were fetched from where, so that an interrupted fetch goes on where it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from killer.game.model import PlayerId
from killer.store.database import Connection
from killer.store.games import now
from killer.store.tables import photos, players

DONE = "done"


@dataclass(frozen=True, slots=True)
class Tried:
    """The last try for a player: the cell with its links, and how it ended."""

    source: str
    outcome: str  # DONE, or a code `photo.<code>`


def tried(connection: Connection, game: int) -> Mapping[PlayerId, Tried]:
    """Give the last try for everybody for whom there was one."""
    rows = connection.execute(select(photos).where(photos.c.game == game))
    return {PlayerId(row.player): Tried(row.source, row.outcome) for row in rows}


def last(connection: Connection, game: int, player: PlayerId) -> Tried | None:
    """Give the last try for one player, if there was one."""
    mine = select(photos).where(photos.c.game == game, photos.c.player == player)
    row = connection.execute(mine).first()
    return None if row is None else Tried(row.source, row.outcome)


def note(connection: Connection, game: int, player: PlayerId, last: Tried) -> None:
    """Remember a try."""
    mine = (photos.c.game == game, photos.c.player == player)
    connection.execute(delete(photos).where(*mine))
    row = {"game": game, "player": player, "source": last.source, "outcome": last.outcome}
    connection.execute(insert(photos).values(row | {"at": now()}))


def shown(connection: Connection) -> list[tuple[int, str]]:
    """Give the game and the name of every photo that a player has."""
    query = select(players.c.game, players.c.photo).where(players.c.photo != "")
    return [(row.game, row.photo) for row in connection.execute(query)]
