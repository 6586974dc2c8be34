"""Our columns are marked once, and found wherever somebody moves them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from google_desk import SHEET, Desk

from killer.sheets.columns import Meaning
from killer.sheets.layout import Layout
from killer.sheets.tables import Table, table_of

KEYS = (Meaning.STATUS, Meaning.KILLS)


class Planner:
    """Somebody who reads the sheet and arranges our columns, as a look does."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.layout = desk, Layout(desk.client, SHEET)

    def read(self) -> Table:
        title = self.desk.tab.title
        return table_of(title, self.desk.client.read(SHEET, [title])[0])

    @property
    def tab(self):
        return next(t for t in self.desk.client.tabs(SHEET) if t.id == self.desk.tab.id)

    def settle(self, keys: tuple[Meaning, ...] = KEYS) -> dict[Meaning, int]:
        """Arrange until nothing is missing; give where our columns are."""
        for _ in range(8):
            found = self.read()
            if not self.layout.settled(self.tab, found):
                continue
            missing = self.layout.missing(keys)
            if not missing:
                return dict(self.layout.places(found, keys))
            self.layout.arrange(self.tab, found, missing)
        raise AssertionError("it never settles")


@pytest.fixture
def planner(desk: Desk) -> Planner:
    return Planner(desk)


def test_missing_columns_are_added_at_the_right(planner: Planner) -> None:
    assert planner.settle() == {Meaning.STATUS: 2, Meaning.KILLS: 3}
    assert planner.desk.tab.rows()[0] == ["Surnom", "Équipe", "État", "Nombre de kills"]


def test_columns_that_are_there_are_marked_by_their_headers(planner: Planner) -> None:
    planner.desk.tab.insert_column(0, "Statut")
    assert planner.settle((Meaning.STATUS,)) == {Meaning.STATUS: 0}
    assert planner.desk.tab.rows()[0] == ["Statut", "Surnom", "Équipe"]


@pytest.mark.parametrize("again", [False, True])
def test_moved_columns_are_found_again(planner: Planner, *, again: bool) -> None:
    planner.settle()
    planner.desk.tab.move_column("État", 0)
    planner.desk.tab.insert_column(1, "Notes")
    other = Planner(planner.desk) if again else planner
    writes = planner.desk.google.count("write")
    assert other.settle() == {Meaning.STATUS: 0, Meaning.KILLS: 4}
    assert planner.desk.google.count("write") == writes


def test_a_column_inserted_before_the_marking_leaves_no_wrong_mark(planner: Planner) -> None:
    tab = planner.desk.tab
    tab.insert_column(0, "Statut")
    planner.desk.google.before_write = lambda: tab.insert_column(0, "Notes")
    assert planner.settle((Meaning.STATUS,)) == {Meaning.STATUS: 1}
    assert tab.marked() == {"status": 1}


def test_a_deleted_column_comes_back_at_the_right(planner: Planner) -> None:
    planner.settle()
    planner.desk.tab.delete_column("État")
    assert planner.settle() == {Meaning.KILLS: 2, Meaning.STATUS: 3}


@pytest.mark.parametrize("header", ["Situation", "Téléphone", ""])
def test_a_renamed_column_stays_ours(planner: Planner, header: str) -> None:
    planner.settle()
    planner.desk.tab.set(0, "État", header)
    assert planner.settle()[Meaning.STATUS] == 2
    assert planner.layout.named(planner.read()).header[2] == "État"
    assert planner.desk.tab.rows()[0][2] == header


def test_a_last_column_whose_every_cell_was_emptied_stays_ours(planner: Planner) -> None:
    planner.settle()
    planner.desk.tab.set(0, "Nombre de kills", "")
    assert planner.settle() == {Meaning.STATUS: 2, Meaning.KILLS: 3}


def test_twins_are_told_apart_wherever_they_go(planner: Planner) -> None:
    tab = planner.desk.tab
    planner.settle()
    tab.insert_column(0, "État")
    assert planner.settle()[Meaning.STATUS] == 3
    before = tab.rows()[0]
    tab.move_column(3, 0)
    tab.move_column(1, 3)
    assert tab.rows()[0] == before  # the two have changed places unseen
    assert planner.settle()[Meaning.STATUS] == 0
    header = planner.layout.named(planner.read()).header
    assert (header[0], header[3]) == ("État", "")


def cut_and_paste(planner: Planner) -> None:
    tab = planner.desk.tab
    for number, row in enumerate(tab.rows()):
        tab.set(number, 4, row[2])
        tab.set(number, 2, "")


def clear(planner: Planner) -> None:
    planner.desk.tab.set(0, "État", "")
    planner.desk.tab.set(0, 4, "État")


@pytest.mark.parametrize("deed", [cut_and_paste, clear])
def test_a_column_whose_cells_were_pasted_elsewhere_is_followed(
    planner: Planner, deed: Callable[[Planner], None]
) -> None:
    planner.settle()
    deed(planner)
    assert planner.settle()[Meaning.STATUS] == 4
    assert planner.desk.tab.marked()["status"] == 4
