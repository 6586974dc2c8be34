"""`killer photos fetch` before a Google that is emulated: its report, and how it survives."""

from __future__ import annotations

import csv
import io
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from engines.google.emulator import Emulator
from engines.google.fixtures import google
from engines.processes import wait_for
from killer import app as app_
from killer import cli
from killer.language import speaking
from killer.media.pictures import SIZES
from killer.settings import Settings
from killer.store import photos
from killer.web.site import Site
from media.darkroom import SECRET as NOTED
from media.darkroom import chunks, from_a_phone, photograph, png_bomb

__all__ = ["google"]

Run = Callable[..., Result]
SECRET = "a secret that is long enough for tests"
FORMS = (
    "https://drive.google.com/open?id={}",
    "https://drive.google.com/u/0/open?usp=forms_web&id={}",
    "https://drive.google.com/u/3/open?id={}",
    "https://drive.google.com/file/d/{}/view?usp=sharing",
    "https://drive.google.com/file/d/{}/edit",
    "https://drive.google.com/uc?id={}",
    "https://drive.google.com/uc?export=view&id={}",
    "https://drive.google.com/thumbnail?id={}&sz=w1000",
    "https://drive.usercontent.google.com/download?id={}&export=download",
    "https://lh3.googleusercontent.com/d/{}=s400",
    "{}",
    "https://drive.google.com/open?id=1nothingatall{}, https://drive.google.com/open?id={}",
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, google: Emulator) -> Iterator[Path]:
    """An empty folder, and an environment with a service account."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("GUNICORN_", "KILLER_")) or name in {"DATABASE_URL", "PORT", "HOST"}:
            monkeypatch.delenv(name)
    for name, value in (
        ("DATA_DIR", str(tmp_path / "data")),
        ("SECRET_KEY", SECRET),
        ("COLUMNS", "200"),
        ("KILLER_LANGUAGE", "en"),
        ("GOOGLE_API_URL", google.url),
        ("SERVICE_ACCOUNT_FILE", str(google.key_file(tmp_path))),
    ):
        monkeypatch.setenv(name, value)
    with speaking("en"):
        yield tmp_path


@pytest.fixture
def run() -> Run:
    def invoke(*words: str | Path, **environment: str) -> Result:
        done = CliRunner().invoke(cli.build(), [str(word) for word in words], env=environment)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.output
        return done

    return invoke


def roster(run: Run, cells: dict[str, str], **more: str) -> None:
    """Import players with their cells of links."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("Surnom", "Photo"))
    writer.writerows(cells.items())
    Path("joueurs.csv").write_text(text.getvalue())
    done = run("import", "--players", "joueurs.csv", **more)
    assert done.exit_code == 0, done.output


def site() -> Site:
    return app_.build(Settings(data_dir=Path("data").absolute(), secret_key=SECRET))


def photo_of(nickname: str) -> str:
    player = site().hub.feed(1).game.find(nickname)
    assert player is not None
    return player.photo


def outcomes() -> Counter[str]:
    with site().database.read() as connection:
        return Counter(tried.outcome for tried in photos.tried(connection, 1).values())


def file_id(number: int) -> str:
    return f"1Photo-of-somebody_{number:06}-xYz"


# --- one by one ---


def test_it_fetches_and_says_so(run: Run, google: Emulator) -> None:
    google.put_file(file_id(1), photograph(1))
    roster(run, {"Ivan": FORMS[0].format(file_id(1)), "Judith": ""})
    done = run("photos", "fetch")
    assert done.exit_code == 0, done.output
    assert "1 fetched, 0 already there, 0 failed, 1 with neither" in done.stdout
    assert len(photo_of("Ivan")) == 32
    again = run("photos", "fetch")
    assert (again.exit_code, "0 fetched, 1 already there" in again.stdout) == (0, True)
    assert google.count("file") == 1


