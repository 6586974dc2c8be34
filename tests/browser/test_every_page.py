"""What holds on every page: light, narrow enough, large enough, named, seen, nobody else asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.atlas import DESK, INSIDE, OUTSIDE, too_small, too_wide, unclear, unringed
from browser.devices import Devices, shoot
from browser.stage import Stage

HEAVIEST = 60_000  # bytes on the wire for the first look at the own card
NARROW: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"}
WIDE: dict[str, Any] = {"color_scheme": "light"}

CHECKS: dict[str, Callable[[Page], object]] = {
    "too wide": lambda page: max(0, too_wide(page)),
    "too small": too_small,
    "unclear": unclear,
    "unseen focus": unringed,
}


@dataclass
class Findings:
    """What a walk through all pages has found: by device and check, the pages with something."""

    found: dict[tuple[str, str], dict[str, object]] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    def look(self, screen: str, path: str, page: Page) -> None:
        """Check one page."""
        for name, check in CHECKS.items():
            if something := check(page):
                self.found.setdefault((screen, name), {})[path] = something
        page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        shoot(page, f"page{path.replace('/', '-').rstrip('-')}-{screen}")


@pytest.fixture(scope="module")
def findings(browser: Browser, stage: Stage) -> Iterator[Findings]:
    """Visit every page as whoever may see it, on a small phone by night and a laptop by day."""
    findings, devices = Findings(), Devices(browser, stage.origin)
    devices.forgive("404", "401")
    player = stage.cookie(stage.ring()[-1])
    for screen, options in (("phone", NARROW), ("laptop", WIDE)):
        for cookie, paths in (("", OUTSIDE), (player, INSIDE), (stage.host.cookie, DESK)):
            page = devices.blank(cookie, screen, **options)
            for path in paths:
                page.goto(path)
                findings.look(screen, path, page)
    findings.complaints = devices.complaints()
    yield findings
    devices.close()


@pytest.mark.parametrize("screen", ["phone", "laptop"])
def test_no_page_is_wider_than_the_window(findings: Findings, screen: str) -> None:
    assert not findings.found.get((screen, "too wide"))


@pytest.mark.parametrize("screen", ["phone", "laptop"])
def test_everything_to_tap_is_as_large_as_a_thumb(findings: Findings, screen: str) -> None:
    assert not findings.found.get((screen, "too small"))


@pytest.mark.parametrize("screen", ["phone", "laptop"])
def test_all_has_a_name_and_headings_are_in_order(findings: Findings, screen: str) -> None:
    assert not findings.found.get((screen, "unclear"))


@pytest.mark.parametrize("screen", ["phone", "laptop"])
def test_whoever_uses_the_keyboard_sees_where_they_are(findings: Findings, screen: str) -> None:
    assert not findings.found.get((screen, "unseen focus"))


def test_no_page_complains_or_asks_another_host(findings: Findings) -> None:
    assert not findings.complaints


def test_an_open_dialog_is_named_large_enough_and_shows_the_focus(
    stage: Stage, devices: Devices
) -> None:
    page = devices.open("/", stage.cookie(stage.ring()[0]))
    page.get_by_role("link", name="Je suis mort").tap()
    expect(page.get_by_role("dialog", name="Tu es vraiment mort ?")).to_be_visible()
    assert not too_small(page)
    assert not unringed(page, 4)


def test_the_first_look_at_the_card_is_light(stage: Stage, devices: Devices) -> None:
    page = devices.blank(stage.cookie(stage.ring()[0]))
    wire = page.context.new_cdp_session(page)
    sizes: list[float] = []
    wire.on("Network.loadingFinished", lambda done: sizes.append(done["encodedDataLength"]))
    wire.send("Network.enable")
    page.goto("/")
    expect(page.locator("#link")).to_have_text("en direct")
    page.wait_for_load_state("load")
    print(f"first look at the card: {sum(sizes) / 1000:.1f} kB in {len(sizes)} answers")
    assert len(sizes) > 5
    assert sum(sizes) < HEAVIEST
