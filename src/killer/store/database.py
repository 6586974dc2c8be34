"""One database, SQLite or PostgreSQL: a transaction to read, a transaction to write, a look."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

PATIENCE = 10.0  # seconds that a writer waits for its turn
REACH = 5  # seconds to reach a database server
NAP = (0.001, 0.006)  # seconds between two tries, drawn at random


__all__ = ["Connection", "Database", "StaleVersionError", "StoreUnavailableError"]


class StoreUnavailableError(Exception):
    """The database can't answer now; nothing was changed.

    `full` tells a full disk, `damaged` a file of SQLite that can't be read any more.
    """

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause).splitlines()[0] if str(cause) else type(cause).__name__)
        self.full = "disk is full" in str(cause) or "No space left" in str(cause)
        self.damaged = "not a database" in str(cause) or "is malformed" in str(cause)


class StaleVersionError(Exception):
    """Another process has changed the game since it was loaded."""


class Database:
    """A door to one database; nothing is opened before the first use, so it survives a fork."""

    def __init__(self, url: str, patience: float = PATIENCE) -> None:
        self.url = url
        self.patience = patience
        self.embedded = url.startswith("sqlite")
        self._turn = threading.Lock()
        self._looking = threading.Lock()  # two looks that overlap would see the older state

    @property
    def file(self) -> Path:
        """Give the file of an embedded database."""
        return Path(str(make_url(self.url).database))

    @cached_property
    def engine(self) -> Engine:
        """Open the pool of connections."""
        return _sqlite(self.url) if self.embedded else _postgresql(self.url)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give one consistent reading of the database."""
        with _speaking_clearly(), self.engine.connect() as connection:
            if not self.embedded:  # by default, each statement there sees what is newest
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give one transaction, alone among the writers on SQLite; it is kept when the block ends.

        Raises:
            StoreUnavailableError: the database can't be reached, is full, or stayed busy.
        """
        deadline = time.monotonic() + self.patience
        with _speaking_clearly(), self._my_turn(), self.engine.connect() as connection:
            if self.embedded:
                _wait_for_turn(connection, deadline)
            else:
                connection.begin()
            yield connection
            connection.commit()

    @contextmanager
    def _my_turn(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=self.patience):
            raise TimeoutError("too many writers are waiting")
        try:
            yield
        finally:
            self._turn.release()

    def generation(self) -> int | None:
        """Give a number that moves when any other connection has committed.

        SQLite only: about 10 µs, no lock (https://sqlite.org/pragma.html#pragma_data_version); none
        on PostgreSQL, where a reader has to ask for the version itself.
        """
        if not self.embedded:
            return None
        with self._looking, _speaking_clearly():
            return int(self._look.execute("PRAGMA data_version").fetchone()[0])

    @cached_property
    def _look(self) -> sqlite3.Connection:
        """Keep a connection that never writes: `data_version` is relative to its connection."""
        return sqlite3.connect(self.file, check_same_thread=False)

    def ping(self) -> None:
        """Ask the database for a sign of life.

        Raises:
            StoreUnavailableError: it gives none.
        """
        with self.read() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close every connection."""
        if "_look" in self.__dict__:
            self._look.close()
            del self.__dict__["_look"]
        if "engine" in self.__dict__:
            self.engine.dispose()
            del self.__dict__["engine"]


@contextmanager
def _speaking_clearly() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, PoolTimeout, OSError, sqlite3.Error) as error:
        raise StoreUnavailableError(error) from error


def _wait_for_turn(connection: Connection, deadline: float) -> None:
    """Begin writing, napping cooperatively while another process writes.

    SQLite's own busy time-out would block every greenlet of the worker.
    """
    while True:
        try:
            connection.execution_options(writes=True).begin()
        except OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            connection.rollback()
            time.sleep(random.uniform(*NAP))  # noqa: S311  # spreads the tries, hides nothing
        else:
            return


_SQLITE: dict[str, Any] = {"check_same_thread": False, "timeout": 0.2}


def _sqlite(url: str) -> Engine:
    database = make_url(url).database
    if database and database != ":memory:":
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url, connect_args=_SQLITE, pool_size=4, max_overflow=12, hide_parameters=True
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection: Connection) -> None:
    if connection.get_execution_options().get("writes"):
        connection.exec_driver_sql("PRAGMA busy_timeout=0")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql("PRAGMA busy_timeout=200")
        connection.exec_driver_sql("BEGIN")


def _postgresql(url: str) -> Engine:
    dialect = url.replace("postgresql://", "postgresql+psycopg://", 1)
    dialect = dialect.replace("postgres://", "postgresql+psycopg://", 1)
    return create_engine(
        dialect,
        pool_size=3,
        max_overflow=2,
        pool_timeout=PATIENCE,
        pool_pre_ping=True,
        connect_args={"connect_timeout": REACH},
        hide_parameters=True,  # an error says no player's target
    )
