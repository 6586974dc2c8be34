"""Which schema a database has, asked without Alembic: its 7 MB are not for a server that runs."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import inspect, text

from killer.store.database import Connection, Database

VERSIONS = Path(__file__).parent / "migrations" / "versions"
#: Migrations are numbered, and the file's name begins with the number.
REVISIONS = frozenset(file.stem.partition("_")[0] for file in VERSIONS.glob("[0-9]*.py"))
NEWEST = max(REVISIONS)


def revision(connection: Connection) -> str | None:
    """Give the schema that the database has; none when no migration has been there."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def serves(database: Database, away: float | None = None) -> bool:
    """Tell whether this code can work on a database: its schema is ours, or a newer release's.

    A newer release only adds to the schema, so that the release before it goes on beside it.

    Raises:
        StoreUnavailableError: it can't be asked, or stayed away for so many seconds.
    """
    with database.read(away) as connection:
        return (revision(connection) or "") >= NEWEST
