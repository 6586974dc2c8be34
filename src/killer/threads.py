"""Real threads beside gevent's loop, so that what computes long keeps no greenlet waiting."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TypeVar

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
        if monkey.is_module_patched("threading"):
            result: Result = self._pool.apply(work)
            return result
        return work()
