"""The end: every phone sees it, one has won, and the podiums stand everywhere."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from browser.conftest import Raise
from browser.devices import Devices, shoot
from browser.stage import Stage


@pytest.fixture(scope="module")
def stage(raise_stage: Raise) -> Stage:
    """A running game of five."""
    return raise_stage(5)


def test_the_last_death_shows_the_podium_on_every_phone(stage: Stage, devices: Devices) -> None:
    ring = stage.ring()
    pages = {nickname: devices.open("/", stage.cookie(nickname)) for nickname in ring}
    board = devices.open("/podium", stage.cookie(ring[1]), screen="laptop")
    for page in (*pages.values(), board):
        expect(page.locator("#link")).to_have_text("en direct")
    shoot(board, "podium-running-laptop")
    winner, first, second, third, fourth = ring
    for nickname in (first, second, third):
        stage.falls(nickname)
    expect(pages[winner].locator("[data-target]")).to_have_attribute("data-target", fourth)
    stage.falls(fourth)

    expect(pages[winner].get_by_role("heading", name="Tu as survécu à tous")).to_be_visible()
    shoot(pages[winner], "card-won-phone")
    for nickname in ring[1:]:
        page = pages[nickname]
        expect(page.get_by_role("heading", name="La chasse est finie")).to_be_visible()
        expect(page.locator(".step-1").get_by_text(winner)).to_be_visible()
    shoot(pages[fourth], "card-over-phone")
    expect(board.locator(".step-1").get_by_text(winner).first).to_be_visible()
    expect(board.locator(".falls")).to_contain_text(fourth)
    shoot(board, "podium-laptop")

    pages[first].get_by_role("link", name="Voir les podiums").tap()
    expect(pages[first].get_by_role("heading", name="Les derniers en vie")).to_be_visible()
    expect(pages[first].get_by_role("heading", name="Les plus redoutables")).to_be_visible()
    shoot(pages[first], "podium-phone")
