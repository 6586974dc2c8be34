"""When a backup is due while the server serves, and the process that makes it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import structlog

from killer import settings as settings_
from killer.ops import shed
from killer.settings import Settings
from killer.store import keeping, log
from killer.store.database import Database, StoreUnavailableError
from killer.watch import machine, metrics

MINUTE = 60.0
PAUSE = 120.0  # seconds after a backup that failed
#: Behind everybody else who wants the core: no player waits for a backup.
COMMAND = ("nice", "-n", "10", sys.executable, "-m", "killer", "backup", "--quiet")

_log = structlog.get_logger()


class Schedule:
    """Has a backup made while a real game runs or has moved since the last one, and once a day."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clock: Callable[[], float] = time.time,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._settings, self._database = settings, database
        self._clock, self._command = clock, command
        self._not_before = 0.0

    def tick(self) -> None:
        """Make the backup that is due, if one is; this waits for its end.

        Raises:
            StoreUnavailableError: the database can't be asked.
        """
        if self._clock() >= self._not_before and self.is_due():
            self._make()

    def is_due(self) -> bool:
        """Tell whether it is time.

        Raises:
            StoreUnavailableError: the database can't be asked.
        """
        minutes = self._settings.backup_minutes
        made = shed.archives(self._settings.backups)
        last = shed.begun(made[-1]) if made else 0.0
        age = self._clock() - last
        if not minutes or age < minutes * MINUTE:
            return False
        since = 0 if age >= shed.DAY else int(last * 1000)
        with self._database.read() as connection:
            return log.stirs(connection, since)

    def _make(self) -> None:
        """Run `killer backup` beside this server, and log how it went."""
        base = settings_.inherited() | settings_.as_environment(self._settings)
        base.pop(metrics.FOLDER, None)  # its figures are not the server's
        done = subprocess.run(  # noqa: S603  # our own command
            self._command, env=base, capture_output=True, text=True, check=False
        )
        said = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
        if done.returncode:
            self._not_before = self._clock() + PAUSE
            _log.error("archive.failed", cause=said[-1] if said else done.returncode)
        else:
            _log.info("archive.made", path=said[-1], warnings=done.stderr.strip())
            with suppress(StoreUnavailableError):  # then only this machine knows of it
                keeping.note(self._database, keeping.BACKUP, machine.name())
