"""The only way to change a game: load, decide, save, ring."""

from __future__ import annotations

import threading
from collections import ChainMap, defaultdict, deque
from collections.abc import Callable, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from killer.game import commands as c
from killer.game.events import Event, kind
from killer.game.model import Game, PlayerId
from killer.game.refusals import Invalid, Refusal
from killer.game.rules import decide
from killer.live.hub import Hub
from killer.store import games, log
from killer.store.database import (
    Connection,
    ConnectionLostError,
    Database,
    StaleVersionError,
    StoreUnavailableError,
)
from killer.watch import metrics

COMMAND_LINE = 0  # who acts when nobody is signed in
LARGEST_BATCH = 100  # requests that share one transaction

Alongside = Callable[[Connection, Game], None]


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks, why, and the key by which a repeated request is known."""

    actor: PlayerId | None = None
    reason: str = ""
    key: str = ""
    about: str = ""  # what is asked, to refuse a key that was used for something else

    @property
    def known_by(self) -> games.Key | None:
        """Give the key by which its repetition is known, and whose it is."""
        return (self.actor or COMMAND_LINE, self.key) if self.key else None

    def answered(self, kept: games.Kept) -> int:
        """Give the version that was answered, when it was to the same question.

        Raises:
            Invalid: the key was used for something else.
        """
        about, version = kept
        if about != self.about:
            raise Invalid("key_reused")
        return version


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an acknowledged request led to: the version to answer, and what happened now."""

    version: int
    events: tuple[Event, ...] = ()


@dataclass(slots=True)
class _Job:
    """One request on its way: what it asks, and in the end an outcome or an error."""

    commands: tuple[c.Command, ...]
    request: Request
    alongside: Alongside | None
    outcome: Outcome | None = None
    error: BaseException | None = None
    records: list[log.Recorded] = field(default_factory=list)
    awake: threading.Event = field(default_factory=threading.Event)

    @property
    def waits(self) -> bool:
        return self.outcome is None and self.error is None

    @property
    def alone(self) -> bool:
        """Tell whether it needs a transaction of its own: it reads the log, or writes beside it."""
        return self.alongside is not None or any(isinstance(one, c.Undo) for one in self.commands)


class Play:
    """Carries commands out, for people, bots and the command line alike."""

    def __init__(self, database: Database, hub: Hub) -> None:
        self.database = database
        self.hub = hub
        self._turn: dict[int, threading.Lock] = defaultdict(threading.Lock)
        self._queue: dict[int, deque[_Job]] = defaultdict(deque)

    def perform(
        self,
        game: int,
        *commands: c.Command,
        request: Request | None = None,
        alongside: Alongside | None = None,
    ) -> Outcome:
        """Carry commands out together, in one transaction, or none of them.

        What `alongside` writes is kept in the same transaction, given the game afterwards.
        Requests that wait for their turn in this process share the next transaction, so that a
        burst costs few of them; each is still answered for itself.

        Raises:
            Refusal: the rules say no.
            StoreUnavailableError: nothing was changed; try again.
        """
        job = _Job(commands, _storable(request or Request()), alongside)
        self._queue[game].append(job)
        while job.waits:
            if not self._turn[game].acquire(blocking=False):
                job.awake.wait()  # somebody carries it out, or says that nobody does
                job.awake.clear()
                continue
            try:
                while job.waits:
                    self._carry_out(game, _next_batch(self._queue[game]))
            finally:
                self._turn[game].release()
                self._wake_next(game)
        with suppress(StoreUnavailableError):  # what is kept is kept: the next look catches up
            (self.hub.ring if job.outcome and job.outcome.events else self.hub.feed)(game)
        _count(job)
        if job.error:
            raise job.error
        assert job.outcome is not None
        return job.outcome

    def _wake_next(self, game: int) -> None:
        """Let whoever waits first take over."""
        with suppress(IndexError):  # nobody waits
            self._queue[game][0].awake.set()

    def _carry_out(self, game: int, batch: Sequence[_Job]) -> None:
        """Settle every job of a batch; what goes wrong with the whole goes to each."""
        try:
            try:
                self._once(game, batch)
            except (StaleVersionError, ConnectionLostError):
                self._once(game, batch)  # what was kept all the same, keys and rules recognise
        except BaseException as error:
            for job in batch:
                job.outcome, job.error = None, error
            if not isinstance(error, Exception):
                raise  # the process ends; an error is raised again by each `perform`
        finally:
            for job in batch:  # all at once: a lock would let them out one at each turn of the loop
                job.awake.set()

    def _once(self, number: int, batch: Sequence[_Job]) -> None:
        known = self.hub.feed(number).game
        with self.database.write() as connection:
            before = _newest(connection, number, known)
            kept = games.remembered(
                connection, number, {k for job in batch if (k := job.request.known_by)}
            )
            after, answers, fresh = before, [], dict[games.Key, games.Kept]()
            for job in batch:
                after, answer = _settle(connection, number, after, job, ChainMap(fresh, kept))
                answers.append(answer)
            records = [record for job in batch for record in job.records]
            if records:
                games.save(connection, number, before, after, records)
            games.remember(connection, number, fresh)
            for job in batch:
                if job.alongside and job.error is None:
                    job.alongside(connection, after)
        for job, answer in zip(batch, answers, strict=True):
            job.outcome = answer  # only now: the transaction is kept


