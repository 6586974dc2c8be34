"""The page of the weather: it changes by itself, disturbs nobody, and admits when it is old."""

from __future__ import annotations

import signal

import pytest
from playwright.sync_api import Page, expect

from browser.atlas import too_small, too_wide, unclear
from browser.conftest import Raise
from browser.devices import Devices
from browser.stage import Stage

PAGE = "/organiser/weather"
SOON = 90_000  # milliseconds


@pytest.fixture(scope="module", params=["gevent", "sync"])
def stage(raise_stage: Raise, request: pytest.FixtureRequest) -> Stage:
    """A game under both kinds of workers."""
    return raise_stage(8, GUNICORN_WORKER_CLASS=request.param, GUNICORN_WORKERS="3")


def line(page: Page, title: str, colour: str):
    return page.locator(f"li.is-{colour}", has=page.get_by_role("heading", name=title))


def test_a_line_turns_red_under_the_readers_eyes_and_nothing_moves(
    stage: Stage, devices: Devices
) -> None:
    devices.forgive("501")  # synchronous workers refuse streams
    page = devices.open(PAGE, stage.host.cookie)
    expect(line(page, "Anneau des cibles", "green")).to_be_visible(timeout=SOON)
    link = page.get_by_role("link", name="Deux jours")
    link.focus()
    place = page.evaluate("scrollY")
    assert place > 0
    with stage.server.database() as connection:
        mine = "WHERE id = (SELECT min(id) FROM players WHERE target > 0)"
        (before,) = connection.execute(f"SELECT target FROM players {mine}").fetchone()
        connection.execute(f"UPDATE players SET target = id {mine}")
        connection.commit()
        try:
            expect(line(page, "Anneau des cibles", "red")).to_be_visible(timeout=SOON)
            expect(page.get_by_role("heading", name="Il faut agir (rouge)")).to_be_attached()
            expect(link).to_be_focused()
            assert not [f(page) for f in (too_small, unclear) if f(page)]
            assert too_wide(page) <= 0
        finally:
            connection.execute(f"UPDATE players SET target = ? {mine}", (before,))
            connection.commit()
    expect(line(page, "Anneau des cibles", "green")).to_be_visible(timeout=SOON)


def test_two_days_stay_two_days(stage: Stage, devices: Devices) -> None:
    devices.forgive("501")
    page = devices.open(f"{PAGE}?span=days", stage.host.cookie, "laptop")
    expect(page.get_by_role("heading", name="Depuis deux jours")).to_be_visible()
    with page.expect_response("**/organiser/weather?part=now&span=days", timeout=SOON):
        pass
    expect(page.get_by_role("link", name="Deux jours")).to_have_attribute("aria-current", "true")


def test_a_page_whose_server_is_gone_says_that_it_is_old(
    raise_stage: Raise, devices: Devices
) -> None:
    stage = raise_stage(4)
    devices.forgive("Failed to load resource", "ERR_", "htmx:")
    devices.origin = stage.origin
    page = devices.open(PAGE, stage.host.cookie)
    lost = page.get_by_role("alert").filter(has_text="Plus de nouvelles du serveur")
    expect(lost).to_be_hidden()
    stage.server.process.send_signal(signal.SIGTERM)
    expect(lost).to_be_visible(timeout=SOON)
    stage.server.process.wait(60)
    stage.server.start()
    expect(lost).to_be_hidden(timeout=SOON)
