"""The command line as people meet it: what it does, says and gives back, and its mistakes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from killer import app as app_
from killer import cli, passwords
from killer.cli.words import told
from killer.game import commands as c
from killer.game.model import Game
from killer.language import speaking
from killer.serve import prepare
from killer.settings import Settings
from killer.store import people
from killer.web.site import Site

Run = Callable[..., Result]
#: Commands with options about which a newcomer may wonder.
TOLD = [
    *("cards", "organiser add", "organiser list", "organiser remove"),
    *("sheet pull", "sheet push", "sheet sync"),
    *("photos fetch", "mail credentials", "links revoke", "links new"),
]
COMMANDS = [
    *("demo", "serve", "import", "check", "loadtest", "organiser", "sheet", "sheet check"),
    *("status", "backup", "restore", "migrate-database", "deploy", "restart", "rollback", "logs"),
    *("photos", "mail", "links", *TOLD),
]
SECRET = "a secret that is long enough for tests"
SOUND = "Nickname;Password;Challenge\nIvan;the password of Ivan;Sing\nJudith;;Dance\n"
BAD = SOUND + "Ivan;another;Laugh\nZoe;;Run\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder, an environment of our own, English."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("GUNICORN_", "KILLER_")) or name in {"DATABASE_URL", "PORT", "HOST"}:
            monkeypatch.delenv(name)
    for name, value in (("DATA_DIR", "data"), ("SECRET_KEY", SECRET), ("COLUMNS", "200")):
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


def file(text: str | bytes, name: str = "players.csv") -> Path:
    path = Path(name)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def site() -> Site:
    return app_.build(Settings(data_dir=Path("data"), secret_key=SECRET))


def game(number: int = 1) -> Game:
    return site().hub.feed(number).game


def process(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it as people do, to see what escapes from the commands."""
    command = [sys.executable, "-m", "killer", *words]
    wanted = {**os.environ, "KILLER_LANGUAGE": "en", **environment}
    return subprocess.run(
        command, env=wanted, capture_output=True, text=True, check=False, timeout=60
    )


# --- help and usage ---


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_helps_with_an_example(run: Run, command: str) -> None:
    told = run(*command.split(), "--help")
    assert told.exit_code == 0
    assert "Example" in told.output
    assert f"killer {command.split(maxsplit=1)[0]}" in told.output


def test_every_command_helps_in_french() -> None:
    with speaking("fr"):
        for command in COMMANDS:
            told = CliRunner().invoke(cli.build(), [*command.split(), "--help"])
            assert "Exemple" in told.output


@pytest.mark.parametrize(("language", "says"), [("fr", "Laisse de côté"), ("en", "Leaves the")])
def test_the_table_says_what_each_option_is_for(language: str, says: str) -> None:
    with speaking(language):
        told = CliRunner().invoke(cli.build(), ["import", "--help"])
    assert re.search(rf"--skip-bad +{says}", told.output)
    assert "<" not in told.output


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_the_help_is_french_to_its_last_word(run: Run, command: str) -> None:
    with speaking("fr"):
        told = run(*command.split(), "--help").output
    english = ("Usage:", "Show this", "[required]", "[default", "Commands", "<bool>", "<str>")
    assert [word for word in english if word in told] == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("import", "Il manque l’option '--players'."),
        ("import --player", "Il n’y a pas d’option --player. Peut-être : --players"),
        ("import --players", "L’option '--players' demande une valeur."),
        ("import --dry-run=1", "L’option '--dry-run' ne prend pas de valeur."),
        ("nope", "Il n’y a pas de commande 'nope'."),
        ("organiser adx", "Il n’y a pas de commande 'adx'. Peut-être : 'add' ?"),
        ("organiser add", "Il manque l’argument 'NOM'."),
        ("check --deep", "Il n’y a pas d’option --deep."),
        ("check now", "C’est trop d’arguments : now"),
        ("loadtest --hold x", "La valeur de '--hold' ne convient pas : il faut un nombre."),
        ("loadtest --hold 0", "La valeur de '--hold' ne convient pas : il faut au moins 1."),
        ("logs -n x", "il faut un nombre entier."),
        ("mail credentials --language de", "'de' n’en est pas une ; il y a 'fr', 'en'."),
        ("loadtest --steps 0", "La valeur de --steps ne convient pas : Il faut des nombres"),
    ],
)
def test_what_was_typed_wrong_is_told_in_french(run: Run, words: str, says: str) -> None:
    with speaking("fr"):
        done = run(*words.split())
    assert done.exit_code == 2
    assert says in done.stderr.replace("\u00a0", " ")
    assert [word for word in ("Error", "Usage:", "Try") if word in done.stderr] == []