def _count(job: _Job) -> None:
    """Count what happened, in the one process that recorded it, or why nothing did."""
    if isinstance(job.error, Refusal):
        metrics.REFUSALS.labels(job.error.code).inc()
    for event in job.outcome.events if job.outcome else ():
        metrics.EVENTS.labels(kind(event)).inc()


def _storable(asked: Request) -> Request:
    """Leave out what no database keeps, a NUL or half a character: it would fail a whole batch."""
    reason, key = (
        text.replace("\0", "").encode(errors="ignore").decode()
        for text in (asked.reason, asked.key)
    )
    return replace(asked, reason=reason, key=key)


def _next_batch(queue: deque[_Job]) -> list[_Job]:
    batch = [queue.popleft()]
    while queue and len(batch) < LARGEST_BATCH and not (batch[0].alone or queue[0].alone):
        batch.append(queue.popleft())
    return batch


def _newest(connection: Connection, number: int, known: Game) -> Game:
    games.version(connection, number, lock=True)
    return known.after(*(r.event for r in log.since(connection, number, known.version)))


def _settle(
    connection: Connection,
    number: int,
    game: Game,
    job: _Job,
    kept: MutableMapping[games.Key, games.Kept],
) -> tuple[Game, Outcome | None]:
    """Decide a job on the game as the jobs before it left it; a refusal leaves the game alone.

    Its answer is put among those that are kept, when it has a key.
    """
    job.records, job.error = [], None
    key = job.request.known_by
    try:
        if key and key in kept:
            job.alongside = None  # it was written the first time
            return game, Outcome(job.request.answered(kept[key]))
        events, after = _decide_all(connection, number, game, job.commands)
    except Refusal as refusal:
        job.error = refusal
        return game, None
    job.records = _records(game, events, job.request)
    if key:
        kept[key] = (job.request.about, after.version)
    return after, Outcome(after.version, events)


def _decide_all(
    connection: Connection, number: int, game: Game, commands: tuple[c.Command, ...]
) -> tuple[tuple[Event, ...], Game]:
    happened: list[Event] = []
    for command in commands:
        wanted = command
        if isinstance(command, c.Undo):
            wanted = replace(command, log=_log_from(connection, number, game, command.version))
        events = decide(game, wanted)
        game = game.after(*events)
        happened.extend(events)
    return tuple(happened), game


def _log_from(
    connection: Connection, number: int, game: Game, version: int
) -> tuple[tuple[int, Event], ...]:
    """Read what was recorded from a version on; nothing, when it is none of this game's."""
    if version not in range(1, game.version + 1):
        return ()
    return tuple((r.version, r.event) for r in log.since(connection, number, version - 1))


def _records(before: Game, events: tuple[Event, ...], asked: Request) -> list[log.Recorded]:
    at = games.now()
    return [
        log.Recorded(version, event, at, asked.actor, asked.reason)
        for version, event in enumerate(events, start=before.version + 1)
    ]
