"""A phone that slept, was cut off or lost an answer is right again within two seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil
import pytest
from playwright.sync_api import Page, Route, expect

from browser.devices import Devices, finger_on, shoot
from browser.line import Line
from browser.stage import Stage

#: Milliseconds that a phone may need after waking: two seconds are promised, and a test machine may
#: be busy. Without noticing that it slept, it would be wrong for 25 s.
AWAKE = 10_000
SLEEP = 4.0  # seconds: less than one is not looked at, and a busy machine notes its begin late
NO_LINE = "ERR_|Failed to load resource|htmx:"


@pytest.fixture
def line(stage: Stage) -> Iterator[Line]:
    """A phone's own line, which can be cut."""
    line = Line(stage.server.port)
    yield line
    line.close()


def listening(devices: Devices, stage: Stage, nickname: str, line: Line, **more: object) -> Page:
    """Open a player's phone on that line and wait for its stream."""
    page = devices.blank(stage.cookie(nickname), base_url=line.origin, **more)
    page.goto("/")
    expect(page.locator("#link")).to_have_text("en direct")
    return page


def is_right(page: Page, stage: Stage, nickname: str, within: int = AWAKE) -> None:
    """Expect the target and the survivors of this moment, soon."""
    ring = stage.ring()
    prey = ring[(ring.index(nickname) + 1) % len(ring)]
    start = time.monotonic()
    shown = page.locator("[data-target]")
    expect(shown).to_have_attribute("data-target", prey, timeout=within)
    left = within - int(1000 * (time.monotonic() - start))
    expect(page.locator('[data-live="alive"]')).to_have_text(str(len(ring)), timeout=max(left, 200))


def test_a_phone_that_slept_while_its_line_died_is_right_on_waking(
    stage: Stage, devices: Devices, line: Line
) -> None:
    devices.forgive(NO_LINE)
    sleeper, *dying = stage.ring()[:4]
    page = listening(devices, stage, sleeper, line)
    with asleep(renderers()):
        line.cut()
        for nickname in dying:
            stage.falls(nickname)
        time.sleep(SLEEP)
        line.heal()
    wakes(page)
    is_right(page, stage, sleeper)
    expect(page.locator("#link")).to_have_text("en direct")
    expect(page.locator("#feed")).to_contain_text(dying[-1])


def test_a_phone_that_slept_on_a_living_line_catches_up(stage: Stage, devices: Devices) -> None:
    sleeper, *dying = stage.ring()[:4]
    page = devices.open("/", stage.cookie(sleeper))
    expect(page.locator("#link")).to_have_text("en direct")
    with asleep(renderers()):
        for nickname in dying:
            stage.falls(nickname)
    is_right(page, stage, sleeper)


def test_a_window_that_is_looked_at_again_is_right(
    stage: Stage, devices: Devices, line: Line
) -> None:
    devices.forgive(NO_LINE)
    hunter, *dying = stage.ring()[:3]
    page = listening(devices, stage, hunter, line, screen="laptop")
    other = page.context.new_page()
    for each in (page, other):  # Playwright makes every page believe that it has the focus
        eyes = page.context.new_cdp_session(each)
        eyes.send("Emulation.setFocusEmulationEnabled", {"enabled": False})
    other.bring_to_front()
    line.cut()
    for nickname in dying:
        stage.falls(nickname)
    page.wait_for_timeout(1_000 * SLEEP)
    line.heal()
    page.bring_to_front()
    is_right(page, stage, hunter)


@contextmanager
def asleep(processes: set[psutil.Process]) -> Iterator[None]:
    """Stop the browser's processes of pages while the block lasts."""
    assert processes
    each_still_there(processes, psutil.Process.suspend)
    try:
        yield
    finally:
        each_still_there(processes, psutil.Process.resume)


def each_still_there(
    processes: set[psutil.Process], work: Callable[[psutil.Process], None]
) -> None:
    """Do something with every process: one of a page that was closed before may just be ending."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            work(process)


def wakes(page: Page) -> None:
    """Tell the page what a phone tells it when its screen is lit; Chromium without one does not."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def renderers() -> set[psutil.Process]:
    """Give the processes of Chromium that hold pages; which holds which one, it doesn't tell."""
    found = set()
    for process in psutil.Process().children(recursive=True):
        try:
            if "--type=renderer" in process.cmdline():
                found.add(process)
        except psutil.Error:  # gone meanwhile
            continue
    return found


def test_silence_on_the_stream_is_noticed_and_said_and_healed(
    stage: Stage, devices: Devices, line: Line
) -> None:
    devices.forgive(NO_LINE)
    sleeper, *dying = stage.ring()[:3]
    page = devices.blank(stage.cookie(sleeper), base_url=line.origin)
    page.clock.install()
    page.goto("/")
    expect(page.locator("#link")).to_have_text("en direct")
    line.cut()
    page.clock.fast_forward(27_000)  # no ping for longer than one ever takes
    expect(page.locator("#link")).to_contain_text("hors ligne, depuis")
    shoot(page, "card-offline-phone")
    for nickname in dying:
        stage.falls(nickname)
    line.heal()
    page.clock.fast_forward(15_000)
    is_right(page, stage, sleeper, within=30_000)
    expect(page.locator("#link")).to_have_text("en direct")


