"""The page of the Google Sheet with things to decide, on narrow and wide screens, day and night."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import expect

from browser.atlas import too_small, too_wide, unclear, unringed
from browser.conftest import Raise
from browser.devices import Devices, shoot
from browser.stage import Stage
from engines.processes import wait_for

PAGE = "/organiser/sheet"
ASKS = (
    ("status", "alive", "dead"),
    ("target", "", "Sacha"),
    ("killed_by", "", "Sacha"),
    ("gone", "", "out"),
)
FAULT = {
    "row": 12,
    "column": "Surnom",
    "code": "roster.nickname_twice",
    "params": [["nickname", "Camille"], ["other", "4"]],
}
SCREENS: dict[str, dict[str, Any]] = {
    "phone-light": {"screen": "phone", "color_scheme": "light"},
    "phone-dark": {"screen": "phone", "color_scheme": "dark"},
    "laptop-light": {"screen": "laptop", "color_scheme": "light"},
    "laptop-dark": {"screen": "laptop", "color_scheme": "dark"},
    "narrow": {"screen": "phone", "viewport": {"width": 320, "height": 640}},
}


@pytest.fixture(scope="module")
def stage(raise_stage: Raise) -> Stage:
    """A game whose sheet is out of reach, because its key is lost; with things to decide."""
    stage = raise_stage(8, SHEET_ID="1aB-c_D", SERVICE_ACCOUNT_FILE="nowhere.json")
    server = stage.server
    wait_for(lambda: bool(server.query("SELECT 1 FROM sheets")), 60, "the first look")
    with server.database() as connection:
        connection.execute("UPDATE sheets SET problems = ?", (json.dumps([FAULT] * 2),))
        for number, (kind, before, wanted) in enumerate(ASKS, 1):
            row = (number, kind, f"Personne {number}", before, wanted)
            connection.execute(
                "INSERT INTO offers (game, player, kind, nickname, before, wanted, refused, at)"
                " VALUES (1, ?, ?, ?, ?, ?, 0, 0)",
                row,
            )
        connection.commit()
    return stage


@pytest.mark.parametrize("screen", SCREENS)
def test_questions_and_corrections_suit_every_screen(
    stage: Stage, devices: Devices, screen: str
) -> None:
    page = devices.open(PAGE, stage.host.cookie, **SCREENS[screen])
    shoot(page, f"sheet-{screen}", full_page=True)
    expect(page.get_by_role("button", name="Ne pas appliquer").first).to_be_visible()
    assert (too_wide(page) <= 0, too_small(page), unclear(page)) == (True, [], [])
    assert unringed(page, 24) == []


def test_the_desk_shows_the_trouble_and_what_waits(stage: Stage, devices: Devices) -> None:
    page = devices.open("/organiser", stage.host.cookie, viewport={"width": 320, "height": 640})
    line = page.locator(".level")
    expect(line).to_contain_text("SERVICE_ACCOUNT_FILE")
    expect(line.get_by_role("link")).to_have_text(
        re.compile(r"\d questions à décider · 2 cases à corriger")
    )
    shoot(page, "sheet-desk-narrow")
    assert (too_wide(page) <= 0, too_small(page)) == (True, [])


def test_a_question_is_refused_with_one_tap(stage: Stage, devices: Devices) -> None:
    page = devices.open(PAGE, stage.host.cookie)
    page.locator(".asks li").last.get_by_role("button", name="Ne pas appliquer").tap()
    expect(page.get_by_role("status").first).to_be_visible()
    expect(page.locator(".asks li")).to_have_count(3)
