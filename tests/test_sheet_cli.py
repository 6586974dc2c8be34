"""`killer sheet check`, `pull`, `push` and `sync` as people use them, before an emulated Google."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from engines.google import Emulator
from engines.google.fixtures import google
from killer import app as app_
from killer import cli
from killer.game import commands as c
from killer.game.model import Game, PlayerId
from killer.language import speaking
from killer.serve import prepare
from killer.settings import Settings
from killer.sheets.google import Google
from killer.sheets.pace import Pace
from killer.sheets.sync import Sync, Wishes
from killer.store import games, sheets
from killer.web.site import Site

__all__ = ["google"]

Run = Callable[..., Result]
SECRET = "a secret that is long enough for tests"
SHEET = "1aB-c_D"
ADDRESS = f"https://docs.google.com/spreadsheets/d/{SHEET}/edit?gid=0#gid=0"
PLAYERS = [["Surnom", "Année"], ["Zoé", "1A"], ["Ada", "2A"], ["Bob", "1A"]]
CHALLENGES = [["Surnom", "Défi"], ["Zoé", "Chanter"], ["Ada", "Danser"], ["Bob", "Rire"]]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, google: Emulator) -> Iterator[Path]:
    """An empty folder, a sheet of three players that the environment names, English."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("GUNICORN_", "KILLER_")) or name in {"DATABASE_URL", "PORT", "HOST"}:
            monkeypatch.delenv(name)
    key = google.key_file(tmp_path)
    key.chmod(0o600)
    google.sheet(SHEET, {"Joueurs": PLAYERS, "Défis": CHALLENGES})
    for name, value in (
        ("DATA_DIR", str(tmp_path / "data")),
        ("SECRET_KEY", SECRET),
        ("COLUMNS", "200"),
        ("KILLER_LANGUAGE", "en"),
        ("GOOGLE_API_URL", google.url),
        ("SERVICE_ACCOUNT_FILE", str(key)),
        ("SHEET_ID", SHEET),
    ):
        monkeypatch.setenv(name, value)
    with speaking("en"):
        yield tmp_path


@pytest.fixture
def run() -> Run:
    def invoke(*words: str, **environment: str) -> Result:
        done = CliRunner().invoke(cli.build(), ["sheet", *words], env=environment)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.output
        return done

    return invoke


def site() -> Site:
    return app_.build(Settings(data_dir=Path("data").absolute(), secret_key=SECRET))


def game(number: int = 1) -> Game:
    return site().hub.feed(number).game


def rows() -> list[str]:
    """Give the whole database."""
    with closing(sqlite3.connect("data/killer.sqlite3")) as connection:
        return list(connection.iterdump())


def column(google: Emulator, header: str) -> list[str]:
    """Give what stands below a header of the players' tab."""
    first, *others = google.tab(SHEET, "Joueurs").rows()
    place = first.index(header)
    return [row[place] if place < len(row) else "" for row in others]


def begun(google: Emulator, folder: Path) -> None:
    """Start a game that is level with its sheet, at once: commands ask at Google's own pace."""
    server = CliRunner().invoke(cli.build(), ["sheet", "pull"])
    assert server.exit_code == 0
    here = site()
    here.play.perform(1, c.Start(7))
    client = Google(google.key_file(folder), url=google.url, pace=Pace(read=6000, write=6000))
    sync = Sync(here.play, client, SHEET, here.hub.games()[0])
    while not sync.look(Wishes()).level:
        pass
    google.calls.clear()


# --- check ---


def test_a_healthy_sheet_is_0(run: Run) -> None:
    done = run("check")
    assert done.exit_code == 0
    assert done.stdout.endswith("All is well.\n")
    assert "✗" not in done.stdout
    assert not Path("data").exists()


def test_a_sick_one_is_1_and_says_what_to_click(run: Run, google: Emulator) -> None:
    google.unshare(SHEET)
    done = run("check")
    assert done.exit_code == 1
    assert "✗ The sheet isn't shared with the server. In the sheet: Share" in done.stdout
    assert done.stdout.endswith("then run killer sheet check again.\n")


