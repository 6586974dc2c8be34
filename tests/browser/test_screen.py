"""The big screen in a browser: opened by an organiser, followed without an account, cut off."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from browser.atlas import too_small, too_wide, unclear, unringed
from browser.conftest import Raise
from browser.devices import Devices, shoot
from browser.stage import Stage

HALL: dict[str, Any] = {"viewport": {"width": 1920, "height": 1080}, "color_scheme": "dark"}
LAPTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}}
SIZES = {"hall": HALL, "laptop": LAPTOP, "phone": PHONE}

#: What is seen and not wholly inside the window; a line without room stands in a hidden column.
OUTSIDE = """() => [...document.querySelectorAll('main h2, main b, main span, main time, .party')]
  .filter(e => e.checkVisibility() && !e.closest('.unseen, .stamp'))
  .filter(e => {
    const line = e.closest('.feed li, .top-ten li');
    return !line || line.offsetLeft < line.parentElement.offsetLeft + 9;
  })
  .filter(e => {
    const {bottom, left, right} = e.getBoundingClientRect();
    return bottom > innerHeight || right > innerWidth || left < 0;
  })
  .map(e => e.outerHTML.slice(0, 90))"""

#: Gives the game a name, and counts the lines on which its last word stands.
LINES_OF_LAST_WORD = """name => {
  const text = document.querySelector('.party').firstChild;
  text.data = name;
  const word = document.createRange();
  word.setStart(text, name.lastIndexOf(' ') + 1);
  word.setEnd(text, name.length);
  return word.getClientRects().length;
}"""


#: Nicknames on a podium of which not everything is seen.
CUT = """() => [...document.querySelectorAll('.step-people b')]
  .filter(e => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1)
  .map(e => e.textContent)"""
TABS = "new Set([...document.querySelectorAll('.subnav a')].map(e => e.offsetTop)).size"
LEADERS = [
    "Jean-Christophe de la Tour du Pin",
    "Marguerite-Anne Beauregard",
    "Le Renard du 3e étage",
]


def co_leaders(route: Route) -> None:
    """Answer with an edition in which three people share the first place."""
    answer = route.fetch()
    podium = [{"place": 1, "kills": 4, "nicknames": LEADERS}]
    route.fulfill(response=answer, json=answer.json() | {"killers": podium, "survivors": podium})


@pytest.fixture(scope="module")
def stage(raise_stage: Raise) -> Stage:
    """A running game of a dozen."""
    return raise_stage(12)


def desk(stage: Stage, devices: Devices) -> Page:
    return devices.open("/organiser/screen", stage.host.cookie, "laptop")


def link(page: Page) -> str:
    """Open the screen, if it isn't yet, and give its link."""
    button = page.get_by_role("button", name="Ouvrir le grand écran")
    if button.is_visible():
        button.click()
    return page.get_by_role("textbox", name="Le lien du grand écran").input_value()


def outside(page: Page) -> list[str]:
    """Give what stays outside of the window when everything that moves has come to rest."""
    for _ in range(50):
        if not (found := list(page.evaluate(OUTSIDE))):
            break
        page.wait_for_timeout(200)
    return found


def live(page: Page) -> Page:
    expect(page.locator("#link")).to_have_text("en direct")
    return page


def test_a_death_is_shown_without_loading_the_page_again(stage: Stage, devices: Devices) -> None:
    page = live(devices.open(link(desk(stage, devices)), screen="laptop"))
    assert page.context.cookies() == []
    alive, victim = page.locator("#alive"), stage.ring()[3]
    expect(alive).to_have_text("12")
    page.evaluate("window.loaded = 'once'")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    stage.falls(victim)
    expect(alive).to_have_text("11")
    expect(page.locator("#news li").first).to_contain_text(victim)
    expect(page.locator("#announce")).to_contain_text(victim)
    expect(page.locator("#best li")).to_have_count(1)
    assert page.evaluate("window.loaded") == "once"
    assert len([url for url in asked if url.rpartition("/")[2][:1].isdigit() and "-" in url]) == 1
    assert all("/api/screen/" in url for url in asked)


@pytest.mark.parametrize("size", list(SIZES))
def test_it_fits_and_is_clear_on_every_screen(stage: Stage, devices: Devices, size: str) -> None:
    page = live(devices.open(link(desk(stage, devices)), **SIZES[size]))
    shoot(page, f"screen-{size}")
    assert not too_small(page)
    assert not unclear(page)
    assert too_wide(page) <= 0
    if size != "phone":
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
        assert outside(page) == []
    assert not unringed(page)


