"""The report of a load test in a browser: it fits a phone, is quiet, and loads nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.devices import SCREENS
from crowd import samples
from killer.crowd.figures import Report
from killer.crowd.report import publish
from killer.crowd.verdict import judge

REPORTS = {"green": samples.report(), "slow": samples.slow(), "large": samples.large()}


@pytest.fixture
def show(browser: Browser, tmp_path: Path):
    """Open a report on a screen without a network; nothing may go wrong on it."""
    wrong: list[str] = []
    contexts = []

    def opened(report: Report, screen: str, scheme: str = "light") -> Page:
        publish(report, judge(report), tmp_path)
        context = browser.new_context(**SCREENS[screen], color_scheme=scheme, offline=True)
        contexts.append(context)
        page = context.new_page()
        address = (tmp_path / "report.html").as_uri()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda r: r.url in {address, "data:,"} or wrong.append(r.url))
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not wrong


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("name", REPORTS)
def test_nothing_is_wider_than_the_screen(show, name: str, screen: str) -> None:
    page = show(REPORTS[name], screen)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0
    cut = page.evaluate(
        """() => [...document.querySelectorAll('td, tbody th, dd, li, h1, h2')]
        .filter(each => each.scrollWidth > each.clientWidth + 1 && each.clientWidth > 1)
        .map(each => each.textContent.trim().slice(0, 60))"""
    )
    assert cut == []


def test_the_answer_is_seen_without_scrolling(show) -> None:
    for screen in SCREENS:
        page = show(samples.report(), screen)
        answer = page.get_by_role("heading", level=1).locator("strong")
        expect(answer).to_have_text("OUI")
        expect(answer).to_be_in_viewport(ratio=1)
        assert answer.bounding_box()["height"] > 90


def contrast(page: Page, selector: str) -> float:
    """Give how far a text stands out from what is behind it, as WCAG counts it."""
    return page.evaluate(
        """selector => {
          const parts = colour => colour.match(/[\\d.]+/g).map(Number)
          const light = colour => parts(colour).slice(0, 3).map(c => c / 255)
            .map(c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
            .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0)
          const behind = node => {
            const colour = getComputedStyle(node).backgroundColor
            return parts(colour)[3] === 0 ? behind(node.parentElement) : colour
          }
          return Math.min(...[...document.querySelectorAll(selector)].map(node => {
            const style = getComputedStyle(node)
            const text = node.closest('svg') ? style.fill : style.color
            const [low, high] = [light(text), light(behind(node))].sort((a, b) => a - b)
            return (high + .05) / (low + .05)
          }))
        }""",
        selector,
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
def test_every_text_can_be_read_in_light_and_dark(show, screen: str, scheme: str) -> None:
    page = show(samples.slow(), screen, scheme)
    for selector in ("h1", "h1 strong", "p", "li", "td", "td b", "th", ".cure", "dt", "dd", "text"):
        assert contrast(page, selector) >= 4.5, selector


def test_the_curves_are_drawn_on_the_page(show) -> None:
    page = show(samples.report(), "phone")
    pictures = page.locator("svg.curve")
    expect(pictures).to_have_count(6)
    for picture in pictures.all():
        box = picture.bounding_box()
        assert box["width"] > 300
        assert box["height"] > 200
