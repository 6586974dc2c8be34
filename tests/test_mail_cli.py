"""`killer mail credentials`, `killer cards` and `killer links` as people use them."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pypdfium2
import pytest
from click.testing import Result
from sqlalchemy import delete
from typer.testing import CliRunner

from engines.processes import end, tied, wait_for
from engines.smtp import BREAK, PASSWORD, USER, Box, mail_server, token_of
from killer import cli
from killer.game import commands as c
from killer.language import speaking
from killer.mail import credentials
from killer.store import mails
from killer.store.mails import HANDING, Mail
from killer.store.tables import leases
from mail.worlds import SITE, addresses_of, codes_in, give_addresses, log, signs_in, states
from web.world import BOSS, PLAYERS, SECRET, World, empty_world, populate, settings_in

Run = Callable[..., Result]


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    """A mail server that wants STARTTLS and a password."""
    folder = tmp_path / "smtp"
    folder.mkdir()
    with mail_server(folder) as found:
        yield found


@pytest.fixture
def environment(
    tmp_path: Path, box: Box, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, str]]:
    """The variables of a deployment with a mail server, in English, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("GUNICORN_", "KILLER_", "SMTP_", "MAIL_")):
            monkeypatch.delenv(name)
    found = {
        "DATA_DIR": str(tmp_path / "data"),
        "SECRET_KEY": SECRET,
        "PUBLIC_URL": SITE,
        "SMTP_HOST": "localhost",
        "SMTP_PORT": str(box.port),
        "SMTP_USER": USER,
        "SMTP_PASSWORD": PASSWORD,
        "SMTP_CA_FILE": str(box.ca_file),
        "MAIL_FROM": "Killer <killer@party.example>",
        "MAIL_RATE": "0",
        "KILLER_LANGUAGE": "en",
        "COLUMNS": "200",
    }
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    with speaking("en"):
        yield found


@pytest.fixture
def world(environment: dict[str, str], tmp_path: Path) -> World:
    """Eight players with addresses and an organiser without."""
    found = empty_world(settings_in(tmp_path / "data"))
    populate(found)
    give_addresses(found)
    return found


@pytest.fixture
def run(environment: dict[str, str]) -> Run:
    def invoke(*words: str, **more: str) -> Result:
        with speaking("en"):  # whatever a phone of the test has spoken last
            done = CliRunner().invoke(cli.build(), list(words), env=more)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.output
        return done

    return invoke


# --- the show: five hundred, two rejections, a break, and a run that is killed ---


def killed_in_the_middle(box: Box, environment: dict[str, str], after: int) -> None:
    """Run the command as people do, and kill it while the server takes a mail."""
    command = [sys.executable, "-m", "killer", "mail", "credentials"]
    process = subprocess.Popen(
        tied("KILL", command),
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )

    def kill(count: int) -> None:
        if count == after:
            process.kill()
            process.wait(10)  # the answer is only sent to somebody who is dead

    box.on_mail = kill
    try:
        assert process.wait(60) == -signal.SIGKILL
    finally:
        box.on_mail = lambda _count: None
        end(process, signal.SIGKILL)


def test_five_hundred_mails_each_player_exactly_once(
    world: World, box: Box, environment: dict[str, str], run: Run
) -> None:
    world.do(*(c.Enrol(f"Joueuse n° {n:03}") for n in range(500 - len(PLAYERS))))
    everybody = give_addresses(world)
    refused = {"player111@party.example", "player444@party.example"}
    assert len(everybody) == 500
    box.faults.refused = refused
    box.faults.data = {"player55@party.example": [BREAK]}
    killed_in_the_middle(box, environment, after=240)
    assert Counter(log_states(world)) == {"sent": len(box.mails) - 1, "failed": 1, "handing": 1}
    busy = run("mail", "credentials")
    assert busy.exit_code == 1
    assert "Other mails are being sent" in busy.stderr
    a_while_later(world)
    second = run("mail", "credentials")
    assert second.exit_code == 1
    (doubtful,) = (name for name, state in states(world).items() if state == "handing")
    assert doubtful in second.stderr
    assert Counter(box.recipients) == Counter(set(everybody.values()) - refused)
    for nickname, address in everybody.items():
        if address not in refused:
            assert signs_in(world, box.token(address)) == nickname
    assert "@" not in second.output
    third = run("mail", "credentials")
    assert "0 mails have gone out" in third.stdout
    assert len(box.mails) == 498


