"""A deployment's rows moved to another database while nobody plays, and compared one by one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from killer.game.model import State
from killer.store import check, dump, games, keeping, schema
from killer.store.database import Connection, Database
from killer.store.dump import Facts, RowError, Score

STEPS = ("read", "load", "check", "again")

Told = Callable[[str], object]


class MoveError(Exception):
    """The rows can't be moved; `code` names the sentence `move.<code>`, the target is empty."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code, params)
        self.code = code
        self.params = params


@dataclass(frozen=True, slots=True)
class Moved:
    """What both databases hold now."""

    scores: tuple[Score, ...]
    tables: int
    rows: int
    served: bool  # a server is at work on the old one: what it writes from now on stays there


def opened(url: str) -> Database:
    """Give the database of an address.

    Raises:
        MoveError: it is none.
    """
    try:
        make_url(url)
    except (ArgumentError, ValueError) as error:
        raise MoveError("no_address") from error
    return Database(url)


def move(source: Database, target: Database, told: Told) -> Moved:
    """Copy everything into an empty database, in one transaction that ends when all is compared.

    Every row is read again from the target, the log of every game is replayed there against its
    rows, and the source is looked at a second time: it must not have moved.

    Args:
        source: the games; none may be running.
        target: gets them; SQLite or PostgreSQL.
        told: hears each of STEPS when it begins.

    Raises:
        MoveError: it can't be done; the target is as empty as before.
        StoreUnavailableError: one of them can't be used; the target is as empty as before.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        told("read")
        facts, scores, served = _read(source, folder)
        with target.write() as connection:
            told("load")
            _fill(connection, folder, facts)
            told("check")
            if found := check.broken(connection):
                raise MoveError("broken", games=", ".join(found))
            told("again")
            again, _, served_now = _read(source, folder)
            if again != facts or dump.scores(connection) != scores:
                raise MoveError("moved")
    rows = sum(each.rows for each in facts.values())
    return Moved(scores, len(facts), rows, served or served_now)


def _read(source: Database, folder: Path) -> tuple[Mapping[str, Facts], tuple[Score, ...], bool]:
    """Write one moment of the source into a folder, unless somebody plays in it."""
    with source.read() as connection:
        content = dump.content(connection)
        if content == "nothing":
            raise MoveError("nothing")
        if content == "foreign" or schema.revision(connection) != schema.NEWEST:
            raise MoveError("other_schema")
        if playing := _running(connection):
            raise MoveError("running", games=", ".join(playing))
        served = keeping.holder_of(connection, keeping.KEEPER) is not None
        return dump.write(connection, folder), dump.scores(connection), served


def _running(connection: Connection) -> list[str]:
    rows = games.every(connection)
    return [r.name for r in rows if r.state is State.RUNNING and r.rehearses is None]


def _fill(connection: Connection, folder: Path, facts: Mapping[str, Facts]) -> None:
    content = dump.content(connection)
    if content != "nothing":
        raise MoveError("not_empty" if content == "games" else "other_schema")
    try:
        dump.load(connection, folder, schema.NEWEST, facts)
    except RowError as error:
        raise MoveError("row", **error.params) from error