def test_an_address_to_open_stays_whole_on_a_narrow_terminal(run: Run, google: Emulator) -> None:
    google.switch_off("sheets")
    done = run("check", COLUMNS="40")
    assert re.search(r"Open https://console\.\S+sheets\.googleapis\.com\S* and click", done.stdout)


def test_a_cell_to_correct_is_named_by_its_place(run: Run, google: Emulator) -> None:
    google.sheet(SHEET, {"L'été [bold]": [*PLAYERS, ["zoé", "3A"]]})
    done = run("check")
    assert done.exit_code == 1
    assert "✗ L'été [bold]:5 Surnom : “zoé” has already answered in row 2" in done.stdout


@pytest.mark.parametrize(
    ("missing", "says"),
    [("SHEET_ID", "No sheet is named"), ("SERVICE_ACCOUNT_FILE", "No key is named")],
)
def test_without_settings_every_command_says_what_is_missing(
    run: Run, missing: str, says: str
) -> None:
    checked = run("check", **{missing: ""})
    assert (checked.exit_code, says in checked.stdout) == (1, True)
    for command in ("pull", "push", "sync"):
        done = run(command, **{missing: ""})
        assert (done.exit_code, done.stderr.startswith(says)) == (1, True)
    assert not Path("data").exists()


def test_a_google_out_of_reach_is_a_sentence_and_never_a_traceback(google: Emulator) -> None:
    google.unshare(SHEET)
    for command, out in (("check", "stdout"), ("sync", "stderr")):
        words = [sys.executable, "-m", "killer", "sheet", command]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 1
        assert "Share, add killer@un-projet" in getattr(done, out)
        assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["pull", "push", "sync"])
def test_a_google_that_is_down_is_one_sentence(run: Run, google: Emulator, command: str) -> None:
    run("pull")
    google.fail(503, None, retry_after=30)  # so long that nobody waits for it
    done = run(command)
    assert done.exit_code == 1
    assert done.stderr.strip().splitlines()[-1].startswith("Google is down right now.")
    assert done.stdout == ""


def test_a_tab_without_titles_is_a_sentence(run: Run, google: Emulator) -> None:
    google.sheet(SHEET, {"Joueurs": []})
    done = run("pull", SHEET_PLAYERS_TAB="Joueurs")
    assert (done.exit_code, "The first row has no titles" in done.stderr) == (1, True)


# --- pull, push, sync ---


def test_a_pull_makes_the_game_and_takes_the_roster(run: Run, google: Emulator) -> None:
    done = run("pull", SHEET_ID=ADDRESS)
    assert done.exit_code == 0, done.output
    assert "3 new, 0 corrected, 0 unchanged" in done.stdout
    assert {p.nickname: p.challenge for p in game().players.values()} == {
        "Zoé": "Chanter", "Ada": "Danser", "Bob": "Rire",
    }  # fmt: skip
    assert google.count("write") == 0
    again = run("pull")
    assert "0 new, 0 corrected, 3 unchanged" in again.stdout


def test_a_push_writes_what_the_game_says_and_takes_nothing(
    run: Run, google: Emulator, here: Path
) -> None:
    begun(google, here)
    site().play.perform(1, c.Kill(PlayerId(1)))
    google.tab(SHEET, "Joueurs").set(1, "Année", "9A")
    done = run("push")
    assert (done.exit_code, "written into the sheet" in done.stdout) == (0, True)
    assert column(google, "État") == ["dead", "alive", "alive"]
    assert game().players[PlayerId(1)].year == "1A"
    assert "0 cells written" in run("push").stdout


class Stuck(list[Any]):
    """A row of which one cell stays as it is."""

    def __setitem__(self, at: Any, value: Any) -> None:
        if self[at] != "30/12/1899":
            super().__setitem__(at, value)


def test_a_cell_that_takes_nothing_is_named(run: Run, google: Emulator, here: Path) -> None:
    """As one with the format of a date, which shows a number as a day."""
    begun(google, here)
    tab = google.tab(SHEET, "Joueurs")
    tab.set(1, "Nombre de kills", "30/12/1899")
    tab.cells[1] = Stuck(tab.cells[1])
    site().play.perform(1, c.Kill(PlayerId(1)))
    done = run("push")
    assert done.exit_code == 1
    assert "  2 Nombre de kills : This cell doesn't take what the game writes" in done.stderr
    assert done.stderr.count("This cell") == 1