def test_what_failed_is_told_by_name_and_reason_and_ends_with_1(run: Run, google: Emulator) -> None:
    google.put_file(file_id(1), photograph(1), shared=False)
    google.put_file(file_id(2), b"Bonjour")
    cells = {"[red]Ivan": FORMS[0].format(file_id(1)), "Judith": FORMS[3].format(file_id(2))}
    roster(run, cells | {"Zoe": "plus tard", "Karl": FORMS[1].format(file_id(9))})
    done = run("photos", "fetch")
    assert done.exit_code == 1
    lines = [line for line in done.stderr.splitlines() if "│" in line]
    assert re.search(r"2 +│ \[red\]Ivan, Karl +│ The file isn't shared with", done.stderr)
    assert any("Judith" in line and "isn't a picture that we can read" in line for line in lines)
    assert any("Zoe" in line and "no link to a file on Drive" in line for line in lines)
    assert "0 fetched, 0 already there, 4 failed" in done.stdout


def test_a_dry_run_downloads_nothing(run: Run, google: Emulator) -> None:
    google.put_file(file_id(1), photograph(1))
    roster(run, {"Ivan": FORMS[0].format(file_id(1))})
    done = run("photos", "fetch", "--dry-run")
    assert (done.exit_code, "1 to fetch" in done.stdout) == (0, True)
    assert google.count("file") == 0
    assert photo_of("Ivan") == ""


def test_again_fetches_what_was_fetched_before(run: Run, google: Emulator) -> None:
    google.put_file(file_id(1), photograph(1))
    roster(run, {"Ivan": FORMS[0].format(file_id(1))})
    run("photos", "fetch")
    before = photo_of("Ivan")
    google.put_file(file_id(1), photograph(2))
    assert run("photos", "fetch", "--again").exit_code == 0
    assert photo_of("Ivan") != before


def test_without_a_service_account_it_says_what_is_missing(run: Run) -> None:
    roster(run, {"Ivan": FORMS[0].format(file_id(1))})
    done = run("photos", "fetch", SERVICE_ACCOUNT_FILE="")
    assert done.exit_code == 1
    assert "SERVICE_ACCOUNT_FILE" in done.stderr


def test_a_google_that_can_not_now_is_told_and_nothing_is_lost(run: Run, google: Emulator) -> None:
    google.put_file(file_id(1), photograph(1))
    roster(run, {"Ivan": FORMS[0].format(file_id(1)), "Zoe": FORMS[0].format(file_id(1))})
    google.switch_off("drive")
    done = run("photos", "fetch")
    assert done.exit_code == 1
    assert "Google Drive API" in done.stderr
    assert "2 were not tried" in done.stderr
    google.switch_on("drive")
    assert "2 fetched" in run("photos", "fetch").stdout


def test_a_shelf_that_can_not_be_written_is_named(run: Run, google: Emulator) -> None:
    google.put_file(file_id(1), photograph(1))
    roster(run, {"Ivan": FORMS[0].format(file_id(1))})
    Path("data/photos").write_text("in the way")
    done = run("photos", "fetch")
    assert (done.exit_code, "data/photos" in done.stderr) == (1, True)
    assert "0 fetched" in done.stdout


def test_with_several_games_one_must_be_named(run: Run, google: Emulator) -> None:
    google.put_file(file_id(1), photograph(1))
    roster(run, {"Ivan": FORMS[0].format(file_id(1))})
    run("import", "--players", "joueurs.csv", "--game", "Camp")
    assert run("photos", "fetch").exit_code == 1
    done = run("photos", "fetch", "--game", "Camp")
    assert "1 fetched" in done.stdout


# --- five hundred, damaged, interrupted ---

PEOPLE = 500
DAMAGED = {
    "Nothing": b"",
    "Text": b"Bonjour, voici ma photo\n",
    "Half": photograph(1)[:2000],
    "Bomb": png_bomb(20_000, 20_000),
}
REASONS = {
    "The file is empty": 4,
    "isn't a picture that we can read": 4,
    "damaged or cut short": 4,
    "too many pixels": 4,
    "isn't shared with the service account": 2,
    "no link to a file on Drive": 2,
}


def fill(google: Emulator, run: Run) -> set[str]:
    """Import 500 players with links in twelve forms; give the twenty whose photo is bad."""
    stock = [photograph(n, (64, 80), "HEIF" if n % 5 == 4 else "JPEG") for n in range(40)]
    stock += [from_a_phone(orientation) for orientation in range(1, 9)]
    cells, bad = {}, set()
    for n in range(PEOPLE):
        form = FORMS[n % len(FORMS)]
        cells[f"Player {n:03}"] = form.format(*[file_id(n)] * form.count("{}"))
        google.put_file(file_id(n), stock[n % len(stock)])
    spoilt = [*list(DAMAGED.values()) * 4, None, None]
    for place, content in enumerate(spoilt):
        n = 7 + place * 24  # a form with one link, another each time
        assert n % len(FORMS) != len(FORMS) - 1
        bad.add(f"Player {n:03}")
        google.files.pop(file_id(n))
        if content is not None:
            google.put_file(file_id(n), content)
    for n in (1, 2):
        cells[f"Player {n:03}"] = "je l'envoie plus tard"
        bad.add(f"Player {n:03}")
    roster(run, cells)
    return bad


