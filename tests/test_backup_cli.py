"""`killer backup` and `killer restore` as people meet them: what they print, ask, and give back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import text
from typer.testing import CliRunner

from killer import cli
from killer.language import speaking
from killer.settings import Settings
from killer.store.database import Database
from ops import deployments
from ops.deployments import add_photo, photo, version

Run = Callable[..., Result]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A played deployment that the environment names, in English."""
    found = deployments.settings_in(tmp_path / "data")
    deployments.begin(found)
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("BACKUP_", "KILLER_")) or name in {"DATABASE_URL", "SECRET_KEY"}:
            monkeypatch.delenv(name)
    for name, value in (("DATA_DIR", "data"), ("PORT", str(found.port)), ("COLUMNS", "200")):
        monkeypatch.setenv(name, value)
    with speaking("en"):
        yield found


@pytest.fixture
def run(settings: Settings) -> Run:
    def invoke(*words: str | Path, typed: str | None = None, **environment: str) -> Result:
        asked = [str(word) for word in words]
        done = CliRunner().invoke(cli.build(), asked, input=typed, env=environment)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.output
        return done

    return invoke


def last_line(done: Result) -> Path:
    assert done.exit_code == 0, done.output
    return Path(done.stdout.splitlines()[-1])


def break_a_law(settings: Settings) -> None:
    database = Database(settings.database)
    with database.write() as connection:
        connection.execute(text("UPDATE players SET target = id WHERE status = 'alive'"))
    database.close()


def test_a_backup_tells_the_score_and_ends_with_its_path(run: Run, settings: Settings) -> None:
    done = run("backup")
    assert last_line(done).parent == settings.backups
    assert last_line(done).exists()
    assert "5 alive of 8" in done.stdout


def test_a_quiet_one_says_its_path_only(run: Run) -> None:
    done = run("backup", "--quiet")
    assert done.stdout.splitlines() == [str(last_line(done))]
    assert done.stderr == ""


def test_what_is_not_well_is_said_beside(run: Run, settings: Settings, tmp_path: Path) -> None:
    add_photo(settings, 4, photo("Dora"))
    for file in settings.photos.glob("*/*-large.webp"):
        file.unlink()
    done = run("backup", BACKUP_TO=str(tmp_path / "unplugged"))
    assert last_line(done).exists()
    assert "1 photo file is missing on this server" in done.stderr
    assert "Is the disk there?" in done.stderr


def test_a_broken_game_gives_1_and_a_file_apart(run: Run, settings: Settings) -> None:
    break_a_law(settings)
    done = run("backup")
    assert done.exit_code == 1
    assert ".tar.gz.bad" in done.stderr
    assert "killer check" in done.stderr


def test_a_whole_backup_ends_with_its_own_path(run: Run, tmp_path: Path) -> None:
    done = run("backup", "--whole", tmp_path / "all.tar.gz")
    assert last_line(done) == tmp_path / "all.tar.gz"
    again = run("backup", "--whole", tmp_path / "all.tar.gz")
    assert (again.exit_code, "exists already" in again.stderr) == (1, True)


def test_restoring_takes_the_newest_and_says_how_the_game_stands(
    run: Run, settings: Settings
) -> None:
    before = version(settings)
    run("backup")
    newest = last_line(run("backup"))
    Database(settings.database).file.unlink()
    done = run("restore")
    assert done.exit_code == 0
    assert f"Restored from {newest}" in done.stdout.replace("\n", "")
    assert f"version {before}, 5 alive of 8" in done.stdout
    assert run("check").exit_code == 0


def test_without_a_backup_there_is_nothing_to_restore(run: Run) -> None:
    done = run("restore")
    assert (done.exit_code, "No backup in" in done.stderr) == (1, True)


def test_a_game_that_is_there_is_refused_in_a_sentence(run: Run, settings: Settings) -> None:
    file = last_line(run("backup"))
    done = run("restore", file)
    assert done.exit_code == 1
    assert "Une partie" in done.stderr
    assert "--replace" in done.stderr


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("n\n", 1), ("", 1)])
def test_replacing_is_asked_for_first(run: Run, settings: Settings, typed: str, code: int) -> None:
    file = last_line(run("backup"))
    done = run("restore", file, "--replace", typed=typed)
    assert done.exit_code == code
    assert ("What was there is kept in" in done.stdout) is (code == 0)


def test_yes_answers_it(run: Run) -> None:
    assert run("restore", last_line(run("backup")), "--replace", "--yes").exit_code == 0


def test_missing_photos_and_another_secret_are_said(
    run: Run, settings: Settings, tmp_path: Path
) -> None:
    add_photo(settings, 4, photo("Dora"))
    alone = last_line(run("backup")).rename(tmp_path / "alone.tar.gz")
    bare = {"DATA_DIR": str(tmp_path / "bare"), "SECRET_KEY": "another secret, long enough"}
    done = run("restore", alone, **bare)
    assert done.exit_code == 0
    assert "3 photo files are missing" in done.stderr
    assert "SECRET_KEY" in done.stderr
    assert version(replace(settings, data_dir=tmp_path / "bare")) == version(settings)


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "can't be read"), (b"hello", "no backup of Killer"), (b"\x1f\x8b\x08", "damaged")],
)
def test_a_bad_file_is_refused_in_a_sentence(
    run: Run, tmp_path: Path, content: bytes | None, says: str
) -> None:
    file = tmp_path / "some.tar.gz"
    if content is not None:
        file.write_bytes(content)
    done = run("restore", file)
    assert (done.exit_code, says in done.stderr) == (1, True)
    assert "some.tar.gz" in done.stderr


def test_they_speak_french(run: Run) -> None:
    with speaking("fr"):
        done = run("backup")
        assert "5 en vie sur 8" in done.stdout
        assert "--replace" in run("restore", last_line(done)).stderr
