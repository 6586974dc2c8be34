"""What a cell should say, and when it says it already."""

from __future__ import annotations

import pytest

from game.players import BOB, running
from killer.game import commands as c
from killer.game.rules import decide
from killer.sheets.cells import Hand, differences, says, values, writable
from killer.sheets.columns import Meaning
from killer.sheets.tables import Row
from killer.store.people import Contact, Said

HAND = Hand("abcd")
GAME = running(4)
DEAD = GAME.after(*decide(GAME, c.Die(BOB)))


@pytest.mark.parametrize(
    ("meaning", "cell", "value", "same"),
    [
        (Meaning.STATUS, "Mort(e)", "dead", True),
        (Meaning.STATUS, "", "alive", False),
        (Meaning.STATUS, "bientôt", "alive", False),
        (Meaning.KILLED_BY, " zoé ", "Zoé", True),
        (Meaning.KILLED_BY, "", "", True),
        (Meaning.ORDER, "2,00", 2, True),
        (Meaning.ORDER, "", 0, True),
        (Meaning.ORDER, "-1", 0, True),
        (Meaning.KILLS, "0.0", 0, True),
        (Meaning.KILLS, "", 0, False),
        (Meaning.KILLS, "VRAI", 1, False),
        (Meaning.MARK, " k1-abcd ", "k1-abcd", True),
        (Meaning.MARK, "K1-ABCD", "k1-abcd", False),
    ],
)
def test_a_cell_says_it_however_people_write_it(
    meaning: Meaning, cell: str, value: str | int, *, same: bool
) -> None:
    assert says(meaning, cell, value) is same


def test_a_row_says_the_fall_the_killer_and_the_count() -> None:
    row = values(DEAD, BOB, Contact(), HAND)
    assert row[Meaning.STATUS] == "dead"
    assert (row[Meaning.KILLED_BY], row[Meaning.ORDER]) == ("Alice", 1)
    assert values(DEAD, DEAD.players[BOB].killed_by, Contact(), HAND)[Meaning.KILLS] == 1


def test_a_target_is_said_only_when_the_settings_say_so() -> None:
    assert values(GAME, BOB, Contact(), HAND)[Meaning.TARGET] == ""
    assert values(GAME, BOB, Contact(), Hand("abcd", targets=True))[Meaning.TARGET] == "Charlie"


@pytest.mark.parametrize(
    ("aim", "cell", "told"),
    [("Diane", "Zoé", True), ("Diane", "", False), (None, "Zoé", False), ("", "Zoé", True)],
)
def test_a_target_is_put_back_only_over_another_and_only_what_was_seen(
    aim: str | None, cell: str, *, told: bool
) -> None:
    contacts = {BOB: Contact(said=Said("Bob", aim=aim))}
    row = (Row(2, (cell,)), BOB)
    found = list(differences([row], {Meaning.TARGET: 0}, GAME, contacts, HAND))
    assert [one.wanted for one in found] == ([aim] if told else [])


def test_a_row_that_ends_early_says_nothing_at_its_end() -> None:
    found = list(differences([(Row(2, ()), BOB)], {Meaning.STATUS: 5}, GAME, {}, HAND))
    assert [(one.cell, one.wanted) for one in found] == [("", "alive")]


def test_nobody_has_a_place_in_the_order_yet() -> None:
    assert writable(Meaning.ORDER, 0) == ""
    assert writable(Meaning.KILLS, 0) == 0
