"""How level the Google Sheet is, on the organisers' pages and for monitors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from killer.game import commands as c
from killer.store.games import now
from killer.store.sheets import Correction
from web.sheet_desk import (
    ENGLISH,
    HOUR,
    MINUTE,
    PAGE,
    boss,
    elsewhere,
    long_ago,
    note,
    offer,
    opened,
    plain,
    said,
    text,
    world,
)
from web.world import BOSS, PLAYERS, World, submit

__all__ = ["boss", "world"]

LAMP = re.compile(r'class="level level-(\w+)".*?<p>(.*?)</p>', re.DOTALL)


def line(client: FlaskClient, path: str = PAGE, **headers: str) -> tuple[str, str]:
    """Give the mood of the line and what it says."""
    found = LAMP.search(client.get(path, headers=headers).text)
    assert found
    return found[1], plain(re.sub("<[^>]+>", "", found[2]))


def read(milliseconds: int) -> dict[str, int]:
    return {"read_at": now() - milliseconds}


# --- the line ---


def test_without_a_sheet_the_desk_is_silent_and_the_page_tells_how_to_set_one(
    gathered: World,
) -> None:
    boss = gathered.phone(BOSS)
    assert 'class="level' not in boss.get("/organiser").text
    page = text(boss)
    assert 'class="level' not in page
    for words in ("Pas encore de feuille", "SHEET_ID=", "SERVICE_ACCOUNT_FILE=", "killer sheet"):
        assert words in page
    assert "No sheet yet" in text(boss, **ENGLISH)
    assert boss.get(f"{PAGE}?part=line").text == ""


def test_a_level_sheet_says_when_it_was_read(world: World, boss: FlaskClient) -> None:
    note(world, **read(90_000))
    said(world)
    for path in (PAGE, "/organiser", f"{PAGE}?part=line"):
        assert line(boss, path) == ("level", "Feuille Google : à jour, lue il y a 1 minute.")
    assert line(boss, **ENGLISH) == ("level", "Google Sheet: level, read 1 minute ago.")


def test_a_late_sheet_says_by_how_much(world: World, boss: FlaskClient) -> None:
    said(world)
    world.do(c.Kill(world.who("Ana").id))
    note(world, **read(0))
    assert line(boss)[0] == "level", "a few seconds are no delay"
    long_ago(world, 2 * HOUR)
    mood, words = line(boss)
    assert (mood, "en retard de 2 heures" in words) == ("late", True)
    assert "2 hours behind" in line(boss, **ENGLISH)[1]
    said(world)
    assert line(boss)[0] == "level"


def test_a_sheet_that_was_never_read_is_being_read(world: World, boss: FlaskClient) -> None:
    assert line(boss) == ("late", "Feuille Google : première lecture en cours.")
    note(world)
    assert line(boss) == ("late", "Feuille Google : première lecture en cours.")
    assert "first time" in line(boss, **ENGLISH)[1]


def test_a_sheet_that_nobody_reads_any_more_is_a_trouble(world: World, boss: FlaskClient) -> None:
    said(world)
    note(world, **read(7 * MINUTE))
    mood, words = line(boss)
    assert (mood, "pas lue depuis 7 minutes" in words) == ("trouble", True)
    assert "not read for 7 minutes" in line(boss, **ENGLISH)[1]


@pytest.fixture
def patient(template: Path, tmp_path: Path) -> Iterator[World]:
    """A deployment that reads its sheet every ten minutes only."""
    yield from opened(template, tmp_path / "patient", players_ttl=600)


def test_a_sheet_that_is_seldom_read_by_choice_is_no_trouble(patient: World) -> None:
    said(patient)
    note(patient, **read(9 * MINUTE))
    assert line(patient.phone(BOSS))[0] == "level"
    note(patient, **read(13 * MINUTE))
    assert line(patient.phone(BOSS))[0] == "trouble"


def test_a_trouble_says_since_when_and_what_to_click(world: World, boss: FlaskClient) -> None:
    cut = {"trouble": "google.not_shared", "since": now() - 5 * MINUTE}
    who = (("address", "killer@un-projet.iam.gserviceaccount.com"),)
    note(world, **read(8 * MINUTE), **cut, details=who)
    mood, words = line(boss)
    assert mood == "trouble"
    assert "coupée depuis 5 minutes, lue il y a 8 minutes" in words
    assert "Partager" in words
    assert who[0][1] in words
    assert "cut off for 5 minutes, read 8 minutes ago" in line(boss, "/organiser", **ENGLISH)[1]
    note(world, **cut, details=who)
    assert "inaccessible depuis 5 minutes, jamais lue" in line(boss)[1]


TROUBLES: list[tuple[str, dict[str, str], str]] = [
    ("google.key_refused", {}, "Clés"),
    ("google.api_disabled", {"api": "Drive", "url": "https://x/"}, "https://x/"),
    ("google.no_such_tab", {"tab": "Joueurs"}, "Joueurs"),
    ("google.resting", {"seconds": "12"}, "12 s"),
    ("roster.unreadable_no_header", {"file": "Feuille 1"}, "première ligne"),
]


def test_every_trouble_has_its_sentence(world: World, boss: FlaskClient) -> None:
    for code, details, says in TROUBLES:
        note(world, trouble=code, details=tuple(details.items()), since=now())
        assert says in line(boss)[1]


def test_the_line_counts_what_waits_for_a_person(world: World, boss: FlaskClient) -> None:
    faults = (Correction(3, "Statut", "roster.empty_nickname"),) * 2
    note(world, **read(0), problems=faults)
    offer(world, "gone", "Ana")
    desk = text(boss, "/organiser")
    assert "1 question à décider · 2 cases à corriger" in desk
    assert "1 question to decide · 2 cells to correct" in text(boss, "/organiser", **ENGLISH)


def test_the_line_alone_asks_again_by_itself(world: World, boss: FlaskClient) -> None:
    part = boss.get(f"{PAGE}?part=line").text
    assert 'hx-trigger="every 10s"' in part
    assert "<html" not in part


# --- the page ---


def test_the_page_leads_to_the_sheet_and_says_whether_targets_are_in_it(
    world: World, boss: FlaskClient, template: Path, tmp_path: Path
) -> None:
    page = text(boss)
    assert 'href="https://docs.google.com/spreadsheets/d/1aB-c_D/edit"' in page
    assert "ne sont pas écrites" in page
    assert "Rien à décider" in page
    assert "Rien à corriger" in page
    for other in opened(template, tmp_path / "open", sheet_targets=True):
        assert "Les cibles sont écrites" in text(other.phone(BOSS))


def test_corrections_name_the_row_the_column_and_what_is_wrong(
    world: World, boss: FlaskClient
) -> None:
    twice = (("nickname", "<i>Ana</i>"), ("other", "4"))
    faults = (
        Correction(7, "<b>Surnom</b>", "roster.nickname_twice", twice),
        Correction(None, "", "roster.no_nickname_column"),
        Correction(9, "", "refusal.game_over"),
    )
    note(world, **read(0), problems=faults)
    page = text(boss)
    assert "Ligne 7 · <b>Surnom</b>" in page
    assert "« <i>Ana</i> » est déjà pris" in page
    assert "Aucune colonne" in page
    assert re.search(r"Ligne 9</span><p>La partie est finie", page)
    assert "Row 7 · " in text(boss, **ENGLISH)
    assert not re.search(r"<[bi]>(Surnom|Ana)", boss.get(PAGE).text)


def test_an_older_game_s_organisers_learn_that_the_sheet_is_another_s(
    world: World, boss: FlaskClient
) -> None:
    note(world, **read(0))
    new = elsewhere(world)
    assert 'class="level' not in boss.get("/organiser").text
    page = text(boss)
    assert "La feuille suit la partie la plus récente" in page
    assert "Pas encore de feuille" not in page
    assert line(new.phone("Zoé"))[0] == "late"


# --- who sees it ---


def test_players_see_nothing_of_it(world: World) -> None:
    ana = world.phone("Ana")
    for path in (PAGE, f"{PAGE}?part=line"):
        assert ana.get(path).status_code == 403
        assert world.visitor().get(path).status_code == 401
    assert 'class="level' not in ana.get("/").text


def test_the_page_tells_nobody_s_target(world: World, boss: FlaskClient) -> None:
    note(world, **read(0), problems=(Correction(2, "Mail", "roster.bad_mail", (("word", "x"),)),))
    offer(world, "status", "Ana", "alive", "dead")
    told = [name for name in PLAYERS if re.search(rf"\b{name}\b", text(boss))]
    assert told == ["Ana"]


# --- monitors ---


def lag(world: World) -> float | None:
    answer = world.visitor().get("/health/ready")
    assert (answer.status_code, answer.json["ready"]) == (200, True)
    return answer.json["sheet_lag"]


def test_monitors_learn_how_far_the_sheet_is_behind(world: World) -> None:
    said(world)
    assert lag(world) == 0.0
    world.do(c.Kill(world.who("Ana").id))
    long_ago(world, HOUR)
    assert 3600 <= lag(world) < 4000
    note(world, trouble="google.unreachable", since=now() - HOUR)
    assert lag(world) >= 3600


def test_without_a_sheet_there_is_no_lag(gathered: World) -> None:
    assert lag(gathered) is None


def test_monitors_are_told_of_the_newest_game(world: World) -> None:
    said(world)
    new = elsewhere(world)
    long_ago(new, MINUTE)
    assert lag(world) >= 60


def test_the_notice_of_a_decision_is_shown_once(world: World, boss: FlaskClient) -> None:
    submit(boss, f"{PAGE}/{offer(world, 'gone', 'Ana')}/refuse", PAGE)
    assert "Le jeu reste comme il est" in text(boss)
    assert "Le jeu reste comme il est" not in text(boss)