def started(stderr: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "killer", "photos", "fetch"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr, text=True)


def killed_after(google: Emulator, downloads: int) -> set[str]:
    """Kill a fetch in its midst; give the files that were done by then."""
    process = started()
    wait_for(lambda: google.count("file") >= downloads or process.poll() is not None, 60)
    assert process.poll() is None, "it was done too soon to be killed"
    process.send_signal(signal.SIGKILL)
    process.wait()
    with site().database.read() as connection:
        tried = photos.tried(connection, 1)
    done = [each for each in tried.values() if each.outcome == photos.DONE]
    players = site().hub.feed(1).game.players
    assert {p for p, each in players.items() if each.photo} == {
        p for p, each in tried.items() if each.outcome == photos.DONE
    }
    return {match for each in done for match in re.findall(r"1Photo[\w-]+", each.source)}


def test_ctrl_c_says_what_is_left_and_the_next_run_goes_on(run: Run, google: Emulator) -> None:
    fill(google, run)
    for downloads in (60, 120):
        process = started(stderr=subprocess.PIPE)
        wait_for(lambda enough=downloads: google.count("file") >= enough, 60)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 1
        assert "Traceback" not in said
        left = re.search(r"(\d+) were not tried. Nothing is lost: run killer photos fetch", said)
        assert left, said
        assert 0 < int(left[1]) < PEOPLE
        assert outcomes().total() == PEOPLE - int(left[1])


def test_five_hundred_photos_two_kills_and_an_exact_report(run: Run, google: Emulator) -> None:
    bad = fill(google, run)
    kills = []
    for downloads in (150, 350):
        done_before = killed_after(google, downloads)
        kills.append((done_before, len(google.calls)))
        said = run("photos", "fetch", "--dry-run").stdout
        assert f"{len(done_before)} already there" in said
    done = run("photos", "fetch")
    for done_before, calls_before in kills:
        later = {call.path.rpartition("/")[2] for call in google.calls[calls_before:]}
        assert done_before
        assert not later & done_before, "what is done is never downloaded again"
    assert done.exit_code == 1
    assert outcomes()["done"] == PEOPLE - len(bad) == 480
    assert f"{PEOPLE - len(bad) - len(done_before)} fetched" in done.stdout
    assert f"{len(done_before)} already there, 20 failed, 0 with neither" in done.stdout
    for reason, count in REASONS.items():
        row = next(line for line in done.stderr.splitlines() if reason in line)
        assert re.match(rf"│ {count} +│", row), row
    named = set(re.findall(r"Player \d{3}", done.stderr))
    assert named == bad
    whole = [call.path for call in google.calls if call.kind == "file" and call.status == 200]
    twice = sum(count - 1 for path, count in Counter(whole).items() if not spoilt(path, bad))
    assert twice <= 2 * 3, "only what was under way when it was killed comes twice"
    look_at_every_file()
    again = run("photos", "fetch")
    assert "0 fetched, 480 already there, 20 failed" in again.stdout


def spoilt(path: str, bad: set[str]) -> bool:
    number = re.search(r"(\d{6})-xYz", path)
    return bool(number) and f"Player {int(number[1]):03}" in bad


def look_at_every_file() -> None:
    """Find three sizes for everybody, whole, without a place, a date or a profile."""
    files = [each for each in Path("data/photos").rglob("*") if each.is_file()]
    names = {player.photo for player in site().hub.feed(1).game.players.values()} - {""}
    assert {each.name for each in files} >= {f"{n}-{s}.webp" for n in names for s in SIZES}
    for each in files:
        if each.suffix == ".webp":
            content = each.read_bytes()
            assert chunks(content) == ["VP8 "]
            assert NOTED not in content
            assert b"Exif" not in content
