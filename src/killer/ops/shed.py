"""The folder of the backups: who works in it, how archives are called, which ones are kept."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from killer.ops.archive import BackupError

PATIENCE = 60.0  # seconds that one backup waits for another
HOUR = 3600.0
DAY = 24 * HOUR
KEPT = 7 * DAY  # seconds
DOUBTFUL = ".bad"
"""What the name of an archive ends with whose game breaks a law."""

_NAME = re.compile(rf"killer-(\d{{8}}T\d{{6}}Z)\.tar\.gz(?:{re.escape(DOUBTFUL)})?")
_STAMP = "%Y%m%dT%H%M%SZ"


@contextmanager
def alone(folder: Path, patience: float = PATIENCE) -> Iterator[Path]:
    """Give an empty folder to work in, on the disk of the archives, to one process at a time.

    Raises:
        BackupError: another one works for longer than so many seconds.
        OSError: the folder can't be used.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / ".lock").open("ab") as lock:
        _take(lock.fileno(), time.monotonic() + patience)
        for left in folder.glob(".work-*"):  # by one that was killed
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".work-") as work:
            yield Path(work)


def _take(descriptor: int, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                raise BackupError("busy") from error
            time.sleep(0.2)
        else:
            return


def free_name(folder: Path) -> Path:
    """Give the name of an archive that begins now; names have seconds, so it may wait for one."""
    while True:
        path = folder / f"killer-{datetime.now(UTC).strftime(_STAMP)}.tar.gz"
        if not path.exists() and not _doubtful(path).exists():
            return path
        time.sleep(0.1)


def put(made: Path, path: Path, *, sound: bool) -> Path:
    """Give an archive its name, in one step that survives a power cut."""
    path = path if sound else _doubtful(path)
    made.rename(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return path


def _doubtful(path: Path) -> Path:
    return path.with_name(path.name + DOUBTFUL)


def archives(folder: Path) -> list[Path]:
    """Give the good archives, oldest first."""
    return sorted(p for p in folder.glob("killer-*.tar.gz") if _NAME.fullmatch(p.name))


def begun(path: Path) -> float:
    """Give when an archive was begun, in seconds since 1970, UTC."""
    found = _NAME.fullmatch(path.name)
    assert found is not None, f"{path} has no archive's name"
    return datetime.strptime(found[1], _STAMP).replace(tzinfo=UTC).timestamp()


def superfluous(paths: Sequence[Path], now: float) -> list[Path]:
    """Say which archives needn't be kept: older than seven days, or a second one of an hour.

    All of the last day are kept, and the newest one whatever its age.
    """
    found, hours = [], set()
    for path in sorted(paths)[:-1]:
        age, hour = now - begun(path), begun(path) // HOUR
        if age > KEPT or (age > DAY and hour in hours):
            found.append(path)
        hours.add(hour)
    return found


def sweep(folder: Path, now: float) -> list[Path]:
    """Throw away what needn't be kept, and all doubtful archives but the last; say which.

    Raises:
        OSError: the folder is closed.
    """
    doubtful = sorted(p for p in folder.glob(f"killer-*{DOUBTFUL}") if _NAME.fullmatch(p.name))
    thrown = [*superfluous(archives(folder), now), *doubtful[:-1]]
    for path in thrown:
        path.unlink()
    return thrown