def test_what_was_typed_wrong_is_told_in_english(run: Run) -> None:
    assert "Missing option '--players'." in run("import").stderr
    assert "No such command 'nope'." in run("nope").stderr
    assert re.match(r"Usage: \w+ import \[OPTIONS\]\nHelp: ", run("import").stderr)


def test_an_unknown_mistake_is_told_as_typer_tells_it() -> None:
    with speaking("fr"):
        assert told("The moon is full.") == "The moon is full."


@pytest.mark.parametrize(
    "words",
    [["nope"], ["import"], ["import", "--players"], ["organiser", "add"], ["check", "--deep"], []],
    ids=str,
)
def test_wrong_usage_is_2(run: Run, words: list[str]) -> None:
    assert run(*words).exit_code == 2


# --- importing ---


def test_an_import_makes_the_game_and_shows_links_once(run: Run) -> None:
    done = run("import", "--players", file(SOUND))
    assert done.exit_code == 0
    assert "2 added" in done.stdout
    assert [p.nickname for p in game().players.values()] == ["Ivan", "Judith"]
    links = re.findall(r"^(\w+): http://127.0.0.1:8080/s/[\w-]{22}$", done.stdout, re.MULTILINE)
    assert links == ["Judith"]
    assert "the password of Ivan" not in done.output


def test_an_import_counts_as_people_do(run: Run) -> None:
    with speaking("fr"):
        run("import", "--players", file(SOUND))
        done = run("import", "--players", file(SOUND + "Zoe;hers;Run\n"))
    said = done.stdout.replace("\u00a0", " ")
    assert said == "C’est importé : 1 ajouté, 2 déjà à jour, 1 mot de passe enregistré.\n"


def test_a_link_is_told_as_each_language_writes(run: Run) -> None:
    with speaking("fr"):
        done = run("import", "--players", file("Surnom\nIvan\n"))
    assert "\nIvan\u00a0: http://" in done.stdout


def test_without_passwords_no_bar_is_shown(run: Run) -> None:
    assert "Passwords" not in run("import", "--players", file("Nickname\nIvan\n")).output
    assert "Passwords" in run("import", "--players", file(SOUND)).output


def test_what_is_only_good_to_know_is_not_to_be_corrected(run: Run) -> None:
    done = run("import", "--players", file("Nickname,Target\nIvan,Zoe\nZoe,Ivan\n"))
    assert (done.exit_code, "Good to know" in done.stderr) == (0, True)
    assert "What to do" not in done.stderr


def test_the_same_file_again_changes_nothing(run: Run) -> None:
    players = file(SOUND)
    run("import", "--players", players)
    before = game().version
    again = run("import", "--players", players)
    assert again.exit_code == 0
    assert "2 up to date" in again.stdout
    assert game().version == before


def test_one_file_may_be_both_tables(run: Run) -> None:
    players = file(SOUND)
    done = run("import", "--players", players, "--challenges", players)
    assert done.exit_code == 0
    assert game().find("Ivan").challenge == "Sing"


