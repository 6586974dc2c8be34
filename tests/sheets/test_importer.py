"""Importing a roster: only what is new or different, everything at once, nothing told aloud."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from killer import passwords
from killer.game import commands as c
from killer.game.model import PlayerId, State, Status
from killer.game.refusals import Refusal
from killer.play import Request
from killer.sheets import importer
from killer.sheets.importer import Imported, Plan
from killer.sheets.roster import read_roster
from killer.sheets.tables import read_table
from killer.store import people
from killer.store.people import Contact
from store.worlds import World, a_world

HEAD = "Surnom,Année,Mot de passe,Email,Téléphone,Défi,Admin,État\n"
ALICE = "Alice,1A,sésame,alice@example.org,0601,danser,,vivant\n"
BOB = "Bob,2A,ouvre-toi,bob@example.org,0602,chanter,,vivant\n"
CHARLIE = "Charlie,3A,,charlie@example.org,,compter,oui,vivant\n"
ALL = HEAD + ALICE + BOB + CHARLIE
MID_GAME = (
    "Surnom,Cible actuelle,État,Tué par,Ordre d'élimination\n"
    "Alice,Charlie,,,\nBob,,mort,Alice,2\nCharlie,Diane,,,\nDiane,Alice,,,\nÉmile,,abandon,,1\n"
)


@pytest.fixture
def world(sqlite_url: str) -> Iterator[World]:
    found = a_world(sqlite_url)
    yield found
    found.database.close()


@pytest.fixture
def either(database_url: str) -> Iterator[World]:
    """The same on each of the two databases, for what writes most."""
    found = a_world(database_url)
    yield found
    found.database.close()


def planned(world: World, sheet: str) -> Plan:
    reading = read_roster(read_table("joueurs.csv", sheet.encode()))
    assert reading.sound, reading.problems
    with world.database.read() as connection:
        contacts = people.read_contacts(connection, world.number)
    return importer.plan(world.game, reading, contacts)


def carried_out(world: World, wanted: Plan) -> Imported:
    asked = Request(reason="import")
    return importer.carry_out(world.play, world.number, wanted, asked, lambda: None)


def imported(world: World, sheet: str) -> Imported:
    return carried_out(world, planned(world, sheet))


def contact(world: World, nickname: str) -> Contact:
    with world.database.read() as connection:
        return people.read_contacts(connection, world.number)[world.player(nickname).id]


def password_of(world: World, nickname: str) -> str | None:
    with world.database.read() as connection:
        return people.hashes(connection, world.number).get(world.player(nickname).id)


def test_a_first_import_enrols_everybody_with_all_that_the_sheet_says(either: World) -> None:
    done = imported(either, ALL)
    assert done.version == 3
    assert done.passwords == 2
    assert [p.nickname for p in either.game.alive] == ["Alice", "Bob", "Charlie"]
    bob = either.player("Bob")
    assert (bob.year, bob.challenge, bob.organiser) == ("2A", "chanter", False)
    assert either.player("Charlie").organiser
    assert contact(either, "Bob").email == "bob@example.org"
    assert passwords.fits(password_of(either, "Bob"), "ouvre-toi")
    assert either.faults() == []


def test_whoever_has_no_password_gets_a_link(world: World) -> None:
    done = imported(world, ALL)
    assert list(done.links) == ["Charlie"]
    with world.database.read() as connection:
        found = people.who_has_link(connection, done.links["Charlie"])
    assert found is not None
    assert found.player == world.player("Charlie").id


@pytest.mark.parametrize("sheet", [ALL, MID_GAME])
def test_the_same_file_again_changes_nothing(world: World, sheet: str) -> None:
    imported(world, sheet)
    version = world.game.version
    again = planned(world, sheet)
    assert again.commands == ()
    assert (again.new, again.changed) == ((), ())
    assert again.unchanged == len(world.game.players)
    done = carried_out(world, again)
    assert (done.version, done.passwords, done.links) == (version, 0, {})
    assert world.game.version == version


def test_a_plan_counts_who_is_new_changed_and_unchanged(world: World) -> None:
    imported(world, HEAD + ALICE + BOB)
    plan = planned(world, HEAD + ALICE + BOB.replace("2A", "4A") + CHARLIE)
    assert [entry.nickname for entry in plan.new] == ["Charlie"]
    assert [entry.nickname for entry in plan.changed] == ["Bob"]
    assert (plan.unchanged, plan.organisers) == (1, 1)


def test_only_what_changed_is_written(world: World) -> None:
    imported(world, ALL)
    imported(world, ALL.replace("2A", "4A").replace("0601", "0699"))
    assert world.kinds()[3:] == ["contacts", "edited"]
    assert world.player("Bob").year == "4A"
    assert contact(world, "Alice").phone == "0699"


def test_private_details_are_not_in_the_log(world: World) -> None:
    imported(world, ALL)
    imported(world, ALL.replace("0601", "0699"))
    assert "0699" not in str(world.log())
    assert "example.org" not in str(world.log())


def test_a_new_password_replaces_the_old_one_and_others_stay(either: World) -> None:
    imported(either, ALL)
    before = password_of(either, "Alice")
    assert imported(either, ALL.replace("ouvre-toi", "ferme-toi")).passwords == 1
    assert passwords.fits(password_of(either, "Bob"), "ferme-toi")
    assert password_of(either, "Alice") == before


def test_an_empty_challenge_erases_none(world: World) -> None:
    imported(world, ALL)
    assert planned(world, ALL.replace("chanter", "")).commands == ()
    assert world.player("Bob").challenge == "chanter"


def test_nobody_is_demoted_by_a_sheet(world: World) -> None:
    imported(world, ALL)
    assert planned(world, ALL.replace("oui", "")).commands == ()
    assert planned(world, ALL.replace("oui", "non")).commands == ()
    imported(world, ALL.replace("chanter,", "chanter,oui"))
    assert world.player("Bob").organiser


def test_a_nickname_written_otherwise_is_the_same_player(world: World) -> None:
    imported(world, ALL)
    imported(world, ALL.replace("Alice", " ALICE"))
    assert len(world.game.players) == 3
    assert world.player("alice").nickname == "ALICE"


def test_a_late_row_joins_the_running_game(world: World) -> None:
    imported(world, ALL)
    world.perform(c.Start(1))
    imported(world, ALL + "Zoé,1A,,,,,,\n")
    assert world.kinds()[-2:] == ["enrolled", "joined"]
    assert len(world.game.alive) == 4
    assert world.faults() == []


def test_in_a_running_game_the_sheet_kills_and_revives_nobody(world: World) -> None:
    imported(world, MID_GAME)
    world.perform(c.Start(1))
    world.perform(c.Die(world.player("Charlie").id))
    assert planned(world, MID_GAME).commands == ()
    assert planned(world, MID_GAME.replace("Bob,,mort,Alice,2", "Bob,,,,")).commands == ()


def test_a_game_that_began_elsewhere_is_carried_over(world: World) -> None:
    imported(world, MID_GAME)
    assert [p.nickname for p in world.game.fallen] == ["Émile", "Bob"]
    assert world.player("Bob").killed_by == world.player("Alice").id
    assert world.player("Émile").status is Status.GAVEUP
    world.perform(c.Start(1))
    ring = {
        p.nickname: world.game.players[PlayerId(p.target or 0)].nickname for p in world.game.alive
    }
    assert ring == {"Alice": "Charlie", "Charlie": "Diane", "Diane": "Alice"}
    assert world.faults() == []


def test_other_targets_replace_the_given_ones_before_the_start(world: World) -> None:
    sheet = "Surnom,Cible\nAlice,Bob\nBob,Charlie\nCharlie,Alice\n"
    imported(world, sheet)
    imported(world, "Surnom,Cible\nAlice,Charlie\nCharlie,Bob\nBob,Alice\n")
    assert world.player("Alice").target == world.player("Charlie").id
    assert world.kinds().count("targets") == 2


def test_who_is_out_comes_in_and_goes_before_the_start(world: World) -> None:
    head = "Surnom,État\n"
    imported(world, head + "Alice,\nBob,hors jeu\n")
    assert world.player("Bob").status is Status.OUT
    imported(world, head + "Alice,hors jeu\nBob,vivant\n")
    assert world.player("Bob").status is Status.ALIVE
    assert world.player("Alice").status is Status.OUT


def test_a_refusal_in_the_middle_leaves_nothing(either: World) -> None:
    wanted = planned(either, ALL)
    either.perform(c.Enrol("CHARLIE"))
    with pytest.raises(Refusal):
        carried_out(either, wanted)
    assert [p.nickname for p in either.game.players.values()] == ["CHARLIE"]
    with either.database.read() as connection:
        assert people.read_contacts(connection, either.number) == {}
        assert people.hashes(connection, either.number) == {}


def test_who_was_renamed_meanwhile_stops_the_whole_import(world: World) -> None:
    imported(world, ALL)
    wanted = planned(world, ALL.replace("ouvre-toi", "ferme-toi").replace("0601", "0699"))
    world.perform(c.Edit(world.player("Bob").id, (("nickname", "Robert"),)))
    version = world.game.version
    with pytest.raises(Refusal):
        carried_out(world, wanted)
    assert world.game.version == version
    assert contact(world, "Alice").phone == "0601"


def test_a_plan_tells_no_password_and_no_link(world: World) -> None:
    wanted = planned(world, ALL)
    done = carried_out(world, wanted)
    told = repr(wanted) + repr(done) + str(wanted) + str(done)
    for secret in ("sésame", "ouvre-toi", *done.links.values()):
        assert secret not in told


def test_progress_is_told_for_each_password(world: World) -> None:
    seen: list[int] = []
    asked = Request()
    wanted = planned(world, ALL)
    importer.carry_out(world.play, world.number, wanted, asked, lambda: seen.append(1))
    assert len(seen) == 2
    assert world.game.state is State.PREPARING
