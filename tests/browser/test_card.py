"""The card: veiled until it is asked for, and a death that every open phone hears of."""

from __future__ import annotations

import re

from playwright.sync_api import Page, Request, expect

from browser.devices import Devices, finger_on, shoot
from browser.stage import Stage, exactly


def reveal(page: Page) -> None:
    page.get_by_text("Touche pour voir ta cible").tap()


def target(page: Page) -> str:
    """Give the target that the card shows or hides."""
    return page.locator("[data-target]").get_attribute("data-target") or ""


def alive(page: Page) -> int:
    """Give the number of survivors that the page shows."""
    return int(page.locator('[data-live="alive"]').inner_text())


def deaths(page: Page) -> list[Request]:
    """Give a list to which every declaration of this page is added."""
    sent: list[Request] = []
    page.on("request", lambda r: r.method == "POST" and sent.append(r))
    return sent


def holds_until_dead(page: Page) -> None:
    """Ask for the dialog, and keep the finger on its button until the card is another."""
    page.get_by_role("link", name="Je suis mort").tap()
    with finger_on(page, page.get_by_role("button", name="Maintiens pour mourir")):
        expect(page.locator("#card")).to_have_attribute("data-mood", "dead")


def test_the_target_is_veiled_until_it_is_asked_for_and_veiled_again(
    stage: Stage, devices: Devices
) -> None:
    hunter, prey = stage.ring()[:2]
    page = devices.open("/", stage.cookie(hunter))
    name = page.locator(".suspect-name").get_by_text(exactly(prey))
    challenge = page.get_by_text(stage.people[prey].challenge)
    expect(name).to_be_hidden()
    expect(challenge).to_be_hidden()
    shoot(page, "card-veiled-phone")
    reveal(page)
    expect(name).to_be_visible()
    expect(challenge).to_be_visible()
    shoot(page, "card-phone")
    page.reload()
    expect(name).to_be_visible()  # the choice is remembered on this phone
    page.get_by_text(exactly("Masquer")).tap()
    expect(name).to_be_hidden()


def test_a_death_held_on_one_phone_reaches_the_others_without_a_reload(
    stage: Stage, devices: Devices
) -> None:
    hunter, victim, heir, *_, witness = stage.ring()
    hunting = devices.open("/", stage.cookie(hunter))
    watching = devices.open("/", stage.cookie(witness), screen="laptop")
    dying = devices.open("/", stage.cookie(victim))
    for page in (hunting, watching):
        expect(page.locator("#link")).to_have_text("en direct")
    reveal(hunting)
    before = alive(watching)
    page_age = hunting.evaluate("performance.timeOrigin")

    dying.get_by_role("link", name="Je suis mort").tap()
    button = dying.get_by_role("button", name="Maintiens pour mourir")
    expect(button).to_be_visible()
    shoot(dying, "death-dialog-phone")
    with finger_on(dying, button):
        expect(button).to_have_class(re.compile("is-holding"))
        shoot(dying, "death-holding-phone")
        expect(dying.locator("#card")).to_have_attribute("data-mood", "dead")
    expect(dying.get_by_role("heading", name="Paix à ton âme")).to_be_visible()
    expect(dying.get_by_role("dialog")).to_have_count(0)
    shoot(dying, "card-dead-phone")

    expect(hunting.locator(".suspect-name").get_by_text(exactly(heir))).to_be_visible()
    expect(hunting.locator(".victims")).to_contain_text(victim)
    expect(hunting.locator("#announce")).to_have_text("Nouvelle cible")
    shoot(hunting, "card-new-target-phone")
    expect(watching.locator('[data-live="alive"]')).to_have_text(str(before - 1))
    expect(watching.locator("#feed")).to_contain_text(victim)
    shoot(watching, "card-laptop")
    assert hunting.evaluate("performance.timeOrigin") == page_age


def test_a_tap_that_was_not_meant_does_nothing(stage: Stage, devices: Devices) -> None:
    somebody = stage.ring()[0]
    page = devices.blank(stage.cookie(somebody))
    page.clock.install()
    page.goto("/")
    sent = deaths(page)
    page.get_by_role("link", name="Je suis mort").tap()
    button = page.get_by_role("button", name="Maintiens pour mourir")
    expect(button).to_be_visible()
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 1)  # it goes on when the test says so
    button.tap()
    with finger_on(page, button):
        expect(button).to_have_class(re.compile("is-holding"))
        page.clock.run_for(500)  # a thumb that rests on the glass: shorter than the hold
    expect(button).not_to_have_class(re.compile("is-holding"))
    page.get_by_role("button", name="Déclarer ma mort").tap()  # the box isn't ticked
    page.clock.run_for(1_300)  # longer than the hold: what was begun would be done by now
    page.wait_for_timeout(300)  # for what must not come
    assert not sent
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_role("button", name="Non, je joue encore").tap()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert somebody in stage.ring()


