"""Real threads beside gevent's loop, so that what computes long keeps no greenlet waiting."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import NoReturn, TypeVar

from gevent import monkey
from gevent.threadpool import ThreadPool

Result = TypeVar("Result")


class Threads:
    """So many real threads of this process, made at the first use: after the fork."""

    def __init__(self, number: int) -> None:
        self._number = number

    @cached_property
    def _pool(self) -> ThreadPool:
        return ThreadPool(self._number)

    def do(self, work: Callable[[], Result]) -> Result:
        """Do it aside and wait for it; where nothing is patched by gevent, do it right here."""
        if not monkey.is_module_patched("threading"):
            return work()
        done: Callable[[], Result] = self._pool.apply(_outcome, (work,))
        return done()


def _outcome(work: Callable[[], Result]) -> Callable[[], Result]:
    """Bring an error back as a value: gevent would print it, although somebody handles it."""
    try:
        result = work()
    except Exception as error:  # noqa: BLE001  # it is raised again where it was asked for
        return partial(_again, error)
    return lambda: result


def _again(error: Exception) -> NoReturn:
    raise error
