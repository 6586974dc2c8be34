"""Importing again: the sheet's own changes are taken, and nobody else's are undone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from test_importer import ALL, HEAD, MID_GAME, imported, planned

from killer.game import commands as c
from killer.game.model import Status
from store.worlds import World, a_world


@pytest.fixture
def world(sqlite_url: str) -> Iterator[World]:
    found = a_world(sqlite_url)
    yield found
    found.database.close()


def do(world: World, *commands: c.Command) -> None:
    world.play.perform(world.number, *commands)


def test_a_player_who_was_renamed_here_does_not_come_twice(world: World) -> None:
    imported(world, ALL)
    do(world, c.Edit(world.player("Bob").id, (("nickname", "Bee"),)))
    version = world.game.version
    done = imported(world, ALL)
    assert (done.version, done.passwords) == (version, 0)
    assert [p.nickname for p in world.game.alive] == ["Alice", "Bee", "Charlie"]


def test_a_player_who_was_renamed_in_the_sheet_is_known_by_the_mail(world: World) -> None:
    imported(world, ALL)
    imported(world, ALL.replace("Bob,2A", "Robert,2A"))
    assert [p.nickname for p in world.game.alive] == ["Alice", "Robert", "Charlie"]


def test_what_organisers_did_here_is_not_undone(world: World) -> None:
    imported(world, ALL)
    alice, bob = world.player("Alice").id, world.player("Bob").id
    do(world, c.Remove(alice), c.Edit(bob, (("challenge", "tout autre chose"),)))
    again = planned(world, ALL)
    assert (again.commands, again.unchanged) == ((), 3)
    corrected = planned(world, ALL.replace("chanter", "siffler"))
    assert corrected.commands == (c.Edit(bob, (("challenge", "siffler"),)),)


def test_a_row_that_is_back_in_play_in_the_sheet_is_back_in_the_game(world: World) -> None:
    imported(world, ALL.replace("danser,,vivant", "danser,,hors jeu"))
    assert world.player("Alice").status is Status.OUT
    imported(world, ALL)
    assert world.player("Alice").status is Status.ALIVE


def test_a_corrected_history_is_told_anew(world: World) -> None:
    imported(world, MID_GAME)
    corrected = MID_GAME.replace("Bob,,mort,Alice,2", "Bob,,mort,Diane,2")
    assert [e.nickname for e in planned(world, corrected).changed] == ["Bob"]
    imported(world, corrected)
    assert world.player("Bob").killed_by == world.player("Diane").id
    assert [p.nickname for p in world.game.fallen] == ["Émile", "Bob"]
    assert planned(world, corrected).commands == ()


def test_who_is_alive_after_all_is_given_a_place_in_the_ring(world: World) -> None:
    imported(world, MID_GAME)
    alive = MID_GAME.replace("Bob,,mort,Alice,2", "Bob,Diane,,,")
    imported(world, alive.replace("Charlie,Diane,,,", "Charlie,Bob,,,"))
    do(world, c.Start(1))
    assert world.player("Bob").target == world.player("Diane").id
    assert world.player("Charlie").target == world.player("Bob").id


def test_an_organiser_without_a_password_gets_a_link(world: World) -> None:
    assert list(imported(world, HEAD + "Zoé,,,,,,oui,admin\n").links) == ["Zoé"]
