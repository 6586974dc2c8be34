"""The organiser's first day: a list with mistakes, the same one sound, and the start."""

from __future__ import annotations

import csv
import io

import pytest
from playwright.sync_api import FilePayload, Page, expect

from browser.conftest import Raise
from browser.devices import Devices, shoot
from browser.stage import Stage

HEAD = ("Horodateur", "Surnom", "Année", "Mot de passe", "Défi ciblé", "Adresse e-mail")


@pytest.fixture(scope="module")
def stage(raise_stage: Raise) -> Stage:
    """A server with three players who wait."""
    return raise_stage(3, start=False)


def upload(*rows: tuple[str, str, str]) -> FilePayload:
    """Write nickname, password and mail of some players as a sheet's export."""
    text = io.StringIO()
    lines = [
        ("17/10/2026 08:00:00", name, "1A", password, "Lui faire la courte échelle", mail)
        for name, password, mail in rows
    ]
    csv.writer(text).writerows([HEAD, *lines])
    return {"name": "inscrits.csv", "mimeType": "text/csv", "buffer": text.getvalue().encode()}


def check(page: Page, file: FilePayload) -> None:
    page.get_by_label("Fichier des joueurs").set_input_files(file)
    page.get_by_role("button", name="Vérifier").click()


def sums(page: Page) -> dict[str, str]:
    """Give the numbers of the preview by their names."""
    cells = page.locator(".sums > div").all()
    return {cell.locator("dt").inner_text(): cell.locator("dd").inner_text() for cell in cells}


def test_every_mistake_is_shown_with_its_row_and_nothing_is_imported(
    stage: Stage, devices: Devices
) -> None:
    page = devices.open("/organiser/import", stage.host.cookie, screen="laptop")
    check(
        page,
        upload(
            ("Wassim", "un-mot-de-passe", "wassim@example.org"),
            ("", "un-autre-encore", "vide@example.org"),
            ("wassim", "un-troisieme", "double@example.org"),
            ("Xenia", "un-quatrieme", "pas une adresse"),
        ),
    )
    rows = page.locator(".faults-faults tbody tr")
    expect(page.get_by_text("À corriger dans le fichier")).to_be_visible()
    expect(rows.filter(has_text="n’a pas de surnom").get_by_role("cell", name="3")).to_be_visible()
    twice = rows.filter(has_text="a déjà répondu ligne 2")
    expect(twice.get_by_role("cell", name="4", exact=True)).to_be_visible()
    shoot(page, "import-problems-laptop", full_page=True)
    page.set_viewport_size({"width": 390, "height": 844})
    shoot(page, "import-problems-phone", full_page=True)
    assert {row["nickname"] for row in stage.table()} == {*stage.people, "Chef"}


def test_a_sound_list_is_imported_and_the_start_reaches_the_phones(
    stage: Stage, devices: Devices
) -> None:
    waiting = devices.open("/", stage.cookie("Camille"))
    expect(waiting.get_by_role("heading", name="Garde l’œil ouvert")).to_be_visible()
    expect(waiting.locator("#link")).to_have_text("en direct")
    desk = devices.open("/organiser/import", stage.host.cookie, screen="laptop")
    check(desk, upload(("Yasmine", "un-mot-de-passe", "y@example.org"), ("Zéphyr", "", "")))
    expect(desk.get_by_role("button", name="Tout importer")).to_be_visible()
    assert sums(desk)["nouveaux"] == "2"
    shoot(desk, "import-sound-laptop", full_page=True)
    desk.get_by_role("button", name="Tout importer").click()
    expect(desk.get_by_text("2 joueurs importés.")).to_be_visible()
    expect(desk.get_by_label("1 lien de connexion")).to_contain_text("Zéphyr")
    shoot(desk, "import-done-laptop", full_page=True)
    expect(waiting.locator('[data-live="players"]')).to_have_text("5")
    shoot(waiting, "card-waiting-phone")

    desk.get_by_role("link", name="Voir tous les joueurs").click()
    desk.get_by_role("link", name="Lancer la partie").click()
    shoot(desk, "start-dialog-laptop")
    desk.get_by_role("dialog").get_by_role("button", name="Lancer la partie").click()
    expect(desk.get_by_role("heading", name="En cours")).to_be_visible()
    expect(waiting.get_by_role("heading", name="Ta cible")).to_be_visible()
    assert len(stage.ring()) == 5
