"""A backup of one moment of the game, proven by restoring it before it gets its name."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

import killer
from killer import secret as secret_
from killer.media.bucket import shelf_of
from killer.media.shelf import ShelfError
from killer.ops import album, archive, elsewhere, shed
from killer.ops.archive import PHOTOS, BackupError, Manifest
from killer.settings import Settings
from killer.store import check, dump, games, photos, schema
from killer.store.database import Database, StoreUnavailableError
from killer.store.dump import RowError

MARGIN = 200 * 2**20  # bytes that stay free: a full disk stops the game
STEPS = ("read", "photos", "pack", "prove", "send")

Told = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Made:
    """A backup: its file, what is in it, and what isn't well."""

    path: Path
    manifest: Manifest
    broken: dict[str, list[str]]  # games that break a law, here as in the database
    absent: int  # photos that the server itself has lost
    away: ShelfError | None = None  # why some of those could not be had
    unsent: BackupError | None = None  # why there is no copy elsewhere


def make(
    settings: Settings, told: Told = print, whole: Path | None = None, margin: int = MARGIN
) -> Made:
    """Make a backup while the game goes on.

    Args:
        settings: of the deployment.
        told: hears each of STEPS when it begins.
        whole: a file that gets everything, the photos too, to be taken away.
        margin: bytes that must stay free on the disk.

    Raises:
        BackupError: there is none; what was there before is untouched.
        StoreUnavailableError: the database can't be read.
    """
    with speaking(settings.backups), shed.alone(settings.backups) as work:
        made = make_in(work, settings, told, whole, margin)
    told("send")  # a slow line keeps no other backup waiting
    return replace(made, unsent=_send(settings, made))


def make_in(
    work: Path, settings: Settings, told: Told, whole: Path | None = None, margin: int = MARGIN
) -> Made:
    """Make a backup, here only, for somebody who has the folder of the backups already.

    Raises:
        BackupError, StoreUnavailableError, OSError: as `make`.
    """
    folder = settings.backups
    if whole and whole.exists():
        raise BackupError("exists", file=whole)
    if shutil.disk_usage(folder).free < margin:
        raise BackupError("full", folder=folder, megabytes=margin // 2**20)
    path = shed.free_name(folder)
    here = Path(tempfile.mkdtemp(dir=work))
    told("read")
    manifest, absent, away = _read(settings, here)
    told("photos")
    album.mirror(manifest.photos, settings.photos, folder / PHOTOS)
    told("pack")
    archive.pack(here / path.name, here)
    told("prove")
    broken = prove(here / path.name, work)
    if whole:
        _take_away(whole, here, manifest, folder / PHOTOS)
    path = shed.put(here / path.name, path, sound=not broken)
    _tidy(folder)
    return Made(path, manifest, broken, absent, away)


@contextmanager
def speaking(folder: Path) -> Iterator[None]:
    """Name the folder that can't be written, and the row that can't be kept.

    Raises:
        BackupError: in the place of OSError and RowError.
    """
    try:
        yield
    except OSError as error:
        raise _no_folder(folder, error) from error
    except StoreUnavailableError as error:
        cause = error.__cause__  # a file beside the database, written while it was read
        if not isinstance(cause, OSError) or isinstance(cause, TimeoutError):
            raise
        raise _no_folder(folder, cause) from error
    except RowError as error:
        raise BackupError("row", **error.params) from error


def _no_folder(folder: Path, error: OSError) -> BackupError:
    full = error.errno in {errno.ENOSPC, errno.EDQUOT}  # then the file named may be the other one
    name = folder if full else error.filename or folder
    return BackupError("no_folder", folder=name, cause=error.strerror or error)


def _read(settings: Settings, here: Path) -> tuple[Manifest, int, ShelfError | None]:
    """Write one moment of the database into a folder; see to it that the photos are here."""
    (here / archive.TABLES).mkdir()
    database, made = Database(settings.database), games.now()
    with database.read() as connection:
        revision = dump.readable(connection)
        if revision is None:
            there = schema.revision(connection)
            raise BackupError("foreign_database" if there else "nothing")
        facts = dump.write(connection, here / archive.TABLES)
        scores, shown = dump.scores(connection), photos.shown(connection)
    database.close()
    away = _gather(settings, shown)
    sizes, absent = album.needed(shown, settings.photos, settings.backups / PHOTOS)
    secret = secret_.of(settings)
    manifest = Manifest(
        format=archive.FORMAT,
        killer=killer.__version__,
        made=made,
        revision=revision,
        games=scores,
        tables=facts,
        secret=archive.sha256_of(secret),
        photos=sizes,
    )
    (here / archive.SECRET).write_bytes(secret)
    (here / archive.MANIFEST).write_bytes(msgspec.json.encode(manifest))
    return manifest, absent, away if absent else None


def _gather(settings: Settings, shown: Collection[tuple[int, str]]) -> ShelfError | None:
    """Fetch the photos that only the bucket has; without them there is a backup all the same."""
    try:
        shelf_of(settings).gather(shown)
    except ShelfError as error:
        return error
    return None


def prove(path: Path, work: Path) -> dict[str, list[str]]:
    """Restore an archive into a database of its own; say which of its games break a law.

    Raises:
        BackupError: it can't be restored.
    """
    with tempfile.TemporaryDirectory(dir=work) as name:
        folder = Path(name)
        manifest = archive.unpack(path, folder)
        return proven(manifest, folder)


def proven(manifest: Manifest, folder: Path) -> dict[str, list[str]]:
    """Load what was unpacked into a database of its own; say which games break a law.

    Raises:
        BackupError: it can't be loaded.
    """
    database = Database(f"sqlite:///{folder}/proof.sqlite3")
    try:
        with database.write() as connection:
            dump.load(connection, folder / archive.TABLES, manifest.revision, manifest.tables)
            if dump.scores(connection) != manifest.games:
                raise BackupError("damaged", file=folder)
            return check.broken(connection)
    except StoreUnavailableError as error:
        raise BackupError("no_folder", folder=folder.parent, cause=error) from error
    finally:
        database.close()


def _take_away(whole: Path, here: Path, manifest: Manifest, photos_: Path) -> None:
    """Make one file with everything; it gets its name when it was read again."""
    with tempfile.TemporaryDirectory(dir=whole.absolute().parent, prefix=".killer-") as name:
        made, again = Path(name, "whole"), Path(name, "again")
        archive.pack(made, here, ((each, photos_ / each) for each in manifest.photos))
        again.mkdir()
        archive.unpack(made, again)
        os.link(made, whole)  # never over another file


def _tidy(folder: Path) -> None:
    """Throw away what is old, and the photos that no archive needs any more."""
    if not shed.sweep(folder, time.time()):
        return
    with suppress(BackupError):  # who knows what an unreadable one needs: then all are kept
        kept = [archive.manifest_of(path) for path in shed.archives(folder)]
        album.prune(folder / PHOTOS, {name for each in kept for name in each.photos})


def _send(settings: Settings, made: Made) -> BackupError | None:
    if not settings.backup_to:
        return None
    try:
        elsewhere.send(settings.backup_to, made.path, made.manifest.photos)
    except BackupError as error:
        return error
    return None
