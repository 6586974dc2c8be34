"""The organisers' desk while the game runs: finding, deciding, taking back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from browser.devices import Devices, shoot
from browser.stage import Stage, exactly

#: What is read in the cells of a row, with the signs that the style sheet puts between them.
SAID = """row => [...row.cells].map(cell => ['::before', '', '::after'].map(part => {
  if (!part) return cell.textContent;
  const said = getComputedStyle(cell, part).content;
  if (said === 'none') return '';
  return said.replace(/"/g, '').replace(/attr\\((.*?)\\)/, (_, name) => cell.getAttribute(name));
}).join('')).slice(0, -1).join('')"""
KEYBOARD = 400  # pixels that a phone's keyboard leaves of the page, at least


def desk(stage: Stage, devices: Devices, path: str = "/organiser", screen: str = "laptop") -> Page:
    return devices.open(path, stage.host.cookie, screen=screen)


def shown(page: Page) -> list[str]:
    """Give the nicknames of the rows that can be seen, in their order."""
    return page.locator("#players-table tbody tr:visible th").all_inner_texts()


def acts(page: Page, deed: str, why: str) -> None:
    """Open one of a player's deeds, choose a reason, and do it."""
    part = page.locator("details").filter(has=page.locator("summary", has_text=deed))
    part.locator("summary").click()
    part.get_by_role("button", name=why).click()
    expect(part.get_by_label("Pourquoi ?")).to_have_value(why)
    part.get_by_role("button", name=deed, exact=True).click()


def status(stage: Stage, nickname: str) -> str:
    return str(next(row["status"] for row in stage.table() if row["nickname"] == nickname))


def test_a_player_is_found_in_two_keystrokes(stage: Stage, devices: Devices) -> None:
    page = desk(stage, devices)
    page.keyboard.press("s")
    page.keyboard.press("a")
    expect(page.locator("[data-found]")).to_have_text("2 trouvés")
    assert shown(page) == ["Sacha", "Sacha Corbeau"]
    shoot(page, "desk-found-laptop")
    page.keyboard.press("Escape")
    assert len(shown(page)) > 20
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()


def test_a_player_is_found_above_the_keyboard_of_a_phone(stage: Stage, devices: Devices) -> None:
    page = desk(stage, devices, screen="phone")
    field = page.get_by_role("searchbox")
    expect(field).to_be_in_viewport(ratio=1)
    shoot(page, "desk-phone-first")
    for typed, found in (("sacha cor", "1 trouvé"), ("sacha x", "0 trouvé"), ("sac", "2 trouvés")):
        field.fill(typed)
        expect(page.locator("[data-found]")).to_have_text(found)
        shoot(page, f"desk-phone-{found[0]}")
    page.reload()
    field.fill("sacha cor")
    assert top(page.locator("#players-table tbody tr:visible")) < KEYBOARD
    assert top(field) >= 0


def test_the_tabs_of_the_desk_are_one_row_that_shows_where_one_is(
    stage: Stage, devices: Devices
) -> None:
    page = desk(stage, devices, "/organiser/weather", screen="phone")
    tabs = page.locator(".subnav a")
    assert len({round(top(tab)) for tab in tabs.all()}) == 1
    expect(page.locator(".subnav [aria-current]")).to_be_in_viewport(ratio=1)
    tabs.first.focus()
    expect(tabs.first).to_be_in_viewport()


def test_the_faults_of_a_file_name_their_line_on_a_phone(stage: Stage, devices: Devices) -> None:
    page = desk(stage, devices, "/organiser/import", screen="phone")
    roster = b"Surnom,Promo\nNina,1A\nnina,2A\n"
    page.get_by_label("Fichier des joueurs").set_input_files(
        {"name": "players.csv", "mimeType": "text/csv", "buffer": roster}
    )
    page.get_by_role("button", name="Vérifier").click()
    row = page.locator(".faults-faults tbody tr").first
    shoot(page, "desk-faults-phone", full_page=True)
    assert row.evaluate(SAID).startswith("players.csv · ligne 3 · ")
    assert not re.search(r"· *\n", row.evaluate(SAID) + "\n")


def top(place: Locator) -> float:
    box = place.first.bounding_box()
    assert box is not None
    return box["y"]


def test_the_table_sorts_by_any_column_and_filters_by_status(
    stage: Stage, devices: Devices
) -> None:
    stage.falls(stage.ring()[0])
    page = desk(stage, devices)
    names = shown(page)
    page.get_by_role("button", name="Surnom").click()
    assert shown(page) == names[::-1]
    head = page.get_by_role("columnheader", name="Victimes")
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    kills = page.locator("#players-table tbody .c-kills").all_inner_texts()
    assert [int(n) for n in kills] == sorted((int(n) for n in kills), reverse=True)
    page.get_by_role("radio", name="éliminé").check()
    fallen = {row["nickname"] for row in stage.table() if row["status"] == "dead"}
    assert set(shown(page)) == fallen
    shoot(page, "desk-fallen-laptop")


@pytest.mark.parametrize("screen", ["phone", "laptop"])
def test_targets_are_veiled_until_they_are_asked_for(
    stage: Stage, devices: Devices, screen: str
) -> None:
    page = desk(stage, devices, screen=screen)
    target = page.locator(".c-target .hush").first
    expect(target).to_have_css("color", "rgba(0, 0, 0, 0)")
    shoot(page, f"desk-{screen}")
    page.get_by_text(exactly("Montrer les cibles")).click()
    expect(target).not_to_have_css("color", "rgba(0, 0, 0, 0)")
    shoot(page, f"desk-targets-{screen}")


def test_a_death_is_told_to_an_open_table_that_stays_sorted_and_found(
    stage: Stage, devices: Devices
) -> None:
    page = desk(stage, devices)
    expect(page.locator("#link")).to_have_text("en direct")
    page.get_by_role("button", name="Surnom").click()
    victim = stage.ring()[0]
    page.get_by_role("searchbox").fill(victim)
    stage.falls(victim)
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name=victim, exact=True))
    expect(row).to_contain_text("éliminé")
    assert all(victim in name for name in shown(page))
    expect(page.get_by_role("columnheader", name="Surnom")).to_have_attribute(
        "aria-sort", "descending"
    )


