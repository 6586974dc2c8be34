"""Where the server has no streams, pages say so, ask every ten seconds and are right as well."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from browser.conftest import Raise
from browser.devices import Devices, shoot
from browser.stage import Stage


@pytest.fixture(scope="module")
def stage(raise_stage: Raise) -> Stage:
    """A running game on the way back: sync workers."""
    return raise_stage(8, GUNICORN_WORKER_CLASS="sync", GUNICORN_WORKERS="3")


def test_a_page_without_a_stream_says_that_it_asks_and_becomes_right(
    stage: Stage, devices: Devices
) -> None:
    devices.forgive("501")
    hunter, victim, heir = stage.ring()[:3]
    page = devices.blank(stage.cookie(hunter))
    page.clock.install()
    page.goto("/")
    expect(page.locator("#link")).to_have_text("toutes les 10 s")
    shoot(page, "card-polling-phone")
    stage.falls(victim)
    page.clock.fast_forward(13_000)  # the longest time between two questions
    expect(page.locator("[data-target]")).to_have_attribute("data-target", heir)
    expect(page.locator('[data-live="alive"]')).to_have_text("7")
    expect(page.locator("#feed")).to_contain_text(victim)