def log_states(world: World) -> list[str]:
    return [mail.state for mail in log(world).values()]


def a_while_later(world: World) -> None:
    """Let the minute and a half pass that a dead process's lease still holds."""
    with world.site.database.write() as connection:
        connection.execute(delete(leases))


# --- mails ---


def test_a_dry_run_names_who_would_get_one_and_sends_nothing(
    world: World, box: Box, run: Run
) -> None:
    give_addresses(world, Ana="")
    done = run("mail", "credentials", "--dry-run")
    assert done.exit_code == 0
    assert "7 mails would go out: Bo, Chloé" in done.stdout
    assert "1 player without an address: Ana" in done.stdout
    assert (box.mails, log(world)) == ([], {})


def test_the_whole_report_names_everybody_who_was_not_reached(
    world: World, box: Box, run: Run
) -> None:
    give_addresses(world, Ana="", Bo="nothing")
    box.faults.refused = {addresses_of(world)["Gus"]}
    with world.site.database.write() as connection:
        row = Mail(addresses_of(world)["Hana"], HANDING)
        mails.note(connection, world.number, world.who("Hana").id, credentials.KIND, row)
    done = run("mail", "credentials")
    assert done.exit_code == 1
    assert "4 mails have gone out" in done.stdout
    assert "1 player without an address: Ana" in done.stdout
    assert re.search(r"^Bo: This is no mail address", done.stderr, re.MULTILINE)
    assert re.search(r"^Gus: The address is refused.*550 5\.1\.1", done.stderr, re.MULTILINE)
    assert "1 uncertain mail, perhaps arrived: Hana" in done.stderr
    assert "@" not in done.output


def test_nobody_without_an_address_makes_a_run_fail(world: World, box: Box, run: Run) -> None:
    give_addresses(world, Ana="")
    assert run("mail", "credentials").exit_code == 0
    again = run("mail", "credentials")
    assert (again.exit_code, len(box.mails)) == (0, 7)
    assert "7 players have got one already" in again.stdout


def test_only_those_named_get_a_mail_in_the_wished_language(
    world: World, box: Box, run: Run
) -> None:
    words = ("--only", "ana", "--only", "Chloé", "--language", "fr")
    assert run("mail", "credentials", *words).exit_code == 0
    assert box.recipients == ["player1@party.example", "player3@party.example"]
    assert "ton lien de connexion" in box.mails[0][1]["Subject"]
    assert run("mail", "credentials", "--only", "Ana", "--again").exit_code == 0
    assert run("mail", "credentials", "--only", "nobody").exit_code == 1


def test_links_that_would_open_nothing_are_not_sent(world: World, box: Box, run: Run) -> None:
    done = run("mail", "credentials", PUBLIC_URL="")
    assert done.exit_code == 1
    assert "PUBLIC_URL" in done.stderr
    assert run("cards", PUBLIC_URL="").exit_code == 1
    assert run("mail", "credentials", PUBLIC_URL="", HOST="192.168.1.5").exit_code == 0
    assert "http://192.168.1.5:8080/s/" in str(box.mails[0][1].get_body(("plain",)).get_content())


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"SMTP_HOST": ""}, "No mail server is set"),
        ({"SMTP_PASSWORD": "wrong"}, "app password"),
        ({"SMTP_CA_FILE": ""}, "certificate"),
    ],
)
def test_a_run_that_can_t_begin_says_why(
    world: World, run: Run, settings: dict[str, str], sentence: str
) -> None:
    done = run("mail", "credentials", **settings)
    assert done.exit_code == 1
    assert sentence in done.stderr
    assert "8 mails are still to be sent" in done.stderr
    assert PASSWORD not in done.output


