"""What a pull takes from the sheet: all of it before the start, corrections afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from kept_sheet import HEAD, form, old_form

from killer import passwords
from killer.game import commands as c
from killer.game.model import PlayerId, Status
from killer.sheets.identity import mark_of, tag_of
from killer.sheets.pull import Pull, Pulled
from killer.sheets.roster import Reading
from killer.sheets.tables import Table, table_of
from killer.store import people
from killer.store.database import StoreUnavailableError
from store.worlds import World, a_world

STATE = [*HEAD, "État", "Tué par", "Ordre d'élimination", "Mot de passe"]


@pytest.fixture
def world(sqlite_url: str) -> Iterator[World]:
    found = a_world(sqlite_url)
    yield found
    found.database.close()


class Puller:
    """Takes tables into the game of a world, and counts how often one had to be read."""

    def __init__(self, world: World) -> None:
        self.world, self.readings = world, 0
        self.pull = Pull(world.play, world.number, tag_of(1), self.aside)

    def aside(self, work):
        found = work()
        self.readings += isinstance(found, Reading)
        return found

    def contacts(self) -> Mapping:
        with self.world.database.read() as connection:
            return people.read_contacts(connection, self.world.number)

    def take(self, rows: list[list[str]], **how: bool) -> Pulled:
        return self.pull.take(self.world.game, table(rows), None, self.contacts(), **how)


@pytest.fixture
def puller(world: World) -> Puller:
    return Puller(world)


def table(rows: list[list[str]]) -> Table:
    return table_of("Joueurs", rows)


def with_state(*states: tuple[str, str, str, str]) -> list[list[str]]:
    rows = form(len(states))[1:]
    return [STATE, *(row + list(more) for row, more in zip(rows, states, strict=True))]


def test_a_sheet_that_has_not_changed_is_not_read_again(puller: Puller) -> None:
    puller.take(form(3))
    puller.take(form(3))
    readings = puller.readings
    assert puller.take(form(3)).plan is None
    assert puller.readings == readings


def test_a_game_that_began_elsewhere_is_carried_over_and_then_led_here(puller: Puller) -> None:
    rows = with_state(
        ("", "", "", ""), ("mort", "Ada", "1", ""), ("", "", "", ""), ("", "", "", "")
    )
    puller.take(rows)
    assert puller.world.player("Bob").status is Status.DEAD
    puller.world.perform(c.Start(1))
    version = puller.world.game.version
    rows[1][len(HEAD)], rows[2][len(HEAD)] = "mort", "vivant"
    pulled = puller.take(rows)
    assert (pulled.corrections, puller.world.game.version) == ((), version)


def test_words_in_state_columns_spoil_no_correction_during_the_game(puller: Puller) -> None:
    rows = with_state(*[("", "", "", "")] * 4)
    puller.take(rows)
    puller.world.perform(c.Start(1))
    rows[1][len(HEAD) : len(HEAD) + 3] = ["en vacances", "Personne", "douze"]
    rows[1][2] = "5A"
    assert puller.take(rows).corrections == ()
    assert puller.world.player("Ada").year == "5A"


def test_newcomers_of_a_begun_game_are_told_and_not_enrolled(puller: Puller) -> None:
    puller.take(form(3))
    puller.world.perform(c.Start(1))
    assert [e.nickname for e in puller.take(form(4)).newcomers or ()] == ["Dov"]
    assert len(puller.world.game.players) == 3


def test_newcomers_of_a_sheet_that_cannot_be_read_are_unknown(puller: Puller) -> None:
    assert puller.take([HEAD]).newcomers is None


def test_a_row_that_is_refused_is_told_and_the_others_are_taken(puller: Puller) -> None:
    puller.world.perform(c.Enrol("Robert"))
    puller.take(form(3))
    rows = form(3)
    rows[1][1], rows[2][2] = "Robert", "5A"
    found = puller.take(rows)
    assert [(one.row, one.code) for one in found.corrections] == [(2, "refusal.nickname_taken")]
    assert puller.world.player("Bob").year == "5A"


def test_a_renamed_target_is_still_known_as_somebody_s_target(puller: Puller) -> None:
    marks = ["ID Killer", *(mark_of(PlayerId(n), tag_of(1)) for n in range(1, 5))]
    rows = [[*row, mark] for row, mark in zip(old_form(4), marks, strict=True)]
    puller.take(rows)
    puller.world.perform(c.Start(1))
    rows[2][3] = "Robert"
    for _ in range(3):
        assert puller.take(rows).corrections == ()
    rows[1][6] = "tout autre chose"  # beside Ada's target, who is Robert by now
    puller.take(rows)
    assert puller.world.player("Robert").challenge == "tout autre chose"


def test_a_password_that_changed_is_taken_also_after_the_database_failed(puller: Puller) -> None:
    rows = with_state(*[("", "", "", "before")] * 2)
    puller.take(rows)
    rows[1][-1] = "afterwards"
    world = puller.world
    contacts, game = puller.contacts(), world.game
    holder = world.database.engine.raw_connection()
    holder.cursor().execute("BEGIN IMMEDIATE")
    world.database.patience = 0.1
    with pytest.raises(StoreUnavailableError):
        puller.pull.take(game, table(rows), None, contacts)
    holder.rollback()
    puller.take(rows)
    with world.database.read() as connection:
        kept = people.hashes(connection, world.number)
    assert passwords.fits(kept[world.player("Ada").id], "afterwards")


def test_a_dry_pull_says_what_it_would_do(puller: Puller) -> None:
    found = puller.take(form(3), dry=True)
    assert found.plan
    assert len(found.plan.new) == 3
    assert puller.world.game.version == 0
    assert len((puller.take(form(3)).plan or found.plan).new) == 3
    assert puller.world.game.version > 0


def test_a_target_whose_row_was_deleted_spoils_no_correction(puller: Puller) -> None:
    puller.take(old_form(5))
    puller.world.perform(c.Start(1))
    rows = old_form(5)
    del rows[2]
    rows[1][2] = "5A"
    assert puller.take(rows).corrections == ()
    assert puller.world.player("Ada").year == "5A"
