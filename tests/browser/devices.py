"""Phones and laptops: Chromium's contexts that are watched for errors and foreign requests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

ROOT = Path(__file__).parent.parent.parent
ARTEFACTS = ROOT / "test-artefacts"
PATIENCE = 30_000  # milliseconds: the machine may be busy
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
}
LAPTOP = {"viewport": {"width": 1280, "height": 800}}
SCREENS = {"phone": PHONE, "laptop": LAPTOP}

expect.set_options(timeout=PATIENCE)


@dataclass
class Devices:
    """Every device of a test, and what went wrong on one of them."""

    browser: Browser
    origin: str = ""
    forgiven: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def forgive(self, *patterns: str) -> None:
        """Expect these errors in the console: a test that cuts the line makes some."""
        self.forgiven += patterns

    def open(self, path: str = "/", cookie: str = "", screen: str = "phone", **more: Any) -> Page:
        """Open a page on a new device, signed in already when there is a cookie."""
        page = self.blank(cookie, screen, **more)
        page.goto(path)
        return page

    def blank(self, cookie: str = "", screen: str = "phone", **more: Any) -> Page:
        """Give a new device with an empty page."""
        options = {"base_url": self.origin, "locale": "fr-FR", **SCREENS[screen], **more}
        context = self.browser.new_context(**options)
        context.set_default_timeout(PATIENCE)
        self.contexts.append(context)
        if cookie:
            kept = {"name": "killer", "value": cookie, "url": str(options["base_url"])}
            context.add_cookies([kept])
        self._watch(context, urlsplit(str(options["base_url"])).netloc)
        return context.new_page()

    def _watch(self, context: BrowserContext, host: str) -> None:
        def asked(url: str) -> None:
            if urlsplit(url).scheme != "data" and urlsplit(url).netloc != host:
                self.wrong.append(f"asked a foreign host: {url}")

        context.on("request", lambda request: asked(request.url))
        context.on("console", lambda m: m.type == "error" and self._complain(m.text))
        context.on("weberror", lambda error: self._complain(f"uncaught: {error.error}"))

    def _complain(self, words: str) -> None:
        self.wrong.append(f"console: {words}")

    def complaints(self) -> list[str]:
        """Give what went wrong and was not expected."""
        known = re.compile("|".join(self.forgiven) or r"(?!)")
        return [words for words in self.wrong if not known.search(words)]

    def picture_all(self, name: str) -> None:
        """Photograph every open page, for whoever looks for the reason of a failure."""
        pages = [page for context in self.contexts for page in context.pages]
        for number, page in enumerate(pages):
            shoot(page, f"failed-{name}-{number}")

    def close(self) -> None:
        """Switch everything off."""
        for context in self.contexts:
            context.close()


def shoot(page: Page, name: str, **options: Any) -> None:
    """Keep a picture in the folder of artefacts."""
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"{name}.png", animations="disabled", **options)


@contextmanager
def finger_on(page: Page, place: Locator) -> Iterator[None]:
    """Keep a finger on something while the block lasts."""
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    assert box is not None
    point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    hand = page.context.new_cdp_session(page)
    hand.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    try:
        yield
    finally:
        hand.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        hand.detach()