def test_challenges_come_from_a_second_file(run: Run) -> None:
    players = file("Nickname\nIvan\nJudith\n")
    challenges = file("Nickname;Challenge\nIVAN;Juggle\n", "challenges.csv")
    assert run("import", "--players", players, "--challenges", challenges).exit_code == 0
    assert game().find("Ivan").challenge == "Juggle"


STAMPED = "Timestamp;Nickname;Password\n10/17/2026 8:00:00;Ivan;his own\n"


@pytest.mark.parametrize("how", [[], ["--skip-bad"]])
def test_an_answer_under_a_player_s_name_brings_no_password(run: Run, how: list[str]) -> None:
    run("import", "--players", file(STAMPED))
    head, ivan = STAMPED.splitlines()
    newest_first = f"{head}\n10/18/2026 9:00:00;ivan;evil\n10/18/2026 9:05:00;Zoe;\n{ivan}\n"
    done = run("import", "--players", file(newest_first), *how)
    assert done.exit_code == (0 if how else 1)
    assert ("players.csv:2" in done.stderr) is not bool(how)
    assert [p.nickname for p in game().players.values()] == (["Ivan", "Zoe"] if how else ["Ivan"])
    with site().database.read() as connection:
        [kept] = people.hashes(connection, 1).values()
    assert passwords.fits(kept, "his own")


def test_problems_are_told_by_row_and_nothing_is_imported(run: Run) -> None:
    done = run("import", "--players", file(BAD))
    assert done.exit_code == 1
    assert "players.csv:4" in done.stderr
    assert "already answered in row 2" in re.sub(r"[\s│|]+", " ", done.stderr)
    assert "Nothing was imported: " in done.stderr
    assert not Path("data").exists()


def test_bad_rows_are_left_out_on_demand(run: Run) -> None:
    done = run("import", "--players", file(BAD), "--skip-bad")
    assert done.exit_code == 0
    assert [p.nickname for p in game().players.values()] == ["Ivan", "Judith", "Zoe"]


@pytest.mark.parametrize("before", [False, True])
def test_a_dry_run_changes_nothing(run: Run, before: bool) -> None:  # noqa: FBT001
    if before:
        run("import", "--players", file("Nickname\nIvan\n", "first.csv"))
    version = game().version if before else []
    done = run("import", "--players", file(SOUND), "--dry-run")
    assert done.exit_code == 0
    assert f"{1 if before else 2} to add" in done.stdout
    assert "/s/" not in done.output
    assert (game().version if before else list(Path("data").glob("*"))) == version


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("players.xlsx", b"PK\x03\x04\x14\x00\x06\x00xl/workbook.xml", "Excel"),
        ("players.pdf", b"%PDF-1.7", "PDF"),
        ("empty.csv", b"", "empty"),
        ("binary.csv", b"a;b\x00c", "isn't readable text"),
    ],
)
def test_what_is_no_table_is_named_and_explained(
    run: Run, name: str, data: bytes, says: str
) -> None:
    done = run("import", "--players", file(data, name))
    assert done.exit_code == 1
    assert done.stderr.startswith(f"{name}: ")
    assert says in done.stderr


def test_a_missing_file_is_named(run: Run) -> None:
    for path in ("nowhere.csv", "."):
        done = run("import", "--players", path)
        assert done.exit_code == 1
        assert path in done.stderr
    done = run("import", "--players", file(SOUND), "--challenges", "nowhere.csv")
    assert (done.exit_code, "nowhere.csv" in done.stderr) == (1, True)


def test_a_file_without_the_column_of_nicknames_says_so(run: Run) -> None:
    done = run("import", "--players", file("A;B\n1;2\n"))
    assert done.exit_code == 1
    assert "Nickname" in done.stderr


def test_a_game_that_is_over_refuses_newcomers_in_a_sentence(run: Run) -> None:
    run("import", "--players", file(SOUND))
    site().play.perform(1, c.Start(1), c.End())
    late = file(SOUND + "Zoe;;Run\n")
    done = run("import", "--players", late)
    assert done.exit_code == 1
    assert "The game is over" in done.stderr
    assert "Imported" not in done.output


