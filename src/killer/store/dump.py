"""Every row of a database as lines of JSON, alike from SQLite and PostgreSQL, and back again."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any, Literal

import msgspec
from sqlalchemy import MetaData, String, Table, func, insert, inspect, select, text
from sqlalchemy.exc import OperationalError, StatementError

from killer.store import migrations, postgresql, schema
from killer.store.database import Connection, Database
from killer.store.tables import metadata

#: What belongs to the processes that live now, and lasts seconds: who keeps, who knocked how often.
PASSING = frozenset({"hits", "leases"})
BATCH = 500  # rows
SEQUENCE = "pg_get_serial_sequence(:table, :column)::regclass"

Content = Literal["nothing", "games", "foreign"]
Line = list[bool | int | str | None]


class Facts(msgspec.Struct, frozen=True):
    """What the file of a table holds; `last` is the highest number that the table ever gave."""

    columns: tuple[str, ...]
    rows: int
    sha256: str
    last: int = 0


class Score(msgspec.Struct, frozen=True):
    """How a game stands."""

    name: str
    state: str
    version: int
    players: int
    alive: int


class RowError(Exception):
    """A database doesn't take a row, or gives back another one; the row is told by its place."""

    def __init__(self, table: str, row: int, cause: str) -> None:
        super().__init__(f"{table}, {row}: {cause}")
        self.params = {"table": table, "row": row, "cause": cause}


def content(connection: Connection) -> Content:
    """Tell what is in a database: nothing, games, or what this version doesn't know."""
    revision = schema.revision(connection)
    there = metadata.tables.keys() & set(inspect(connection).get_table_names())
    if revision is None:
        return "foreign" if there else "nothing"
    if revision not in schema.REVISIONS:
        return "foreign"
    tables = _tables(revision)
    return "games" if any(_has_rows(connection, each) for each in tables) else "nothing"


def readable(connection: Connection) -> str | None:
    """Give the revision as which a database can be read; none when it holds nothing of ours.

    A release only adds to the schema of the one before, so that this one, should it have come back
    after a newer one, still finds everything that it knows.
    """
    revision = schema.revision(connection) or ""
    newer = revision.isdecimal() and revision > schema.NEWEST
    if newer:
        return schema.NEWEST
    return revision if revision in schema.REVISIONS else None


def scores(connection: Connection) -> tuple[Score, ...]:
    """Tell how every game stands."""
    games, players = metadata.tables["games"], metadata.tables["players"]
    alive = func.count().filter(players.c.status == "alive")
    query = (
        select(games.c.name, games.c.state, games.c.version, func.count(players.c.id), alive)
        .outerjoin(players, players.c.game == games.c.id)
        .group_by(games.c.id, games.c.name, games.c.state, games.c.version)
        .order_by(games.c.id)
    )
    return tuple(Score(*row) for row in connection.execute(query))


def write(connection: Connection, folder: Path) -> dict[str, Facts]:
    """Write every table of the revision as which a database can be read into a file of its own.

    The transaction of the connection makes them one moment of the game.
    """
    postgresql.take_time(connection)
    revision = readable(connection)
    assert revision is not None, "nothing of ours is there"
    return {str(each.name): _write(connection, each, folder) for each in _tables(revision)}


def load(connection: Connection, folder: Path, revision: str, facts: Mapping[str, Facts]) -> None:
    """Put the tables of a revision into a database in the place of all it has, then migrate it.

    What was put in is read again and compared. The transaction of the connection makes it all or
    nothing.

    Raises:
        RowError: the database doesn't take a row, or gives it back otherwise.
    """
    postgresql.take_time(connection)
    wipe(connection)
    migrations.upgrade(connection, revision)
    tables = _tables(revision)
    for each in tables:
        _load(connection, each, folder, facts[each.name])
    with tempfile.TemporaryDirectory(dir=folder) as again:
        for each in tables:
            found = _write(connection, each, Path(again))
            if found.sha256 != facts[each.name].sha256:
                row = _first_difference(folder, Path(again), each.name)
                raise RowError(each.name, row, "other values came back")
    migrations.upgrade(connection)


def wipe(connection: Connection) -> None:
    """Remove every table that the migrations have made."""
    revision = schema.revision(connection)
    if revision is not None:
        _metadata(revision).drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))


