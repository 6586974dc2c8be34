"""One database, SQLite or PostgreSQL: a transaction to read, a transaction to write, a look."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from killer.store import postgresql
from killer.store.absence import Absence

PATIENCE = 10.0  # seconds that a writer waits for its turn
AWAY = 5.0  # seconds that requests wait for a database server that restarts
NAP = (0.001, 0.006)  # seconds between two tries, drawn at random

Result = TypeVar("Result")

__all__ = [
    "Connection",
    "ConnectionLostError",
    "Database",
    "StaleVersionError",
    "StoreUnavailableError",
]


class StoreUnavailableError(Exception):
    """The database can't answer now; nothing was changed.

    `full` tells a full disk, `damaged` a file of SQLite that can't be read any more.
    """

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause).splitlines()[0] if str(cause) else type(cause).__name__)
        self.full = "disk is full" in str(cause) or "No space left" in str(cause)
        self.damaged = "not a database" in str(cause) or "is malformed" in str(cause)


class ConnectionLostError(StoreUnavailableError):
    """The connection broke in the middle; what was being committed may have been kept or not."""


class StaleVersionError(Exception):
    """Another process has changed the game since it was loaded."""


class Database:
    """A door to one database; nothing is opened before the first use, so it survives a fork."""

    def __init__(self, url: str, patience: float = PATIENCE, away: float = AWAY) -> None:
        self.url = url
        self.patience = patience
        self.embedded = url.startswith("sqlite")
        self._server = None if self.embedded else postgresql.Server(url)
        self._away = min(away, patience)
        self._turn = threading.Lock()
        self._absence = Absence()
        self._looking = threading.Lock()  # two looks that overlap would see the older state
        self._looks = 0  # begun so far
        self._found: tuple[int, object] = (
            0,
            None,
        )  # the last that came back

    @property
    def file(self) -> Path:
        """Give the file of an embedded database."""
        return Path(str(make_url(self.url).database))

    @cached_property
    def engine(self) -> Engine:
        """Open the pool of connections."""
        return self._server.engine() if self._server else _sqlite(self.url)

    @contextmanager
    def read(self, away: float | None = None) -> Iterator[Connection]:
        """Give one consistent reading of the database.

        Raises:
            StoreUnavailableError: it can't be asked, or stayed away for so many seconds, which are
                those of this door unless they are given.
        """
        with _speaking_clearly(), self._connect(away) as connection:
            if not self.embedded:  # by default, each statement there sees what is newest
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    def reading(self, work: Callable[[Connection], Result]) -> Result:
        """Read something, once more when the connection breaks in the middle.

        Raises:
            StoreUnavailableError: as `read` does.
        """
        try:
            with self.read() as connection:
                return work(connection)
        except ConnectionLostError:
            with self.read() as connection:
                return work(connection)

    def _connect(self, away: float | None = None) -> Connection:
        if self.embedded:
            return self.engine.connect()
        patience = self._away if away is None else min(away, self.patience)
        return self._absence.bridge(self.engine.connect, (OperationalError,), patience)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give one transaction, alone among the writers on SQLite; it is kept when the block ends.

        Raises:
            StoreUnavailableError: the database can't be reached, is full, or stayed busy.
        """
        deadline = time.monotonic() + self.patience
        with _speaking_clearly(), self._my_turn(), self._connect() as connection:
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

    def generation(self) -> object:
        """Give something that differs when any other connection has committed.

        SQLite: about 10 µs, no lock (https://sqlite.org/pragma.html#pragma_data_version).
        PostgreSQL: one round trip, which all who ask at the same time share.

        Raises:
            StoreUnavailableError: the database can't be asked.
        """
        before = self._looks
        with _speaking_clearly():
            self._absence.refuse(self._away)
        with self._looking, _speaking_clearly():
            number, found = self._found
            if number > before:
                return found  # a look that began after this call has seen all that it may want
            self._looks += 1
            number = self._looks
            found = self._data_version() if self.embedded else self._snapshot()
            self._found = (number, found)
            return found

    def _data_version(self) -> int:
        return int(self._sqlite_look.execute("PRAGMA data_version").fetchone()[0])

    def _snapshot(self) -> str:
        return self._absence.bridge(self._look.snapshot, (postgresql.ServerAwayError,), self._away)

    @cached_property
    def _sqlite_look(self) -> sqlite3.Connection:
        """Keep a connection that never writes: `data_version` is relative to its connection."""
        return sqlite3.connect(self.file, check_same_thread=False)

    @cached_property
    def _look(self) -> postgresql.Look:
        assert self._server is not None
        return postgresql.Look(self._server)

    def ping(self) -> None:
        """Ask the database for a sign of life.

        Raises:
            StoreUnavailableError: it gives none.
        """
        with self.read() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close every connection."""
        for name in ("_look", "_sqlite_look"):
            if name in self.__dict__:
                self.__dict__.pop(name).close()
        if "engine" in self.__dict__:
            self.engine.dispose()
            del self.__dict__["engine"]


@contextmanager
def _speaking_clearly() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, PoolTimeout, OSError, sqlite3.Error) as error:
        broke = isinstance(error, DBAPIError) and error.connection_invalidated
        raise (ConnectionLostError if broke else StoreUnavailableError)(error) from error


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
