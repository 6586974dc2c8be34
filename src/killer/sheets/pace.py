"""How hard Google may be asked: rationed calls, a bounded plan of retries, rests after failures."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

PASSING: Final = frozenset(
    {"quota", "google_down", "silent", "unreachable", "half_answer", "resting"}
)
"""Codes of what passes without anybody doing anything."""
BLAMELESS: Final = frozenset(
    {"resting", "no_key_file", "bad_key_file", "file_not_shared", "file_too_large"}
)
"""Codes that say nothing about whether Google works for us: they don't lead to a rest."""
HONOURED: Final = 20.0
"""Seconds of the longest Retry-After that one call waits for."""
SHORTEST: Final = 1.0
"""Seconds under which another try isn't worth beginning."""

_LONGEST_BACKOFF = 8.0
_OPENS_AFTER = 3
_FIRST_REST, _LONGEST_REST = 5.0, 30.0


class GoogleError(Exception):
    """Google can't be used right now; `code` names the sentence, `params` fill it.

    With `retry` it is worth trying again later, after `retry_after` seconds where they are known,
    without anybody doing anything.
    """

    def __init__(self, code: str, *, retry_after: float | None = None, **params: str) -> None:
        super().__init__(code)
        self.code = code
        self.params: dict[str, str] = params
        self.retry = code in PASSING
        self.retry_after = retry_after

    @property
    def sentence(self) -> str:
        """Give the key of the sentence to say."""
        return f"google.{self.code}"


class Bucket:
    """Tokens that flow back at a steady rate; whoever takes one too many owes a wait."""

    def __init__(self, a_minute: float, burst: int, clock: Callable[[], float]) -> None:
        self._rate, self._burst, self._clock = a_minute / 60, float(burst), clock
        self._tokens, self._at = self._burst, clock()
        self._lock = threading.Lock()

    def take(self, patience: float) -> float:
        """Take a token and give the seconds to wait before using it.

        Raises:
            GoogleError: `resting`, when that is longer than the patience; nothing is taken then.
        """
        with self._lock:
            now = self._clock()
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
            self._at = now
            wait = max(0.0, (1 - self._tokens) / self._rate)
            if wait > patience:
                raise resting(wait)
            self._tokens -= 1
            return wait


class Breaker:
    """Lets nobody through for a while after calls that failed in a row, then one to try."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures, self._rest, self._until = 0, 0.0, 0.0
        self._last: GoogleError | None = None
        self._lock = threading.Lock()

    def enter(self) -> None:
        """Let a call through.

        Raises:
            GoogleError: `resting`; its cause is the last failure.
        """
        with self._lock:
            now = self._clock()
            if self._failures < _OPENS_AFTER:
                return
            if now < self._until:
                raise resting(self._until - now) from self._last
            # The others rest on; should the one that tries be killed, another comes after that.
            self._until = now + _LONGEST_REST

    def failed(self, error: GoogleError) -> None:
        """Count a failure; from the third in a row on, each one makes the rest longer."""
        with self._lock:
            self._failures += 1
            self._last = error
            if self._failures >= _OPENS_AFTER:
                self._rest = min(max(_FIRST_REST, 2 * self._rest), _LONGEST_REST)
                self._until = self._clock() + self._rest

    def worked(self) -> None:
        """Forget every failure."""
        with self._lock:
            self._failures, self._rest, self._last = 0, 0.0, None


def resting(wait: float) -> GoogleError:
    """Give the error of a call that isn't even begun before so many seconds."""
    return GoogleError("resting", retry_after=wait, seconds=str(max(1, round(wait))))


def _sleep(seconds: float) -> None:
    time.sleep(seconds)  # looked up when called: gevent may replace it after this file is read


class Pace:
    """Spaces out the calls to Google, tries again what may pass, and lets a sick Google rest.

    Args:
        read: reads a minute; Google allows 60 to an account.
        write: writes a minute.
        burst: how many of each may come at once after a quiet time.
        tries: how often one call is tried at most.
        budget: seconds after which one call gives up, its waits and tries together.
        clock: seconds that never run backwards.
        sleep: waits so many seconds.
        chance: a random number from 0 to 1.
    """

    def __init__(
        self,
        *,
        read: float = 40,
        write: float = 40,
        burst: int = 5,
        tries: int = 3,
        budget: float = 25.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = _sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._buckets = {"read": Bucket(read, burst, clock), "write": Bucket(write, burst, clock)}
        self._breakers: dict[str, Breaker] = {}
        self._tries, self._budget = tries, budget
        self._clock, self._sleep, self._chance = clock, sleep, chance

    def call(self, kind: str, what: str, attempt: Callable[[float], T], *, again: bool = True) -> T:
        """Do an attempt, which gets the seconds that it may take, and again if that may help.

        Args:
            kind: `read`, `write`, or anything else that isn't rationed.
            what: the spreadsheet or other thing asked for; each one's failures are its own.
            attempt: asks Google once.
            again: False for what must not be done twice: then only a clear "not now" is retried.

        Raises:
            GoogleError: the last attempt's, or `resting` when none was made.
        """
        breaker = self._breakers.setdefault(what, Breaker(self._clock))
        breaker.enter()
        try:
            answer = self._until_it_works(kind, attempt, again=again)
        except GoogleError as error:
            if error.code not in BLAMELESS:
                breaker.failed(error)
            raise
        breaker.worked()
        return answer

    def _until_it_works(self, kind: str, attempt: Callable[[float], T], *, again: bool) -> T:
        end, tried = self._clock() + self._budget, 0
        while True:
            self._take(kind, end)
            tried += 1
            try:
                return attempt(end - self._clock())
            except GoogleError as error:
                wait = self._wait(error, tried)
                useful = error.code == "quota" or (again and error.retry)
                in_time = self._clock() + wait + SHORTEST <= end
                if tried == self._tries or not useful or wait > HONOURED or not in_time:
                    raise
            self._sleep(wait)

    def _take(self, kind: str, end: float) -> None:
        if bucket := self._buckets.get(kind):
            wait = bucket.take(end - self._clock() - SHORTEST)
            if wait:
                self._sleep(wait)

    def _wait(self, error: GoogleError, tried: int) -> float:
        """Give the seconds before the next try: by chance, so that many don't come back at once."""
        backoff = self._chance() * min(_LONGEST_BACKOFF, 2.0 ** (tried - 1))
        return max(backoff, error.retry_after or 0.0)
