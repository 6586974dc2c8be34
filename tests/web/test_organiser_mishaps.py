"""What goes wrong on an organiser's page, and the way on that the page offers."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from killer.game import commands as c
from killer.language import LANGUAGES, say, speaking
from mail.worlds import SITE
from web.conftest import opened
from web.test_organiser_pages import check
from web.world import BOSS, World, submit

DEEDS = ("kill", "remove", "edit", "link", "signout")


@pytest.fixture
def boss(world: World) -> FlaskClient:
    return world.phone(BOSS)


def suggested(page: str, deed: str) -> list[str]:
    """Give the reasons that a form offers for a deed."""
    row = re.search(rf'data-suggest="reason-{deed}".*?</p>', page, re.DOTALL)
    assert row, deed
    return [unescape(name) for name in re.findall(r"<button[^>]*>(.*?)</button>", row[0])]


def asked_why(page: str, deed: str) -> str:
    """Give the field in which a reason is typed."""
    field = re.search(rf'<input id="reason-{deed}"[^>]*>', page)
    assert field, deed
    return field[0]


# --- taking back what can't be taken back now ---


def test_a_refused_taking_back_shows_the_line_that_is_in_the_way(
    world: World, boss: FlaskClient
) -> None:
    world.do(c.Kill(world.who("Ana").id))
    died = world.game.version
    world.do(c.Revive(world.who("Ana").id, 1))
    page = submit(boss, f"/organiser/undo/{died}", "/organiser/log", reason="vue & revue")
    assert page.status_code == 409
    assert say("refusal.undo_blocked", version=died + 1) in unescape(page.text)
    assert f'href="#v{died + 1}"' in page.text
    assert f'id="v{died + 1}"' in page.text
    assert 'value="vue &amp; revue"' in asked_why(page.text, f"undo-{died}")
    assert page.text.count("<details open>") == 1
    page.status_code = 200
    check(page)


def test_what_is_in_the_way_is_found_on_another_page_of_the_log(
    world: World, boss: FlaskClient
) -> None:
    world.do(c.Kill(world.who("Ana").id))
    died = world.game.version
    edits = [c.Edit(world.who("Bo").id, (("year", f"{n}A"),)) for n in range(150)]
    world.do(*edits, c.Revive(world.who("Ana").id, 1))
    blocker = world.game.version
    page = submit(boss, f"/organiser/undo/{died}", "/organiser/log", reason="non")
    assert f'id="v{died}"' in page.text
    where = re.search(rf'href="([^"#]+)#v{blocker}"', page.text)
    assert where
    assert f'id="v{blocker}"' in boss.get(unescape(where[1])).text


def test_what_can_never_be_taken_back_leads_nowhere_else(world: World, boss: FlaskClient) -> None:
    page = submit(boss, "/organiser/undo/1", "/organiser/log", reason="non")
    assert page.status_code == 409
    assert 'href="#v' not in page.text


# --- another language ---


@pytest.mark.parametrize(
    "page", ["/organiser/players/Fleur%20de%20Lys", "/organiser/game/end", "/nowhere"]
)
def test_another_language_leaves_everybody_where_they_are(still: World, page: str) -> None:
    boss = still.phone(BOSS)
    here = re.search(r'name="next" value="([^"]*)"', boss.get(page).text)
    assert here
    said = submit(boss, "/language", "/organiser", lang="en", next=unescape(here[1]))
    assert said.headers["Location"] == page


def test_the_answer_to_a_form_has_no_address_of_its_own(still: World) -> None:
    page = submit(still.phone(BOSS), "/organiser/game/explode", "/organiser")
    assert 'name="next" value="/"' in page.text


# --- reasons ---


def test_every_deed_offers_reasons_of_its_own(still: World) -> None:
    boss = still.phone(BOSS)
    one, add = (boss.get(f"/organiser/{page}").text for page in ("players/Ana", "add"))
    offered = [suggested(one, deed) for deed in DEEDS]
    offered.append(suggested(add, "add"))
    assert all(2 <= len(reasons) <= 4 for reasons in offered)
    assert len({tuple(reasons) for reasons in offered}) == len(offered)
    dispute = say("site.organiser.reason.dispute")
    assert [dispute in reasons for reasons in offered] == [True, *[False] * len(DEEDS)]


def test_only_what_changes_the_game_must_be_justified(still: World) -> None:
    page = still.phone(BOSS).get("/organiser/players/Ana").text
    must = {deed: "required" in asked_why(page, deed) for deed in DEEDS}
    assert must == {"kill": True, "remove": True, "edit": True, "link": False, "signout": True}


# --- sign-in links from a laptop that no phone can reach ---


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_can_neither_mail_nor_print_is_told_what_is_missing(
    still: World, language: str
) -> None:
    page = still.phone(BOSS).get("/organiser/mails", headers={"Accept-Language": language})
    with speaking(language):
        missing = say("site.mails.nowhere", address="http://localhost")
        promised = say("site.mails.unset_cards")
    assert missing in unescape(page.text)
    assert promised not in unescape(page.text)


def test_cards_are_promised_where_they_can_be_printed(template: Path, tmp_path: Path) -> None:
    for world in opened(template, tmp_path / "data", public_url=SITE):
        page = world.phone(BOSS).get("/organiser/mails").text
        assert say("site.mails.unset_cards") in unescape(page)
        assert 'action="/organiser/cards"' in page


# --- counting ---


@pytest.mark.parametrize("page", ["/players", "/organiser", "/organiser/challenges"])
def test_what_is_found_is_counted_in_both_numbers(still: World, page: str) -> None:
    found = re.search(r"<p class=\"found\"[^>]*data-one[^>]*>", still.phone(BOSS).get(page).text)
    assert found
    assert 'data-one="%s trouvé" data-other="%s trouvés"' in found[0]