def _metadata(revision: str) -> MetaData:
    """Give the tables of a revision, as its migrations make them."""
    if revision == schema.NEWEST:
        return metadata
    found = MetaData()
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/{revision}.sqlite3")
        with database.write() as connection:
            migrations.upgrade(connection, revision)
            found.reflect(connection, only=lambda name, _: name != "alembic_version")
        database.close()
    return found


def _tables(revision: str) -> list[Table]:
    """Give the tables that are kept, each behind those of which its rows speak."""
    return [each for each in _metadata(revision).sorted_tables if each.name not in PASSING]


def _has_rows(connection: Connection, table: Table) -> bool:
    return connection.execute(select(table).limit(1)).first() is not None


def _file(folder: Path, table: str) -> Path:
    return folder / f"{table}.jsonl"


def _write(connection: Connection, table: Table, folder: Path) -> Facts:
    columns = tuple(sorted(map(str, table.columns.keys())))
    query = select(*(table.c[name] for name in columns)).order_by(*_order(connection, table))
    digest, rows = hashlib.sha256(), 0
    with _file(folder, table.name).open("wb") as file:
        for row in connection.execute(query.execution_options(yield_per=BATCH)):
            line = msgspec.json.encode(tuple(row)) + b"\n"
            digest.update(line)
            file.write(line)
            rows += 1
    return Facts(columns, rows, digest.hexdigest(), _last(connection, table))


def _order(connection: Connection, table: Table) -> Iterator[Any]:
    """Sort by the key, and text by its bytes, as every SQLite does and not every PostgreSQL."""
    bytewise = "BINARY" if connection.dialect.name == "sqlite" else "C"
    for column in table.primary_key:
        yield column.collate(bytewise) if isinstance(column.type, String) else column


def _load(connection: Connection, table: Table, folder: Path, facts: Facts) -> None:
    if facts.columns != tuple(sorted(table.columns.keys())):
        raise RowError(table.name, 0, "other columns")
    done = 0
    with _file(folder, table.name).open("rb") as file:
        while lines := list(islice(file, BATCH)):
            try:
                connection.execute(insert(table), [_row(line, facts.columns) for line in lines])
            except OperationalError:
                raise  # the database fails, not the row
            except (StatementError, OverflowError, ValueError) as error:
                raise RowError(table.name, done + 1, str(error).splitlines()[0]) from error
            done += len(lines)
    _number_on(connection, table, facts.last)


def _row(line: bytes, columns: tuple[str, ...]) -> dict[str, Any]:
    values = msgspec.json.decode(line, type=Line)
    return dict(zip(columns, values, strict=True))


def _last(connection: Connection, table: Table) -> int:
    """Give the highest number that a table ever gave, also to rows that are gone."""
    column = table.autoincrement_column
    if column is None:
        return 0
    there = connection.execute(select(func.max(column))).scalar() or 0
    if connection.dialect.name != "sqlite":
        query, names = text(f"SELECT pg_sequence_last_value({SEQUENCE})"), _names(table)
    elif _never_twice(connection, table):
        query = text("SELECT seq FROM sqlite_sequence WHERE name = :table")
        names = {"table": table.name}
    else:
        return int(there)
    return max(there, connection.execute(query, names).scalar() or 0)


def _number_on(connection: Connection, table: Table, last: int) -> None:
    """Let the next row get the number behind the highest one that was ever given."""
    if table.autoincrement_column is None or not last:
        return
    if connection.dialect.name != "sqlite":
        query = text(f"SELECT setval({SEQUENCE}, :last)")
        connection.execute(query, _names(table) | {"last": last})
    elif _never_twice(connection, table):
        row = {"name": table.name, "last": last}
        connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), row)
        connection.execute(text("INSERT INTO sqlite_sequence VALUES (:name, :last)"), row)


def _names(table: Table) -> dict[str, Any]:
    assert table.autoincrement_column is not None
    return {"table": table.name, "column": table.autoincrement_column.name}


def _never_twice(connection: Connection, table: Table) -> bool:
    """Tell whether SQLite remembers the numbers of rows that are gone."""
    query = text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :name")
    made = connection.execute(query, {"name": table.name}).scalar()
    return "AUTOINCREMENT" in str(made)


def _first_difference(before: Path, after: Path, table: str) -> int:
    """Give the place of the first row that two files of a table don't share."""
    with _file(before, table).open("rb") as one, _file(after, table).open("rb") as other:
        pairs = enumerate(zip_longest(one, other), 1)
        return next((place for place, (a, b) in pairs if a != b), 0)
