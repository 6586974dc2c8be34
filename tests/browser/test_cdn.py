"""A browser takes the files from a CDN, proves them, and the page lives."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from browser.conftest import Raise
from browser.devices import Devices
from browser.stage import Stage
from engines.cache import caching
from engines.processes import free_port


@pytest.fixture(scope="module")
def stage(
    raise_stage: Raise, nginx: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """A running game whose files come from another address, which fetches them here."""
    port = free_port()
    found = raise_stage(8, STATIC_BASE_URL=f"http://127.0.0.1:{port}")
    with caching(nginx, tmp_path_factory.mktemp("cdn"), found.server.port, port):
        yield found


def test_a_page_whose_files_come_from_a_cdn_is_whole_and_live(
    stage: Stage, devices: Devices
) -> None:
    cdn = stage.server.environment["STATIC_BASE_URL"]
    devices.forgive(f"foreign host: {cdn}/static/")
    hunter, victim, heir = stage.ring()[:3]
    page = devices.blank(stage.cookie(hunter))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/")
    expect(page.locator("#link")).to_have_attribute("data-is", "live")
    files = [url for url in asked if "/static/" in url]
    assert len(files) > 5
    assert {url for url in files if not url.startswith(f"{cdn}/static/")} == set()
    rules = "[...document.styleSheets].map(sheet => sheet.cssRules.length)"
    assert min(page.evaluate(rules)) > 0, "the page may read a file that came with CORS"
    stage.falls(victim)
    expect(page.locator("[data-target]")).to_have_attribute("data-target", heir)
