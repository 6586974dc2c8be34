"""The only way to change a game: load, decide, save, ring."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from killer.game import commands as c
from killer.game.events import Event
from killer.game.model import Game, PlayerId
from killer.game.refusals import Invalid
from killer.game.rules import decide
from killer.live.hub import Hub
from killer.store import games, log
from killer.store.database import Database, StaleVersionError

COMMAND_LINE = 0  # who acts when nobody is signed in

Alongside = Callable[[Connection, Game], None]


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks, why, and the key by which a repeated request is known."""

    actor: PlayerId | None = None
    reason: str = ""
    key: str = ""
    about: str = ""  # what is asked, to refuse a key that was used for something else


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an acknowledged request led to: the version to answer, and what happened now."""

    version: int
    events: tuple[Event, ...] = ()


class Play:
    """Carries commands out, for people, bots and the command line alike."""

    def __init__(self, database: Database, hub: Hub) -> None:
        self.database = database
        self.hub = hub

    def perform(
        self,
        game: int,
        *commands: c.Command,
        request: Request | None = None,
        alongside: Alongside | None = None,
    ) -> Outcome:
        """Carry commands out together, in one transaction, or none of them.

        What `alongside` writes is kept in the same transaction, given the game afterwards.

        Raises:
            Refusal: the rules say no.
            StoreUnavailableError: nothing was changed; try again.
        """
        asked = request or Request()
        try:
            outcome = self._once(game, commands, asked, alongside)
        except StaleVersionError:
            outcome = self._once(game, commands, asked, alongside)
        self.hub.ring(game)
        return outcome

    def _once(
        self,
        number: int,
        commands: tuple[c.Command, ...],
        asked: Request,
        alongside: Alongside | None,
    ) -> Outcome:
        known = self.hub.feed(number).game
        with self.database.write() as connection:
            kept = _kept_answer(connection, number, asked)
            if kept is not None:
                return Outcome(kept)
            before = _newest(connection, number, known)
            events, after = _decide_all(connection, number, before, commands)
            if events:
                records = _records(before, events, asked)
                games.save(connection, number, before, after, records)
            if alongside:
                alongside(connection, after)
            if asked.key:
                _keep_answer(connection, number, asked, after.version)
        return Outcome(after.version, events)


def _newest(connection: Connection, number: int, known: Game) -> Game:
    games.version(connection, number, lock=True)
    return known.after(*(r.event for r in log.since(connection, number, known.version)))


def _decide_all(
    connection: Connection, number: int, game: Game, commands: tuple[c.Command, ...]
) -> tuple[tuple[Event, ...], Game]:
    happened: list[Event] = []
    for command in commands:
        wanted = command
        if isinstance(command, c.Undo):
            records = log.since(connection, number, command.version - 1)
            wanted = replace(command, log=tuple((r.version, r.event) for r in records))
        events = decide(game, wanted)
        game = game.after(*events)
        happened.extend(events)
    return tuple(happened), game


def _records(before: Game, events: tuple[Event, ...], asked: Request) -> list[log.Recorded]:
    at = games.now()
    return [
        log.Recorded(version, event, at, asked.actor, asked.reason)
        for version, event in enumerate(events, start=before.version + 1)
    ]


def _kept_answer(connection: Connection, number: int, asked: Request) -> int | None:
    if not asked.key:
        return None
    kept = games.remembered(connection, number, asked.actor or COMMAND_LINE, asked.key)
    if kept is None:
        return None
    if kept[0] != asked.about:
        raise Invalid("key_reused")
    return kept[1]


def _keep_answer(connection: Connection, number: int, asked: Request, version: int) -> None:
    actor = asked.actor or COMMAND_LINE
    games.remember_answer(connection, number, actor, asked.key, asked.about, version)
