"""The client of Google against an emulated Google: what it asks for, and what it gets."""

from __future__ import annotations

from pathlib import Path

import pytest
from google_desk import COLUMNS, PLAYERS, SHEET, Desk, desk, slept

from engines.google import Emulator
from killer.sheets.google import Column, Google, GoogleError
from killer.sheets.google import Tab as Known

__all__ = ["desk", "slept"]


def test_nothing_is_read_or_asked_before_the_first_question(google: Emulator) -> None:
    client = Google(Path("/nowhere/key.json"), url=google.url)
    assert google.calls == []
    with pytest.raises(GoogleError, match="no_key_file") as caught:
        client.tabs(SHEET)
    assert caught.value.params == {"file": "/nowhere/key.json"}


def test_the_address_is_the_key_s(desk: Desk) -> None:
    assert desk.client.address == "killer@un-projet.iam.gserviceaccount.com"
    assert desk.google.calls == []


def test_the_tabs_are_one_read(desk: Desk) -> None:
    assert desk.client.tabs(SHEET) == [Known(0, "L'été à Paris", 12, 5), Known(1, "Défis", 12, 5)]
    assert [call.kind for call in desk.google.calls] == ["token", "read"]


def test_several_tabs_are_read_at_once_whatever_their_names(desk: Desk) -> None:
    desk.tab.set(3, "Équipe", 7)
    rows = [*PLAYERS[:3], ["Bob", "7"]]
    assert desk.client.read(SHEET, ["Défis", "L'été à Paris"]) == [[], rows]
    assert desk.google.count("read") == 1
    assert desk.client.read(SHEET, []) == []


def test_a_big_tab_arrives_whole(desk: Desk) -> None:
    rows = [[f"réponse {row}-{column}" for column in range(25)] for row in range(500)]
    desk.google.sheet("big", {"Réponses": rows})
    assert desk.client.read("big", ["Réponses"]) == [rows]


def test_columns_are_added_with_header_and_mark_in_one_write(desk: Desk) -> None:
    desk.client.add_columns(SHEET, desk.tab.id, 1, 0, COLUMNS)
    assert desk.tab.rows()[0] == ["Surnom", "Statut", "Éliminations", "Équipe"]
    assert desk.tab.rows()[1] == ["Zoé", "", "", "rouge"]
    assert [(c.key, c.tab, c.index) for c in desk.client.columns(SHEET)] == [
        ("status", 0, 1),
        ("kills", 0, 2),
    ]
    assert desk.google.count("write") == 1


def test_columns_are_added_after_the_last_one_of_the_grid(desk: Desk) -> None:
    desk.client.add_columns(SHEET, desk.tab.id, 5, 0, COLUMNS)
    assert desk.tab.rows()[0] == ["Surnom", "Équipe", "", "", "", "Statut", "Éliminations"]
    assert desk.tab.marked() == {"status": 5, "kills": 6}


def test_columns_that_can_t_be_added_leave_nothing_behind(desk: Desk) -> None:
    assert desk.error("add_columns", SHEET, desk.tab.id, 1, 12, COLUMNS).code == "bad_range"
    assert (desk.tab.rows(), desk.tab.width, desk.tab.marked()) == (PLAYERS, 5, {})
    assert desk.error("add_columns", SHEET, desk.tab.id, 6, 0, COLUMNS).code == "bad_range"
    assert desk.error("add_columns", SHEET, 99, 1, 0, COLUMNS).code == "bad_range"


def test_a_header_stays_text_whatever_it_begins_with(desk: Desk) -> None:
    desk.client.add_columns(SHEET, desk.tab.id, 2, 0, {"status": "=1+1"})
    assert desk.tab.raw(0, 2) == "=1+1"


def test_columns_that_are_there_are_marked(desk: Desk) -> None:
    desk.client.mark_columns(SHEET, desk.tab.id, {1: "team"})
    assert desk.client.columns(SHEET) == [Column(desk.marks()["team"], "team", 0, 1)]
    assert desk.tab.rows() == PLAYERS


def test_a_mark_is_found_where_the_organiser_moved_its_column(desk: Desk) -> None:
    mark = desk.marked()["status"]
    desk.tab.move_column("Statut", 0)
    desk.tab.insert_column(0, "Notes")
    desk.client.write(SHEET, {mark: {1: "Mort"}})
    assert desk.tab.cell(1, "Statut") == "Mort"
    assert desk.tab.rows()[1] == ["", "Mort", "Zoé", "rouge", ""]


def test_only_the_cells_that_are_meant_are_written(desk: Desk) -> None:
    marks = desk.marked()
    for row in (1, 2, 3):
        desk.tab.set(row, "Statut", f"à la main {row}")
    desk.client.write(SHEET, {marks["status"]: {1: "Mort", 3: ""}, marks["kills"]: {2: 4}})
    assert [row[2:] for row in desk.tab.rows()[1:]] == [
        ["Mort", ""],
        ["à la main 2", "4"],
        ["", ""],
    ]
    assert desk.google.count("write") == 2


def test_what_is_written_stays_what_it_is(desk: Desk) -> None:
    mark = desk.marked()["status"]
    desk.client.write(SHEET, {mark: {1: "=1+1", 2: "0123", 3: 7}})
    assert [desk.tab.raw(row, "Statut") for row in (1, 2, 3)] == ["=1+1", "0123", 7]


def test_writing_nothing_asks_nothing(desk: Desk) -> None:
    desk.client.write(SHEET, {})
    desk.client.write(SHEET, {700001: {}})
    desk.client.mark_columns(SHEET, 0, {})
    assert desk.google.calls == []


def test_a_write_to_rows_or_columns_that_are_gone_is_a_bad_range_and_writes_nothing(
    desk: Desk,
) -> None:
    marks = desk.marked()
    before = desk.tab.rows()
    assert desk.error("write", SHEET, {marks["status"]: {1: "x", 12: "x"}}).code == "bad_range"
    desk.google.before_write = lambda: desk.tab.delete_column("Éliminations")
    error = desk.error("write", SHEET, {marks["status"]: {1: "x"}, marks["kills"]: {1: 1}})
    assert (error.code, error.retry) == ("bad_range", False)
    assert desk.tab.rows() == [row[:3] for row in before]


def test_a_renamed_tab_is_a_bad_range(desk: Desk) -> None:
    desk.tab.rename("Joueurs")
    assert desk.error("read", SHEET, ["L'été à Paris"]).code == "bad_range"


def test_a_file_comes_whole_or_not_at_all(desk: Desk) -> None:
    desk.google.put_file("photo", b"\x89PNG" * 1000)
    assert desk.client.file("photo", 4000) == b"\x89PNG" * 1000
    error = desk.error("file", "photo", 3999)
    assert (error.code, error.params, error.retry) == ("file_too_large", {"most": "0.004"}, False)
    assert desk.google.count("read") == 0


def test_a_file_that_isn_t_shared_says_with_whom_to_share_it(desk: Desk) -> None:
    desk.google.put_file("photo", b"...", shared=False)
    error = desk.error("file", "photo", 10)
    assert (error.code, error.params) == ("file_not_shared", {"address": desk.client.address})
