"""What only PostgreSQL has: time-outs on both sides, a look at what was committed, its notices."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Literal

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Connection, Engine, create_engine, func, select

CHANNEL = "killer"
PULSE = 1.0  # seconds without a notice after which a listener may look up
POOL_SECONDS = 10.0  # that somebody waits for a connection of this process to be free

#: Seconds on the server's side. A process that is frozen inside a transaction loses its session,
#: and with it the game's lock, before those who wait for the lock give up.
FROZEN = 5
LOCKED = 8
STATEMENT = 30
#: A line that was cut is noticed on this side within as many seconds; libpq's names.
LINE = {
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 8000,  # milliseconds
    "application_name": "killer",
    "options": f"-c lock_timeout={LOCKED}s -c statement_timeout={STATEMENT}s"
    f" -c idle_in_transaction_session_timeout={FROZEN}s",
}
#: The transactions whose changes are seen now: as long as it is the same, so is all that is seen
#: (https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT).
SNAPSHOT = "SELECT pg_current_snapshot()::text"


def connect(url: str, *, autocommit: bool = False) -> psycopg.Connection[Any]:
    """Open a connection; whatever the address itself says of time-outs wins.

    Raises:
        psycopg.OperationalError: the server can't be reached.
    """
    found: dict[str, Any] = LINE | conninfo_to_dict(url)
    return psycopg.connect(**found, autocommit=autocommit)


def engine(url: str) -> Engine:
    """Give the pool of connections; libpq reads the address itself, with several hosts too."""
    return create_engine(
        "postgresql+psycopg://",
        creator=partial(connect, url),
        pool_size=3,
        max_overflow=2,
        pool_timeout=POOL_SECONDS,
        pool_pre_ping=True,
        hide_parameters=True,  # an error says no player's target
    )


class Look:
    """A connection that only asks what has been committed; one round trip, no transaction."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._line: psycopg.Connection[Any] | None = None

    def snapshot(self) -> str:
        """Say which transactions are seen; a line that broke meanwhile is opened again.

        Raises:
            psycopg.OperationalError: the server can't be reached.
        """
        if self._line is not None:
            try:
                return self._ask(self._line)
            except psycopg.OperationalError:
                self.close()
        self._line = connect(self._url, autocommit=True)
        return self._ask(self._line)

    def _ask(self, line: psycopg.Connection[Any]) -> str:
        row = line.execute(SNAPSHOT, prepare=True).fetchone()
        return str(row[0]) if row else ""

    def close(self) -> None:
        """Hang up."""
        line, self._line = self._line, None
        if line is not None:
            with suppress(psycopg.Error):
                line.close()


def notify(connection: Connection, game: int) -> None:
    """Let every listener hear of a game when this transaction is kept, and only then."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_notify(CHANNEL, str(game))))


class Notices:
    """LISTEN as a source of the bell: the games that moved, as the transactions are kept."""

    name: Literal["postgresql"] = "postgresql"
    errors: tuple[type[Exception], ...] = (psycopg.Error, OSError)

    def __init__(self, url: str) -> None:
        self._url = url

    @contextmanager
    def listening(self) -> Iterator[Iterator[set[int]]]:
        """Listen while the block lasts: sets of games, an empty one when nothing happens.

        Raises:
            psycopg.Error: the server can't be reached, or was lost.
        """
        with connect(self._url, autocommit=True) as line:
            line.execute(f"LISTEN {CHANNEL}")
            yield _heard(line)

    def answers(self) -> bool:
        """Tell whether it can be listened to."""
        try:
            connect(self._url).close()
        except psycopg.Error:
            return False
        return True


def _heard(line: psycopg.Connection[Any]) -> Iterator[set[int]]:
    while True:
        notices = line.notifies(timeout=PULSE, stop_after=1)
        yield {int(one.payload) for one in notices if one.payload.isdecimal()}
