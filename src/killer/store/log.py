"""The log of a game: numbered events, appended once, read from any place on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, func, insert, or_, select

from killer.game.events import KINDS, Event, kind
from killer.game.model import Change, PlayerId, State
from killer.store.tables import events, games


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event with its number, its time (milliseconds since 1970, UTC), who and why."""

    version: int
    event: Event
    at: int
    actor: PlayerId | None
    reason: str


def append(connection: Connection, game: int, records: Sequence[Recorded]) -> None:
    """Add events behind the last one of their game."""
    if records:
        connection.execute(insert(events), [_row(game, record) for record in records])


_SINCE = (
    select(events)
    .where(events.c.game == bindparam("its_game"), events.c.version > bindparam("place"))
    .order_by(events.c.version)
)


def since(connection: Connection, game: int, version: int) -> list[Recorded]:
    """Read what came after a version, oldest first."""
    rows = connection.execute(_SINCE, {"its_game": game, "place": version})
    return [_record(row._mapping) for row in rows]  # noqa: SLF001  # SQLAlchemy's public name for it


def lately(connection: Connection, game: int, at: int, field: str) -> list[Change]:
    """Read how a field was moved since a time in milliseconds since 1970, UTC; oldest first."""
    recent = _SINCE.where(events.c.at >= at, events.c.data.contains(f'"{field}"', autoescape=True))
    rows = connection.execute(recent, {"its_game": game, "place": 0})
    every = (change for row in rows for change in _record(row._mapping).event.changes)  # noqa: SLF001  # as above
    return [change for change in every if change.field == field]


def first_after(connection: Connection, game: int, version: int) -> int | None:
    """Give when the next event after a version was recorded; None when there is none."""
    query = select(events.c.at).where(events.c.game == game, events.c.version == version + 1)
    return connection.execute(query).scalar()


def stirs(connection: Connection, since: int) -> bool:
    """Tell whether a real game runs, or has moved since a time in milliseconds since 1970, UTC."""
    last = (events.c.game == games.c.id) & (events.c.version == games.c.version)
    query = select(games.c.id).join(events, last).where(games.c.rehearses.is_(None))
    stirring = query.where(or_(games.c.state == State.RUNNING, events.c.at >= since))
    return connection.execute(stirring.limit(1)).first() is not None


def length(connection: Connection, game: int) -> int | None:
    """Give the number of a game's events, when they are numbered from 1 without a gap."""
    query = select(func.count(), func.min(events.c.version), func.max(events.c.version))
    number, first, last = connection.execute(query.where(events.c.game == game)).one()
    return number if number == 0 or (first, last) == (1, number) else None


def _row(game: int, record: Recorded) -> dict[str, Any]:
    event = record.event
    data = {f.name: getattr(event, f.name) for f in fields(event)}
    return {
        "game": game,
        "version": record.version,
        "kind": kind(event),
        "data": msgspec.json.encode(data).decode(),
        "at": record.at,
        "actor": record.actor,
        "reason": record.reason,
    }


def _record(row: Any) -> Recorded:
    event: Event = msgspec.json.decode(row["data"], type=KINDS[row["kind"]])
    return Recorded(row["version"], event, row["at"], row["actor"], row["reason"])
