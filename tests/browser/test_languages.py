"""French and English: a page in one of them has no sentence of the other left."""

from __future__ import annotations

import html
import re
from functools import cache

import pytest
from playwright.sync_api import Page, expect

from browser.atlas import DESK, INSIDE, OUTSIDE
from browser.devices import Devices, shoot
from browser.stage import Stage
from killer.language import catalogue

OTHER = {"fr": "en", "en": "fr"}
NAMES = {"fr": "Français", "en": "English"}


@cache
def foreign(language: str) -> re.Pattern[str]:
    """Match any sentence or word of the other language that this one writes otherwise."""
    own = {form for sentence in catalogue(language).values() for form in forms(sentence)}
    others = {
        form
        for sentence in catalogue(OTHER[language]).values()
        for form in forms(sentence)
        if form not in own and "%" not in form and len(form) > 4
    }
    longest_first = sorted(others, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")


def forms(sentence: str | tuple[str, ...]) -> tuple[str, ...]:
    return (sentence,) if isinstance(sentence, str) else sentence


def wrong_words(page: Page, language: str) -> set[str]:
    """Give what is left of the other language, in what is seen and in what is read aloud."""
    machines = r'data-(?:facet|live)="(?:alive|players|bar)"'
    names = r'<button name="lang".*?</button>'
    source = re.sub(f"{machines}|{names}", "", page.content())
    attributes = re.findall(r'(?:aria-label|placeholder|title|data-[a-z]+)="([^"]*)"', source)
    texts = [re.sub(r"<[^>]*>", "\n", source), *attributes]
    return {word for text in texts for word in foreign(language).findall(html.unescape(text))}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_nothing_of_the_other_language_is_left(
    stage: Stage, devices: Devices, language: str
) -> None:
    devices.forgive("404", "401")
    locale = f"{OTHER[language]}-{OTHER[language].upper()}"  # the browser's own wish is the other
    found = {}
    player = stage.cookie(stage.ring()[0])
    for cookie, paths in (("", OUTSIDE), (player, INSIDE), (stage.host.cookie, DESK)):
        page = devices.open(paths[0], cookie, screen="laptop", locale=locale)
        page.get_by_role("button", name=NAMES[language]).click()
        expect(page.locator("html")).to_have_attribute("lang", language)
        for path in paths:
            page.goto(path)
            expect(page.locator("html")).to_have_attribute("lang", language)
            if words := wrong_words(page, language):
                found[path] = words
        if language == "en":
            shoot(page, f"english{paths[-1].replace('/', '-')}-laptop")
    assert not found


def test_the_news_and_the_line_speak_the_language_of_the_page(
    stage: Stage, devices: Devices
) -> None:
    hunter, victim = stage.ring()[:2]
    page = devices.open("/", stage.cookie(hunter), locale="en-GB")
    page.get_by_role("button", name="English").tap()
    expect(page.locator("#link")).to_have_text("live")
    stage.falls(victim)
    expect(page.locator("#feed li").first).to_have_text(re.compile(rf"{victim}"))
    assert not wrong_words(page, "en")
    shoot(page, "card-english-phone")
