"""What holds on every page: quick, narrow enough, large enough, named, seen, nobody else asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from browser.atlas import DESK, INSIDE, OUTSIDE, too_small, too_wide, unclear, unringed
from browser.devices import Devices, shoot
from browser.stage import Stage
from playwright.sync_api import Page, expect

HEAVIEST = 60_000  # bytes on the wire for the first look at the own card
NARROW = {"viewport": {"width": 360, "height": 740}}

Walk = Callable[..., Iterator[tuple[str, Page]]]


@pytest.fixture
def walk(stage: Stage, devices: Devices) -> Walk:
    """Visit every page as whoever may see it, on one device for each."""
    devices.forgive("404", "401")

    def through(screen: str = "phone", **more: object) -> Iterator[tuple[str, Page]]:
        somebody = stage.ring()[-1]
        for cookie, paths in (
            ("", OUTSIDE),
            (stage.cookie(somebody), INSIDE),
            (stage.host.cookie, DESK),
        ):
            page = devices.blank(cookie, screen, **more)
            for path in paths:
                page.goto(path)
                yield path, page

    return through


def problems(walk: Iterator[tuple[str, Page]], look: Callable[[Page], object]) -> dict[str, object]:
    """Give what was found on each page, where there was something."""
    return {path: found for path, page in walk if (found := look(page))}


def test_no_page_is_wider_than_a_narrow_phone(walk: Walk) -> None:
    wide = problems(walk(**NARROW), lambda page: max(0, too_wide(page)))
    assert not wide


@pytest.mark.parametrize("screen", ["phone", "laptop"])
def test_everything_to_tap_is_as_large_as_a_thumb(walk: Walk, screen: str) -> None:
    assert not problems(walk(screen), too_small)


def test_everything_has_a_name_and_the_headings_are_in_order(walk: Walk) -> None:
    assert not problems(walk("laptop"), unclear)


@pytest.mark.parametrize("screen", ["phone", "laptop"])
def test_whoever_uses_the_keyboard_sees_where_they_are(walk: Walk, screen: str) -> None:
    assert not problems(walk(screen), unringed)


def test_the_open_dialog_is_named_large_enough_and_shows_the_focus(
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
    sizes: dict[str, float] = {}
    wire.on(
        "Network.loadingFinished",
        lambda done: sizes.__setitem__(done["requestId"], done["encodedDataLength"]),
    )
    wire.send("Network.enable")
    page.goto("/")
    expect(page.locator("#link")).to_have_text("en direct")
    page.wait_for_load_state("load")
    total = sum(sizes.values())
    print(f"first look at the card: {total / 1000:.1f} kB in {len(sizes)} answers")  # noqa: T201
    assert len(sizes) > 5
    assert total < HEAVIEST


@pytest.mark.parametrize("screen", ["phone", "laptop"])
def test_the_pages_have_their_pictures_taken(walk: Walk, screen: str) -> None:
    for path, page in walk(screen, color_scheme="dark" if screen == "phone" else "light"):
        shoot(page, f"page{path.replace('/', '-').rstrip('-')}-{screen}")
