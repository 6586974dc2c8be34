"""A game lasts for days: an hour that isn't today's says its day."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from browser.devices import Devices, shoot
from browser.stage import Stage

SATURDAY = datetime(2026, 1, 3, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "locale", "at", "written"),
    [
        ("Europe/Paris", "fr-FR", "2026-01-02T23:30:00Z", "00:30"),
        ("America/New_York", "fr-FR", "2026-01-02T23:30:00Z", "ven. 18:30"),
        ("Europe/Paris", "fr-FR", "2026-01-02T19:46:00Z", "ven. 20:46"),
        ("Europe/Paris", "en-GB", "2026-01-02T19:46:00Z", "Fri 20:46"),
        ("Europe/Paris", "fr-FR", "2025-12-27T19:46:00Z", "27\u00a0déc. 20:46"),
    ],
)
def test_an_hour_says_its_day_unless_it_is_the_readers_today(
    stage: Stage, devices: Devices, zone: str, locale: str, at: str, written: str
) -> None:
    page = devices.blank(stage.cookie(stage.ring()[0]), timezone_id=zone, locale=locale)
    page.clock.set_system_time(SATURDAY)
    page.goto("/podium")
    assert page.evaluate("at => moment(at)", at) == written


def test_yesterdays_news_say_so_on_every_page(stage: Stage, devices: Devices) -> None:
    hour, day = r"\d\d:\d\d", r"\w{3}\. \d\d:\d\d"
    for name, path in ((stage.ring()[0], "/"), ("Chef", "/organiser/log")):
        cookie = stage.host.cookie if name == "Chef" else stage.cookie(name)
        page = devices.blank(cookie)
        page.goto(path)
        shown = page.locator("time").first
        expect(shown).to_have_text(re.compile(rf"^({hour}|{day})$"))  # midnight may just be past
        page.clock.set_system_time(datetime.now(UTC) + timedelta(days=2))
        page.reload()
        expect(shown).to_have_text(re.compile(rf"^{day}$"))
        shoot(page, f"days-{name.lower()}-phone")
    page = devices.open("/", stage.cookie(stage.ring()[1]))
    expect(page.locator("#link")).to_have_text("en direct")
    page.clock.set_system_time(datetime.now(UTC) + timedelta(days=2))
    stage.falls(stage.ring()[4])  # a line that the stream brings, of two days ago
    expect(page.locator("#feed time").first).to_have_text(re.compile(rf"^{day}$"))
