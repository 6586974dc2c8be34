"""When a backup is due while the server serves, and the process that makes it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import structlog

from killer import settings as settings_
from killer.ops import shed
from killer.settings import Settings
from killer.store import keeping, log
from killer.store.database import Database, StoreUnavailableError
from killer.threads import Threads
from killer.watch import machine, metrics

MINUTE = 60.0
PAUSE = 120.0  # seconds after a backup that failed
PATIENCE = 3600.0  # seconds for a backup, its copies included; one that hangs mustn't be the last
#: Behind everybody else who wants the core: no player waits for a backup.
COMMAND = ("nice", "-n", "10", sys.executable, "-m", "killer", "backup", "--quiet")

_THREAD = Threads(1)  # the folder may lie on a network disk, which may hang
_log = structlog.get_logger()


class Schedule:
    """Has a backup made while a real game runs or has moved since the last one, and once a day."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clock: Callable[[], float] = time.time,
        command: Sequence[str] = COMMAND,
        patience: float = PATIENCE,
    ) -> None:
        self._settings, self._database = settings, database
        self._clock, self._command, self._patience = clock, command, patience
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
        made = _THREAD.do(lambda: shed.archives(self._settings.backups))
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
        code, out, err = self._outcome(base)
        said = (out if code == 0 else err).strip().splitlines()
        if code:
            self._not_before = self._clock() + PAUSE
            _log.error("archive.failed", cause=said[-1] if said else code)
        else:
            _log.info("archive.made", path=said[-1], warnings=err.strip())
            with suppress(StoreUnavailableError):  # then only this machine knows of it
                keeping.note(self._database, keeping.BACKUP, machine.name())

    def _outcome(self, environment: Mapping[str, str]) -> tuple[int, str, str]:
        """Run the command; give its code and what it said, also when it has to be ended."""
        pipe = subprocess.PIPE
        process = subprocess.Popen(  # noqa: S603  # our own command
            self._command, env=environment, stdout=pipe, stderr=pipe, text=True
        )
        try:
            out, err = process.communicate(timeout=self._patience)
        except subprocess.TimeoutExpired as error:
            process.kill()  # nobody waits for its end: a disk that hangs holds it even now
            return -signal.SIGKILL, "", f"{type(error).__name__}: {self._patience:.0f} s"
        return process.returncode, out, err
