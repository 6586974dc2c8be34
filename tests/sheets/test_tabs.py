"""Which tab holds the players and which one the challenges."""

from __future__ import annotations

import pytest

from killer.sheets.google import GoogleError, Tab
from killer.sheets.tables import UnreadableTable
from killer.sheets.tabs import choose, table

FORM = [["Horodateur", "Surnom", "Mot de passe"], ["17/10", "Zoé", "x"]]
DARES = [["Surnom", "Défi"], ["Zoé", "chanter"]]
OLD = [["Surnom du tueur", "Mot de passe", "Surnom de sa cible", "Action à réaliser", "État"]]
NOTES = [["Courses", "Prix"], ["pain", "2"]]


def chosen(*cells: list, players: str = "", challenges: str = "") -> tuple[str, str | None]:
    tabs = [Tab(n, f"tab {n}", 100, 26) for n in range(len(cells))]
    found = choose(tabs, cells, players, challenges)
    return found.players.title, found.challenges and found.challenges.title


def test_tabs_are_found_by_their_headers_in_any_order() -> None:
    assert chosen(NOTES, FORM, DARES) == ("tab 1", "tab 2")
    assert chosen([], DARES, NOTES, FORM) == ("tab 3", "tab 1")


def test_one_tab_is_enough() -> None:
    assert chosen(FORM) == ("tab 0", None)
    assert chosen(OLD) == ("tab 0", None)


def test_of_two_copies_the_first_one_counts() -> None:
    assert chosen(FORM, FORM, DARES) == ("tab 0", "tab 2")


def test_titles_in_the_settings_go_before_headers() -> None:
    assert chosen(FORM, FORM, DARES, players="tab 1") == ("tab 1", "tab 2")
    assert chosen(FORM, DARES, DARES, challenges="tab 2") == ("tab 0", "tab 2")


@pytest.mark.parametrize(
    ("titles", "code"), [({}, "no_players_tab"), ({"players": "absent"}, "no_such_tab")]
)
def test_what_is_not_there_is_said(titles: dict[str, str], code: str) -> None:
    with pytest.raises(GoogleError) as caught:
        chosen(NOTES, DARES, **titles)
    assert caught.value.code == code


def test_an_empty_tab_is_no_table() -> None:
    with pytest.raises(UnreadableTable):
        table(Tab(0, "vide", 1, 1), [])
