"""What only PostgreSQL has: time-outs on both sides, a look at what was committed, its notices."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from select import POLLIN, POLLOUT
from typing import Any, Literal

from gevent import monkey
from sqlalchemy import Connection, Engine, create_engine, event, func, select, text

CHANNEL = "killer"
PULSE = 1.0  # seconds without a notice after which a listener may look up
POOL_SECONDS = 5.0  # that somebody waits for a connection of this process to be free

#: Seconds on the server's side. A process that is frozen inside a transaction loses its session,
#: and with it the game's lock, before those who wait for the lock give up.
FROZEN = 5
LOCKED = 8
STATEMENT = 30  # for what goes on on the server when whoever asked has given up, see ANSWER
#: A line that was cut is noticed on this side within as many seconds; libpq's names.
LINE = {
    "connect_timeout": 2,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 4000,  # milliseconds
    "application_name": "killer",
    "options": f"-c lock_timeout={LOCKED}s -c statement_timeout={STATEMENT}s"
    f" -c idle_in_transaction_session_timeout={FROZEN}s",
}
#: Seconds of silence in which an answer must begin. A server that is frozen never breaks a line,
#: its kernel goes on acknowledging packets; so whoever asks has to give up by himself. What is
#: asked outside transactions waits for nothing on the server; a statement may wait for a lock.
SIGN_OF_LIFE = 2.0
ANSWER = LOCKED + 2.0
LOOK_UP = 0.1  # seconds between two looks whether it was too long
#: Milliseconds for which whoever holds a game waits for an answer without giving way to the other
#: greenlets of his process. All of them would have their turn between any two of his statements,
#: while the other processes wait for the game.
HASTE = 5
#: The transactions whose changes are seen now: as long as it is the same, so is all that is seen
#: (https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT).
SNAPSHOT = "SELECT pg_current_snapshot()::text"

#: gevent takes poll out of `select`, because waiting in it blocks; here it is meant to.
_poll = monkey.get_original("select", "poll")
READ, WRITE = 1, 2  # how the library says what it waits for, psycopg.waiting.Wait and Ready


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
        line = self._library.connect(**options, autocommit=autocommit)
        line.patience, line.hurried = ANSWER, False
        line.wait = partial(self._wait, line, line.wait)
        return line

    def _wait(
        self, line: Any, wait: Any, steps: Any, interval: float = LOOK_UP, **more: Any
    ) -> Any:
        """Wait on a line for what the library wants, as long as it isn't silent for too long."""
        return wait(self._impatient(line, steps, interval), interval=interval, **more)

    def _impatient(self, line: Any, steps: Any, interval: float) -> Generator[Any, Any, Any]:
        """Go on with the library's steps; looks are counted, since this process may freeze too.

        Raises:
            psycopg.OperationalError: nothing came; the line is closed.
        """
        quiet = 0.0
        try:
            wanted = next(steps)
            while True:
                ready = (line.hurried and _soon(line, wanted)) or (yield wanted)
                quiet = 0.0 if ready else quiet + interval
                if quiet > (SIGN_OF_LIFE if line.autocommit else line.patience):
                    line.close()
                    raise self._library.OperationalError(f"no answer for {quiet:.0f} s")
                wanted = steps.send(ready)
        except StopIteration as done:
            return done.value

    def engine(self) -> Engine:
        """Give the pool of connections; libpq reads the address itself, with several hosts too."""
        engine = create_engine(
            "postgresql+psycopg://",
            creator=self.connect,
            pool_size=3,
            max_overflow=2,
            pool_timeout=POOL_SECONDS,
            pool_pre_ping=True,
            hide_parameters=True,  # an error says no player's target
        )
        event.listen(engine, "checkin", _as_any_other)
        return engine

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


def _soon(line: Any, wanted: int) -> int:
    """Wait without giving way, for a moment; say what is ready, 0 when nothing is."""
    looking = _poll()
    asked = (wanted & READ and POLLIN) | (wanted & WRITE and POLLOUT)
    looking.register(line.fileno(), asked)
    found = sum(events for _, events in looking.poll(HASTE))  # of one descriptor
    return (found & ~POLLOUT and READ) | (found & POLLOUT and WRITE)


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


def hurry(connection: Connection) -> None:
    """Let this transaction, which holds what many wait for, come to its end without giving way."""
    if connection.dialect.name == "postgresql":
        line: Any = connection.connection.driver_connection
        line.hurried = True


def take_time(connection: Connection) -> None:
    """Let this transaction last as long as it needs: it is not a request's."""
    if connection.dialect.name == "postgresql":
        for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
            connection.execute(text(f"SET LOCAL {limit} = 0"))
        line: Any = connection.connection.driver_connection
        line.patience = math.inf


def _as_any_other(line: Any, _record: object) -> None:
    if line is not None:  # else it broke
        line.patience, line.hurried = ANSWER, False


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
        games = {int(one.payload) for one in notices if one.payload.isdecimal()}
        if not games:
            line.execute("SELECT 1")  # a server that hangs is silent on its lines too
        yield games
