"""`killer migrate-database` as people meet it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from killer import cli
from killer.game import commands as c
from killer.language import speaking
from killer.settings import BadSettingError, Settings
from killer.store import keeping
from killer.store.database import Database
from ops import deployments
from ops.deployments import broken, playing, version

Run = Callable[..., Result]


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """A paused deployment on SQLite, in English."""
    found = deployments.settings_in(tmp_path / "data")
    deployments.begin(found)
    with playing(found) as world:
        world.perform(c.Pause())
    with speaking("en"):
        yield found


def run(*words: str) -> Result:
    done = CliRunner().invoke(cli.build(), ["migrate-database", *words], env={"COLUMNS": "200"})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done


def test_it_tells_the_score_and_what_to_do_next(settings: Settings, postgres_url: str) -> None:
    done = run(settings.database, postgres_url)
    assert done.exit_code == 0
    assert "5 alive of 8" in done.stdout
    assert "row by row" in done.stdout
    assert "DATABASE_URL" in done.stdout
    there = deployments.at(settings, database_url=postgres_url)
    assert version(there) == version(settings)
    assert broken(there) == {}


def test_a_running_game_and_a_full_target_are_refused_in_a_sentence(
    settings: Settings, postgres_url: str
) -> None:
    with playing(settings) as world:
        world.perform(c.Resume())
    running = run(settings.database, postgres_url)
    assert (running.exit_code, "pause it first" in running.stderr) == (1, True)
    full = run(settings.database, settings.database)
    assert full.exit_code == 1


def test_a_server_at_work_is_warned_of(settings: Settings, postgres_url: str) -> None:
    database = Database(settings.database)
    keeping.take_lease(database, keeping.KEEPER, "a worker", 60)
    database.close()
    done = run(settings.database, postgres_url)
    assert (done.exit_code, "still running on the old database" in done.stderr) == (0, True)


def test_a_source_that_isn_t_there_is_not_made(tmp_path: Path, postgres_url: str) -> None:
    with speaking("en"):
        done = run(f"sqlite:///{tmp_path}/nowhere/killer.sqlite3", postgres_url)
    assert (done.exit_code, "nothing to copy" in done.stderr) == (1, True)
    assert not (tmp_path / "nowhere").exists()


def test_what_is_no_address_is_said(settings: Settings) -> None:
    done = run(settings.database, "")
    assert (done.exit_code, "not the address of a database" in done.stderr) == (1, True)


@pytest.mark.parametrize("url", ["mysql://localhost/killer", "postgresql:killer"])
def test_another_kind_of_address_is_refused_as_in_the_settings(
    settings: Settings, url: str
) -> None:
    done = CliRunner().invoke(cli.build(), ["migrate-database", settings.database, url])
    assert isinstance(done.exception, BadSettingError)


def test_half_a_command_is_wrong_usage(settings: Settings) -> None:
    assert run(settings.database).exit_code == 2
