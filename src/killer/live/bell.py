"""The bell: whoever hears that a game has moved looks at once; everybody looks now and then."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Literal, Protocol

import structlog

from killer.live.hub import Hub
from killer.store.database import StoreUnavailableError

QUICK = 0.04  # seconds between two looks when nothing rings; one costs 10 µs, 0.3 ms on a server
SLOW = 1.0  # seconds between two looks when something does: they make good a lost ring
AGAIN = 2.0  # seconds before a source that was silent is tried again

Works = Literal["redis", "postgresql", "look"]
LOOK: Works = "look"  # what works when no source does

_log = structlog.get_logger()


class Source(Protocol):
    """Something that rings in every process: Redis, or PostgreSQL's notices."""

    errors: tuple[type[Exception], ...]  # what it raises when it is silent

    @property
    def name(self) -> Works:
        """Say what works when it rings."""

    def listening(self) -> AbstractContextManager[Iterator[set[int]]]:
        """Listen while the block lasts: sets of games, at least one (an empty one) each second."""

    def answers(self) -> bool:
        """Tell whether it would ring."""


class Bell:
    """Listens to the first source that works; `works` names it, or says that it only looks."""

    def __init__(self, hub: Hub, sources: Sequence[Source] = ()) -> None:
        self.works: Works = LOOK
        self._hub = hub
        self._sources = sources
        self._serving: Callable[[], bool] = lambda: False
        self._next_try = 0.0

    def start(self, serving: Callable[[], bool]) -> list[threading.Thread]:
        """Work in the background while the process serves; then close the hub."""
        self._serving = serving
        works = [self._look, self._listen] if self._sources else [self._look]
        threads = [threading.Thread(target=work, daemon=True, name="bell") for work in works]
        for thread in threads:
            thread.start()
        return threads

    def _look(self) -> None:
        while self._serving():
            time.sleep(QUICK if self._hub.database.embedded or self.works == LOOK else SLOW)
            try:
                self._hub.look()
            except Exception as error:  # noqa: BLE001  # whatever it is, the phones wait for the next look
                _log.warning("bell.look_failed", exc_info=error)
                time.sleep(1)
        self._hub.close()

    def _listen(self) -> None:
        while self._serving():
            for number, source in enumerate(self._sources):
                try:
                    self._follow(source, self._sources[:number])
                except source.errors as error:
                    _log.warning("bell.silent", bell=source.name, cause=str(error))
                self.works = LOOK
                if not self._serving():
                    return
            time.sleep(AGAIN)

    def _follow(self, source: Source, better: Sequence[Source]) -> None:
        """Look whenever a source rings, until the process ends or a better source is back."""
        with source.listening() as rings:
            self.works = source.name
            _log.info("bell.rings", bell=source.name)
            self._next_try = time.monotonic() + AGAIN
            with suppress(StoreUnavailableError):  # no fault of the source; the looks tell it
                self._hub.look()  # for what was told before anybody listened
            for games in rings:
                self._hear(games)
                if not self._serving() or self._is_back(better):
                    return

    def _hear(self, games: set[int]) -> None:
        with suppress(StoreUnavailableError):  # as above
            for game in games:
                self._hub.heard(game)

    def _is_back(self, better: Sequence[Source]) -> bool:
        if not better or time.monotonic() < self._next_try:
            return False
        self._next_try = time.monotonic() + AGAIN
        return any(source.answers() for source in better)
