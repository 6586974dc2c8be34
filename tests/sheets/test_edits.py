"""What editors ask of a game: noticed, offered, carried out, or forgotten."""

from __future__ import annotations

from dataclasses import replace

import pytest

from game.players import ALICE, BOB, CHARLIE, DIANE, running
from killer.game import commands as c
from killer.game.refusals import Unknown
from killer.game.rules import decide
from killer.sheets import edits
from killer.sheets.cells import Difference
from killer.sheets.columns import Meaning
from killer.sheets.roster import Entry
from killer.sheets.tables import Row
from killer.store.sheets import Offer

GAME = running(8)
DEAD = GAME.after(*decide(GAME, c.Die(BOB)))


def written(cell: str, meaning: Meaning = Meaning.STATUS, wanted: str = "alive") -> Difference:
    return Difference(BOB, Row(3, (cell,)), meaning, cell, wanted)


def test_a_filled_cell_that_the_game_never_said_is_an_edit() -> None:
    said = {GAME.version: "alive", DEAD.version: "dead"}
    found = [written("dead"), written("gaveup"), written("")]
    told = lambda game, _one: said[game.version]  # noqa: E731 -- a table of two
    assert edits.edited(found, [GAME, DEAD], told) == (found[1],)
    assert edits.edited(found, [GAME], told) == (found[0], found[1])


def test_offers_name_what_is_wanted_in_the_game_s_words() -> None:
    asked = edits.asked(GAME, [written("Morte"), written("charlie", Meaning.TARGET, "")])
    assert [(one.kind, one.before, one.wanted) for one in asked] == [
        ("status", "alive", "dead"),
        ("target", "", "Charlie"),
    ]


@pytest.mark.parametrize(
    "one",
    [
        written("n'importe quoi"),
        written("Personne", Meaning.TARGET),
        written("bob", Meaning.KILLED_BY),
        written("7", Meaning.KILLS),
    ],
)
def test_what_cannot_be_meant_is_not_offered(one: Difference) -> None:
    assert edits.asked(GAME, [one]) == []


def test_too_much_at_once_is_an_accident() -> None:
    assert len(edits.asked(GAME, [written("dead")] * edits.MOST)) == edits.MOST
    assert edits.asked(GAME, [written("dead")] * (edits.MOST + 1)) == []


def test_a_few_lost_rows_are_offered_many_are_an_accident() -> None:
    everybody = list(GAME.players)
    assert [o.player for o in edits.gone(DEAD, everybody, everybody[3:]) or ()] == [ALICE, CHARLIE]
    assert edits.gone(GAME, everybody, everybody[4:]) is None


GONE = Offer(CHARLIE, "gone", "Charlie", "", "out", refused=True, id=5)
NEW = Offer(None, "newcomer", "Zoé", "", "Zoé", id=6)


def test_an_offer_is_made_once_also_when_it_was_refused() -> None:
    assert edits.fresh(
        [replace(GONE, refused=False), *edits.newcomers([Entry("ZOÉ")])], [GONE]
    ) == [Offer(None, "newcomer", "ZOÉ", "", "ZOÉ")]


def test_what_the_sheet_took_back_is_stale_only_if_the_sheet_could_be_read() -> None:
    assert edits.stale(GAME, [GONE, NEW], [GONE]) == [6]
    assert edits.stale(GAME, [GONE, NEW], [], {"gone"}) == [5]
    assert edits.stale(GAME, [GONE, NEW], [], set()) == []


@pytest.mark.parametrize(
    ("offer", "then"),
    [
        (Offer(BOB, "status", "Bob", "alive", "dead", id=1), c.Die(BOB)),
        (Offer(BOB, "target", "Bob", "", "Diane", id=1), c.Die(BOB)),
        (Offer(BOB, "target", "Bob", "", "Diane", id=1), c.Redirect(BOB, DIANE)),
        (Offer(BOB, "killed_by", "Bob", "", "Alice", id=1), c.Die(BOB)),
        (Offer(BOB, "gone", "Bob", "", "out", id=1), c.Remove(BOB)),
    ],
)
def test_what_came_true_is_stale(offer: Offer, then: c.Command) -> None:
    assert edits.stale(GAME, [offer], [offer]) == []
    assert edits.stale(GAME.after(*decide(GAME, then)), [offer], [offer]) == [1]


@pytest.mark.parametrize(
    ("kind", "wanted", "command"),
    [
        ("status", "dead", c.Kill(BOB)),
        ("status", "gaveup", c.GiveUp(BOB)),
        ("status", "out", c.Remove(BOB)),
        ("status", "alive", c.Revive(BOB, 7)),
        ("gone", "out", c.Remove(BOB)),
        ("target", "Diane", c.Redirect(BOB, DIANE)),
        ("killed_by", "Diane", c.Credit(BOB, DIANE)),
    ],
)
def test_an_offer_is_carried_out_by_a_command(kind: str, wanted: str, command: c.Command) -> None:
    assert edits.command(GAME, Offer(BOB, kind, "Bob", "", wanted), 7) == command


def test_a_newcomer_is_enrolled_and_an_unknown_target_refused() -> None:
    enrolled = edits.command(GAME, NEW, 7)
    assert isinstance(enrolled, c.Enrol)
    assert enrolled.nickname == "Zoé"
    with pytest.raises(Unknown):
        edits.command(GAME, Offer(BOB, "target", "Bob", "", "Personne"), 7)
