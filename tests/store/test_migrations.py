"""The migrations lead from nothing to the tables of the code, and back."""

from __future__ import annotations

import ast
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from killer.store import migrations, schema
from killer.store.database import Database
from killer.store.tables import metadata
from store.processes import Mother

ADDING = {"create_table", "add_column", "create_index", "get_bind"}


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


def test_a_newer_release_s_schema_is_served_and_left_as_it_is(database_url: str) -> None:
    database = Database(database_url)
    migrations.migrate(database)
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert schema.serves(database)
    migrations.migrate(database)
    with database.read() as connection:
        assert schema.revision(connection) == "9999"
    database.close()


def test_a_migration_only_adds_what_the_release_before_it_can_do_without() -> None:
    """The old release goes on writing beside the new one, and may be rolled back to."""
    found = {file.name: takes_away(file) for file in sorted(schema.VERSIONS.glob("[0-9]*.py"))}
    assert found.pop("0003_rehearsals.py"), "it makes a table anew, before there were deployments"
    assert not {name: faults for name, faults in found.items() if faults}


def takes_away(file: Path) -> list[str]:
    """Give what a migration does, on its way up, beyond adding."""
    functions = [n for n in ast.parse(file.read_text()).body if isinstance(n, ast.FunctionDef)]
    up = [node for node in functions if node.name != "downgrade"]
    calls = [node for each in up for node in ast.walk(each) if isinstance(node, ast.Call)]
    faults = []
    for call in calls:
        where, _, name = ast.unparse(call.func).rpartition(".")
        said = ast.unparse(call)
        alone = name == "add_column" and "nullable=False" in said and "server_default" not in said
        if where in {"op", "batch"} and (name not in ADDING or alone):
            faults.append(said)
    return faults
