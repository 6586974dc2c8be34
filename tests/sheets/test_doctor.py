"""The doctor of the sheet finds every sickness, says what to click, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engines.google import Emulator
from killer.language import say, speaking
from killer.settings import Settings
from killer.sheets.doctor import Finding, examine
from killer.sheets.google import Google
from killer.sheets.pace import Pace

SHEET = "1aB-c_D"
PLAYERS = [
    ["Surnom", "Mot de passe", "Année"],
    ["Zoé", "un mot de passe", "1A"],
    ["Ada", "un autre mot", "2A"],
    ["Bob", "encore un autre", "1A"],
]
CHALLENGES = [["Surnom", "Défi"], ["Zoé", "Chanter"], ["Ada", "Danser"], ["Bob", "Rire"]]
SOUND = {"Joueurs": PLAYERS, "Défis": CHALLENGES}
Examine = Callable[..., list[Finding]]


@pytest.fixture
def check(google: Emulator, tmp_path: Path) -> Examine:
    """Examine with settings that are sound unless others are given; nobody waits."""
    key = google.key_file(tmp_path)
    key.chmod(0o600)

    def look(**more: object) -> list[Finding]:
        settings = Settings(**{"sheet_id": SHEET, "key_file": key} | more)
        pace = Pace(read=6000, write=6000, sleep=lambda _: None)
        return list(examine(settings, Google(settings.key_file, url=google.url, pace=pace)))

    return look


def wrong(found: list[Finding]) -> list[str]:
    return [one.key for one in found if one.grade == "wrong"]


def notes(found: list[Finding]) -> list[str]:
    return [one.key for one in found if one.grade == "note"]


def sentence(found: list[Finding], key: str, language: str = "fr") -> str:
    (one,) = (each for each in found if each.key == key)
    with speaking(language):
        said = say(one.key, **dict(one.params))
    assert "%(" not in said
    return said


def test_a_healthy_sheet_is_told_part_by_part(google: Emulator, check: Examine) -> None:
    google.sheet(SHEET, SOUND)
    found = check()
    assert wrong(found) == []
    fine = [one.key.removeprefix("sheet.check.") for one in found if one.grade == "fine"]
    assert fine == [
        "key", "shared", "may_edit",
        "tab.players", "columns", "tab.challenges", "columns", "sound",
    ]  # fmt: skip
    assert "3 lignes" in sentence(found, "sheet.check.sound")
    assert "Joueurs, Défis" in sentence(found, "sheet.check.shared")
    assert "« Joueurs », 3 lignes" in sentence(found, "sheet.check.tab.players").replace(
        "\xa0", " "
    )


def test_it_changes_nothing(google: Emulator, check: Examine) -> None:
    google.sheet(SHEET, SOUND)
    check()
    assert google.count("write") == 0


def test_without_an_address_it_says_where_to_put_one(google: Emulator, check: Examine) -> None:
    found = check(sheet_id="")
    assert wrong(found) == ["sheet.check.no_id"]
    assert "SHEET_ID" in sentence(found, "sheet.check.no_id")
    assert google.calls == []


def test_without_a_key_it_says_how_to_get_one(google: Emulator, check: Examine) -> None:
    found = check(key_file=Path())
    assert wrong(found) == ["sheet.check.no_key"]
    for language in ("fr", "en"):
        assert "SERVICE_ACCOUNT_FILE" in sentence(found, "sheet.check.no_key", language)
    assert google.calls == []


def test_a_key_that_is_not_there_is_named(check: Examine, tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.json", tmp_path):
        found = check(key_file=path)
        assert wrong(found) == ["google.no_key_file"]
        assert str(path) in sentence(found, "google.no_key_file")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"client_email": 1}', "PNG"])
def test_a_file_that_is_no_key_is_named(check: Examine, tmp_path: Path, content: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(content)
    found = check(key_file=path)
    assert wrong(found) == ["google.bad_key_file"]
    assert str(path) in sentence(found, "google.bad_key_file")


def test_a_key_that_others_can_read_is_a_note(
    google: Emulator, check: Examine, tmp_path: Path
) -> None:
    google.sheet(SHEET, SOUND)
    assert "sheet.check.open_key" not in notes(check())
    for mode in (0o640, 0o604):
        google.key_file(tmp_path).chmod(mode)
        found = check()
        assert wrong(found) == []
        assert "chmod 600" in sentence(found, "sheet.check.open_key")


def test_a_key_that_google_refuses(google: Emulator, check: Examine) -> None:
    google.sheet(SHEET, SOUND)
    google.accounts.keys.clear()
    found = check()
    assert wrong(found) == ["google.key_refused"]
    assert "Clés" in sentence(found, "google.key_refused")


def test_an_api_that_is_switched_off_comes_with_its_switch(
    google: Emulator, check: Examine
) -> None:
    google.sheet(SHEET, SOUND)
    google.switch_off("sheets")
    found = check()
    assert wrong(found) == ["google.api_disabled"]
    assert "https://console." in sentence(found, "google.api_disabled")
    google.switch_on("sheets")
    google.switch_off("drive")
    found = check()
    assert (wrong(found), "google.api_disabled" in notes(found)) == ([], True)


def test_a_sheet_that_is_not_shared_says_with_whom_it_should_be(
    google: Emulator, check: Examine
) -> None:
    google.sheet(SHEET, SOUND)
    google.unshare(SHEET)
    found = check()
    assert wrong(found) == ["google.not_shared"]
    for language, word in (("fr", "Partager"), ("en", "Share")):
        said = sentence(found, "google.not_shared", language)
        assert word in said
        assert "killer@un-projet.iam.gserviceaccount.com" in said


def test_a_sheet_that_may_only_be_read_says_which_role_it_needs(
    google: Emulator, check: Examine
) -> None:
    google.sheet(SHEET, SOUND)
    google.share(SHEET, editor=False)
    found = check()
    assert wrong(found) == ["sheet.check.may_not_edit"]
    assert "Éditeur" in sentence(found, "sheet.check.may_not_edit")
    assert "sheet.check.sound" in [one.key for one in found], "the rest is looked at too"


def test_an_address_that_leads_nowhere(google: Emulator, check: Examine) -> None:
    found = check(sheet_id="1nothing")
    assert wrong(found) == ["google.no_such_sheet"]


def test_a_whole_address_is_as_good_as_the_id(google: Emulator, check: Examine) -> None:
    google.sheet(SHEET, SOUND)
    address = f"https://docs.google.com/spreadsheets/d/{SHEET}/edit?gid=0#gid=0"
    assert wrong(check(sheet_id=address)) == []


def test_no_tab_of_players_names_those_that_there_are(google: Emulator, check: Examine) -> None:
    google.sheet(SHEET, {"Courses": [["Article", "Prix"], ["Pain", "1"]], "Vide": []})
    found = check()
    assert wrong(found) == ["google.no_players_tab"]
    assert "Courses, Vide" in sentence(found, "google.no_players_tab")


@pytest.mark.parametrize("setting", ["players_tab", "actions_tab"])
def test_a_title_in_the_settings_that_no_tab_has(
    google: Emulator, check: Examine, setting: str
) -> None:
    google.sheet(SHEET, SOUND)
    found = check(**{setting: "Inscrits"})
    assert wrong(found) == ["google.no_such_tab"]
    assert "Inscrits" in sentence(found, "google.no_such_tab")


def test_a_title_in_the_settings_of_an_empty_tab(google: Emulator, check: Examine) -> None:
    google.sheet(SHEET, SOUND | {"Vide": []})
    found = check(players_tab="Vide")
    assert wrong(found) == ["roster.unreadable_no_header"]
    assert found[-1].where == "Vide"


def test_without_a_column_of_names_it_says_so(google: Emulator, check: Examine) -> None:
    google.sheet(SHEET, {"Joueurs": [["Mot de passe", "Année"], ["x" * 12, "1A"]]})
    found = check(players_tab="Joueurs")
    assert wrong(found) == ["roster.no_nickname_column"]


def test_two_players_of_one_name_are_told_with_their_rows(google: Emulator, check: Examine) -> None:
    google.sheet(SHEET, SOUND | {"Joueurs": [*PLAYERS, ["ZOÉ", "x" * 12, "3A"]]})
    found = check()
    assert wrong(found) == ["roster.answered_twice"]
    assert "2" in sentence(found, "roster.answered_twice")
    assert [one.where for one in found if one.grade == "wrong"] == ["Joueurs:5 Surnom"]
    assert "sheet.check.sound" not in [one.key for one in found]


def test_the_columns_to_come_are_announced_without_the_targets(
    google: Emulator, check: Examine
) -> None:
    google.sheet(SHEET, {"Joueurs": PLAYERS})
    found = check()
    added = sentence(found, "sheet.check.to_add")
    assert "État" in added
    assert "ID Killer" in added
    assert "Cible" not in added
    assert {"sheet.check.no_challenges", "sheet.check.no_targets"} <= set(notes(found))
    found = check(sheet_targets=True)
    assert "Cible actuelle" in sentence(found, "sheet.check.to_add")
    assert "sheet.check.targets" in notes(found)


def test_other_columns_are_kept_as_answers(google: Emulator, check: Examine) -> None:
    google.sheet(SHEET, {"Joueurs": [[*PLAYERS[0], "Allergies"], *PLAYERS[1:]]})
    assert "Allergies" in sentence(check(), "sheet.check.other_columns")


@pytest.mark.parametrize(("trouble", "key"), [(503, "google_down"), ("broken", "half_answer")])
def test_a_google_that_is_ill_is_told_in_a_sentence(
    google: Emulator, check: Examine, trouble: int | str, key: str
) -> None:
    google.sheet(SHEET, SOUND)
    google.fail(trouble, None)
    found = check()
    assert wrong(found) == [f"google.{key}"]
    assert sentence(found, f"google.{key}")
