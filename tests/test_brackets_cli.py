"""What people write is printed as they wrote it, also where it looks like the terminal's markup."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from engines.google.emulator import Emulator
from engines.google.fixtures import google
from killer import cli
from killer.language import speaking

__all__ = ["google"]

Run = Callable[..., Result]
SHEET = "1aB-c_D"
NAMES = ("[/x]", "[bold]Ada", "[link=https://a.example]Zoé[/link]", ":heart:", "[/]\\")
FILE = Path("[bold] :heart:.csv")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, google: Emulator) -> Iterator[Path]:
    """An empty folder, and an environment with a sheet and an address for links, in English."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("GUNICORN_", "KILLER_")) or name in {"DATABASE_URL", "PORT", "HOST"}:
            monkeypatch.delenv(name)
    for name, value in (
        ("DATA_DIR", str(tmp_path / "data")),
        ("PUBLIC_URL", "https://killer.example.org"),
        ("COLUMNS", "300"),
        ("GOOGLE_API_URL", google.url),
        ("SERVICE_ACCOUNT_FILE", str(google.key_file(tmp_path))),
        ("SHEET_ID", SHEET),
    ):
        monkeypatch.setenv(name, value)
    with speaking("en"):
        yield tmp_path


@pytest.fixture
def run() -> Run:
    def invoke(*words: str) -> Result:
        done = CliRunner().invoke(cli.build(), words)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    return invoke


def rows() -> list[list[str]]:
    """Give a table in which every cell is somebody's joke."""
    header = ["Surnom", "Défi", "Photo", "Année"]
    return [header, *([name, name, f"{name} plus tard", "[/1A]"] for name in NAMES)]


def roster(*more: list[str]) -> str:
    with FILE.open("w", newline="") as file:
        csv.writer(file).writerows([*rows(), *more])
    return str(FILE)


def test_a_roster_of_brackets_is_imported_and_every_link_names_its_player(run: Run) -> None:
    done = run("import", "--players", roster())
    assert done.exit_code == 0
    for name in NAMES:
        assert f"\n{name}: https://killer.example.org/s/" in done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_a_problem_is_told_in_the_words_of_the_file(run: Run, name: str) -> None:
    done = run("import", "--players", roster([name, "", "", ""]))
    assert done.exit_code == 1
    told = next(line for line in done.stderr.splitlines() if f"{FILE}:{len(NAMES) + 2}" in line)
    assert f"“{name}”" in told


def test_commands_on_players_say_their_names(run: Run) -> None:
    run("import", "--players", roster())
    told = run("mail", "credentials", "--dry-run")
    assert all(name in told.output for name in NAMES)
    for name in NAMES:
        assert name in run("links", "revoke", name).output
        assert run("links", "new", name).exit_code == 0
        assert name in run("links", "new", f"{name}?").output
        assert run("organiser", "add", name).exit_code == 0
    for words in (["check"], ["cards"], ["import", "--players", roster(), "--game", "[/y]"]):
        assert run(*words).exit_code == 0
    assert "[/y]" in run("check").output


def test_photos_that_failed_are_told_by_their_players(run: Run) -> None:
    run("import", "--players", roster())
    done = run("photos", "fetch")
    assert done.exit_code == 1
    assert all(name in done.stderr for name in NAMES)


def test_a_sheet_s_titles_and_cells_are_told_as_they_are(run: Run, google: Emulator) -> None:
    google.sheet(SHEET, {"[/x] :heart:": [*rows(), *([name, "", "", ""] for name in NAMES)]})
    done = run("sheet", "check")
    assert done.exit_code == 1
    assert "[/x] :heart::8 Surnom" in done.stdout
    assert all(f"“{name}” has already answered" in done.stdout for name in NAMES)
    pulled = run("sheet", "pull")
    assert all(f"“{name}” has already answered" in pulled.output for name in NAMES)
