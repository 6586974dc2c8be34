"""A small deployment for a test: a database, its games, and the way to change them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text

from game.players import enrolments, round_table
from killer.game import commands as c
from killer.game.events import Event, kind
from killer.game.model import Game, Player
from killer.live.hub import Feed, Hub
from killer.play import Outcome, Play, Request
from killer.store import check, games, log, migrations
from killer.store.database import Database
from killer.store.tables import metadata


@dataclass(frozen=True)
class World:
    """One process's view of a database with one game."""

    database: Database
    hub: Hub
    play: Play
    number: int

    @property
    def feed(self) -> Feed:
        return self.hub.feed(self.number)

    @property
    def game(self) -> Game:
        return self.feed.game

    def player(self, nickname: str) -> Player:
        player = self.game.find(nickname)
        assert player is not None
        return player

    def perform(self, *commands: c.Command, key: str = "", about: str = "") -> Outcome:
        return self.play.perform(self.number, *commands, request=Request(key=key, about=about))

    def rows(self) -> Game:
        with self.database.read() as connection:
            return games.load(connection, self.number)

    def log(self) -> list[log.Recorded]:
        with self.database.read() as connection:
            return log.since(connection, self.number, 0)

    def kinds(self) -> list[str]:
        return [kind(record.event) for record in self.log()]

    def faults(self) -> list[str]:
        with self.database.read() as connection:
            row = next(g for g in games.every(connection) if g.id == self.number)
            return check.faults(connection, row)


def create_tables(url: str) -> Database:
    """Give a database with the newest schema; that the migrations lead there is another test."""
    database = Database(url)
    with database.write() as connection:
        metadata.create_all(connection)
    return database


def look_at(url: str, number: int = 1, **how: float) -> World:
    """Give another process's view of a database that exists; how patient it is may be said."""
    database = Database(url, **how)
    hub = Hub(database)
    return World(database, hub, Play(database, hub), number)


def a_world(url: str, players: int = 0, name: str = "Une partie") -> World:
    """Give an empty game, or a running one in which Alice hunts Bob, who hunts Charlie…"""
    database = create_tables(url)
    with database.write() as connection:
        number = games.create(connection, name)
    database.close()
    world = look_at(url, number)
    if players:
        everybody = range(1, players + 1)
        world.perform(*enrolments(players), round_table(*everybody), c.Start(1))
    return world


def a_migrated_game(url: str) -> World:
    """Give an empty game in a database that the migrations have made, as that of a server is."""
    database = Database(url)
    migrations.migrate(database)
    with database.write() as connection:
        number = games.create(connection, "Une partie")
    database.close()
    return look_at(url, number)


def a_game_of_long_ago(url: str, revision: str) -> Database:
    """Give a database of an older version with a game that nobody has joined."""
    database = Database(url)
    columns = "name, state, visibility, first_visibility, version, created"
    row = "'Ancienne', 'preparing', 'deaths', 'deaths', 0, 1"
    with database.write() as connection:
        migrations.upgrade(connection, revision)
        connection.execute(text(f"INSERT INTO games ({columns}) VALUES ({row})"))
    return database


def recorded(*events: Event, after: int = 0) -> list[log.Recorded]:
    """Number events as the log does."""
    return [log.Recorded(i, event, 1000 + i, None, "") for i, event in enumerate(events, after + 1)]
