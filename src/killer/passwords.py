"""Passwords: argon2id, on many cores, and never in the way of the other greenlets."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from gevent import monkey
from gevent.threadpool import ThreadPool

from killer.threads import Threads

Result = TypeVar("Result")
CPUS = os.cpu_count() or 1

# One of the settings of argon2id that OWASP calls equally strong: 7 MiB, five passes, one lane
# (https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html). Of these, it
# stays quickest when all workers hash at once: its memory fits into the processor's cache.
_HASHER = PasswordHasher(time_cost=5, memory_cost=7 * 1024, parallelism=1)

LONGEST = 300  # characters

_THREAD = Threads(1, behind=True)  # for each worker: memory stays bounded, the players come first


@cache
def _nobody() -> str:
    """Give a hash that no password fits, so that an unknown name takes as long as a wrong word."""
    return _HASHER.hash(os.urandom(32))


def prepare() -> None:
    """Do once, before the first sign-in, what every refused one needs."""
    _nobody()


def typed(text: str) -> str:
    """Give a password as it counts, when it is chosen as when it is asked for: without margins."""
    return text.strip()


def hash_password(password: str) -> str:
    """Hash a password; about 30 ms of one core."""
    return _THREAD.do(lambda: _HASHER.hash(password))


def fits(password_hash: str | None, password: str) -> bool:
    """Tell whether a password fits; without a hash it never does, after the same time."""
    return _THREAD.do(lambda: _verify(password_hash or _nobody(), password))


def hash_all(passwords: Sequence[str], done: Callable[[], None]) -> list[str]:
    """Hash many passwords on all cores; argon2 frees the interpreter. `done` is called for each."""
    return _on_all_cores(_HASHER.hash, passwords, done)


def all_fit(pairs: Sequence[tuple[str, str]], done: Callable[[], None]) -> list[bool]:
    """Tell for each pair of a hash and a password whether they fit; `done` is called for each."""
    return _on_all_cores(lambda pair: _verify(*pair), pairs, done)


Item = TypeVar("Item")


def _on_all_cores(
    work: Callable[[Item], Result], items: Sequence[Item], done: Callable[[], None]
) -> list[Result]:
    def one(item: Item) -> Result:
        result = work(item)
        done()
        return result

    if monkey.is_module_patched("threading"):
        cores = ThreadPool(max(1, CPUS - 1))  # a server: one core is left to the players
        try:
            return list(cores.map(one, items))
        finally:
            cores.kill()
    with ThreadPoolExecutor(CPUS) as pool:
        return list(pool.map(one, items))


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
