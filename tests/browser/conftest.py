"""What the browser tests ask for: Chromium, a deployment of the module, devices of the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, sync_playwright

from browser.cast import cast
from browser.devices import Devices
from browser.stage import Stage, raised
from e2e.server import Server

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
Raise = Callable[..., Stage]
failed = pytest.StashKey[bool]()


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    """One Chromium for all these tests; it ends with them, and with it Playwright's loop."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def raise_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raise]:
    """Make deployments of the module; nothing of them outlives it."""
    with ExitStack() as stack:

        def make(players: int, *, start: bool = True, **settings: str) -> Stage:
            folder = tmp_path_factory.mktemp("stage")
            server = Server(folder, **{"GUNICORN_WORKERS": "2", **settings})
            stack.callback(server.end)
            return raised(server, cast(players), start=start)

        yield make


@pytest.fixture(scope="module")
def stage(raise_stage: Raise) -> Stage:
    """A running game of two dozen players, shared by the tests of a module."""
    return raise_stage(24)


@pytest.fixture
def devices(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Devices]:
    """Phones and laptops of this test; nothing may go wrong on one of them."""
    found = Devices(browser)
    if "stage" in request.fixturenames:
        found.origin = request.getfixturevalue("stage").origin
    yield found
    if request.node.stash.get(failed, False):
        found.picture_all(request.node.name)
    complaints = found.complaints()
    found.close()
    assert not complaints, complaints


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember that a test has failed, so that its pages are photographed."""
    report = yield
    item.stash[failed] = item.stash.get(failed, False) or report.failed
    return report
