"""A death that couldn't be sent follows the player to every page until the server has it."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, Route, expect

from browser.devices import Devices, finger_on, shoot
from browser.stage import Stage

NO_LINE = "ERR_|Failed to load resource|htmx:"
DEATH = "**/death"
Answer = Callable[[Route], None]


def declaring(stage: Stage, devices: Devices, nickname: str, answer: Answer | None = None) -> Page:
    """Open a player's card; a declaration gets this answer, or there is no network at all."""
    devices.forgive(NO_LINE)
    page = devices.open("/", stage.cookie(nickname))
    expect(page.locator("#link")).to_have_text("en direct")
    if answer:
        page.route(DEATH, answer)
    else:
        page.context.set_offline(True)
    return page


def hold(page: Page, link: str = "Je suis mort", button: str = "Maintiens pour mourir") -> None:
    """Hold a button of the card until the page says that the declaration waits."""
    page.get_by_role("link", name=link).tap()
    with finger_on(page, page.get_by_role("button", name=button)):
        expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("#pending")).to_be_visible()


def unanswered(route: Route) -> None:
    """Lose a request on its way."""
    route.abort()


def kept(page: Page) -> bool:
    """Tell whether this phone still keeps a declaration."""
    return bool(page.evaluate("localStorage.getItem('killer.pending') !== null"))


def test_a_kept_death_is_sent_from_whichever_page_is_open(stage: Stage, devices: Devices) -> None:
    victim = stage.ring()[0]
    page = declaring(stage, devices, victim, unanswered)
    hold(page)
    page.goto("/leaderboard")
    expect(page.get_by_role("alert")).to_contain_text("Pas de réseau")
    shoot(page, "death-pending-on-scores-phone")
    assert victim in stage.ring()
    page.unroute(DEATH)
    expect(page.get_by_text("C’est noté : tu es mort.")).to_be_visible()
    expect(page.locator("#pending")).to_have_count(0)
    shoot(page, "death-sent-from-scores-phone")
    assert page.url == f"{stage.origin}/leaderboard"
    assert not kept(page)
    assert victim not in stage.ring()


def test_without_network_no_tap_leads_away_from_a_death_that_waits(
    stage: Stage, devices: Devices
) -> None:
    victim = stage.ring()[0]
    page = declaring(stage, devices, victim)
    hold(page)
    page.get_by_role("link", name="Scores").tap()
    expect(page.get_by_role("alert")).to_contain_text("Reste sur cette page")
    page.get_by_role("button", name="English").tap()
    page.wait_for_timeout(500)  # what was tried again meanwhile has failed, and says nothing else
    expect(page.get_by_role("alert")).to_contain_text("Reste sur cette page")
    shoot(page, "death-pending-stay-phone")
    assert page.url == f"{stage.origin}/"
    page.context.set_offline(False)
    expect(page.locator("#card")).to_have_attribute("data-mood", "dead")
    page.get_by_role("link", name="Scores").tap()
    expect(page).to_have_url(f"{stage.origin}/leaderboard")
    assert victim not in stage.ring()


def test_a_server_that_answers_is_not_called_no_network_and_asked_when_it_likes(
    stage: Stage, devices: Devices
) -> None:
    victim = stage.ring()[0]
    asked: list[str] = []

    def busy(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=503, headers={"Retry-After": "3"})

    page = declaring(stage, devices, victim, busy)
    hold(page)
    expect(page.get_by_role("alert")).to_contain_text("n’a pas pu enregistrer")
    shoot(page, "death-refused-phone")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # a reason to hurry
    page.evaluate("document.dispatchEvent(new CustomEvent('killer:frame', {detail: {}}))")
    assert len(asked) == 1
    page.unroute(DEATH)
    expect(page.locator("#card")).to_have_attribute("data-mood", "dead")


def test_a_second_declaration_points_to_the_one_that_waits(stage: Stage, devices: Devices) -> None:
    victim = stage.ring()[0]
    page = declaring(stage, devices, victim)
    hold(page)
    hold(page, "J’abandonne", "Maintiens pour abandonner")
    expect(page.locator("#pending")).to_be_in_viewport()
    page.context.set_offline(False)
    expect(page.locator("#card")).to_have_attribute("data-mood", "dead")


def test_a_death_that_is_taken_back_in_one_tab_is_not_sent_by_another(
    stage: Stage, devices: Devices
) -> None:
    somebody = stage.ring()[0]
    page = declaring(stage, devices, somebody)
    hold(page)
    other = page.context.new_page()
    other.route(DEATH, unanswered)
    page.context.set_offline(False)
    page.route(DEATH, unanswered)
    other.goto("/players")
    expect(other.locator("#pending")).to_be_visible()
    page.get_by_role("button", name="Ne plus l’envoyer").tap()
    expect(other.locator("#pending")).to_have_count(0)
    other.unroute(DEATH)
    other.goto("/podium")
    expect(other.locator("#link")).to_have_text("en direct")
    assert not kept(other)
    assert somebody in stage.ring()


def test_the_page_of_a_death_becomes_the_card_and_says_what_was_noted(
    stage: Stage, devices: Devices
) -> None:
    victim = stage.ring()[0]
    page = devices.open("/death", stage.cookie(victim))
    with finger_on(page, page.get_by_role("button", name="Maintiens pour mourir")):
        expect(page.locator("#card")).to_have_attribute("data-mood", "dead")
    expect(page.get_by_text("C’est noté : tu es mort.")).to_be_visible()
    expect(page.locator("form.leave")).to_have_count(0)
    assert page.url == f"{stage.origin}/"
    shoot(page, "death-page-done-phone")
