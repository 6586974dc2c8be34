"""The one door to Redis: rings that every node hears, sessions, counts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from typing import Any, Literal, TypeVar

from limits.storage import RedisStorage

CHANNEL = "killer:moved"
SESSION = "killer:session:"
PULSE = 1.0  # seconds without a ring after which a listener may look up
ANSWER_SECONDS = 1.0  # that Redis has for an answer
PAUSE = 0.5  # seconds for which nobody asks a Redis that did not answer

Found = TypeVar("Found")


class RedisUnavailableError(Exception):
    """Redis can't be asked now."""


class Redis:
    """One Redis; nothing is opened before the first use, so it survives a fork.

    The library is loaded with the first of them, before the fork: its 12 MB are only for those who
    have a Redis, and once for all workers.
    """

    name: Literal["redis"] = "redis"
    errors: tuple[type[Exception], ...] = (RedisUnavailableError,)

    def __init__(self, url: str) -> None:
        self._url = url
        self._silent_until = 0.0
        self._library: Any = import_module("redis")
        self._errors = (self._library.RedisError, OSError)

    @cached_property
    def _client(self) -> Any:
        """Open the pool; a connection that broke while it was idle is opened again, once.

        Not so after a time-out: a Redis that hangs would keep everybody waiting twice as long.
        """
        nap, broken = self._library.backoff.NoBackoff(), self._library.ConnectionError
        once = self._library.retry.Retry(nap, 1, supported_errors=(broken,))
        return self._library.Redis.from_url(
            self._url,
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=ANSWER_SECONDS,
            retry=once,
            client_name="killer",
        )

    def _ask(self, question: Callable[[], Found]) -> Found:
        if time.monotonic() < self._silent_until:
            raise RedisUnavailableError("it did not answer a moment ago")
        try:
            return question()
        except self._errors as error:
            self._silent_until = time.monotonic() + PAUSE
            raise RedisUnavailableError(str(error)) from error

    def answers(self) -> bool:
        """Tell whether it answers."""
        try:
            self._ask(self._client.ping)
        except RedisUnavailableError:
            return False
        return True

    def tell(self, game: int) -> None:
        """Let every listener know that a game has moved.

        Raises:
            RedisUnavailableError: nobody hears of it.
        """
        self._ask(lambda: self._client.publish(CHANNEL, game))

    @contextmanager
    def listening(self) -> Iterator[Iterator[set[int]]]:
        """Listen while the block lasts: sets of games, an empty one when nothing happens.

        Raises:
            RedisUnavailableError: it can't be reached, or was lost.
        """
        with self._client.pubsub(ignore_subscribe_messages=True) as line:
            self._ask(lambda: line.subscribe(CHANNEL))
            yield self._heard(line)

    def _heard(self, line: Any) -> Iterator[set[int]]:
        while True:
            told = self._ask(lambda: line.get_message(timeout=PULSE))
            games = set()
            while told is not None:
                games |= {int(told["data"])} if told["data"].isdigit() else set()
                told = self._ask(lambda: line.get_message(timeout=0))
            if not games:
                self._ask(self._client.ping)  # a Redis that hangs is silent on its lines too
            yield games

    def session(self, key: str) -> bytes | None:
        """Give what was kept of a session.

        Raises:
            RedisUnavailableError: nobody knows.
        """
        found: bytes | None = self._ask(lambda: self._client.get(SESSION + key))
        return found

    def keep_session(self, key: str, value: bytes, seconds: int, *, fresh: bool) -> None:
        """Keep a session for so long; one that isn't fresh and was dropped meanwhile stays dropped.

        Raises:
            RedisUnavailableError: it may not be kept.
        """
        self._ask(lambda: self._client.set(SESSION + key, value, ex=seconds, xx=not fresh))

    def drop_session(self, key: str) -> None:
        """Forget a session.

        Raises:
            RedisUnavailableError: it may still be there.
        """
        self._ask(lambda: self._client.delete(SESSION + key))

    @cached_property
    def counts(self) -> RedisStorage:
        """Give the storage for rate limits; it raises the library's StorageError."""
        pool = self._client.connection_pool
        return RedisStorage(self._url, connection_pool=pool, wrap_exceptions=True)


class Teller:
    """Tells the others through Redis which games have moved, so that no player waits for it."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._moved: set[int] = set()
        self._ring = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def __call__(self, game: int) -> None:
        """Have a game told soon."""
        self._moved.add(game)
        with self._starting:
            if self._thread is None:  # only now: after the fork
                self._thread = threading.Thread(target=self._run, daemon=True, name="teller")
                self._thread.start()
        self._ring.set()

    def _run(self) -> None:
        while True:
            self._ring.wait()
            self._ring.clear()
            moved, self._moved = self._moved, set()
            for game in moved:
                try:
                    self._redis.tell(game)
                except RedisUnavailableError:
                    break  # whoever listens has noticed too, and looks for himself