def test_with_several_games_one_must_be_named(run: Run) -> None:
    players = file(SOUND)
    for name in ("Camp", "Fest"):
        assert run("import", "--players", players, "--game", name).exit_code == 0
    done = run("import", "--players", players)
    assert done.exit_code == 1
    assert "Camp, Fest" in done.stderr
    assert run("import", "--players", players, "--game", "Camp").exit_code == 0


# --- organisers ---


def test_a_new_organiser_gets_a_link_for_once(run: Run) -> None:
    done = run("organiser", "add", "Camille")
    assert (done.exit_code, "This link works once" in done.stderr) == (0, True)
    token = done.stdout.strip().rpartition("/s/")[2]
    settings = Settings(data_dir=Path("data"), secret_key=SECRET)
    server = app_.create(settings)
    first = server.test_client().post("/api/login", json={"token": token})
    again = server.test_client().post("/api/login", json={"token": token})
    assert (first.status_code, first.json) == (200, {"nickname": "Camille", "organiser": True})
    assert again.status_code == 401


def test_a_player_becomes_an_organiser(run: Run) -> None:
    run("import", "--players", file(SOUND))
    for _ in range(2):
        assert run("organiser", "add", " iván ".replace("á", "a")).exit_code == 0
    ivan = game().find("Ivan")
    assert ivan is not None
    assert ivan.organiser
    assert len(game().players) == 2


def test_a_player_s_old_link_signs_no_organiser_in(run: Run) -> None:
    imported = run("import", "--players", file(SOUND)).stdout
    old = re.findall(r"/s/([\w-]{22})$", imported, re.MULTILINE)[0]
    new = run("organiser", "add", "Judith").stdout.strip().rpartition("/s/")[2]
    server = app_.create(Settings(data_dir=Path("data"), secret_key=SECRET))
    assert server.test_client().post("/api/login", json={"token": old}).status_code == 401
    assert server.test_client().post("/api/login", json={"token": new}).status_code == 200


def test_organisers_are_listed_and_removed(run: Run) -> None:
    run("import", "--players", file(SOUND))
    assert "no organiser" in run("organiser", "list").stdout
    for name in ("Ivan", "Camille"):
        link = run("organiser", "add", name).stdout.strip()
    assert run("organiser", "list").stdout.split() == ["Ivan", "Camille"]
    for name in ("camille", "Ivan"):  # the last one too
        assert run("organiser", "remove", name).exit_code == 0
    assert not any(p.organiser for p in game().players.values())
    for name in ("Ivan", "Nobody"):
        again = run("organiser", "remove", name)
        assert again.exit_code == 1
        assert f"“{name}” is no organiser" in again.stderr
    server = app_.create(Settings(data_dir=Path("data"), secret_key=SECRET))
    token = link.rpartition("/s/")[2]
    assert server.test_client().post("/api/login", json={"token": token}).status_code == 401


def test_an_organiser_needs_a_name_that_shows(run: Run) -> None:
    done = run("organiser", "add", "\u200b")
    assert (done.exit_code, "nickname" in done.stderr.casefold()) == (1, True)
    long = run("organiser", "add", "x" * 61)
    assert (long.exit_code, "too long" in long.stderr) == (1, True)


def test_the_link_leads_to_the_public_address(run: Run) -> None:
    done = run("organiser", "add", "Camille", PUBLIC_URL="https://killer.example/")
    assert done.stdout.startswith("https://killer.example/s/")


# --- checking ---


