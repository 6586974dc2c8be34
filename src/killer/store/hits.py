"""Rate limits that all workers share, counted in the database for the library `limits`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from limits.errors import StorageError
from limits.storage import Storage
from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from killer.store.database import Database
from killer.store.games import now
from killer.store.tables import hits

SECOND = 1000  # milliseconds
PAUSE = 2.0  # seconds for which nobody asks a storage that did not answer

Found = TypeVar("Found")


class DatabaseStorage(Storage):
    """Fixed windows as rows; a window starts with its first hit."""

    STORAGE_SCHEME = None

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database

    @property
    def base_exceptions(self) -> type[Exception]:
        """Say which errors the storage may raise: the library wraps none."""
        return Exception

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count a hit and give the number in this window; `expiry` is its length in seconds."""
        moment = now()
        make = sqlite.insert if self.database.embedded else postgresql.insert
        row = {"key": key, "count": amount, "expires": moment + expiry * SECOND}
        added = (
            make(hits)
            .values(row)
            .on_conflict_do_update(index_elements=["key"], set_={"count": hits.c.count + amount})
        )
        with self.database.write() as connection:
            connection.execute(delete(hits).where(hits.c.expires <= moment))
            return int(connection.execute(added.returning(hits.c.count)).scalar_one())

    def get(self, key: str) -> int:
        """Give the number of hits in the present window."""
        query = select(hits.c.count).where(hits.c.key == key, hits.c.expires > now())
        with self.database.read() as connection:
            return int(connection.execute(query).scalar() or 0)

    def get_expiry(self, key: str) -> float:
        """Give the end of the present window in seconds since 1970."""
        query = select(hits.c.expires).where(hits.c.key == key)
        with self.database.read() as connection:
            return float(connection.execute(query).scalar() or now()) / SECOND

    def check(self) -> bool:
        """Tell whether the storage answers."""
        self.database.ping()
        return True

    def reset(self) -> int:
        """Forget every hit and give how many keys there were."""
        with self.database.write() as connection:
            return connection.execute(delete(hits)).rowcount

    def clear(self, key: str) -> None:
        """Forget the hits of one key."""
        with self.database.write() as connection:
            connection.execute(update(hits).where(hits.c.key == key).values(count=0))


class FallingBack(Storage):
    """Counts in the first storage while it answers, else in the second; each has its own counts."""

    STORAGE_SCHEME = None

    def __init__(self, first: Storage, second: Storage) -> None:
        super().__init__()
        self._first, self._second = first, second
        self._silent_until = 0.0

    @property
    def base_exceptions(self) -> type[Exception]:
        """Say which errors the storage may raise: the library wraps none."""
        return Exception

    def _either(self, ask: Callable[[Storage], Found]) -> Found:
        if time.monotonic() >= self._silent_until:
            try:
                return ask(self._first)
            except StorageError:
                self._silent_until = time.monotonic() + PAUSE
        return ask(self._second)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count a hit and give the number in this window; `expiry` is its length in seconds."""
        return self._either(lambda storage: storage.incr(key, expiry, amount))

    def get(self, key: str) -> int:
        """Give the number of hits in the present window."""
        return self._either(lambda storage: storage.get(key))

    def get_expiry(self, key: str) -> float:
        """Give the end of the present window in seconds since 1970."""
        return self._either(lambda storage: storage.get_expiry(key))

    def check(self) -> bool:
        """Tell whether one of them answers."""
        return self._either(lambda storage: storage.check())

    def reset(self) -> int | None:
        """Forget every hit."""
        return self._either(lambda storage: storage.reset())

    def clear(self, key: str) -> None:
        """Forget the hits of one key."""
        self._either(lambda storage: storage.clear(key))
