"""Errands: slow work that somebody asked for on a page; the row is the job."""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec
from sqlalchemy import insert, select, update

from killer.game.model import PlayerId
from killer.store.database import Connection
from killer.store.games import now
from killer.store.tables import errands

OPEN = ("waiting", "doing")


@dataclass(frozen=True, slots=True)
class Errand:
    """What is to be done for a game, and how far it is; `at` in milliseconds since 1970, UTC.

    `kind` is photos or mails; `state` is waiting, doing, done or failed. `detail` counts
    the failures by reason.
    """

    id: int
    game: int
    kind: str
    actor: PlayerId | None
    address: str
    state: str = "waiting"
    done: int = 0
    failed: int = 0
    total: int = 0
    detail: tuple[tuple[str, str], ...] = ()
    at: int = 0


def ask(
    connection: Connection, game: int, kind: str, actor: PlayerId | None, address: str = ""
) -> None:
    """Ask for an errand, unless the same one is already under way."""
    same = (errands.c.game == game, errands.c.kind == kind, errands.c.state.in_(OPEN))
    if connection.execute(select(errands.c.id).where(*same)).first():
        return
    row = Errand(0, game, kind, actor, address, at=now())
    connection.execute(insert(errands).values(_values(row)))


def waiting(connection: Connection) -> list[Errand]:
    """Give what is to be done, oldest first; what a dead process left off too."""
    query = select(errands).where(errands.c.state.in_(OPEN)).order_by(errands.c.id)
    return [_errand(row) for row in connection.execute(query)]


def latest(connection: Connection, game: int, kind: str) -> Errand | None:
    """Give the last errand of a kind, to show how far it is."""
    query = select(errands).where(errands.c.game == game, errands.c.kind == kind)
    row = connection.execute(query.order_by(errands.c.id.desc()).limit(1)).first()
    return None if row is None else _errand(row)


def note(connection: Connection, errand: Errand) -> None:
    """Keep how far an errand is."""
    row = replace(errand, at=now())
    connection.execute(update(errands).where(errands.c.id == errand.id).values(_values(row)))


def _values(errand: Errand) -> dict[str, object]:
    names = ("game", "kind", "actor", "address", "state", "done", "failed", "total", "at")
    row = {name: getattr(errand, name) for name in names}
    return row | {"detail": msgspec.json.encode(errand.detail).decode()}


def _errand(row: object) -> Errand:
    found = {name: getattr(row, name) for name in Errand.__dataclass_fields__}
    pairs = msgspec.json.decode(found["detail"], type=tuple[tuple[str, str], ...])
    return Errand(**found | {"detail": pairs})