def test_a_death_tapped_without_network_is_kept_and_sent_once(
    stage: Stage, devices: Devices
) -> None:
    devices.forgive(NO_LINE)
    hunter, victim = stage.ring()[:2]
    before = len(stage.ring())
    page = devices.open("/", stage.cookie(victim))
    expect(page.locator("#link")).to_have_text("en direct")
    page.context.set_offline(True)
    hold(page)
    expect(page.get_by_role("alert")).to_contain_text("Pas de réseau")
    expect(page.locator("#link")).to_contain_text("hors ligne")
    shoot(page, "death-pending-phone")
    assert victim in stage.ring()
    page.context.set_offline(False)
    expect(page.locator("#card")).to_have_attribute("data-mood", "dead")
    expect(page.locator("#pending")).to_have_count(0)
    fell_once(stage, victim, hunter, before)


def test_a_death_kept_through_a_reload_is_sent_by_the_new_page(
    stage: Stage, devices: Devices, line: Line
) -> None:
    devices.forgive(NO_LINE)
    hunter, victim = stage.ring()[:2]
    before = len(stage.ring())
    page = listening(devices, stage, victim, line)
    line.cut()
    hold(page)
    expect(page.get_by_role("alert")).to_contain_text("Pas de réseau")
    page.goto("about:blank")
    line.heal()
    page.goto("/")
    expect(page.locator("#card")).to_have_attribute("data-mood", "dead")
    fell_once(stage, victim, hunter, before)


def test_a_death_whose_answer_was_lost_is_repeated_and_counts_once(
    stage: Stage, devices: Devices, line: Line
) -> None:
    devices.forgive(NO_LINE)
    hunter, victim = stage.ring()[:2]
    before = len(stage.ring())
    page = listening(devices, stage, victim, line)
    posts: list[str] = []
    page.on("request", lambda r: r.method == "POST" and posts.append(r.headers["idempotency-key"]))
    line.loses_answers = True
    hold(page)
    expect(page.get_by_role("alert")).to_contain_text("Pas de réseau")
    assert victim not in stage.ring()
    line.loses_answers = False
    expect(page.locator("#card")).to_have_attribute("data-mood", "dead")
    assert len(posts) > 1
    assert len(set(posts)) == 1
    fell_once(stage, victim, hunter, before)


def test_a_death_that_waits_for_the_network_can_be_taken_back(
    stage: Stage, devices: Devices
) -> None:
    devices.forgive(NO_LINE)
    somebody = stage.ring()[0]
    page = devices.open("/", stage.cookie(somebody))
    page.context.set_offline(True)
    hold(page)
    page.get_by_role("button", name="Ne plus l'envoyer").tap()
    expect(page.locator("#pending")).to_have_count(0)
    page.context.set_offline(False)
    expect(page.locator("#link")).to_have_text("en direct")
    page.reload()
    expect(page.locator("#card")).to_have_attribute("data-mood", "running")
    assert somebody in stage.ring()


def hold(page: Page) -> None:
    """Declare a death that can't be sent now: the dialog closes and the page says so."""
    page.get_by_role("link", name="Je suis mort").tap()
    with finger_on(page, page.get_by_role("button", name="Maintiens pour mourir")):
        expect(page.locator("#pending")).to_be_visible()


def fell_once(stage: Stage, victim: str, hunter: str, before: int) -> None:
    """Expect one death, for one hunter."""
    assert len(stage.ring()) == before - 1
    row = next(row for row in stage.table() if row["nickname"] == victim)
    assert (row["status"], row["killed_by"]) == ("dead", hunter)


def test_a_phone_that_is_signed_out_from_afar_hides_its_target_at_once(
    stage: Stage, devices: Devices, line: Line
) -> None:
    """As when it was stolen: a stream that has worked is tried again, but not before this."""
    devices.forgive(f"{NO_LINE}|401")
    lost = stage.ring()[0]
    page = listening(devices, stage, lost, line)
    stage.command("signout", lost, reason="Téléphone volé")
    expect(page.locator("[data-target]")).to_have_count(0, timeout=10_000)
    expect(page.get_by_label("Mot de passe")).to_be_visible()


def test_a_stream_that_worked_and_is_refused_once_is_soon_back(
    stage: Stage, devices: Devices, line: Line
) -> None:
    """As when nginx answers 502 because a node has just died: no reason to poll for minutes."""
    devices.forgive(f"{NO_LINE}|502")
    sleeper, dying = stage.ring()[:2]
    page = listening(devices, stage, sleeper, line)
    refused: list[str] = []

    def refuse_once(route: Route) -> None:
        if refused:
            route.continue_()
        else:
            refused.append(route.request.url)
            route.fulfill(status=502)

    page.route("**/api/events**", refuse_once)
    for connection in line.connections:
        connection.close()
    for _ in range(300):  # the stream's `retry` at most, and some patience
        if refused:
            break
        page.wait_for_timeout(100)
    assert refused
    stage.falls(dying)
    is_right(page, stage, sleeper, within=30_000)
    expect(page.locator("#link")).to_have_text("en direct")
