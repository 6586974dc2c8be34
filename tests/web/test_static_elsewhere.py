"""The static files behind a CDN: pages point there, browsers may use them and refuse strangers'."""

from __future__ import annotations

import hashlib
import re
import shutil
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from killer import app as app_
from killer.web.static_files import StaticFiles
from web.world import BOSS, World, settings_in

CDN = "https://cdn.example.org"
TAG = re.compile(r"<(?:script|link)[^>]*(?:src|href)=\"([^\"]+)\"[^>]*>")
PAGES = ("/", "/players", "/leaderboard", "/organiser", "/organiser/add", "/organiser/log")


@pytest.fixture(scope="module", params=[CDN, f"{CDN}/killer/"])
def world(
    template: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("cdn") / "data"
    shutil.copytree(template, folder)
    found = World(app_.create(settings_in(folder, static_base_url=request.param)), 1)
    found.start()
    yield found
    found.site.database.close()


def tags(world: World, page: str) -> list[tuple[str, str]]:
    """Give the tag and the address of every file that a page asks for."""
    html = world.phone(BOSS).get(page).text
    return [(found[0], found[1]) for found in TAG.finditer(html)]


@pytest.mark.parametrize("page", PAGES)
def test_every_file_of_a_page_is_asked_of_the_cdn_and_is_there(world: World, page: str) -> None:
    base = world.site.settings.static_base_url.rstrip("/")
    found = tags(world, page)
    assert len(found) > 3
    for _, address in found:
        assert address.startswith(f"{base}/static/")
        answer = world.visitor().get(address.removeprefix(base))
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert "immutable" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("page", PAGES)
def test_a_browser_knows_a_file_that_is_not_ours(world: World, page: str) -> None:
    base = world.site.settings.static_base_url.rstrip("/")
    for tag, address in tags(world, page):
        if address.endswith(".svg"):
            continue  # an icon runs nothing
        body = world.visitor().get(address.removeprefix(base)).data
        digest = b64encode(hashlib.sha256(body).digest()).decode()
        assert f'integrity="sha256-{digest}"' in tag
        assert 'crossorigin="anonymous"' in tag


def test_the_policy_lets_the_cdn_in_for_files_and_for_nothing_else(world: World) -> None:
    policy = world.phone("Ana").get("/").headers["Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    let_in = {name for name, sources in rules.items() if CDN in sources.split()}
    assert let_in == {"script-src", "style-src", "img-src"}
    assert rules["default-src"] == "'none'"
    assert rules["connect-src"] == "'self'"


def test_without_a_cdn_everything_is_as_it_was(still: World) -> None:
    page = still.phone("Ana").get("/")
    assert "crossorigin" not in page.text
    assert "integrity" not in page.text
    assert "http" not in page.headers["Content-Security-Policy"]
    assert all(address.startswith("/static/") for _, address in tags(still, "/"))


def test_the_origin_is_that_of_the_address() -> None:
    assert StaticFiles().source == ""
    for address in (CDN, f"{CDN}/", f"{CDN}/a/b/"):
        assert StaticFiles(address).source == CDN
    assert StaticFiles("http://127.0.0.1:9000/x").source == "http://127.0.0.1:9000"
    assert urlsplit(StaticFiles(f"{CDN}/").url("site.css")).path.startswith("/static/")