def test_an_hour_of_another_day_says_which_day(stage: Stage, devices: Devices) -> None:
    page = live(devices.open(link(desk(stage, devices)), screen="laptop"))
    page.clock.set_system_time(datetime.now(UTC) + timedelta(days=2))
    page.reload()
    expect(page.locator("#news time").first).to_have_text(re.compile(r"^\w{3}\. \d\d:\d\d$"))
    shoot(page, "screen-days-laptop")


@pytest.mark.parametrize("locale", ["fr-FR", "en-GB"])
def test_the_organisers_tabs_are_one_line_of_a_laptop(
    stage: Stage, devices: Devices, locale: str
) -> None:
    page = devices.open("/organiser", stage.host.cookie, "laptop", locale=locale, **LAPTOP)
    assert page.evaluate(TABS) == 1
    page.set_viewport_size({"width": 1120, "height": 800})
    assert page.evaluate(TABS) == 1
    shoot(page, f"tabs-{locale}")


def test_it_speaks_english_when_asked_to(stage: Stage, devices: Devices) -> None:
    page = live(devices.open(link(desk(stage, devices))))
    page.get_by_role("link", name="English").click()
    expect(page.locator("#link")).to_have_text("live")
    expect(page.locator("#of")).to_have_text("alive of 12")


def test_a_new_link_cuts_off_whoever_looks_at_the_old_one(stage: Stage, devices: Devices) -> None:
    devices.forgive("404")
    host = desk(stage, devices)
    page = live(devices.open(link(host), screen="laptop"))
    host.get_by_role("button", name="Nouveau lien").click()
    expect(page.get_by_role("alert")).to_contain_text("ne marche plus")
    expect(page.locator("#alive")).to_be_hidden()
    expect(live(devices.open(link(host))).locator("#alive")).to_be_visible()
    host.get_by_role("button", name="Fermer").click()
    expect(host.get_by_text("Le grand écran est fermé : aucun lien ne marche.")).to_be_visible()


def test_it_says_when_the_line_is_cut_and_comes_back(stage: Stage, devices: Devices) -> None:
    devices.forgive("ERR_INTERNET_DISCONNECTED")
    page = live(devices.open(link(desk(stage, devices))))
    page.context.set_offline(True)
    expect(page.locator("#link")).to_contain_text("hors ligne, depuis")
    page.context.set_offline(False)
    live(page)


def test_the_end_shows_the_winner_and_both_podiums(stage: Stage, devices: Devices) -> None:
    page = live(devices.open(link(desk(stage, devices)), **HALL))
    ring = stage.ring()
    for nickname in ring[1:]:
        stage.falls(nickname)
    expect(page.locator("#winner-name")).to_have_text(ring[0])
    expect(page.locator("#survivors .step-1")).to_contain_text(ring[0])
    expect(page.locator("#killers .step-1")).to_contain_text(ring[0])
    expect(page.locator("#state")).to_have_text("Fini")
    assert outside(page) == []
    shoot(page, "screen-over-hall")


def test_an_end_without_a_point_says_so(raise_stage: Raise, devices: Devices) -> None:
    stage = raise_stage(4)
    devices.origin = stage.origin
    page = live(devices.open(link(desk(stage, devices)), **HALL))
    stage.command("end", reason="Fin prévue")
    expect(page.locator("#end-killers")).to_be_visible()
    expect(page.locator("#killers")).to_have_text("Personne n’a marqué de point.")
    shoot(page, "screen-over-pointless-hall")


def test_no_word_of_the_title_is_broken_on_a_phone(stage: Stage, devices: Devices) -> None:
    page = live(devices.open(link(desk(stage, devices)), **PHONE))
    assert page.evaluate(LINES_OF_LAST_WORD, "Killer de démonstration") == 1
    shoot(page, "screen-title-phone")


@pytest.mark.parametrize("height", [1080, 720])
def test_long_names_that_share_the_first_place_are_whole(
    stage: Stage, devices: Devices, height: int
) -> None:
    hall = devices.blank(viewport={"width": height * 16 // 9, "height": height})
    hall.route("**/api/screen/*/*", co_leaders)
    hall.goto(link(desk(stage, devices)))
    expect(live(hall).locator("#killers .step-1 b")).to_have_count(3)
    assert hall.evaluate(CUT) == []
    assert hall.evaluate(OUTSIDE) == []