def test_ctrl_c_ends_a_run_after_the_mail_that_is_under_way(
    world: World, box: Box, environment: dict[str, str]
) -> None:
    command = [sys.executable, "-m", "killer", "mail", "credentials"]
    told = os.environ | environment | {"MAIL_RATE": "1"}
    process = subprocess.Popen(
        tied("KILL", command), env=told, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_for(lambda: "sent" in states(world).values(), 30, "the first mail")
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "The sending was stopped" in stderr
    assert "Traceback" not in stderr
    assert list(states(world).values()) == ["sent"]


# --- cards ---


def codes(file: Path) -> list[str]:
    pictures = [page.render(scale=2).to_pil() for page in pypdfium2.PdfDocument(file)]
    return [each.text for picture in pictures for each in codes_in(picture)]


def test_cards_are_for_everybody_who_plays_and_sign_in(world: World, run: Run) -> None:
    before = world.link("Ana")
    done = run("cards")
    assert done.exit_code == 0
    assert "8 cards in cards.pdf" in done.stdout
    assert "whoever holds a card" in done.stderr
    found = {signs_in(world, code.rpartition("/")[2]) for code in codes(Path("cards.pdf"))}
    assert found == set(PLAYERS)
    assert signs_in(world, before) == "Ana"


def test_a_file_of_cards_is_readable_by_its_owner_only(world: World, run: Run) -> None:
    file = Path("out.pdf")
    file.write_text("an older one")
    file.chmod(0o644)
    assert run("cards", "--output", "out.pdf").exit_code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in Path().glob("*.pdf")] == ["out.pdf"]
    assert not list(Path().glob(".cards-*"))


def test_cards_for_those_without_mail_leave_the_others_out(
    world: World, box: Box, run: Run
) -> None:
    give_addresses(world, Ana="", Bo="nothing")
    box.faults.refused = {addresses_of(world)["Gus"]}
    run("mail", "credentials")
    run("cards", "--without-mail")
    tokens = [code.rpartition("/")[2] for code in codes(Path("cards.pdf"))]
    assert [signs_in(world, token) for token in tokens] == ["Ana", "Bo", "Gus"]


def test_an_organiser_s_card_is_made_by_name_only_and_holds_once(world: World, run: Run) -> None:
    run("cards", "--only", BOSS)
    (code,) = codes(Path("cards.pdf"))
    token = code.rpartition("/")[2]
    assert signs_in(world, token) == BOSS
    assert signs_in(world, token) == ""


def test_a_place_that_can_t_be_written_makes_no_links(world: World, run: Run) -> None:
    done = run("cards", "--output", "nowhere/cards.pdf")
    assert done.exit_code == 1
    assert "--output" in done.stderr


def test_nobody_to_make_a_card_for_is_told(world: World, run: Run) -> None:
    done = run("cards", "--without-mail")
    assert (done.exit_code, done.stdout) == (0, "Nobody needs a card.\n")
    assert not Path("cards.pdf").exists()


# --- links ---


def test_revoked_links_open_nothing_and_new_ones_do(world: World, box: Box, run: Run) -> None:
    run("mail", "credentials", "--only", "Ana")
    mailed = token_of(box.mails[0][1])
    assert run("links", "revoke", "ANA").exit_code == 0
    assert signs_in(world, mailed) == ""
    printed = run("links", "new", "Ana").stdout.strip()
    assert printed.startswith(f"{SITE}/s/")
    assert signs_in(world, printed.rpartition("/")[2]) == "Ana"
    run("links", "new", "Ana")
    assert signs_in(world, printed.rpartition("/")[2]) == ""
    assert run("links", "revoke", "nobody").exit_code == 1
