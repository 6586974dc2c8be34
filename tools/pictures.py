#!/usr/bin/env python3
"""Make the pictures of the README and the docs: a real game, played through the real server.

.venv/bin/python tools/pictures.py
"""

from __future__ import annotations

import base64
import csv
import io
import math
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from browser.conftest import FLAGS  # noqa: E402  # the tests' own stage is the players' stage
from browser.devices import PHONE, finger_on  # noqa: E402
from browser.stage import Stage  # noqa: E402
from e2e.rosters import Person  # noqa: E402
from e2e.server import LINK, Server  # noqa: E402
from engines.google import Emulator  # noqa: E402
from engines.processes import wait_for  # noqa: E402
from killer.watch.register import Reading, Register, point_of  # noqa: E402
from killer.watch.weather import Colour  # noqa: E402
from watch.skies import seen  # noqa: E402
from web.gallery import CHALLENGES, names  # noqa: E402

IMAGES = ROOT / "docs" / "images"
GAME = "Week-end d'intégration"
HEAD = ("Horodateur", "Surnom", "Année", "Mot de passe", "Défi ciblé", "Adresse e-mail")
KILO = 1000
LIMITS = {"killer": 250 * KILO, "import": 150 * KILO, "organisation": 150 * KILO}
LIMITS |= dict.fromkeys(("podium", "feuille", "meteo", "grand-ecran"), 150 * KILO)
SHEET, TAB = "feuille", "Réponses au formulaire 1"
PLAYERS = 60
FALLS = 23
HEROINE = "Camille"
HUNTERS = (HEROINE, "Inès", "Théo", HEROINE, "Zoé", "Inès", "Octave", HEROINE, "Théo", "Rose")

STYLE = """
body { margin: 0; display: flex; align-items: center; gap: 24px; padding: 28px; }
body { box-sizing: border-box; background: #c9cfc8; }
img { display: block; inline-size: 100%; }
figure { margin: 0; overflow: hidden; border: solid #101417; background: #101417; }
figure { box-shadow: 0 12px 28px rgb(16 20 23 / .28); }
.phone { flex: 0 0 240px; border-width: 9px; border-radius: 26px; }
.phone img { border-radius: 17px; }
.laptop { flex: 1; border-width: 11px 11px 22px; border-radius: 14px; }
.laptop img { border-radius: 4px; }
"""


def roster() -> list[Person]:
    """Invent the players."""
    return [
        Person(name, CHALLENGES[i % len(CHALLENGES)], f"mot-de-passe-{i}")
        for i, name in enumerate(names(PLAYERS))
    ]


