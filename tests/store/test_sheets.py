"""How level a sheet is, and what its editors ask, as rows of the database."""

from __future__ import annotations

from dataclasses import replace

from game.players import ALICE, BOB
from killer.store import sheets
from killer.store.sheets import Correction, Offer, SheetState
from store.worlds import World

STATUS = Offer(BOB, "status", "Bob", "alive", "dead")
NEWCOMER = Offer(None, "newcomer", "Zoé", "", "Zoé")


def offers(world: World) -> list[Offer]:
    with world.database.read() as connection:
        return sheets.every_offer(connection, world.number)


def make(world: World, *fresh: Offer) -> None:
    with world.database.write() as connection:
        sheets.make_offers(connection, world.number, fresh)


def test_a_state_comes_back_as_it_was_kept(world: World) -> None:
    with world.database.read() as connection:
        assert sheets.state(connection, world.number) is None
    problems = (Correction(3, "État", "roster.x", (("word", "é"),)), Correction(None, "", "y"))
    told = SheetState(1, None, "google.quota", (("seconds", "5"),), 2, problems, 4)
    for one in (told, SheetState()):
        with world.database.write() as connection:
            sheets.set_state(connection, world.number, one)
        with world.database.read() as connection:
            assert sheets.state(connection, world.number) == one


def test_offers_come_oldest_first_with_their_time(world: World) -> None:
    make(world, STATUS, NEWCOMER)
    found = offers(world)
    assert [replace(one, id=0, at=0) for one in found] == [STATUS, NEWCOMER]
    assert all(one.at and one.id for one in found)


def test_a_newer_offer_of_a_kind_takes_the_older_one_s_place(world: World) -> None:
    make(world, STATUS, NEWCOMER, replace(NEWCOMER, nickname="Max", wanted="Max"))
    make(world, replace(STATUS, wanted="gaveup"), replace(STATUS, player=ALICE))
    assert sorted(one.wanted for one in offers(world)) == ["Max", "Zoé", "dead", "gaveup"]


def test_an_offer_is_taken_once(world: World) -> None:
    make(world, STATUS)
    (one,) = offers(world)
    with world.database.write() as connection:
        assert sheets.take_offer(connection, world.number + 1, one.id) is None
        assert sheets.take_offer(connection, world.number, one.id) == one
        assert sheets.take_offer(connection, world.number, one.id) is None
    assert offers(world) == []


def test_a_refused_offer_is_kept_until_it_is_dropped(world: World) -> None:
    make(world, STATUS, NEWCOMER)
    first, second = offers(world)
    with world.database.write() as connection:
        sheets.refuse_offer(connection, world.number, first.id)
        sheets.drop_offers(connection, world.number, [second.id])
    assert offers(world) == [replace(first, refused=True)]
