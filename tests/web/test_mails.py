"""The organisers' page of sign-in links: who got one, the button, and cards for the others."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pypdfium2
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from engines.smtp import Box, mail_server, token_of
from killer import app as app_
from killer.game import commands as c
from killer.mail import credentials
from killer.store import errands, mails
from killer.store.errands import Errand
from killer.store.mails import HANDING, Mail
from mail.worlds import SITE, addresses_of, codes_in, give_addresses, send, signs_in, states
from web.world import BOSS, PLAYERS, WORST_NAMES, World, quoted, settings_in, submit

PAGE = "/organiser/mails"


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    """A mail server."""
    folder = tmp_path / "smtp"
    folder.mkdir()
    with mail_server(folder) as found:
        yield found


@pytest.fixture
def world(template: Path, tmp_path: Path) -> Iterator[World]:
    """A deployment with a public address and a mail server; the players have addresses."""
    folder = tmp_path / "data"
    shutil.copytree(template, folder)
    settings = settings_in(folder, public_url=SITE, smtp_host="localhost")
    found = World(app_.create(settings), 1)
    give_addresses(found)
    yield found
    found.site.database.close()


@pytest.fixture
def boss(world: World) -> FlaskClient:
    return world.phone(BOSS)


def latest(world: World) -> Errand | None:
    with world.site.database.read() as connection:
        return errands.latest(connection, world.number, "mails")


def run_errand(world: World, box: Box) -> None:
    """Do what the keeper does with what was asked for on the page."""
    errand = latest(world)
    assert errand is not None
    report = send(world, box, credentials.ASKED_FOR)
    done, failed = len(report.sent), len(report.failed) + len(report.uncertain)
    with world.site.database.write() as connection:
        errands.note(
            connection,
            Errand(
                errand.id, errand.game, "mails", errand.actor, errand.address, "done",
                done, failed, done + failed + report.left, report.reasons,
            ),
        )  # fmt: skip


def figures(page: TestResponse) -> dict[str, int]:
    """Give the sums of the page by their names."""
    found = re.findall(r"<dt>([^<]+)</dt><dd>(\d+)</dd>", page.text)
    return {unescape(name): int(number) for name, number in found}


def test_the_button_asks_for_a_mail_to_everybody_who_has_none(
    world: World, boss: FlaskClient, box: Box
) -> None:
    give_addresses(world, Ana="")
    page = boss.get(PAGE)
    assert "Envoyer les 7 liens" in page.text
    assert figures(page) == {
        "Envoyés": 0, "À envoyer": 7, "Refusés": 0, "Incertains": 0, "Sans adresse": 1,
    }  # fmt: skip
    assert submit(boss, PAGE, PAGE).status_code == 303
    errand = latest(world)
    assert errand is not None
    assert (errand.state, errand.address, errand.actor) == ("waiting", SITE, world.who(BOSS).id)
    assert set(states(world).values()) == {"asked"}
    run_errand(world, box)
    assert sorted(box.recipients) == sorted(a for n, a in addresses_of(world).items() if n != "Ana")
    assert figures(boss.get(PAGE))["Envoyés"] == 7


def test_the_page_tells_how_far_the_mails_are_and_asks_again_by_itself(
    world: World, boss: FlaskClient
) -> None:
    submit(boss, PAGE, PAGE)
    page = boss.get(PAGE)
    assert 'hx-trigger="every 2s"' in page.text
    assert "L’envoi va commencer" in unescape(page.text)
    with world.site.database.write() as connection:
        (errand,) = errands.waiting(connection)
        errands.note(connection, Errand(errand.id, 1, "mails", None, SITE, "doing", 3, 1, 8))
    part = boss.get(f"{PAGE}?part=mails")
    assert "4 sur 8" in part.text
    assert "<html" not in part.text
    assert "btn-main" not in part.text


def test_asking_twice_is_one_errand(world: World, boss: FlaskClient) -> None:
    submit(boss, PAGE, PAGE)
    submit(boss, PAGE, PAGE)
    with world.site.database.read() as connection:
        assert len(errands.waiting(connection)) == 1


def test_the_mails_speak_the_language_of_the_page(
    world: World, boss: FlaskClient, box: Box
) -> None:
    submit(boss, "/language", PAGE, lang="en", next=PAGE)
    submit(boss, PAGE, PAGE)
    run_errand(world, box)
    assert "sign-in link" in box.mails[0][1]["Subject"]


def test_a_refused_mail_is_shown_with_its_reason_and_without_the_address(
    world: World, boss: FlaskClient, box: Box
) -> None:
    box.faults.refused = {addresses_of(world)["Bo"]}
    submit(boss, PAGE, PAGE)
    run_errand(world, box)
    page = boss.get(PAGE)
    assert "L’adresse est refusée" in unescape(page.text)
    assert "550 5.1.1" in page.text
    assert not re.search(r"player\d+@", page.text)
    box.faults.refused = set()
    submit(boss, f"/organiser/players/{quoted('Bo')}/mail", PAGE)
    run_errand(world, box)
    assert figures(boss.get(PAGE))["Envoyés"] == len(PLAYERS)
    assert len(box.mails) == len(PLAYERS)


def test_an_uncertain_mail_is_shown_and_goes_out_again_only_by_its_own_button(
    world: World, boss: FlaskClient, box: Box
) -> None:
    with world.site.database.write() as connection:
        row = Mail(addresses_of(world)["Bo"], HANDING)
        mails.note(connection, world.number, world.who("Bo").id, credentials.KIND, row)
    page = boss.get(PAGE)
    assert figures(page)["Incertains"] == 1
    assert "Envoyer les 7 liens" in page.text
    submit(boss, PAGE, PAGE)
    run_errand(world, box)
    assert addresses_of(world)["Bo"] not in box.recipients
    submit(boss, "/organiser/players/Bo/mail", PAGE)
    run_errand(world, box)
    assert token_of(box.mail_to(addresses_of(world)["Bo"]))


def test_what_stopped_the_last_run_is_told(world: World, boss: FlaskClient, box: Box) -> None:
    box.faults.sender = ["452 4.3.1 enough for today"]
    submit(boss, PAGE, PAGE)
    run_errand(world, box)
    page = unescape(boss.get(PAGE).text)
    assert "L’envoi s’est arrêté, il reste 8 mails." in page
    assert "MAIL_RATE" in page


def test_a_mail_to_somebody_without_an_address_is_refused(world: World, boss: FlaskClient) -> None:
    give_addresses(world, Ana="")
    answer = submit(boss, "/organiser/players/Ana/mail", PAGE)
    assert answer.status_code == 409
    assert latest(world) is None
    assert submit(boss, "/organiser/players/nobody/mail", PAGE).status_code == 404


def test_without_a_mail_server_the_page_says_how_to_set_one(gathered: World) -> None:
    boss = gathered.phone(BOSS)
    page = boss.get(PAGE)
    assert "SMTP_HOST=" in page.text
    assert "btn-main" not in page.text
    assert submit(boss, PAGE, PAGE).status_code == 409
    assert latest(gathered) is None


def test_links_that_would_open_nothing_are_not_asked_for(world: World) -> None:
    settings = settings_in(world.site.settings.data_dir, smtp_host="localhost")
    here = World(app_.create(settings), 1)
    boss = here.phone(BOSS)
    assert "PUBLIC_URL" in boss.get(PAGE).text
    for url in (PAGE, "/organiser/cards"):
        assert submit(boss, url, PAGE).status_code == 409
    assert latest(here) is None


def test_cards_come_as_a_file_for_those_whom_no_mail_reaches(
    world: World, boss: FlaskClient, box: Box
) -> None:
    give_addresses(world, Ana="")
    box.faults.refused = {addresses_of(world)["Bo"]}
    submit(boss, PAGE, PAGE)
    run_errand(world, box)
    assert "Télécharger 2 cartes" in boss.get(PAGE).text
    answer = submit(boss, "/organiser/cards", PAGE)
    assert answer.mimetype == "application/pdf"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"
    (page,) = pypdfium2.PdfDocument(answer.data)
    picture = page.render(scale=2).to_pil()
    codes = [code.text for code in codes_in(picture)]
    assert all(code.startswith(f"{SITE}/s/") for code in codes)
    assert [signs_in(world, code.rpartition("/")[2]) for code in codes] == ["Ana", "Bo"]


@pytest.mark.parametrize("url", [PAGE, "/organiser/cards", "/organiser/players/Ana/mail"])
def test_players_may_neither_see_nor_ask(world: World, url: str) -> None:
    ana = world.phone("Ana")
    assert submit(ana, url, "/").status_code == 403
    assert ana.get(PAGE).status_code == 403
    assert latest(world) is None


def test_any_nickname_has_its_button_that_works(world: World, boss: FlaskClient) -> None:
    world.do(*(c.Enrol(name) for name in WORST_NAMES))
    give_addresses(world)
    with world.site.database.write() as connection:
        for name in WORST_NAMES:
            row = Mail("x@party.example", "failed", "later 451")
            mails.note(connection, world.number, world.who(name).id, credentials.KIND, row)
    page = boss.get(PAGE)
    urls = [
        unescape(url) for url in re.findall(r'action="(/organiser/players/[^"]+/mail)"', page.text)
    ]
    assert len(urls) == len(WORST_NAMES)
    for url in urls:
        assert submit(boss, url, PAGE).status_code == 303
    assert set(states(world).values()) == {"asked"}
