"""How people come in: by password, or by a link that is tapped once."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from browser.devices import Devices, shoot
from browser.stage import Stage


def sign_in(page: Page, nickname: str, password: str) -> None:
    page.get_by_label("Surnom").fill(nickname)
    page.get_by_label("Mot de passe").fill(password)
    page.get_by_role("button", name="Entrer").click()


@pytest.mark.parametrize("screen", ["phone", "laptop"])
def test_a_wrong_password_is_said_and_the_right_one_opens_the_card(
    stage: Stage, devices: Devices, screen: str
) -> None:
    devices.forgive("401")
    somebody = next(iter(stage.people.values()))
    page = devices.open("/", screen=screen)
    shoot(page, f"sign-in-{screen}")
    sign_in(page, somebody.nickname, "certainly not this")
    expect(page.get_by_role("alert")).to_contain_text("ne vont pas ensemble")
    expect(page.get_by_label("Surnom")).to_have_value(somebody.nickname)
    shoot(page, f"sign-in-wrong-{screen}")
    sign_in(page, f"  {somebody.nickname.upper()} ", somebody.password)
    expect(page.get_by_role("heading", name="Ta cible")).to_be_visible()
    expect(page.get_by_text(f"En mission : {somebody.nickname}")).to_be_visible()


def test_who_wanted_another_page_gets_it_after_signing_in(stage: Stage, devices: Devices) -> None:
    devices.forgive("401")
    somebody = next(iter(stage.people.values()))
    page = devices.open("/leaderboard")
    sign_in(page, somebody.nickname, somebody.password)
    expect(page.get_by_role("heading", name="Classement")).to_be_visible()


def test_a_link_survives_being_looked_at_and_opens_once(stage: Stage, devices: Devices) -> None:
    devices.forgive("404")
    link = stage.link("Nadia")
    for _ in range(2):  # a mail scanner, a preview in a chat
        devices.open(link)
    page = devices.open(link)
    expect(page.get_by_role("heading", name="Bonjour Nadia")).to_be_visible()
    shoot(page, "link-phone")
    page.get_by_role("button", name="Ouvrir mon dossier").tap()
    expect(page).to_have_url(f"{stage.origin}/organiser")
    again = devices.open(link)
    expect(again.get_by_role("heading", name="Ce lien n’ouvre plus rien")).to_be_visible()
    expect(again.get_by_text("Il a déjà servi")).to_be_visible()
    shoot(again, "link-used-phone")
    again.get_by_role("link", name="Me connecter autrement").tap()
    expect(again.get_by_label("Mot de passe")).to_be_visible()


def test_two_phones_that_tap_the_same_link_are_told_apart(stage: Stage, devices: Devices) -> None:
    devices.forgive("401", "404")
    link = stage.link("Omar")
    one, other = devices.open(link), devices.open(link)
    one.get_by_role("button", name="Ouvrir mon dossier").tap()
    expect(one).to_have_url(f"{stage.origin}/organiser")
    other.get_by_role("button", name="Ouvrir mon dossier").tap()
    expect(other.get_by_text("Il a déjà servi")).to_be_visible()


def test_signing_out_closes_the_door_behind(stage: Stage, devices: Devices) -> None:
    devices.forgive("401")
    page = devices.open("/", stage.cookie(next(iter(stage.people))))
    page.get_by_role("button", name="Se déconnecter").tap()
    expect(page).to_have_url(f"{stage.origin}/sign-in")
    page.goto("/")
    expect(page.get_by_label("Mot de passe")).to_be_visible()
