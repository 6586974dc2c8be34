"""Migrations of the schema, run by Alembic before the server starts."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from killer.store import schema
from killer.store.database import Connection, Database

LOCK = 1263553612  # any number that nothing else on the server locks


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


def migrate(database: Database) -> None:
    """Bring the database to the newest schema; one process at a time may do it.

    A schema that a newer release has made is left as it is: Alembic wouldn't know its number.
    """
    with database.write() as connection:
        if (schema.revision(connection) or "") <= schema.NEWEST:
            upgrade(connection)


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the schema to a revision within the transaction of whoever asks."""
    if connection.dialect.name != "sqlite":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