def test_check_finds_a_sound_game_and_a_broken_one(run: Run) -> None:
    run("import", "--players", file(SOUND))
    site().play.perform(1, c.Start(1))
    sound = run("check")
    assert (sound.exit_code, "all is well" in sound.stdout) == (0, True)
    with site().database.write() as connection:
        connection.exec_driver_sql("UPDATE players SET target = id WHERE id = 1")
    broken = run("check")
    assert (broken.exit_code, "a law is broken" in broken.stdout) == (1, True)
    with site().database.write() as connection:
        connection.exec_driver_sql("DELETE FROM events WHERE version = 2")
    assert run("check").exit_code == 1


def test_check_says_the_state_in_the_language_of_the_terminal(run: Run) -> None:
    run("import", "--players", file(SOUND))
    with speaking("fr"):
        assert "tout est en ordre. En préparation." in run("check").stdout


def test_check_says_that_there_is_no_game_yet(run: Run) -> None:
    prepare(Settings(data_dir=Path("data"), secret_key=SECRET))
    done = run("check")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "There is no game yet" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        *("check", "cards", "links new Zoe", "links revoke Zoe", "backup", "mail credentials"),
        *(
            "mail credentials --dry-run",
            "photos fetch",
            "photos check",
            "photos push",
            "sheet push",
        ),
        *("sheet pull --dry-run", "sheet sync --dry-run"),
    ],
)
def test_a_command_in_a_wrong_folder_says_so_and_makes_nothing(run: Run, words: str) -> None:
    done = run(*words.split(), SHEET_ID="sheet", SERVICE_ACCOUNT_FILE="key.json")
    assert done.exit_code == 1
    assert "no game here (DATA_DIR=" in done.stderr
    assert str(Path("data").absolute()) in done.stderr
    assert list(Path().iterdir()) == []


def test_a_database_that_is_not_there_is_named(run: Run) -> None:
    done = run("check", DATABASE_URL="sqlite:///nowhere.sqlite3")
    assert (done.exit_code, "sqlite:///nowhere.sqlite3" in done.stderr) == (1, True)
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("words", ["status --once", "status --json", "restore", "sheet check"])
def test_looking_in_a_wrong_folder_makes_nothing(run: Run, words: str) -> None:
    assert run(*words.split()).exit_code == 1
    assert list(Path().iterdir()) == []


# --- mistakes of whoever set it up ---


def test_a_folder_that_cannot_be_one_is_named(run: Run) -> None:
    file("no folder", "taken")
    for command in (["check"], ["serve"], ["organiser", "add", "Camille"]):
        done = run(*command, DATA_DIR="taken")
        assert done.exit_code == 1
        assert "taken" in done.stderr
        assert "DATA_DIR" in done.stderr


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"PORT": "eighty"}, "PORT must be a whole number"),
        ({"SECRET_KEY": "change-me"}, "SECRET_KEY is a known example"),
        ({"DATABASE_URL": "sqlite:///taken"}, "The database doesn't answer"),
        ({"DATABASE_URL": "postgresql://killer:hunter2@127.0.0.1:9/x"}, "The database doesn't"),
        ({"DATABASE_URL": "postgresql://killer:hunter2@[fd00::1/x"}, "DATABASE_URL isn't the"),
        ({"REDIS_URL": "redis://:hunter2@[fd00::1/0"}, "REDIS_URL isn't the address"),
    ],
    ids=str,
)
def test_a_bad_setting_is_a_sentence_and_never_a_traceback(
    environment: dict[str, str], says: str
) -> None:
    file("no database", "taken")
    done = process("check", **environment)
    assert done.returncode == 1
    assert done.stderr.startswith(says)
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr


def test_a_file_of_settings_in_another_encoding_is_a_sentence() -> None:
    file("# réglages\nPORT=8080\n".encode("latin-1"), ".env")
    done = process("check")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert done.stderr.startswith("The file .env isn't written in UTF-8.")


def test_the_language_is_a_setting() -> None:
    done = process("import", "--players", "nowhere.csv", KILLER_LANGUAGE="fr")
    assert (done.returncode, "ne peut pas être lu" in done.stderr) == (1, True)