def test_a_death_that_is_decided_needs_a_reason_and_can_be_taken_back(
    stage: Stage, devices: Devices
) -> None:
    hunter, victim, heir = stage.ring()[:3]
    hunting = devices.open("/", stage.cookie(hunter))
    expect(hunting.locator("#link")).to_have_text("en direct")
    page = desk(stage, devices)
    page.get_by_role("link", name=victim, exact=True).click()
    kill = page.locator("details").filter(has=page.locator("summary", has_text="Déclarer mort"))
    kill.locator("summary").click()
    kill.get_by_role("button", name="Déclarer mort", exact=True).click()  # without a reason
    assert status(stage, victim) == "alive"
    shoot(page, "desk-player-laptop")
    kill.locator("summary").click()
    acts(page, "Déclarer mort", "Litige tranché")
    expect(page.get_by_text(f"L'élimination de {victim} est enregistrée.")).to_be_visible()
    expect(hunting.locator("[data-target]")).to_have_attribute("data-target", heir)

    page.get_by_role("link", name="Journal").click()
    line = page.locator(".log > li").first
    expect(line).to_contain_text(f"{hunter} élimine {victim}.")
    expect(line).to_contain_text("Motif : Litige tranché")
    shoot(page, "desk-log-laptop")
    line.locator("summary").click()
    line.get_by_label("Pourquoi ?").fill("Il respirait encore")
    line.get_by_role("button", name="Annuler le n°").click()
    expect(page.get_by_text(re.compile("L'événement n° .* est annulé"))).to_be_visible()
    expect(hunting.locator("[data-target]")).to_have_attribute("data-target", victim)
    assert status(stage, victim) == "alive"


def test_a_dead_player_is_brought_back_on_the_phone(stage: Stage, devices: Devices) -> None:
    victim = stage.ring()[0]
    stage.falls(victim)
    dead = devices.open("/", stage.cookie(victim))
    expect(dead.get_by_role("heading", name="Paix à ton âme")).to_be_visible()
    expect(dead.locator("#link")).to_have_text("en direct")
    page = desk(stage, devices, screen="phone")
    page.get_by_role("link", name=victim, exact=True).tap()
    shoot(page, "desk-player-phone", full_page=True)
    acts(page, "Faire revenir", "Erreur de saisie")
    expect(page.get_by_text(f"{victim} est en jeu.")).to_be_visible()
    expect(dead.get_by_role("heading", name="Ta cible")).to_be_visible()


def test_a_latecomer_enters_the_hunt_with_a_link_that_is_shown_once(
    stage: Stage, devices: Devices
) -> None:
    page = desk(stage, devices, "/organiser/add")
    page.get_by_label("Surnom").fill("Retardataire")
    page.get_by_label("Défi").fill("Lui faire dire l'heure")
    shoot(page, "desk-add-laptop")
    page.get_by_role("button", name="Ajouter").click()
    expect(page.get_by_text("Retardataire est dans la partie.")).to_be_visible()
    assert "Retardataire" in stage.ring()
    acts(page, "Nouveau lien de connexion", "Nouveau téléphone")
    link = page.get_by_role("textbox", name="Lien de connexion, affiché une seule fois")
    expect(link).to_have_value(re.compile(r"^http://.+/s/.+"))
    shoot(page, "desk-link-laptop")
    address = link.input_value()
    page.goto("/organiser/players/Retardataire")
    expect(link).to_have_count(0)
    assert address not in page.content()
    late = devices.open(address)
    late.get_by_role("button", name="Ouvrir mon dossier").tap()
    expect(late.get_by_role("heading", name="Ta cible")).to_be_visible()


def test_signing_out_everywhere_throws_an_open_phone_out(stage: Stage, devices: Devices) -> None:
    devices.forgive("401")
    somebody = stage.ring()[0]
    phone = devices.open("/", stage.cookie(somebody))
    expect(phone.locator("#link")).to_have_text("en direct")
    page = desk(stage, devices)
    page.get_by_role("link", name=somebody, exact=True).click()
    acts(page, "Déconnecter partout", "Téléphone perdu")
    expect(page.get_by_text(f"Tous les appareils de {somebody} sont déconnectés.")).to_be_visible()
    expect(phone.get_by_label("Mot de passe")).to_be_visible()
    assert "data-target" not in phone.content()


def test_a_pause_is_seen_on_the_card_and_nobody_can_die(stage: Stage, devices: Devices) -> None:
    phone = devices.open("/", stage.cookie(stage.ring()[0]))
    expect(phone.locator("#link")).to_have_text("en direct")
    page = desk(stage, devices, screen="phone")
    page.get_by_role("link", name="Mettre en pause").tap()
    page.get_by_role("dialog").get_by_role("button", name="Mettre en pause").tap()
    expect(page.get_by_role("heading", name="En pause")).to_be_visible()
    expect(phone.get_by_text("Trêve")).to_be_visible()
    expect(phone.get_by_role("link", name="Je suis mort")).to_have_count(0)
    shoot(phone, "card-paused-phone")
    page.get_by_role("link", name="Reprendre").tap()
    page.get_by_role("dialog").get_by_role("button", name="Reprendre").tap()
    expect(phone.get_by_role("link", name="Je suis mort")).to_be_visible()
