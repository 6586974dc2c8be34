"""Google's quota: so many reads and writes in a sliding minute, for each account and altogether."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable

from engines.google.errors import Refused

PROJECT = "the whole project"


class Quota:
    """Counts what was let through; with speed 10, a minute lasts six seconds."""

    def __init__(self, speed: float = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self.for_account = {"read": 60, "write": 60}
        self.for_project = {"read": 300, "write": 300}
        self.speed, self.clock = speed, clock
        self._seen: dict[tuple[str, str], deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()

    def count(self, kind: str, account: str) -> None:
        """Let a call through or refuse it; what is refused isn't counted."""
        if kind not in self.for_account:
            return
        limits = {account: self.for_account[kind], PROJECT: self.for_project[kind]}
        with self._lock:
            if any(self._used(kind, who) >= limit for who, limit in limits.items()):
                raise Refused(429)
            for who in limits:
                self._seen[kind, who].append(self.clock())

    def used(self, kind: str, account: str) -> int:
        """Give how many calls of the last minute count against an account."""
        with self._lock:
            return self._used(kind, account)

    def _used(self, kind: str, who: str) -> int:
        seen, minute_ago = self._seen[kind, who], self.clock() - 60 / self.speed
        while seen and seen[0] <= minute_ago:
            seen.popleft()
        return len(seen)