def test_the_keyboard_alone_is_enough_to_die(stage: Stage, devices: Devices) -> None:
    somebody = stage.ring()[0]
    page = devices.open("/", stage.cookie(somebody), screen="laptop")
    sent = deaths(page)
    page.get_by_role("link", name="Je suis mort").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Maintiens pour mourir")).to_be_focused()
    shoot(page, "death-dialog-laptop")
    page.keyboard.press("Tab")
    expect(page.get_by_role("checkbox", name="Oui, je suis mort")).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Paix à ton âme")).to_be_visible()
    assert len(sent) == 1
    assert somebody not in stage.ring()


def test_a_key_that_is_still_down_from_the_link_does_not_kill(
    stage: Stage, devices: Devices
) -> None:
    page = devices.open("/", stage.cookie(stage.ring()[0]), screen="laptop")
    sent = deaths(page)
    page.get_by_role("link", name="Je suis mort").focus()
    for _ in range(8):  # the key repeats: no keyup between
        page.keyboard.down("Enter")
        page.wait_for_timeout(200)
    page.keyboard.up("Enter")
    assert not sent


def test_escape_and_a_tap_beside_close_the_question(stage: Stage, devices: Devices) -> None:
    page = devices.open("/", stage.cookie(stage.ring()[0]), screen="laptop")
    link = page.get_by_role("link", name="Je suis mort")
    link.click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(link).to_be_focused()
    link.click()
    page.mouse.click(10, 10)
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_without_javascript_the_box_must_be_ticked_and_then_it_works(
    stage: Stage, devices: Devices
) -> None:
    somebody, prey = stage.ring()[:2]
    page = devices.open("/", stage.cookie(somebody), java_script_enabled=False)
    reveal(page)
    expect(page.locator(".suspect-name").get_by_text(exactly(prey))).to_be_visible()
    page.get_by_role("link", name="Je suis mort").tap()
    expect(page).to_have_url(f"{stage.origin}/death")
    expect(page.get_by_role("button", name="Maintiens")).to_be_hidden()
    shoot(page, "death-no-javascript-phone")
    confirm = page.get_by_role("button", name="Déclarer ma mort")
    confirm.tap()
    expect(page).to_have_url(f"{stage.origin}/death")
    assert somebody in stage.ring()
    page.get_by_role("checkbox", name="Oui, je suis mort").check()
    confirm.tap()
    expect(page).to_have_url(f"{stage.origin}/")
    expect(page.get_by_text("C'est noté : tu es mort.")).to_be_visible()
    assert somebody not in stage.ring()


def test_giving_up_counts_for_nobody(stage: Stage, devices: Devices) -> None:
    hunter, quitter, heir = stage.ring()[:3]
    hunting = devices.open("/", stage.cookie(hunter))
    expect(hunting.locator("#link")).to_have_text("en direct")
    page = devices.open("/", stage.cookie(quitter))
    page.get_by_role("link", name="J'abandonne").tap()
    with finger_on(page, page.get_by_role("button", name="Maintiens pour abandonner")):
        expect(page.locator("#card")).to_have_attribute("data-mood", "gaveup")
    expect(hunting.locator("[data-target]")).to_have_attribute("data-target", heir)
    row = next(row for row in stage.table() if row["nickname"] == quitter)
    assert (row["status"], row["killed_by"]) == ("gaveup", None)


def test_a_question_is_withdrawn_when_there_is_nothing_left_to_declare(
    stage: Stage, devices: Devices
) -> None:
    page = devices.open("/", stage.cookie(stage.ring()[0]))
    expect(page.locator("#link")).to_have_text("en direct")
    page.get_by_role("link", name="Je suis mort").tap()
    expect(page.get_by_role("dialog")).to_be_visible()
    stage.command("pause")
    try:
        expect(page.locator("#card")).to_have_attribute("data-mood", "paused")
        expect(page.get_by_role("dialog")).to_have_count(0)
    finally:
        stage.command("resume")
