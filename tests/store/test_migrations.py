"""The migrations lead from nothing to the tables of the code, and back."""

from __future__ import annotations

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from killer.store import migrations, schema
from killer.store.database import Database
from killer.store.tables import metadata
from store.processes import Mother


def downgrade(database: Database) -> None:
    with database.write() as connection:
        config = migrations._config()
        config.attributes["connection"] = connection
        command.downgrade(config, "base")


def tables_of(database: Database) -> set[str]:
    with database.read() as connection:
        return set(inspect(connection).get_table_names())


def test_the_migrations_lead_to_the_tables_of_the_code(database_url: str) -> None:
    database = Database(database_url)
    migrations.migrate(database)
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    assert schema.serves(database)
    database.close()


def test_a_second_migration_changes_nothing(database_url: str) -> None:
    database = Database(database_url)
    migrations.migrate(database)
    before = tables_of(database)
    migrations.migrate(database)
    assert tables_of(database) == before
    database.close()


def test_the_way_back_leaves_nothing(database_url: str) -> None:
    database = Database(database_url)
    migrations.migrate(database)
    downgrade(database)
    assert tables_of(database) == {"alembic_version"}
    assert not schema.serves(database)
    migrations.migrate(database)
    assert schema.serves(database)
    database.close()


def test_an_empty_database_is_not_current(database_url: str) -> None:
    database = Database(database_url)
    assert not schema.serves(database)
    database.close()


def test_four_starts_at_once_migrate_once(database_url: str, mother: Mother) -> None:
    """Alembic keeps its context in a global, so that it takes processes to try this."""
    starts = mother.start(*[("migrate", database_url)] * 4)
    assert [line["current"] for start in starts for line in start.finish()] == [True] * 4


def test_the_newest_schema_is_alembic_s_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.VERSIONS.parent))
    assert ScriptDirectory.from_config(config).get_current_head() == schema.NEWEST