def test_a_sync_does_both_and_leaves_the_sheet_level(
    run: Run, google: Emulator, here: Path
) -> None:
    begun(google, here)
    site().play.perform(1, c.Kill(PlayerId(2)))
    google.tab(SHEET, "Joueurs").set(1, "Année", "9A")
    done = run("sync")
    assert "0 new, 1 corrected, 2 unchanged" in done.stdout
    assert game().players[PlayerId(1)].year == "9A"
    assert column(google, "État") == ["alive", "dead", "alive"]
    assert "0 cells written" in run("sync").stdout


def test_the_first_sync_tells_whom_it_has_taken(run: Run) -> None:
    """Though it begins again, because it adds a column in between."""
    assert "3 new, 0 corrected, 0 unchanged" in run("sync").stdout
    assert "0 new, 0 corrected, 3 unchanged" in run("sync").stdout


def test_a_dry_run_changes_nothing_anywhere(run: Run, google: Emulator, here: Path) -> None:
    begun(google, here)
    site().play.perform(1, c.Kill(PlayerId(1)))
    tab = google.tab(SHEET, "Joueurs")
    tab.set(1, "Année", "9A")
    tab.append(["Eva"])
    kept, cells = rows(), tab.rows()
    for command in ("pull", "push", "sync"):
        done = run(command, "--dry-run")
        assert done.exit_code == 0, done.output
        assert ("1 corrected" in done.stdout) == (command != "push")
        assert ("to write. Nothing is written." in done.stdout) == (command != "pull")
        assert (rows(), tab.rows(), google.count("write")) == (kept, cells, 0)


def test_a_dry_run_before_the_first_game_makes_none(run: Run) -> None:
    prepare(Settings(data_dir=Path("data").absolute(), secret_key=SECRET))
    done = run("pull", "--dry-run")
    assert (done.exit_code, "killer sheet pull makes the game" in done.stderr) == (1, True)
    assert site().hub.games() == []


def test_cells_to_correct_are_told_with_their_place(run: Run, google: Emulator) -> None:
    google.sheet(SHEET, {"Joueurs": [*PLAYERS, ["zoé", "3A"]]})
    done = run("pull")
    assert done.exit_code == 1
    assert "  5 Surnom : “zoé” has already answered in row 2" in done.stderr
    assert len(game().players) == 3
    google.sheet(SHEET, {"Joueurs": [["Année", "Mot de passe"], ["1A", "x" * 12]]})
    done = run("pull", SHEET_PLAYERS_TAB="Joueurs")
    assert done.exit_code == 1
    assert "  No column says who the players are." in done.stderr


def test_what_only_the_game_may_decide_is_announced(run: Run, google: Emulator, here: Path) -> None:
    begun(google, here)
    google.tab(SHEET, "Joueurs").append(["Eva"])
    done = run("pull", PUBLIC_URL="https://killer.example.org/")
    assert "1 question to decide: https://killer.example.org/organiser/sheet" in done.stdout
    with site().database.read() as connection:
        assert [one.nickname for one in sheets.every_offer(connection, 1)] == ["Eva"]
    assert game().find("Eva") is None


# --- several games ---


def test_of_several_games_the_newest_is_meant_unless_one_is_named(run: Run) -> None:
    run("pull", "--game", "Camp")
    with site().database.write() as connection:
        games.create(connection, "Fest")
    assert "Fest: 3 new" in run("pull").stdout
    assert "Camp: 0 new, 0 corrected, 3 unchanged" in run("pull", "--game", "Camp").stdout
    assert [len(game(number).players) for number in (1, 2)] == [3, 3]


def test_a_game_that_does_not_exist_is_named_among_those_that_do(run: Run) -> None:
    run("pull", "--game", "Camp")
    for command in ("pull", "push", "sync"):
        done = run(command, "--game", "Nope")
        assert (done.exit_code, "Camp" in done.stderr) == (1, True)
    assert [row.name for row in site().hub.games()] == ["Camp"]
