"""A database server that is away for a moment: one request tries, the others wait with it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

NAP = 0.1  # seconds between two tries
REST = 1.0  # seconds at most without a try after one that took long itself

Found = TypeVar("Found")


class Absence:
    """Since when a server has been away, as far as this process knows."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._rest_until = 0.0
        self._cause: Exception = ConnectionError("it was never tried")
        self._trying = threading.Lock()

    def bridge(
        self, reach: Callable[[], Found], away: tuple[type[Exception], ...], patience: float
    ) -> Found:
        """Reach the server, again and again until it has been away for `patience` seconds.

        Whoever comes later than that is refused at once, so that no queue builds up; from time to
        time one of them tries. A server that is frozen, or behind a cut cable, lets a try
        wait for its time-outs: after it, nobody waits for another for about as long.

        Raises:
            Exception: one of `away`, as `reach` raised it last.
        """
        end = time.monotonic() + patience
        while True:
            with self._my_try() as mine:
                if mine:
                    began = time.monotonic()
                    try:
                        found = reach()
                    except away as error:
                        self._failed(began, error)
                    else:
                        self._since = None
                        return found
            since = self._since
            next_try = max(time.monotonic(), self._rest_until)
            if since is not None and next_try >= min(end, since + patience):
                raise self._cause
            time.sleep(NAP)

    def refuse(self, patience: float) -> None:
        """Send away at once whoever would have to queue behind somebody's try, after `patience`.

        Raises:
            Exception: why the last try failed.
        """
        since, now = self._since, time.monotonic()
        hopeless = self._trying.locked() or now < self._rest_until
        if since is not None and now >= since + patience and hopeless:
            raise self._cause

    def _failed(self, began: float, error: Exception) -> None:
        now = time.monotonic()
        self._since, self._cause = min(self._since or began, began), error
        self._rest_until = now + min(now - began, REST)

    @contextmanager
    def _my_try(self) -> Iterator[bool]:
        """Let everybody try while the server is thought to be there, and one while it isn't."""
        if self._since is None:
            yield True
        elif time.monotonic() >= self._rest_until and self._trying.acquire(blocking=False):
            try:
                yield True
            finally:
                self._trying.release()
        else:
            yield False
