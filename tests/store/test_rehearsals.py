"""A rehearsal goes without a trace; everything real stays as it was, on both databases."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from alembic import command
from alembic.migration import MigrationContext
from sqlalchemy import Connection, insert, inspect, select, text, update

from game.players import enrolments
from killer.game import commands as c
from killer.game.model import Game, PlayerId, State, Visibility
from killer.live.hub import Hub, UnknownGameError
from killer.play import Play
from killer.store import check, games, migrations, people, rehearsals
from killer.store.database import Database, StoreUnavailableError
from killer.store.tables import games as rows_of_games
from killer.store.tables import metadata
from store.worlds import World

BOB = PlayerId(2)
HOUR = 3_600_000  # milliseconds


def contents(database: Database) -> dict[str, list[Any]]:
    """Give every row of every table."""
    with database.read() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


def begin(world: World, name: str = "Répétition") -> int:
    with world.database.write() as connection:
        return games.create(connection, name, rehearses=world.number)


def rehearse(world: World) -> int:
    """Make a rehearsal of eight in which somebody has died, with a row in many tables."""
    number = begin(world)

    def alongside(connection: Connection, game: Game) -> None:
        people.set_hashes(connection, number, dict.fromkeys(game.players, "x"))
        people.new_links(connection, number, list(game.players))
        people.set_contacts(connection, number, {BOB: people.Contact("bob@example.org")})
        games.remember(connection, number, {(2, "key"): ("", 9)})

    world.play.perform(number, *enrolments(8), c.Start(1), alongside=alongside)
    world.play.perform(number, c.Die(BOB))
    fill_by_hand(world.database, number)
    return number


def fill_by_hand(database: Database, number: int) -> None:
    """Put a row into every other table that speaks of games, whatever its columns are."""
    values = {int: 1, str: "[]", bool: False}
    with database.write() as connection:
        for table in metadata.sorted_tables:
            owner = table.columns.get("game")
            if owner is None or connection.execute(select(owner).where(owner == number)).first():
                continue
            row = {
                column.name: values[column.type.python_type]
                for column in table.columns
                if not column.nullable and not (column.primary_key and column.name == "id")
            }
            connection.execute(insert(table).values(row | {"game": number}))


def remove(world: World, number: int, real: int | None = None) -> bool:
    with world.database.write() as connection:
        return rehearsals.remove(connection, real or world.number, number)


def test_a_rehearsal_leaves_no_row_in_any_table(world: World) -> None:
    before = contents(world.database)
    number = rehearse(world)
    during = contents(world.database)
    grown = {name for name, rows in during.items() if len(rows) > len(before[name])}
    owned = {table.name for table in metadata.sorted_tables if "game" in table.columns}
    assert grown == owned | {"games"}, "each table has something to remove"
    assert remove(world, number)
    assert contents(world.database) == before


def test_a_real_game_is_never_removed(world: World) -> None:
    number = rehearse(world)
    before = contents(world.database)
    assert not remove(world, world.number)
    assert not remove(world, world.number, real=number)
    assert not remove(world, number, real=number)
    assert not remove(world, 999)
    assert contents(world.database) == before


def test_a_rehearsal_of_another_game_is_not_removed(world: World) -> None:
    number = rehearse(world)
    with world.database.write() as connection:
        other = games.create(connection, "Une autre")
    assert not remove(world, number, real=other)
    assert remove(world, number)


def test_a_number_is_never_used_twice(world: World) -> None:
    first = begin(world)
    remove(world, first)
    second = begin(world)
    assert second > first
    assert remove(world, second)
    with world.database.write() as connection:
        assert games.create(connection, "Une vraie") > second


def test_the_laws_hold_in_a_rehearsal_too(world: World) -> None:
    number = rehearse(world)
    with world.database.read() as connection:
        (row,) = rehearsals.standing(connection, world.number)
        assert (row.id, row.rehearses, check.faults(connection, row)) == (number, world.number, [])


def test_only_what_is_older_than_six_hours_is_left_over(world: World) -> None:
    old, young, elsewhere = begin(world, "a"), begin(world, "b"), begin(world, "c")
    with world.database.write() as connection:
        for number, age in ((old, 6.1), (young, 5.9), (elsewhere, 99), (world.number, 99)):
            made = {"created": games.now() - int(age * HOUR)}
            row = update(rows_of_games).where(rows_of_games.c.id == number)
            connection.execute(row.values(made))
        other = update(rows_of_games).where(rows_of_games.c.id == elsewhere)
        connection.execute(other.values(rehearses=elsewhere))
    with world.database.read() as connection:
        assert rehearsals.left_over(connection, world.number) == [old]


def test_a_mark_in_somebody_s_nickname_is_taken(world: World) -> None:
    world.perform(c.Enrol("Élan 3F2A9C-0001"))
    with world.database.read() as connection:
        assert rehearsals.is_taken(connection, "3f2a9c")
        assert not rehearsals.is_taken(connection, "3f2a9d")
        assert not rehearsals.is_taken(connection, "%")


# --- what each process makes of it ---


def test_a_rehearsal_is_no_game_that_people_play(world: World, elsewhere: World) -> None:
    number = rehearse(world)
    for hub in (world.hub, elsewhere.hub):
        assert [row.id for row in hub.games()] == [world.number]
        assert [row.id for row in hub.rows()] == [number, world.number]
        assert hub.feed(number).rehearsal
        assert not hub.feed(world.number).rehearsal


def test_a_rehearsal_is_followed_like_a_game(world: World, elsewhere: World) -> None:
    number = rehearse(world)
    feed = elsewhere.hub.feed(number)
    assert feed.game == world.hub.feed(number).game
    elsewhere.play.perform(number, c.Die(PlayerId(3)))
    world.hub.look()
    assert world.hub.feed(number).game == elsewhere.hub.feed(number).game
    assert len(feed.game.alive) == 6
    assert elsewhere.hub.feed(number) is feed


def test_what_was_removed_is_gone_in_every_process(world: World, elsewhere: World) -> None:
    number = rehearse(world)
    for hub in (world.hub, elsewhere.hub):
        hub.feed(number)
    remove(world, number)
    for hub in (world.hub, elsewhere.hub, elsewhere.hub):
        with pytest.raises(UnknownGameError):
            hub.feed(number)
        assert [row.id for row in hub.rows()] == [world.number]


def test_a_look_at_what_was_removed_goes_on_to_the_others(world: World, elsewhere: World) -> None:
    number = rehearse(world)
    gone = elsewhere.hub.feed(number)
    here = elsewhere.hub.feed(world.number)
    remove(world, number)
    world.perform(c.Die(BOB))
    elsewhere.hub.look()
    assert here.game.version == world.game.version
    assert not gone.open
    assert here.open


def test_whoever_waits_in_a_removed_game_is_woken(world: World, elsewhere: World) -> None:
    number = rehearse(world)
    feed = elsewhere.hub.feed(number)
    waiting = threading.Thread(target=feed.wait, args=(feed.game.version, 60.0), daemon=True)
    waiting.start()
    remove(world, number)
    elsewhere.hub.look()
    waiting.join(30)
    assert not waiting.is_alive()
    assert feed.game.players[BOB].nickname == "Bob", (
        "a stream on its way out still finds its player"
    )


def test_a_death_that_comes_too_late_changes_nothing(world: World, elsewhere: World) -> None:
    number = rehearse(world)
    elsewhere.hub.feed(number)
    remove(world, number)
    before = contents(world.database)
    with pytest.raises(UnknownGameError):
        elsewhere.play.perform(number, c.Die(PlayerId(3)))
    assert contents(world.database) == before


def test_whoever_forgets_an_unknown_game_is_not_troubled(world: World) -> None:
    world.hub.forget(12345)
    assert world.feed.open


# --- databases from before there were rehearsals ---


def move(database: Database, revision: str) -> None:
    """Bring a database to an older or newer schema."""
    with database.write() as connection:
        config = migrations._config()
        config.attributes["connection"] = connection
        if revision == "0002" and migrated(connection):
            command.downgrade(config, revision)
        else:
            command.upgrade(config, revision)


def migrated(connection: Connection) -> bool:
    return MigrationContext.configure(connection).get_current_revision() is not None


def an_old_deployment(database_url: str) -> Database:
    """Give a database of the schema before, with a game that two play, under number 4."""
    database = Database(database_url)
    move(database, "0002")
    with database.write() as connection:
        connection.execute(text(
            "INSERT INTO games (id, name, state, visibility, first_visibility, version, created) "
            "VALUES (4, 'Été', 'preparing', 'deaths', 'deaths', 0, 77)"
        ))  # fmt: skip
        if not database.embedded:
            connection.execute(text("SELECT setval('games_id_seq', 4)"))
        connection.execute(text(
            "INSERT INTO events (game, version, kind, data, at, reason) "
            "VALUES (4, 1, 'paused', '{}', 78, 'why')"
        ))  # fmt: skip
    return database


def test_an_old_deployment_keeps_its_games(database_url: str) -> None:
    database = an_old_deployment(database_url)
    move(database, "head")
    with database.read() as connection:
        row = games.GameRow(4, "Été", State.PREPARING, 0, Visibility.DEATHS, 77)
        assert games.every(connection) == [row]
        assert connection.execute(text("SELECT reason FROM events WHERE game = 4")).all()
    with database.write() as connection:
        assert games.create(connection, "Automne", rehearses=4) == 5
        assert rehearsals.remove(connection, 4, 5)
        assert games.create(connection, "Hiver") == 6
    database.close()


def test_an_old_deployment_still_refuses_events_of_no_game(database_url: str) -> None:
    database = an_old_deployment(database_url)
    move(database, "head")
    with pytest.raises(StoreUnavailableError), database.write() as connection:
        connection.execute(text(
            "INSERT INTO events (game, version, kind, data, at, reason) "
            "VALUES (5, 1, 'paused', '{}', 78, '')"
        ))  # fmt: skip
    with pytest.raises(StoreUnavailableError), database.write() as connection:
        connection.execute(text("DELETE FROM games"))
    database.close()


def test_the_way_back_takes_the_rehearsals_away(database_url: str) -> None:
    database = an_old_deployment(database_url)
    move(database, "head")
    world = World(database, Hub(database), Play(database, Hub(database)), 4)
    rehearse(world)
    move(database, "0002")
    with database.read() as connection:
        assert connection.execute(text("SELECT id FROM games")).all() == [(4,)]
        assert not connection.execute(text("SELECT id FROM players")).all()
        columns = {column["name"] for column in inspect(connection).get_columns("games")}
        assert "rehearses" not in columns
    move(database, "head")
    database.close()
