"""Rehearsals over the API: a load test plays in a game of its own on a server that people use."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count

from flask import Response

from killer import passwords
from killer.game import commands as c
from killer.game.model import Game, Player, Status
from killer.language import say
from killer.live.hub import Feed, Hub
from killer.play import Play
from killer.store import games, people, rehearsals
from killer.store.database import Connection, Database, StoreUnavailableError
from killer.store.games import GameRow
from killer.web import deeds, shapes
from killer.web.answers import json
from killer.web.api import body
from killer.web.lots import Lots
from killer.web.problems import ProblemError
from killer.web.site import site, viewer

MOST = 5  # at once, made in the same real game
MARK = 3  # bytes by which all nicknames of one rehearsal differ from all others
FIRST = ("Blaireau", "Cigogne", "Écureuil", "Furet", "Geai", "Hérisson", "Lynx", "Mésange", "Zèbre")
SECOND = ("Agile", "Brave", "Discret", "Espiègle", "Habile", "Lunaire", "Sage", "Tenace")
YEARS = ("1A", "2A", "3A", "4A", "5A", "")
CHALLENGES = 7
BATCH = 100  # players of one transaction
BREATH = 0.005  # seconds after each, for the others of this process; 0 would let none of them in
SOON = 2  # seconds


class _Unheard(Hub):
    """One game that nobody follows yet: the frames of 5,000 events would take seconds."""

    def __init__(self, database: Database, number: int, game: Game) -> None:
        super().__init__(database)
        self._only = Feed(number, game, rehearsal=True)

    def feed(self, number: int) -> Feed:  # noqa: ARG002  # there is no other
        """Give the game as it was kept last."""
        return self._only

    def ring(self, number: int, **_: object) -> None:
        """Leave it to the first who asks."""


def _marks(lots: Lots) -> Iterator[str]:
    """Give marks to choose from."""
    return (lots.digest(f"mark {n}")[:MARK].hex() for n in count())


def make() -> Response:
    """Make a rehearsal game of invented players, at most five for each real game.

    Some that were left over go first.
    """
    wish = body(shapes.RehearsalWish)
    if viewer().feed.rehearsal:
        raise ProblemError(409, "rehearsal_of_rehearsal")
    real, lots = viewer().feed.number, Lots.drawn("rehearsal")
    row, mark = _begin(real, lots)
    if mark:
        _fill(real, row, mark, wish.players, lots)
    return json(_told(row, lots, wish.players))


def _fill(real: int, row: GameRow, mark: str, most: int, lots: Lots) -> None:
    try:
        _enrol(row, mark, most, lots)
    except StoreUnavailableError:
        with suppress(StoreUnavailableError):  # otherwise it goes with those that are left over
            _remove(real, row.id)
        raise


def _told(row: GameRow, lots: Lots, most: int) -> shapes.Rehearsal:
    """Tell of everybody; of a game that another request still fills, nothing."""
    with site().database.read() as connection:
        game = games.load(connection, row.id)
    players = [_guest(p, lots) for p in game.players.values() if not p.organiser]
    organisers = [_guest(p, lots) for p in game.players.values() if p.organiser]
    if len(players) < most:
        raise ProblemError(409, "rehearsal_in_making", retry_after=SOON)
    return shapes.Rehearsal(row.id, row.name, lots.token("password"), players, organisers[0])


def remove(number: int) -> Response:
    """Remove a rehearsal that was made in this game, with everything that was played in it."""
    if not _remove(viewer().feed.number, number, deeds.once) and deeds.repeated() is None:
        raise ProblemError(404, "no_such_rehearsal")
    return Response(status=204)


def _remove(
    real: int, number: int, note: Callable[[Connection], bool] = lambda _connection: True
) -> bool:
    with site().database.write() as connection:
        removed = rehearsals.remove(connection, real, number) and note(connection)
    if removed:
        _forget(number)
    return removed


def _forget(number: int) -> None:
    """Drop what isn't in the database; the other processes see by themselves that it is gone."""
    site().hub.forget(number)
    site().shelf.sweep(number, (), grace=0)


def _begin(real: int, lots: Lots) -> tuple[GameRow, str]:
    """Make an empty rehearsal and give its mark; none when this request has made it before."""
    with site().database.write() as connection:
        left_over = rehearsals.left_over(connection, real)
        for number in left_over:
            rehearsals.remove(connection, real, number)
        standing = rehearsals.standing(connection, real)
        for mark in _marks(lots):
            known = [row for row in standing if mark in row.name]
            if known or not rehearsals.is_taken(connection, mark):
                break
        if not known:
            _check_room(connection, real)
            games.create(connection, _name(mark), rehearses=real)
        row = (known or rehearsals.standing(connection, real))[0]
    for number in left_over:
        _forget(number)
    return row, "" if known else mark


def _check_room(connection: Connection, real: int) -> None:
    numbers = [str(row.id) for row in rehearsals.standing(connection, real)]
    if len(numbers) >= MOST:
        first, listed = numbers[-1], ", ".join(reversed(numbers))
        raise ProblemError(409, "too_many_rehearsals", most=MOST, numbers=listed, first=first)


def _name(mark: str) -> str:
    return say("rehearsal.game", mark=mark)


def _enrol(row: GameRow, mark: str, most: int, lots: Lots) -> None:
    """Fill a rehearsal, a few players in each transaction: people play beside it for real."""
    hashed = passwords.hash_password(lots.token("password"))
    hub = _Unheard(site().database, row.id, games.blank(row))
    play = Play(site().database, hub)

    def let_in(connection: Connection, game: Game) -> None:
        fresh = [p for i, p in game.players.items() if i not in hub.feed(row.id).game.players]
        hashes = {p.id: hashed for p in fresh if not p.organiser}
        people.set_hashes(connection, row.id, hashes)
        people.keep_links(connection, row.id, {p.id: _token(p, lots) for p in fresh})
        hub.feed(row.id).game = game

    organiser = c.Enrol(f"Orga {mark}", status=Status.OUT, organiser=True)
    newcomers = [_newcomer(mark, n) for n in range(1, most + 1)]
    play.perform(row.id, organiser, alongside=let_in)
    for start in range(0, most, BATCH):
        play.perform(row.id, *newcomers[start : start + BATCH], alongside=let_in)
        time.sleep(BREATH)


def _token(player: Player, lots: Lots) -> str:
    return lots.token(f"player {player.id}")


def _guest(player: Player, lots: Lots) -> shapes.Guest:
    return shapes.Guest(player.nickname, _token(player, lots))


def _newcomer(mark: str, n: int) -> c.Enrol:
    """Invent a player; now and then one has no year or no challenge."""
    name = f"{FIRST[n % len(FIRST)]} {SECOND[n % len(SECOND)]} {mark}-{n:04}"
    which = n % (CHALLENGES + 1)
    challenge = say(f"rehearsal.challenge.{which}") if which else ""
    return c.Enrol(name, YEARS[n % len(YEARS)], challenge)
