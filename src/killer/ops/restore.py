"""A backup put back: all of it or nothing, and never over something that isn't kept elsewhere."""

from __future__ import annotations

import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from killer import secret as secret_
from killer.media.bucket import bucket_of
from killer.media.shelf import FILE, Shelf, ShelfError
from killer.ops import album, archive, backup, shed
from killer.ops.archive import PHOTOS, BackupError, Manifest
from killer.ops.backup import Told, speaking
from killer.settings import Settings
from killer.store import dump, keeping
from killer.store.database import Database, StoreUnavailableError

STEPS = ("prove", "keep", "photos", "load")
LOOK = 0.5  # seconds between two looks at a lease that may be a dead server's


@dataclass(frozen=True, slots=True)
class Restored:
    """What is back, and what whoever restored it should know."""

    manifest: Manifest
    missing: int  # files of photos that were in no album
    kept: Path | None  # the backup of what was there before, or the unreadable file itself
    secret_differs: bool  # SECRET_KEY is set, and another one than the backup's


def restore(settings: Settings, file: Path, told: Told, *, instead: bool = False) -> Restored:
    """Put a backup back into an empty deployment, whose server is stopped.

    Args:
        settings: of the deployment.
        file: the archive; photos that it needs lie beside it, in it, or in the backups' folder.
        told: hears each of STEPS when it begins.
        instead: what is there is kept as a backup, and replaced.

    Raises:
        BackupError: it can't be done; the deployment is as it was.
        StoreUnavailableError: the database can't be used; it is as it was, or empty.
    """
    database = Database(settings.database)
    try:
        with speaking(settings.backups), shed.alone(settings.backups) as work:
            told("prove")
            here = Path(tempfile.mkdtemp(dir=work))
            manifest = archive.unpack(file, here)
            if broken := backup.proven(manifest, here):
                raise BackupError("broken", file=file, games=", ".join(broken))
            told("keep")
            kept = _make_room(settings, database, work, instead=instead)
            told("photos")
            albums = (here / PHOTOS, file.absolute().parent / PHOTOS, settings.backups / PHOTOS)
            missing = _bring_back(settings, manifest.photos, albums)
            told("load")
            _load(settings, database, manifest, here)
            differs = secret_.of(settings) != (here / archive.SECRET).read_bytes()
            return Restored(manifest, missing, kept, differs)
    finally:
        database.close()


def _make_room(settings: Settings, database: Database, work: Path, *, instead: bool) -> Path | None:
    """Refuse what would be lost; else keep it and say where."""
    try:
        refuse_served(settings, database)
        with database.read() as connection:
            held = dump.content(connection)
            scores = dump.scores(connection) if held == "games" else ()
        if held == "nothing":
            return None
        if held == "foreign":
            raise BackupError("foreign_database")
        if not instead:
            raise BackupError("not_empty", games=", ".join(score.name for score in scores))
        return backup.make_in(work, settings, lambda _: None).path
    except StoreUnavailableError as error:
        if not database.embedded or not error.damaged:
            raise
        if not instead:
            raise BackupError("damaged_database", file=database.file) from error
        return _set_aside(database)


def refuse_served(settings: Settings, database: Database) -> None:
    """See that no server is at work on the database, or where it would be reached.

    A killed server leaves a lease that runs out by itself; one that lives takes it for longer.

    Raises:
        BackupError: there is one.
    """
    if _answers(replace(settings, public_url="").address):
        raise BackupError("served")
    before = _lease(database)
    while before and (now := _lease(database)):
        if now != before:
            raise BackupError("served")
        time.sleep(LOOK)


def _lease(database: Database) -> tuple[str, int] | None:
    with database.read() as connection:
        return keeping.holder_of(connection, keeping.KEEPER)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=2) as said:  # noqa: S310  # our own
            return bool(said.status)
    except urllib.error.HTTPError:
        return True
    except (urllib.error.URLError, OSError):
        return False


def _set_aside(database: Database) -> Path:
    """Give an unreadable file of SQLite another name, with what belongs to it."""
    database.close()
    stamp = f"-damaged-{int(time.time())}"
    aside = database.file.with_name(database.file.name + stamp)
    for end in ("-wal", "-shm", ""):
        part = database.file.with_name(database.file.name + end)
        if part.exists():
            part.rename(aside.with_name(aside.name + end))
    return aside


def _bring_back(settings: Settings, names: Mapping[str, int], albums: Sequence[Path]) -> int:
    """Put the photos back, into the bucket too; give how many are nowhere any more."""
    shelf = Shelf(settings.photos, b"", bucket_of(settings))  # nothing gets a new name
    missing = album.bring_back(names, albums, settings.photos)
    try:
        if missing:  # the bucket may have survived what was lost here
            shelf.gather(
                sorted({(int(each[1]), each[2]) for each in map(FILE.match, names) if each})
            )
            missing = album.bring_back(names, albums, settings.photos)
        shelf.hand_over(names, lambda _: None)
    except ShelfError as error:
        raise BackupError("no_bucket", **error.params) from error
    return missing


def _load(settings: Settings, database: Database, manifest: Manifest, here: Path) -> None:
    """Bring back the secret and the rows, in an order that never mixes old and new.

    Whoever is interrupted leaves what was there, or, where another secret belonged to it, nothing.
    """
    secret = (here / archive.SECRET).read_bytes()
    if secret != secret_.kept(settings):
        with database.write() as connection:
            dump.wipe(connection)
        secret_.put(settings, secret)
    with database.write() as connection:
        dump.load(connection, here / archive.TABLES, manifest.revision, manifest.tables)
