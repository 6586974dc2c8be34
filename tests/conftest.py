"""What every test can ask for: databases, Redis, a browser; and the list of what was left out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from engines import bucket, postgresql, redis
from engines.processes import program
from store.worlds import World, a_world, look_at

# No test measures time; in continuous integration the same cases come up every time.
settings.register_profile(
    "killer",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("killer")


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[str]:
    """The address of a PostgreSQL of this test process; `postgres_url` is what tests want."""
    with postgresql.cluster() as address:
        yield address


@pytest.fixture
def postgres_url(postgres_cluster: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    with postgresql.database(postgres_cluster) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a SQLite file that doesn't exist yet."""
    return f"sqlite:///{tmp_path}/killer.sqlite3"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database; the test runs once on each that the store promises."""
    return request.getfixturevalue(
        {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    )


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """A running game of eight, on each of the two databases."""
    found = a_world(database_url, 8)
    yield found
    found.database.close()


@pytest.fixture
def elsewhere(world: World) -> Iterator[World]:
    """Another process's view of the same game."""
    found = look_at(world.database.url, world.number)
    yield found
    found.database.close()


@pytest.fixture(scope="session")
def redis_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a Redis of this test process; `redis_url` is what tests want."""
    with redis.server(tmp_path_factory.mktemp("redis")) as port:
        yield port


@pytest.fixture
def redis_url(redis_port: int) -> str:
    """The URL of an empty Redis."""
    redis.empty(redis_port)
    return f"redis://127.0.0.1:{redis_port}/0"


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an S3 of this test process; `in_bucket` is what tests want."""
    with bucket.server(tmp_path_factory.mktemp("s3")) as url:
        yield url


@pytest.fixture
def in_bucket(s3: str) -> dict[str, str]:
    """The variables that name an empty bucket."""
    return bucket.new(s3)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a browser that Playwright drives."""
    return program("chromium", "chromium-browser", "google-chrome", package="chromium")


@pytest.fixture(scope="session")
def nginx() -> str:
    """The path of nginx."""
    return program("nginx", package="nginx")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end what was left out, how many tests, and why."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(reason_of(report) for report in skipped)
    if reasons:
        terminalreporter.section("left out")
    for reason, number in sorted(reasons.items()):
        terminalreporter.line(f"{number} test{'s' * (number > 1)} left out because {reason}")


def reason_of(report: pytest.TestReport) -> str:
    """Give the reason of a skip, which pytest keeps as (file, line, 'Skipped: reason')."""
    words = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return words.removeprefix("Skipped: ")
