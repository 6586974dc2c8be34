"""Errands carried out: photos from Drive and sign-in mails, while players go on playing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import structlog

from killer.language import LANGUAGES
from killer.mail import credentials
from killer.mail.credentials import ASKED_FOR
from killer.media import fetch
from killer.media.bucket import shelf_of
from killer.media.pictures import LARGEST
from killer.media.shelf import ShelfError
from killer.play import Play, Request
from killer.settings import Settings
from killer.sheets.google import Google, GoogleError
from killer.store import errands
from killer.store.database import StoreUnavailableError
from killer.store.errands import Errand

PAUSE = 30.0  # seconds before an errand that something passing stopped is gone on with
NOTED = 1.0  # seconds between two notes of how far an errand is
PASSING = frozenset({"stopped", "busy"})  # codes of mails that go on by themselves later

_log = structlog.get_logger()
Pairs = tuple[tuple[str, str], ...]


class Chores:
    """Does what organisers asked for on their pages, one errand after the other."""

    def __init__(
        self,
        settings: Settings,
        play: Play,
        google: Google,
        stop: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._play, self._google = settings, play, google
        self._stop, self._clock = stop, clock
        self._not_before: dict[int, float] = {}
        self._noted = float("-inf")

    def tick(self) -> None:
        """Do the errands that are due.

        Raises:
            StoreUnavailableError: the database can't be asked; the errand goes on later.
        """
        with self._play.database.read() as connection:
            waiting = errands.waiting(connection)
        real = {row.id for row in self._play.hub.games()}  # a rehearsal sends nobody mails
        for errand in (one for one in waiting if one.game in real):
            if self._clock() >= self._not_before.get(errand.id, 0.0) and not self._stop():
                self._try(replace(errand, state="doing", detail=()))

    def _try(self, errand: Errand) -> None:
        try:
            self._do(errand)
        except StoreUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, the others get their turn
            self._not_before[errand.id] = self._clock() + PAUSE
            _log.error("errand.crashed", kind=errand.kind, id=errand.id, exc_info=error)

    def _do(self, errand: Errand) -> None:
        self._note(errand)
        _log.info("errand.begins", kind=errand.kind, id=errand.id)
        done = self._photos(errand) if errand.kind == "photos" else self._mails(errand)
        if done.state == "waiting":
            self._not_before[errand.id] = self._clock() + PAUSE
        self._note_end(done)
        _log.info("errand.ends", kind=done.kind, id=done.id, state=done.state, done=done.done)

    def _note(self, errand: Errand) -> None:
        with self._play.database.write() as connection:
            errands.note(connection, errand)

    def _note_end(self, errand: Errand) -> None:
        """Note the end, unless a mail was asked for after the last one went out."""
        with self._play.database.write() as connection:
            mails = errand.kind == "mails" and errand.state == "done"
            asked = mails and credentials.look_within(connection, errand.game, ASKED_FOR).due
            errands.note(connection, replace(errand, state="waiting") if asked else errand)

    def _told(self, errand: Errand) -> Callable[[int, int, int], None]:
        """Keep how far an errand is, but not for each of 500 photos."""

        def told(done: int, failed: int, total: int) -> None:
            if self._clock() >= self._noted + NOTED:
                self._noted = self._clock()
                self._note(replace(errand, done=done, failed=failed, total=total))

        return told

    def _photos(self, errand: Errand) -> Errand:
        report = fetch.fetch(
            self._play,
            errand.game,
            shelf_of(self._settings),
            lambda file_id: self._google.file(file_id, LARGEST),
            self._told(errand),
            self._stop,
            request=Request(actor=errand.actor, reason="photos"),
        )
        done, failed = len(report.done), len(report.failed)
        ended = replace(errand, done=done, failed=failed, total=done + failed + report.left)
        if report.error is None:
            return replace(ended, state="waiting" if report.left else "done", detail=report.reasons)
        passing, why = self._stopped(report.error)
        return replace(ended, state="waiting" if passing else "failed", detail=why)

    def _stopped(self, error: Exception) -> tuple[bool, Pairs]:
        """Say whether what ended an errand passes by itself, and by which sentence it is told."""
        if isinstance(error, GoogleError | ShelfError):
            return error.retry, (("stopped", error.sentence), *error.params.items())
        raise error

    def _mails(self, errand: Errand) -> Errand:
        report = credentials.send(
            self._play.database,
            self._settings,
            errand.game,
            errand.address,
            language=LANGUAGES[0],
            told=self._told(errand),
            stop=self._stop,
        )
        failed = len(report.failed) + len(report.uncertain)
        sent = len(report.sent)
        ended = replace(errand, done=sent, failed=failed, total=sent + failed + report.left)
        if report.stopped in PASSING:
            return replace(ended, state="waiting")  # whoever takes over goes on
        return replace(ended, state="failed" if report.stopped else "done", detail=report.reasons)
