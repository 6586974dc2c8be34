"""The door to Redis: what it keeps, and what it says when nobody answers there."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest
from limits import parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, Storage
from limits.strategies import FixedWindowRateLimiter

from engines import redis as redis_engine
from engines.processes import free_port, wait_for
from killer.store import redis as door
from killer.store.hits import FallingBack
from killer.store.redis import Redis, RedisUnavailableError

TWICE = parse("2/minute")


def test_a_session_is_kept_changed_and_dropped(redis_url: str) -> None:
    redis = Redis(redis_url)
    assert redis.session("a") is None
    redis.keep_session("a", b"first", 60, fresh=True)
    redis.keep_session("a", b"second", 60, fresh=False)
    assert redis.session("a") == b"second"
    redis.drop_session("a")
    assert redis.session("a") is None


def test_a_session_that_was_dropped_is_not_brought_back_by_a_late_answer(redis_url: str) -> None:
    redis = Redis(redis_url)
    redis.keep_session("a", b"late", 60, fresh=False)
    assert redis.session("a") is None


def test_a_session_runs_out(redis_url: str) -> None:
    redis = Redis(redis_url)
    redis.keep_session("a", b"short", 1, fresh=True)
    wait_for(lambda: redis.session("a") is None, 30, "its end")


def test_a_redis_that_is_not_there_is_unavailable() -> None:
    redis = Redis(f"redis://127.0.0.1:{free_port()}")
    assert not redis.answers()
    for ask in (lambda: redis.session("a"), lambda: redis.tell(1), lambda: redis.drop_session("a")):
        with pytest.raises(RedisUnavailableError):
            ask()
    with pytest.raises(RedisUnavailableError), redis.listening():
        pass
    with pytest.raises(StorageError):
        redis.counts.incr("a", 60)


def test_a_redis_that_hangs_keeps_only_the_first_waiting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        redis = Redis(f"redis://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        for _ in range(20):
            with pytest.raises(RedisUnavailableError):
                redis.session("a")
        assert time.monotonic() - began < 20 * door.ANSWER_SECONDS


def test_it_recovers_by_itself(tmp_path: Path) -> None:
    port = free_port()
    redis = Redis(f"redis://127.0.0.1:{port}")
    with redis_engine.server(tmp_path, port):
        assert redis.answers()
    assert not redis.answers()
    with redis_engine.server(tmp_path, port):
        wait_for(redis.answers, 30, "Redis")


class Breaking(MemoryStorage):
    """Counts in memory until it breaks."""

    broken = False

    def incr(self, *arguments: object, **more: object) -> int:
        if self.broken:
            raise StorageError(OSError("gone"))
        return super().incr(*arguments, **more)


def hits(storage: Storage, times: int) -> list[bool]:
    return [FixedWindowRateLimiter(storage).hit(TWICE, "a") for _ in range(times)]


def test_limits_go_on_in_the_second_storage_and_come_back(redis_url: str) -> None:
    first, second = Breaking(), Redis(redis_url).counts
    both = FallingBack(first, second)
    assert hits(both, 1) == [True]
    first.broken = True
    assert hits(both, 3) == [True, True, False]
    first.broken = False
    wait_for(lambda: hits(both, 1) == [True], 30, "the first storage")
    assert hits(both, 1) == [False]


def test_limits_in_redis_are_forgotten_and_told_like_any_other(redis_url: str) -> None:
    both = FallingBack(Redis(redis_url).counts, MemoryStorage())
    limits = FixedWindowRateLimiter(both)
    assert both.check()
    assert hits(both, 3) == [True, True, False]
    reset, left = limits.get_window_stats(TWICE, "a")
    assert left == 0
    assert time.time() < reset <= time.time() + 61
    limits.clear(TWICE, "a")
    assert hits(both, 1) == [True]
    both.reset()
    assert hits(both, 2) == [True, True]
