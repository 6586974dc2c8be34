"""Passwords, sign-in links and contacts, apart from the log."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select, update

from killer.game import commands as c
from killer.store import games, people
from killer.store.people import Account, Contact
from killer.store.tables import links
from store.worlds import World

ALICE, BOB = 1, 2


def link_for(world: World, player: int, *, once: bool = False) -> str:
    with world.database.write() as connection:
        return people.new_links(connection, world.number, [player], once=once)[player]


def use(world: World, token: str) -> Account | None:
    with world.database.write() as connection:
        return people.use_link(connection, token)


def owner(world: World, token: str) -> Account | None:
    with world.database.read() as connection:
        return people.who_has_link(connection, token)


def test_a_link_opens_as_often_as_needed(world: World) -> None:
    token = link_for(world, BOB)
    assert use(world, token) == use(world, token) == Account(world.number, BOB, None)


def test_a_link_that_holds_once_is_used_up(world: World) -> None:
    token = link_for(world, BOB, once=True)
    assert owner(world, token) == owner(world, token) == Account(world.number, BOB, None)
    assert use(world, token) is not None
    assert use(world, token) is None
    assert owner(world, token) is None


def test_in_a_race_for_a_link_that_holds_once_one_wins(world: World, elsewhere: World) -> None:
    token, gate = link_for(world, BOB, once=True), threading.Barrier(6)
    won: list[Account | None] = []

    def run(view: World) -> None:
        gate.wait()
        won.append(use(view, token))

    threads = [threading.Thread(target=run, args=(view,)) for view in (world, elsewhere) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 6
    assert won.count(None) == 5


def test_a_link_ends_after_its_time(world: World) -> None:
    token = link_for(world, BOB)
    with world.database.write() as connection:
        connection.execute(update(links).values(expires=games.now() - 1))
    assert owner(world, token) is None
    assert use(world, token) is None


def test_a_new_link_holds_for_thirty_days(world: World) -> None:
    link_for(world, BOB)
    with world.database.read() as connection:
        row = connection.execute(select(links)).one()
    assert row.expires - row.created == 30 * 24 * 3600 * 1000
    assert abs(row.created - games.now()) < 60_000


def test_revoked_links_are_useless_and_others_are_not(world: World) -> None:
    of_bob, also_of_bob, of_alice = (link_for(world, who) for who in (BOB, BOB, ALICE))
    with world.database.write() as connection:
        people.revoke_links(connection, world.number, BOB)
    assert [use(world, token) is None for token in (of_bob, also_of_bob, of_alice)] == [
        True,
        True,
        False,
    ]


def test_the_database_never_sees_a_token(world: World) -> None:
    token = link_for(world, BOB)
    with world.database.read() as connection:
        assert token not in str(connection.execute(select(links)).all())
    assert len(token) >= 22


@pytest.mark.parametrize("token", ["", "x", "é\0", "' OR 1=1 --", "x" * 5000])
def test_a_wrong_token_opens_nothing(world: World, token: str) -> None:
    link_for(world, BOB)
    assert use(world, token) is None
    assert owner(world, token) is None


def test_no_links_for_nobody(world: World) -> None:
    with world.database.write() as connection:
        assert people.new_links(connection, world.number, []) == {}


def test_a_new_password_replaces_the_old_one(world: World) -> None:
    with world.database.write() as connection:
        people.set_hashes(connection, world.number, {ALICE: "a1", BOB: "b1"})
        people.set_hashes(connection, world.number, {BOB: "b2"})
        people.set_hashes(connection, world.number, {})
        assert people.hashes(connection, world.number) == {ALICE: "a1", BOB: "b2"}
        assert people.hashes(connection, 99) == {}


def test_accounts_are_found_by_nickname_the_newest_game_first(world: World) -> None:
    with world.database.write() as connection:
        number = games.create(connection, "L'année suivante")
        people.set_hashes(connection, world.number, {BOB: "b"})
    world.play.perform(number, c.Enrol("BOB"))
    with world.database.read() as connection:
        assert people.accounts(connection, "bob") == [
            Account(number, 1, None),
            Account(world.number, BOB, "b"),
        ]
        assert people.accounts(connection, "personne") == []


def test_contacts_come_back_as_they_were(world: World) -> None:
    bob = Contact("b@example.org", "+33 6", "H", "https://x", (("Un mot", "Bravo 🎉"), ("", "")))
    with world.database.write() as connection:
        people.set_contacts(connection, world.number, {ALICE: Contact(email="a"), BOB: Contact()})
        people.set_contacts(connection, world.number, {BOB: bob})
        people.set_contacts(connection, world.number, {})
        assert people.read_contacts(connection, world.number) == {
            ALICE: Contact(email="a"),
            BOB: bob,
        }
