"""Photos on real screens: five hundred faces that cost little, and a photo sent from a phone."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.devices import Devices, shoot
from browser.stage import Stage
from killer import app as app_
from killer.game import commands as c
from killer.media.pictures import Photo, prepare
from killer.play import Request
from killer.settings import Settings
from media.darkroom import from_a_phone, photograph

PEOPLE = 500
HEAVIEST = 300_000  # bytes of images on the first screen of all faces
KINDS = 8


@pytest.fixture(scope="module")
def stage(raise_stage) -> Stage:
    """A game of five hundred, each with a photo as busy as a real one."""
    stage = raise_stage(24)
    site = app_.build(Settings(data_dir=Path(stage.server.environment["DATA_DIR"])))
    late = [c.Enrol(f"Joueur {n:03}", f"{n % 3 + 1}A") for n in range(24, PEOPLE)]
    site.play.perform(1, *late)
    stock = [prepare(photograph(n, (450, 600))) for n in range(KINDS)]
    edits = []
    for n, player in enumerate(site.hub.feed(1).game.playing):
        photo = Photo(str(n).encode(), stock[n % KINDS].files)
        edits.append(c.Edit(player.id, (("photo", site.shelf.keep(1, photo)),)))
    site.play.perform(1, *edits, request=Request(reason="photos"))
    site.database.close()
    return stage


@dataclass
class Wire:
    """What came over the wire for images, as the browser's own network panel counts it."""

    page: Page
    images: set[str] = field(default_factory=set)
    bytes: float = 0

    def __post_init__(self) -> None:
        panel = self.page.context.new_cdp_session(self.page)
        panel.on("Network.requestWillBeSent", self._sent)
        panel.on("Network.loadingFinished", self._finished)
        panel.send("Network.enable")

    def _sent(self, told: dict) -> None:
        if "/photos/" in told["request"]["url"]:
            self.images.add(told["requestId"])

    def _finished(self, told: dict) -> None:
        if told["requestId"] in self.images:
            self.bytes += told["encodedDataLength"]

    def settle(self) -> None:
        """Wait until what can be seen is there, and nothing has come for a while."""
        self.page.wait_for_load_state("load")
        self.page.wait_for_function(f"() => ({BROKEN})() === 0")
        self.page.evaluate(QUIET)


#: Resolves when every image that the browser has begun to load is there.
QUIET = """() => new Promise((done) => {
  let before = -1;
  const look = () => {
    const now = performance.getEntriesByType("resource").length;
    now === before ? done() : (before = now, setTimeout(look, 700));
  };
  look();
})"""
#: Faces whose place isn't square and large already, whether the picture is there or not.
UNPLACED = """() => [...document.querySelectorAll(".faces .portrait")].filter((face) => {
  const { width, height } = face.getBoundingClientRect();
  const square = Math.abs(width - height) < 1 && width > 90;
  return face.checkVisibility({ contentVisibilityAuto: true }) && !square;
}).length"""
BROKEN = """() => [...document.images].filter((i) => {
  const { top, bottom } = i.getBoundingClientRect();
  return top < innerHeight && bottom > 0 && !i.naturalWidth;
}).length"""


@pytest.mark.parametrize("screen", ["phone", "laptop"])
def test_five_hundred_faces_cost_little_at_first_and_nothing_later(
    stage: Stage, devices: Devices, screen: str
) -> None:
    page = devices.blank(stage.cookie("Camille"), screen)
    wire = Wire(page)
    page.goto("/players")
    wire.settle()
    print(f"{screen}: {wire.bytes / 1000:.0f} kB in {len(wire.images)} images at first")
    shoot(page, f"faces-{screen}")
    assert page.locator(".faces img").count() == PEOPLE
    assert page.evaluate(BROKEN) == 0
    assert 6 < len(wire.images) < 120
    assert 20_000 < wire.bytes < HEAVIEST
    page.mouse.wheel(0, 1500)  # a browser loads a row more or less ahead, as it likes
    wire.settle()
    again = page.context.new_page()
    second = Wire(again)
    again.goto("/players")
    second.settle()
    assert again.evaluate(BROKEN) == 0
    assert second.bytes == 0


def test_nothing_jumps_when_a_face_comes(stage: Stage, devices: Devices) -> None:
    page = devices.blank(stage.cookie("Camille"))
    page.route("**/photos/**", lambda route: route.abort())
    devices.forgive("ERR_FAILED")
    page.goto("/players")
    assert page.locator(".faces img").count() == PEOPLE
    assert page.evaluate(UNPLACED) == 0


def test_faces_come_when_they_are_scrolled_to(stage: Stage, devices: Devices) -> None:
    page = devices.open("/players", stage.cookie("Camille"))
    last = page.locator(".faces img").last
    assert not last.evaluate("image => image.complete && image.naturalWidth > 0")
    last.scroll_into_view_if_needed()
    page.wait_for_function("image => image.naturalWidth === 224", arg=last.element_handle())


def test_a_photo_is_sent_from_a_phone_and_taken_away_again(
    stage: Stage, devices: Devices, tmp_path: Path
) -> None:
    page = devices.open("/", stage.cookie("Sacha"), color_scheme="dark")
    page.get_by_role("link", name="Changer ma photo").tap()
    before = page.locator(".print img").get_attribute("src")
    file = tmp_path / "IMG_0042.jpg"
    file.write_bytes(from_a_phone(6))
    page.get_by_label("Choisir ou prendre une photo").set_input_files(file)
    page.get_by_role("button", name="Envoyer la photo").tap()
    expect(page.get_by_role("status").filter(has_text="nouvelle photo")).to_be_visible()
    shown = page.locator(".print img")
    assert shown.get_attribute("src") != before
    assert shown.evaluate("async image => { await image.decode(); return image.naturalHeight }")
    page.get_by_role("button", name="Retirer ma photo").tap()
    expect(page.get_by_text("Ta photo est retirée")).to_be_visible()
    expect(page.locator(".print svg")).to_be_visible()


def test_a_photo_is_sent_without_javascript(stage: Stage, devices: Devices, tmp_path: Path) -> None:
    page = devices.open("/photo", stage.cookie("Maëlle"), java_script_enabled=False)
    file = tmp_path / "photo.txt"
    file.write_bytes(b"Bonjour")
    page.get_by_label("Choisir ou prendre une photo").set_input_files(file)
    devices.forgive("422")
    page.get_by_role("button", name="Envoyer la photo").tap()
    expect(page.get_by_role("alert")).to_contain_text("pas une image")
