"""Leases for what only one process may do, and the places of those who read the log."""

from __future__ import annotations

from sqlalchemy import delete, insert, inspect, or_, select, update

from killer.store.database import Connection, Database
from killer.store.games import now
from killer.store.tables import leases, places

BACKUP = "backup"  # the lease whose end is the moment of the last backup, on any machine
KEEPER = "keeper"  # the lease that some worker of every server holds as long as it serves


def take_lease(database: Database, name: str, holder: str, seconds: float) -> bool:
    """Take a lease, or take it for longer; False when another holder's has not run out.

    Raises:
        StoreUnavailableError: nobody knows who has it.
    """
    with database.read() as connection:  # most who ask are refused, and shouldn't stop a writer
        taken = select(leases.c.holder).where(leases.c.name == name, leases.c.expires > now())
        if connection.execute(taken).scalar() not in {None, holder}:
            return False
    free = or_(leases.c.holder == holder, leases.c.expires <= now())
    row = {"name": name, "holder": holder, "expires": now() + int(seconds * 1000)}
    with database.write() as connection:
        held = connection.execute(update(leases).where(leases.c.name == name, free).values(row))
        if held.rowcount:
            return True
        if connection.execute(select(leases.c.name).where(leases.c.name == name)).first():
            return False
        connection.execute(insert(leases).values(row))
        return True


def note(database: Database, name: str, doer: str) -> None:
    """Remember when something was done, for all machines: a lease that has run out at once.

    Raises:
        StoreUnavailableError: it isn't remembered.
    """
    take_lease(database, name, doer, 0.0)


def holds_lease(connection: Connection, name: str, holder: str) -> bool:
    """Tell whether somebody still has a lease."""
    query = select(leases.c.holder).where(leases.c.name == name, leases.c.expires > now())
    return connection.execute(query).scalar() == holder


def holder_of(connection: Connection, name: str) -> tuple[str, int] | None:
    """Give who holds a lease and when it runs out, in milliseconds since 1970; none when it has."""
    if not inspect(connection).has_table(leases.name):
        return None  # nobody was ever there
    query = select(leases.c.holder, leases.c.expires)
    row = connection.execute(query.where(leases.c.name == name, leases.c.expires > now())).first()
    return None if row is None else (row.holder, row.expires)


def lapsed(connection: Connection, name: str) -> float | None:
    """Give the seconds since a lease ran out, 0 while somebody has it; None when nobody had it."""
    found = noted(connection, name)
    return None if found is None else found[1]


def noted(connection: Connection, name: str) -> tuple[str, float] | None:
    """Give who has done what was noted, and how many seconds ago; None when nobody ever has."""
    query = select(leases.c.holder, leases.c.expires).where(leases.c.name == name)
    row = connection.execute(query).first()
    return None if row is None else (row.holder, max(0, now() - row.expires) / 1000)


def leave_lease(database: Database, name: str, holder: str) -> None:
    """Give a lease back, so that the next one needn't wait for its end."""
    with database.write() as connection:
        mine = (leases.c.name == name, leases.c.holder == holder)
        connection.execute(delete(leases).where(*mine))


def place(connection: Connection, reader: str, game: int) -> int:
    """Give the version up to which a reader has dealt with a game's log, 0 in the beginning."""
    query = select(places.c.version).where(places.c.reader == reader, places.c.game == game)
    return int(connection.execute(query).scalar() or 0)


def set_place(connection: Connection, reader: str, game: int, version: int) -> None:
    """Remember how far a reader has come; an older place that comes late changes nothing."""
    mine = (places.c.reader == reader, places.c.game == game)
    moved = update(places).where(*mine, places.c.version < version).values(version=version)
    if connection.execute(moved).rowcount:
        return
    if not connection.execute(select(places.c.version).where(*mine)).first():
        connection.execute(insert(places).values(reader=reader, game=game, version=version))
