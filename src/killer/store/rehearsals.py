"""Rehearsals: games for a load test, which nothing real knows and which go without a trace."""

from __future__ import annotations

from sqlalchemy import delete, select

from killer.store.database import Connection
from killer.store.games import GameRow, every, now
from killer.store.tables import games, metadata, players

LONGEST = 6 * 3_600_000  # milliseconds after which one is left over from a test that was killed


def standing(connection: Connection, real: int) -> list[GameRow]:
    """List the rehearsals of a real game, newest first."""
    return [row for row in every(connection) if row.rehearses == real]


def left_over(connection: Connection, real: int) -> list[int]:
    """Give the numbers of the rehearsals of a real game that somebody forgot to remove."""
    before = now() - LONGEST
    return [row.id for row in standing(connection, real) if row.created < before]


def is_taken(connection: Connection, mark: str) -> bool:
    """Tell whether some nickname of the deployment holds a mark, which is to be in lower case."""
    query = select(players.c.id).where(players.c.nickname_key.contains(mark, autoescape=True))
    return connection.execute(query.limit(1)).first() is not None


def remove(connection: Connection, real: int, number: int) -> bool:
    """Remove every row of a rehearsal of a real game; False when there is none of that number."""
    mine = select(games.c.id).where(games.c.id == number, games.c.rehearses == real)
    if connection.execute(mine.with_for_update()).first() is None:  # whoever plays in it is awaited
        return False
    for table in reversed(metadata.sorted_tables):  # a row before those that it speaks of
        owner = games.c.id if table is games else table.columns.get("game")
        if owner is not None:
            connection.execute(delete(table).where(owner == number))
    return True
