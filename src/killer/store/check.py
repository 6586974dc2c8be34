"""The laws on a live database: one ring, a log without gaps, rows that say what the log says."""

from __future__ import annotations

from sqlalchemy import Connection

from killer.game import ring
from killer.game.model import Game
from killer.store import games, log

GAPS = "the log has gaps, or another length than the game's version"


def faults(connection: Connection, row: games.GameRow) -> list[str]:
    """Say which laws a game breaks; an empty list is a sound game. For organisers' eyes only."""
    records = log.since(connection, row.id, 0)
    rows = games.load(connection, row.id)
    if [r.version for r in records] != list(range(1, rows.version + 1)):
        return [*ring.faults(rows), GAPS]
    return _differences(rows, games.blank(row).after(*(r.event for r in records)))


def quick_faults(connection: Connection, row: games.GameRow, told: Game) -> list[str]:
    """Say the same by what the log was known to tell up to its version, without reading it again.

    For 1,000 players 10 ms instead of 100. What was not yet heard of when the game has just moved
    is for the next look.
    """
    rows = games.load(connection, row.id)
    if rows.version < told.version or log.length(connection, row.id) != rows.version:
        return [*ring.faults(rows), GAPS]
    return ring.faults(rows) if rows.version > told.version else _differences(rows, told)


def _differences(rows: Game, told: Game) -> list[str]:
    found = ring.faults(rows)
    if told != rows:
        found.append("the rows of the players differ from what the log says")
    credited = sum(p.killed_by is not None for p in rows.players.values())
    if sum(rows.kills.values()) != credited:
        found.append("the kills don't add up")
    return found


def broken(connection: Connection) -> dict[str, list[str]]:
    """Say for each game that breaks a law which ones; nothing when all are sound."""
    found = {row.name: faults(connection, row) for row in games.every(connection)}
    return {name: each for name, each in found.items() if each}
