"""Rehearsals over the API: a load test plays in a game of its own on a server that people use."""

from __future__ import annotations

import secrets
from contextlib import suppress

from flask import Response

from killer import passwords
from killer.game import commands as c
from killer.game.model import Game, Player, PlayerId, Status
from killer.language import say
from killer.live.hub import Hub
from killer.play import Play
from killer.store import games, people, rehearsals
from killer.store.database import Connection, StoreUnavailableError
from killer.web import shapes
from killer.web.answers import json
from killer.web.api import body
from killer.web.problems import ProblemError
from killer.web.site import site, viewer

MOST = 5  # at once, made in the same real game
MARK = 3  # bytes by which all nicknames of one rehearsal differ from all others
FIRST = ("Blaireau", "Cigogne", "Écureuil", "Furet", "Geai", "Hérisson", "Lynx", "Mésange", "Zèbre")
SECOND = ("Agile", "Brave", "Discret", "Espiègle", "Habile", "Lunaire", "Sage", "Tenace")
YEARS = ("1A", "2A", "3A", "4A", "5A", "")
CHALLENGES = 7


class _Unheard(Hub):
    """What nobody follows yet isn't read back at once: after 5,000 events that takes seconds."""

    def ring(self, number: int) -> None:
        """Leave it to the first who asks."""


def make() -> Response:
    """Make a rehearsal game of invented players, at most five for each real game.

    Some that were left over go first. It is told once: the same request makes another game.
    """
    wish = body(shapes.RehearsalWish)
    if viewer().feed.rehearsal:
        raise ProblemError(409, "rehearsal_of_rehearsal")
    real = viewer().feed.number
    password = secrets.token_urlsafe(12)
    hashed = passwords.hash_password(password)
    number, mark = _begin(real)
    try:
        organiser, *players = _enrol(number, mark, wish.players, hashed)
    except StoreUnavailableError:
        with suppress(StoreUnavailableError):  # otherwise it goes with those that are left over
            _remove(real, number)
        raise
    return json(shapes.Rehearsal(number, _name(mark), password, players, organiser))


def remove(number: int) -> Response:
    """Remove a rehearsal that was made in this game, with everything that was played in it."""
    if not _remove(viewer().feed.number, number):
        raise ProblemError(404, "no_such_rehearsal")
    return Response(status=204)


def _remove(real: int, number: int) -> bool:
    with site().database.write() as connection:
        removed = rehearsals.remove(connection, real, number)
    if removed:
        _forget(number)
    return removed


def _forget(number: int) -> None:
    """Drop what isn't in the database; the other processes see by themselves that it is gone."""
    site().hub.forget(number)
    site().shelf.sweep(number, (), grace=0)


def _begin(real: int) -> tuple[int, str]:
    """Make an empty rehearsal and give its number and its mark."""
    with site().database.write() as connection:
        left_over = rehearsals.left_over(connection, real)
        for number in left_over:
            rehearsals.remove(connection, real, number)
        _check_room(connection, real)
        mark = secrets.token_hex(MARK)
        while rehearsals.is_taken(connection, mark):
            mark = secrets.token_hex(MARK)
        made = games.create(connection, _name(mark), rehearses=real)
    for number in left_over:
        _forget(number)
    return made, mark


def _check_room(connection: Connection, real: int) -> None:
    numbers = [str(row.id) for row in rehearsals.standing(connection, real)]
    if len(numbers) >= MOST:
        first, listed = numbers[-1], ", ".join(reversed(numbers))
        raise ProblemError(409, "too_many_rehearsals", most=MOST, numbers=listed, first=first)


def _name(mark: str) -> str:
    return say("rehearsal.game", mark=mark)


def _enrol(number: int, mark: str, most: int, hashed: str) -> list[shapes.Guest]:
    """Fill a rehearsal in one transaction; give the organiser, who has no password, and the rest.

    1,000 players take about 0.2 s, 5,000 about 2.5 s.
    """
    guests: list[shapes.Guest] = []

    def let_in(connection: Connection, game: Game) -> None:
        everybody = list(game.players.values())
        hashes = {p.id: hashed for p in everybody if not p.organiser}
        people.set_hashes(connection, number, hashes)
        tokens = people.new_links(connection, number, [p.id for p in everybody])
        guests[:] = [_guest(player, tokens) for player in everybody]

    organiser = c.Enrol(f"Orga {mark}", status=Status.OUT, organiser=True)
    newcomers = [_newcomer(mark, n) for n in range(1, most + 1)]
    play = Play(site().database, _Unheard(site().database))
    play.perform(number, organiser, *newcomers, alongside=let_in)
    return guests


def _guest(player: Player, tokens: dict[PlayerId, str]) -> shapes.Guest:
    return shapes.Guest(player.nickname, tokens[player.id])


def _newcomer(mark: str, n: int) -> c.Enrol:
    """Invent a player; now and then one has no year or no challenge."""
    name = f"{FIRST[n % len(FIRST)]} {SECOND[n % len(SECOND)]} {mark}-{n:04}"
    which = n % (CHALLENGES + 1)
    challenge = say(f"rehearsal.challenge.{which}") if which else ""
    return c.Enrol(name, YEARS[n % len(YEARS)], challenge)
