"""Real threads beside gevent's loop, and how many may wait for them."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property, partial
from typing import NoReturn, TypeVar

from gevent import monkey
from gevent.threadpool import ThreadPool

Result = TypeVar("Result")
BEHIND = 5  # of 19


class Threads:
    """So many real threads of this process, made at the first use: after the fork.

    With `behind`, they compute when nobody else wants the core: niceness 5, as Linux keeps it for
    each thread (setpriority(2), "C library/kernel differences").
    """

    def __init__(self, number: int, *, behind: bool = False) -> None:
        self._number = number
        self._prepare = _step_behind if behind else _stay

    @cached_property
    def _pool(self) -> ThreadPool:
        return ThreadPool(self._number)

    def do(self, work: Callable[[], Result]) -> Result:
        """Do it aside and wait for it; where nothing is patched by gevent, do it right here."""
        if not monkey.is_module_patched("threading"):
            return work()
        done: Callable[[], Result] = self._pool.apply(_outcome, (work, self._prepare))
        return done()


class FullError(Exception):
    """No place is left; `own` says that whoever asks has as many as anybody may have."""

    def __init__(self, *, own: bool) -> None:
        super().__init__("own" if own else "all")
        self.own = own


class Places:
    """So many may wait in this process, so many of them in one name: no queue is endless."""

    def __init__(self, most: int, *, each: int) -> None:
        self._most, self._each = most, each
        self._held: Counter[Hashable] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def taken(self, whom: Hashable) -> Iterator[None]:
        """Have a place while the block lasts.

        Raises:
            FullError: there is none.
        """
        with self._lock:
            own = self._held[whom] >= self._each
            if own or self._held.total() >= self._most:
                raise FullError(own=own)
            self._held[whom] += 1
        try:
            yield
        finally:
            with self._lock:
                self._held[whom] -= 1
                self._held += Counter()  # forgets who has none


def _stay() -> None:
    """Compute like everybody else."""


def _step_behind() -> None:
    """Give way if the system lets us: a server that runs with less priority already may not."""
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, BEHIND)


def _outcome(work: Callable[[], Result], prepare: Callable[[], None]) -> Callable[[], Result]:
    """Bring an error back as a value: gevent would print it, although somebody handles it."""
    prepare()
    try:
        result = work()
    except Exception as error:  # noqa: BLE001  # it is raised again where it was asked for
        return partial(_again, error)
    return lambda: result


def _again(error: Exception) -> NoReturn:
    raise error
