"""What only PostgreSQL has: time-outs on both sides, a look at what was committed, its notices."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, Literal

from sqlalchemy import Connection, Engine, create_engine, func, select, text

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
    "tcp_user_timeout": 4000,  # milliseconds
    "application_name": "killer",
    "options": f"-c lock_timeout={LOCKED}s -c statement_timeout={STATEMENT}s"
    f" -c idle_in_transaction_session_timeout={FROZEN}s",
}
#: The transactions whose changes are seen now: as long as it is the same, so is all that is seen
#: (https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT).
SNAPSHOT = "SELECT pg_current_snapshot()::text"


class Server:
    """One database on one server.

    The library is loaded with it, before the fork: its 5 MB are only for those who have a
    PostgreSQL, and once for all workers.
    """

    def __init__(self, url: str) -> None:
        self._library: Any = import_module("psycopg")
        self._url = url

    def connect(self, *, autocommit: bool = False) -> Any:
        """Open a connection; whatever the address itself says of time-outs wins.

        Raises:
            psycopg.OperationalError: the server can't be reached.
        """
        options = LINE | self._library.conninfo.conninfo_to_dict(self._url)
        return self._library.connect(**options, autocommit=autocommit)

    def engine(self) -> Engine:
        """Give the pool of connections; libpq reads the address itself, with several hosts too."""
        return create_engine(
            "postgresql+psycopg://",
            creator=self.connect,
            pool_size=3,
            max_overflow=2,
            pool_timeout=POOL_SECONDS,
            pool_pre_ping=True,
            hide_parameters=True,  # an error says no player's target
        )

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """Raise what the library says as an error that needs no library.

        Raises:
            ServerAwayError: the server can't be reached, or was lost.
        """
        try:
            yield
        except self._library.Error as error:
            raise ServerAwayError(str(error)) from error


class ServerAwayError(OSError):
    """The server can't be reached, or was lost, by a connection without a transaction."""


class Look:
    """A connection that only asks what has been committed; one round trip, no transaction."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._line: Any = None

    def snapshot(self) -> str:
        """Say which transactions are seen; a line that broke meanwhile is opened again.

        Raises:
            ServerAwayError: the server can't be reached.
        """
        if self._line is not None:
            try:
                return self._ask()
            except ServerAwayError:
                self.close()
        with self._server.speaking():
            self._line = self._server.connect(autocommit=True)
        return self._ask()

    def _ask(self) -> str:
        with self._server.speaking():
            return str(self._line.execute(SNAPSHOT, prepare=True).fetchone()[0])

    def close(self) -> None:
        """Hang up."""
        line, self._line = self._line, None
        if line is not None:
            with suppress(ServerAwayError), self._server.speaking():
                line.close()


def notify(connection: Connection, game: int) -> None:
    """Let every listener hear of a game when this transaction is kept, and only then."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_notify(CHANNEL, str(game))))


def take_time(connection: Connection) -> None:
    """Let this transaction last as long as it needs: it is not a request's."""
    if connection.dialect.name == "postgresql":
        for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
            connection.execute(text(f"SET LOCAL {limit} = 0"))


class Notices:
    """LISTEN as a source of the bell: the games that moved, as the transactions are kept."""

    name: Literal["postgresql"] = "postgresql"
    errors: tuple[type[Exception], ...] = (ServerAwayError,)

    def __init__(self, url: str) -> None:
        self._server = Server(url)

    @contextmanager
    def listening(self) -> Iterator[Iterator[set[int]]]:
        """Listen while the block lasts: sets of games, an empty one when nothing happens.

        Raises:
            ServerAwayError: the server can't be reached, or was lost.
        """
        with self._server.speaking(), self._server.connect(autocommit=True) as line:
            line.execute(f"LISTEN {CHANNEL}")
            yield _heard(line)

    def answers(self) -> bool:
        """Tell whether it can be listened to."""
        try:
            with self._server.speaking():
                self._server.connect().close()
        except ServerAwayError:
            return False
        return True


def _heard(line: Any) -> Iterator[set[int]]:
    while True:
        notices = line.notifies(timeout=PULSE, stop_after=1)
        yield {int(one.payload) for one in notices if one.payload.isdecimal()}