def sheet(rows: list[tuple[str, str, str]], idle: tuple[int, ...] = ()) -> bytes:
    """Write nickname, password and mail of some players as a Google Form's export.

    Those at the idle places have given no challenge.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEAD)
    for i, (name, password, mail) in enumerate(rows):
        year, challenge = f"{i % 3 + 1}A", "" if i in idle else CHALLENGES[i % len(CHALLENGES)]
        writer.writerow((f"17/10/2026 08:{i % 60:02}:00", name, year, password, challenge, mail))
    return text.getvalue().encode()


def connected(google: Emulator, folder: Path) -> dict[str, str]:
    """Give the settings of a server whose sheet is at that Google."""
    return {
        "SHEET_ID": SHEET,
        "SERVICE_ACCOUNT_FILE": str(google.key_file(folder)),
        "GOOGLE_API_URL": google.url,
        "PLAYERS_CACHE_TTL": "5",
    }


def raised(folder: Path, google: Emulator) -> Stage:
    """Import the players, start the server and the game."""
    people = roster()
    server = Server(folder, GUNICORN_WORKERS="2", **connected(google, folder))
    export = folder / "inscriptions.csv"
    export.write_bytes(sheet([(p.nickname, p.password, "") for p in people]))
    google.sheet(SHEET, {TAB: list(csv.reader(export.read_text().splitlines()))})
    server.command("import", "--game", GAME, "--players", export)
    said = server.command("organiser", "add", "Agathe")
    an_hour_before(folder / "data")
    server.start()
    host = server.with_link(LINK.findall(said)[0][1], "Agathe")
    stage = Stage(server, {p.nickname: p for p in people}, host)
    stage.command("start")
    return stage


def an_hour_before(data: Path) -> None:
    """Let there be a past for the plots, with a slow moment, and a backup that is too old."""
    book = Register(data)
    assert book.claim()
    for ago in range(3600, 0, -5):
        wave = math.sin(ago / 500)
        slow = 0.25 if ago in range(1500, 1800) else 0.0
        observed = seen(
            at=time.time() - ago,
            p95=0.05 + slow + 0.02 * (ago % 7) / 7,
            cpu=0.2 + slow,
            machine_cpu=0.25 + slow + 0.1 * wave,
            machine_memory=0.4 + 0.02 * wave,
            phones=int(45 + 12 * wave),
            delay=0.06 + slow / 4,
        )
        book.note(Reading(observed), point_of(Reading(observed), Colour.GREEN))
    book.leave()
    (data / "backups").mkdir()
    backup = data / "backups" / "killer-20261017-1300.tar.gz"
    backup.touch()
    os.utime(backup, (0, time.time() - 65 * 60))


def play(stage: Stage, falls: int) -> None:
    """Let so many players fall; some hunters are better than others, the heroine survives."""
    for i in range(falls):
        stage.falls(victim(stage.ring(), i))


def victim(ring: list[str], number: int) -> str:
    """Choose who falls next: the target of a good hunter, whose turns come often."""
    following = dict(zip(ring, [*ring[1:], ring[0]], strict=True))
    for turn in range(len(HUNTERS)):
        prey = following.get(HUNTERS[(number + turn) % len(HUNTERS)])
        if prey and prey not in HUNTERS:
            return prey
    return next(name for name in ring if name != HEROINE)


@dataclass
class Studio:
    """Takes screenshots twice as fine as they will be shown, and makes pictures of them."""

    browser: Browser
    stage: Stage
    shots: dict[str, bytes] = field(default_factory=dict)

    def page(self, path: str, cookie: str, **device: Any) -> Page:
        """Open a page on a device."""
        origin = self.stage.origin
        options = {"base_url": origin, "locale": "fr-FR", "device_scale_factor": 2, **device}
        context = self.browser.new_context(**options)
        context.add_cookies([{"name": "killer", "value": cookie, "url": origin}])
        page = context.new_page()
        page.goto(path)
        page.locator("#link", has_text="en direct").wait_for()
        return page

    def shoot(self, name: str, page: Page, **options: Any) -> None:
        """Keep what a page shows."""
        self.shots[name] = page.screenshot(animations="disabled", **options)
        page.context.close()

    def heroine(self) -> None:
        """Show a card by night, and by day the death that is asked for."""
        cookie = self.stage.cookie(HEROINE)
        night = self.page("/", cookie, **PHONE, color_scheme="dark")
        night.get_by_text("Touche pour voir ta cible").tap()
        self.shoot("card", night)
        day = self.page("/", cookie, **PHONE)
        day.get_by_text("Touche pour voir ta cible").tap()
        day.get_by_role("link", name="Je suis mort").tap()
        with finger_on(day, day.get_by_role("button", name="Maintiens pour mourir")):
            day.wait_for_timeout(500)  # shorter than the hold: nobody dies for a picture
            self.shots["death"] = day.screenshot()
        day.context.close()

    def desk(self) -> None:
        """Show the organisers' table, and then every death with its hunter to the players."""
        for name, height in (("desk", 840), ("organisation", 900)):
            size = {"viewport": {"width": 1120, "height": height}}
            page = self.page("/organiser", self.stage.host.cookie, **size)
            page.get_by_label("Ce que les joueurs apprennent").select_option("open")
            page.get_by_role("button", name="Enregistrer").click()
            page.goto("/organiser")
            page.get_by_role("columnheader", name="Victimes").get_by_role("button").click()
            page.mouse.move(0, 0)
            page.evaluate("document.activeElement.blur()")
            self.shoot(name, page)

    def roster_with_mistakes(self) -> None:
        """Show what the check of a list says, row by row."""
        rows = [(name, f"secret-{i}", f"j{i}@example.org") for i, name in enumerate(names(94)[60:])]
        rows[9] = (rows[2][0], *rows[9][1:])
        rows[14] = ("", *rows[14][1:])
        rows[21] = (*rows[21][:2], "solene chez example")
        export = sheet(rows, idle=(9, 14))
        size = {"viewport": {"width": 960, "height": 800}}
        page = self.page("/organiser/import", self.stage.host.cookie, **size)
        file = {"name": "inscriptions.csv", "mimeType": "text/csv", "buffer": export}
        page.get_by_label("Fichier des joueurs").set_input_files([file])
        page.get_by_role("button", name="Vérifier").click()
        last = page.get_by_role("button", name="Importer sans les lignes fautives")
        box = last.bounding_box()
        assert box is not None
        page.set_viewport_size({"width": 960, "height": int(box["y"] + box["height"] + 8)})
        self.shoot("import", page)

    def edited_sheet(self, google: Emulator) -> None:
        """Show what is asked when an editor of the sheet writes somebody dead."""
        tab = google.tab(SHEET, TAB)
        wait_for(lambda: "État" in tab.rows()[0], 60, "the columns of the game")
        named = {row[1]: number for number, row in enumerate(tab.rows())}
        living = [name for name in self.stage.ring() if name in named]
        wait_for(lambda: tab.cell(named[living[0]], "État") == "alive", 60, "the states")
        reads = google.count("read")
        wait_for(lambda: google.count("read") > reads + 1, 60, "a look that finds the sheet level")
        tab.set(named[living[0]], "État", "morte")
        wait_for(lambda: tab.cell(named[living[0]], "État") == "alive", 60, "the cell put right")
        size = {"viewport": {"width": 1020, "height": 760}}
        self.shoot("feuille", self.page("/organiser/sheet", self.stage.host.cookie, **size))

    def weather(self) -> None:
        """Show how the server is when the last backup is too old."""
        size = {"viewport": {"width": 1120, "height": 860}}
        page = self.page("/organiser/weather", self.stage.host.cookie, **size)
        page.get_by_text("Tout va bien").or_(page.get_by_text("Il faut agir")).first.wait_for()
        self.shoot("meteo", page)

    def screen(self) -> None:
        """Show the big screen as it hangs in the hall."""
        desk = self.page("/organiser/screen", self.stage.host.cookie)
        desk.get_by_role("button", name="Ouvrir le grand écran").click()
        link = desk.get_by_role("textbox", name="Le lien du grand écran").input_value()
        desk.context.close()
        size = {"viewport": {"width": 1120, "height": 630}, "color_scheme": "dark"}
        page = self.page(link, "", **size)
        page.locator("#news li").first.wait_for()
        page.wait_for_timeout(1000)  # the bar has grown to its length
        self.shoot("grand-ecran", page)

    def podium(self) -> None:
        """Show the end."""
        size = {"viewport": {"width": 1100, "height": 640}}
        self.shoot("podium", self.page("/podium", self.stage.cookie(HEROINE), **size))

    def picture(self, name: str, body: str, width: int) -> None:
        """Render a page of pictures and keep it under its name, if it is light enough."""
        page = self.browser.new_page(viewport={"width": width, "height": 300})
        page.set_content(f"<!doctype html><style>{STYLE}</style>{body}")
        page.locator("img").last.evaluate("image => image.decode()")
        file = IMAGES / f"{name}.png"
        file.write_bytes(page.screenshot(full_page=True))
        page.close()
        size = file.stat().st_size
        print(f"{file.relative_to(ROOT)}: {size // KILO} kB")  # noqa: T201  # a command line's answer
        assert size < LIMITS[name], f"{file} must be lighter than {LIMITS[name]} bytes"

    def image(self, name: str) -> str:
        """Write a screenshot as an element of a page."""
        data = base64.b64encode(self.shots[name]).decode()
        return f'<img src="data:image/png;base64,{data}">'


def main() -> None:
    """Play, photograph, and put the pictures together."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play_, Emulator() as google:
        stage = raised(Path(folder), google)
        try:
            browser = play_.chromium.launch(
                executable_path="/usr/bin/chromium", args=[*FLAGS, "--lang=fr-FR"]
            )
            photograph(Studio(browser, stage), google)
            browser.close()
        finally:
            stage.server.end()


def photograph(studio: Studio, google: Emulator) -> None:
    """Take all pictures in the order of the game."""
    play(studio.stage, FALLS)
    studio.edited_sheet(google)
    studio.desk()
    studio.weather()
    studio.screen()
    studio.heroine()
    studio.roster_with_mistakes()
    play(studio.stage, len(studio.stage.ring()) - 1)
    studio.podium()
    laptop = f'<figure class="laptop">{studio.image("desk")}</figure>'
    phones = "".join(f'<figure class="phone">{studio.image(n)}</figure>' for n in ("card", "death"))
    studio.picture("killer", laptop + phones, 1240)
    for name in ("import", "organisation", "podium", "feuille", "meteo", "grand-ecran"):
        bare = "<style>body { padding: 0 }</style>"
        studio.picture(name, bare + studio.image(name), 900)


if __name__ == "__main__":
    main()
