"""One feed for each game: its newest state and its last frames, caught up from the log."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from killer.game.model import Game, State, Visibility
from killer.live.frames import SILENT, Frame, encode
from killer.store import games, log
from killer.store.database import Connection, Database, StoreUnavailableError
from killer.store.games import GameRow

LOUDNESS = {Visibility.DISCREET: 0, Visibility.DEATHS: 1, Visibility.OPEN: 2}
HISTORY = 1000  # frames that a phone may be behind before it is told to resync

Seen = Callable[[log.Recorded], None]
Tell = Callable[[int], None]  # the other processes, that a game has moved

Answer = TypeVar("Answer")


class UnknownGameError(Exception):
    """There is no game of that number."""


class Feed:
    """What this process knows of one game; every reader shares it."""

    def __init__(self, number: int, game: Game, *, rehearsal: bool = False) -> None:
        self.number = number
        self.game = game
        self.rehearsal = rehearsal
        self.generation: object = None
        self.lock = threading.Lock()
        self.looks = 0  # at the log, begun so far
        self.found = 0  # the last of them that came back
        self._frames: deque[Frame] = deque(maxlen=HISTORY)
        self._answers: dict[Hashable, Any] = {}
        self._bell = threading.Event()
        self.rings: set[threading.Event] = set()  # of those who follow without waiting here
        self.open = True

    def prime(self, records: Sequence[log.Recorded]) -> None:
        """Take the whole log at once; only its end is kept as frames."""
        start = max(0, len(records) - HISTORY)
        self.game = self.game.after(*(r.event for r in records[:start]))
        self._answers = {}
        self.advance(records[start:])

    def advance(self, records: Sequence[log.Recorded]) -> None:
        """Take what is new in the log, and wake whoever waits."""
        for record in records:
            after = self.game.after(record.event)
            if LOUDNESS[after.visibility] < LOUDNESS[self.game.visibility]:
                self._frames.clear()  # what was told under the old rule is not told again
            self._frames.append(encode(self.game, after, record))
            self.game, self._answers = after, {}
        if records:
            self.wake()

    def once(self, key: Hashable, make: Callable[[Game], Answer]) -> Answer:
        """Give what was made of the present version, or make it now; it lasts as long as that."""
        answers, game = self._answers, self.game  # in this order: no old answer in a new place
        if key not in answers:
            answers[key] = make(game)
        answer: Answer = answers[key]
        return answer

    def wake(self) -> None:
        """Let every waiting reader look again."""
        rung, self._bell = self._bell, threading.Event()
        for ring in (rung, *self.rings):
            ring.set()

    def since(self, version: int) -> list[Frame] | None:
        """Give the frames after a version, or none at all when too much lies between."""
        behind = self.game.version - version
        if behind == 0:
            return []
        if behind < 0 or behind > len(self._frames):
            return None
        return [self._frames[i] for i in range(len(self._frames) - behind, len(self._frames))]

    def recent(self, most: int) -> list[Frame]:
        """Give the last frames that tell something, newest first."""
        telling = (frame for frame in reversed(list(self._frames)) if frame.news.kind not in SILENT)
        return list(islice(telling, most))

    def wait(self, version: int, seconds: float) -> None:
        """Return when there is something after a version, or the time has passed."""
        bell = self._bell
        if self.game.version == version:
            bell.wait(seconds)


@dataclass(frozen=True, slots=True)
class _Listed:
    """The games at one generation of the database."""

    generation: object
    every: list[GameRow]
    real: list[GameRow]


class Hub:
    """All feeds of one process; whatever it answers is as new as the database."""

    def __init__(
        self, database: Database, seen: Seen | None = None, tell: Tell | None = None
    ) -> None:
        self.database = database
        self.open = True
        self._seen, self._tell = seen, tell
        self._feeds: dict[int, Feed] = {}
        self._lock = threading.Lock()
        self._games: _Listed | None = None

    def feed(self, number: int) -> Feed:
        """Give a game's feed, caught up with everything that was acknowledged before this call.

        Raises:
            UnknownGameError: there is no such game.
            StoreUnavailableError: the database can't be asked.
        """
        generation = self.database.generation()
        feed = self._feeds.get(number) or self._create(number)
        if feed.generation != generation:
            try:
                self._catch_up(feed, generation)
            except UnknownGameError:
                self.forget(number)
                raise
        return feed

    def known(self, number: int) -> Feed:
        """Give a game's feed, as it was last seen when the database doesn't answer.

        Raises:
            UnknownGameError: there is no such game.
            StoreUnavailableError: this process has never seen it.
        """
        try:
            return self.feed(number)
        except StoreUnavailableError:
            if number in self._feeds:
                return self._feeds[number]
            raise

    def forget(self, number: int) -> None:
        """Follow a game no longer, because it was removed; its streams end."""
        feed = self._feeds.pop(number, None)
        if feed:
            feed.open = False
            feed.wake()

    def games(self) -> list[GameRow]:
        """List the games that people play, newest first."""
        return self._listed().real

    def rows(self) -> list[GameRow]:
        """List all games, rehearsals too."""
        return self._listed().every

    def _listed(self) -> _Listed:
        """Read the games again only when the database has moved."""
        generation, known = self.database.generation(), self._games
        if known is None or known.generation != generation:
            every = self.database.reading(games.every)
            known = _Listed(generation, every, [row for row in every if row.rehearses is None])
            self._games = known
        return known

    def ring(self, number: int) -> None:
        """Tell the others that a game has moved here, and look at it."""
        if self._tell:
            self._tell(number)
        self.feed(number)

    def heard(self, number: int) -> None:
        """Look at a game that has moved elsewhere, if somebody here follows it."""
        if number in self._feeds:
            with suppress(UnknownGameError):  # a rehearsal that was removed
                self.feed(number)

    def look(self) -> None:
        """Look at every game that somebody here follows."""
        for number in list(self._feeds):
            self.heard(number)

    def prime(self) -> None:
        """Read the log of every game that isn't over, so that no player's first request has to."""
        for row in self.games():
            if row.state is not State.OVER:
                self.feed(row.id)

    def close(self) -> None:
        """Let every open stream end."""
        self.open = False
        for feed in list(self._feeds.values()):
            feed.wake()

    def _create(self, number: int) -> Feed:
        with self._lock:
            if number in self._feeds:
                return self._feeds[number]
            row = next((g for g in self.rows() if g.id == number), None)
            if row is None:
                raise UnknownGameError(number)
            feed = Feed(number, games.blank(row), rehearsal=row.rehearses is not None)
            feed.prime(self.database.reading(lambda read: log.since(read, number, 0)))
            self._feeds[number] = feed
            return feed

    def _catch_up(self, feed: Feed, generation: object) -> None:
        before = feed.looks
        with feed.lock:
            if feed.found > before:
                return  # a look that began after this call has found all that it may want
            feed.looks += 1
            records = self.database.reading(lambda connection: _news(connection, feed))
            feed.advance(records)
            feed.generation, feed.found = generation, feed.looks
        if self._seen:
            for record in records:
                self._seen(record)


def _news(connection: Connection, feed: Feed) -> list[log.Recorded]:
    """Read what a feed hasn't heard; only a rehearsal can be gone, so only it is looked for.

    Raises:
        UnknownGameError: it is gone.
    """
    if feed.rehearsal:
        version = games.version(connection, feed.number)
        if version is None:
            raise UnknownGameError(feed.number)
        if version == feed.game.version:
            return []  # one query, as for a real game
    return log.since(connection, feed.number, feed.game.version)
