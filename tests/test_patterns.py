"""What is taken for an address or a secret, and what is sent back."""

from __future__ import annotations

import secrets

import pytest

from killer import patterns

EXAMPLES = [
    *("your-secret-key-here", "change-me-in-production", "dev-secret-key-change-me"),
    *("CHANGE_ME_BEFORE_DEPLOYING", "Please Change This Secret", "replace.me.with.something"),
    *(
        "an-example-of-a-secret",
        "flask-secret-for-killer",
        "my_super_password_1",
        "mot de passe 2026",
    ),
    *("1234567890123456", "qwertyuiop123456", "aaaaaaaaaaaaaaaa", "abababababababababab"),
    *("change-me", "secret", "dev", "fifteen signs ."),
    *('_5#y2L"F4Q8z\\n\\xec]/', "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf"),
]
POSTGRESQL = [
    "postgresql://app@db/killer",
    "postgres://app:p%40ss%2Fword%25@db.example.org:5432/killer?sslmode=require",
    "postgresql://app:it's:a-secret!@10.0.0.2/killer",
    "postgresql://app:x@[fd00::1]:5432/killer",
    "postgresql://app:x@one:5432,two:5433/killer?target_session_attrs=read-write&connect_timeout=5",
    "postgresql:///killer?host=/var/run/postgresql",
    "postgresql://app@%2Fvar%2Frun%2Fpostgresql/killer",
    "postgresql://db",
    "postgresql://",
    "postgresql://app:mot-de-passe-é@db/killer?options=-c%20statement_timeout%3D5000",
]
BAD_POSTGRESQL = [
    "postgresql://app:S3cret@[fd00::1/db",
    "postgresql://app:S3cret%zz@db/killer",
    "postgresql://app:S3cret%00@db/killer",
    "postgresql://app:S3c/ret@db/killer",
    "postgresql://app:S3c@ret@db/killer",
    "postgresql://app:S3c#ret@db/killer",
    "postgresql://app:S3 cret@db/killer",
    "postgresql://app:S3cret@[::1]5432/killer",
    "postgresql://app:S3cret@db:port/killer",
    "postgresql://db/killer?passwordS3cret",
    "postgresql://db/killer?password=S3=cret",
    "postgresql:S3cret",
    "postgresql+psycopg://app:S3cret@db/killer",
    "app:S3cret@db/killer",
]
REDIS = [
    "redis://127.0.0.1:6379/0",
    "rediss://app:p%40ss@redis.example.org",
    "redis://:it's:a-secret!@[fd00::1]:6379/1",
    "redis://redis?db=1&health_check_interval=30",
    "unix:///run/redis/redis.sock?db=1",
    "unix://:x@/run/redis.sock",
]
BAD_REDIS = [
    "redis://:S3cret@[fd00::1/0",
    "redis://:S3c/ret@redis:6379",
    "redis://:S3c@ret@redis",
    "redis://:S3c#ret@redis",
    "redis://:S3cret@redis:port",
    "redis://one:6379,two:6379",
    "redis://",
    "unix://S3cret",
    "S3cret@redis:6379",
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_or_what_can_be_tried_is_guessable(example: str) -> None:
    assert patterns.is_guessable(example)


def test_what_is_drawn_at_random_is_not() -> None:
    for draw in (secrets.token_urlsafe, secrets.token_hex):
        assert not [one for one in (draw(32) for _ in range(2000)) if patterns.is_guessable(one)]
    assert not patterns.is_guessable("a secret that nobody else has")


@pytest.mark.parametrize("url", POSTGRESQL)
def test_what_postgresql_reads_is_an_address(url: str) -> None:
    assert patterns.POSTGRESQL.fullmatch(url)


@pytest.mark.parametrize("url", BAD_POSTGRESQL)
def test_what_postgresql_would_repeat_is_none(url: str) -> None:
    assert not patterns.POSTGRESQL.fullmatch(url)


@pytest.mark.parametrize("url", REDIS)
def test_what_redis_reads_is_an_address(url: str) -> None:
    assert patterns.REDIS.fullmatch(url)


@pytest.mark.parametrize("url", BAD_REDIS)
def test_what_redis_would_choke_on_is_none(url: str) -> None:
    assert not patterns.REDIS.fullmatch(url)


def test_no_address_takes_long_to_look_at() -> None:
    for pattern in (patterns.POSTGRESQL, patterns.REDIS, patterns.BUCKET, patterns.ORIGIN):
        for start in ("postgresql://", "redis://", "s3://", "https://"):
            assert not pattern.fullmatch(start + "a" * 20_000 + " ")
            assert not pattern.fullmatch(start + "a,%41:" * 3_000 + " ")
