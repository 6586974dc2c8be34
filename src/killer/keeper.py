"""The keeper: in one process of all, it keeps the sheet level, runs errands, has backups made.

In every process it throws away the photos of its machine that nobody wears any more.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import structlog

from killer.chores import Chores
from killer.media.bucket import bucket_of
from killer.media.shelf import Shelf
from killer.media.sweeping import sweep
from killer.ops.schedule import Schedule
from killer.play import Play
from killer.settings import Settings
from killer.sheets.google import Google
from killer.sheets.pace import Pace
from killer.sheets.rounds import Rounds
from killer.sheets.sync import LostLeaseError
from killer.store import games, keeping
from killer.store.database import StoreUnavailableError
from killer.threads import Threads
from killer.watch import metrics

LEASE = keeping.KEEPER
LEASE_SECONDS = 20.0  # after which another process may take over
RENEWAL = 5.0  # seconds
TICK = 0.5  # seconds
PAUSE = 2.0  # seconds between two looks at the errands
WATCH = 10.0  # seconds between two looks whether a backup is due
TIDY = 3600.0  # seconds between two lookings through old answers
SWEEP = 600.0  # seconds between two looks for photos that nobody wears

_THREAD = Threads(1)  # where a tab of 500 rows is understood, which takes 60 ms
_log = structlog.get_logger()


class Keeper:
    """Holds the lease or waits for it; whoever holds it looks after the sheet and the errands."""

    def __init__(self, settings: Settings, play: Play, serving: Callable[[], bool]) -> None:
        self._settings, self._play, self._serving = settings, play, serving
        # Numbers of processes come back, so a few letters of chance are added.
        self._holder = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._holds = False
        self._rounds: Rounds | None = None
        self._tidied = float("-inf")
        self._pace = gentle()  # one for all rounds: who takes over again has no new burst

    def start(self) -> None:
        """Work in the background as long as the process serves."""
        works = (self._keep_lease, self._keep_sheet, self._run_errands, self._have_backups)
        for work in (*works, self._sweep_photos):
            threading.Thread(target=work, daemon=True, name="keeper").start()

    def _keep_lease(self) -> None:
        while self._serving():
            try:
                held = keeping.take_lease(self._play.database, LEASE, self._holder, LEASE_SECONDS)
            except StoreUnavailableError as error:
                held = False
                _log.warning("keeper.no_lease", cause=str(error))
            if held is not self._holds:
                _log.info("keeper.begins" if held else "keeper.ends", holder=self._holder)
            self._holds = held
            time.sleep(RENEWAL)
        self._holds = False
        with suppress(StoreUnavailableError):
            keeping.leave_lease(self._play.database, LEASE, self._holder)

    def _still_ours(self) -> bool:
        with self._play.database.read() as connection:
            return keeping.holds_lease(connection, LEASE, self._holder)

    def _keep_sheet(self) -> None:
        while self._serving() and self._settings.spreadsheet:
            time.sleep(TICK)
            if not self._holds:
                self._rounds = None  # what another keeper does meanwhile, our memory doesn't know
                continue
            try:
                self._rounds = self._rounds or self._new_rounds()
                self._rounds.tick()
            except LostLeaseError:
                self._holds = False
            except Exception as error:  # noqa: BLE001  # whatever it is, the next look comes
                _log.error("keeper.sheet_failed", exc_info=error)
                time.sleep(RENEWAL)

    def _run_errands(self) -> None:
        google = google_of(self._settings)
        chores = Chores(self._settings, self._play, google, stop=lambda: not self._at_work())
        while self._serving():
            time.sleep(PAUSE)
            try:
                if self._holds:
                    self._tidy()
                    chores.tick()
            except Exception as error:  # noqa: BLE001  # whatever it is, the errand is gone on with
                _log.error("keeper.errand_failed", exc_info=error)
                time.sleep(LEASE_SECONDS)

    def _have_backups(self) -> None:
        schedule = Schedule(self._settings, self._play.database)
        while self._serving() and self._settings.backup_minutes:
            time.sleep(WATCH)
            try:
                if self._holds:
                    schedule.tick()
            except Exception as error:  # noqa: BLE001  # whatever it is, the next look comes
                _log.error("keeper.backup_failed", exc_info=error)

    def _tidy(self) -> None:
        """Forget the answers to requests that nobody repeats any more."""
        if time.monotonic() >= self._tidied + TIDY:
            with self._play.database.write() as connection:
                games.forget_answers(connection, games.now() - games.ANSWERS_KEPT)
            self._tidied = time.monotonic()

    def _sweep_photos(self) -> None:
        settings = self._settings
        shelf = Shelf(settings.photos, b"", bucket_of(settings))  # nothing gets a new name
        while self._serving():
            try:
                sweep(self._play.database, shelf, depot=self._holds)
            except Exception as error:  # noqa: BLE001  # whatever it is, the next look comes
                _log.error("keeper.sweep_failed", exc_info=error)
            time.sleep(SWEEP)

    def _at_work(self) -> bool:
        return self._holds and self._serving()

    def _new_rounds(self) -> Rounds:
        return Rounds(
            self._settings,
            self._play,
            google_of(self._settings, gentle()),
            self._still_ours,
            _THREAD.do,
        )


def gentle() -> Pace:
    """Ask at most 20 times in any minute: Google allows 60, and commands by hand want some too."""
    return Pace(read=15, write=15, burst=5)


def google_of(settings: Settings, pace: Pace | None = None) -> Google:
    """Give the way to Google that the settings describe."""
    return Google(
        settings.key_file,
        url=settings.google_url,
        timeout=float(settings.google_timeout),
        pace=pace,
        counted=lambda kind, outcome: metrics.GOOGLE_CALLS.labels(kind, outcome).inc(),
    )
