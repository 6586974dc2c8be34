"""A lock in the place of one of the code's own, at which a test sees who has come."""

from __future__ import annotations

import threading

from engines.processes import wait_for


class Gate:
    """A lock that is shut at first and opens when as many have come as the test waits for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()
        self._came: list[int] = []

    def __enter__(self) -> None:
        """Come to it, and go on when it is open and nobody else is inside."""
        self._came.append(threading.get_ident())
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        """Let the next one in."""
        self._lock.release()

    def until(self, number: int) -> None:
        """Wait until so many have come."""
        wait_for(lambda: len(self._came) >= number, 30, f"{number} at the gate")

    def open_for(self, number: int) -> None:
        """Open it as soon as so many have come."""
        self.until(number)
        self._lock.release()
