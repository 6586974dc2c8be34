"""One file with everything: the manifest, each table's lines, the secret, and photos if wanted."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import shutil
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import msgspec

from killer.store import schema
from killer.store.dump import Facts, Score

FORMAT = 1
MANIFEST, SECRET, TABLES, PHOTOS = "manifest.json", "secret_key", "tables", "photos"
PHOTO = re.compile(r"\d{1,10}/[0-9a-f]{32}-(small|medium|large)\.webp")
LARGEST = 4 * 2**30
"""Bytes of one file, and of what may come behind another: more was not made by us."""
MARGIN = 16 * 2**20  # bytes of the disk that reading an archive leaves free
TAIL = 2**20  # bytes after the last file
LONGEST_MANIFEST = 64 * 2**20  # bytes

_KNOWN = re.compile(rf"{MANIFEST}|{SECRET}|{TABLES}/[a-z_]{{1,60}}\.jsonl|{PHOTOS}/{PHOTO.pattern}")


class BackupError(Exception):
    """A backup can't be made or used; `code` names the sentence `backup.<code>`."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code, params)
        self.code = code
        self.params = params


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What an archive holds: times in milliseconds since 1970, UTC; photos with their bytes."""

    format: int
    killer: str
    made: int
    revision: str
    games: tuple[Score, ...]
    tables: Mapping[str, Facts]
    secret: str  # its SHA-256
    photos: Mapping[str, int]


class _Format(msgspec.Struct):
    format: int


class _OurFile(tarfile.TarInfo):
    """The head of a file in an archive, refused unless it is one that we write.

    So no link, no device, no path out of the folder and no giant is ever looked at.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        found = super().frombuf(buf, encoding, errors)
        ours = found.type == tarfile.REGTYPE and _KNOWN.fullmatch(found.name)
        if not ours or found.size > LARGEST:
            raise BackupError("foreign")
        return found


def pack(path: Path, folder: Path, photos: Iterable[tuple[str, Path]] = ()) -> None:
    """Write what a folder holds, the manifest first, and the photos named into one file.

    The file is on the disk when this returns. Only its owner may read it: there are secrets in it.

    Raises:
        OSError: the disk is full or closed.
    """
    tables = sorted((folder / TABLES).iterdir())
    with (
        _private(path) as raw,
        tarfile.open(fileobj=raw, mode="w:gz", format=tarfile.USTAR_FORMAT, compresslevel=6) as tar,
    ):
        for each in (folder / MANIFEST, folder / SECRET, *tables):
            _add(tar, str(each.relative_to(folder)), each)
        for name, each in photos:
            _add(tar, f"{PHOTOS}/{name}", each)


@contextmanager
def _private(path: Path) -> Iterator[io.BufferedWriter]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _add(tar: tarfile.TarFile, name: str, file: Path) -> None:
    info = tarfile.TarInfo(name)
    with file.open("rb") as content:
        info.size = os.fstat(content.fileno()).st_size
        tar.addfile(info, content)


def unpack(path: Path, folder: Path, margin: int = MARGIN) -> Manifest:
    """Read an archive into an empty folder, and compare everything with its manifest.

    Args:
        path: the archive, from wherever it comes.
        folder: gets what is in it.
        margin: bytes that must stay free on the disk of the folder.

    Raises:
        BackupError: it is damaged, not ours, of a newer version, or there is no room for it.
    """
    with _opened(path) as content:
        _extract(content, folder, shutil.disk_usage(folder).free - margin)
        if not (folder / MANIFEST).exists():
            raise BackupError("foreign")
        manifest = _manifest((folder / MANIFEST).read_bytes())
        _compare(manifest, folder)
    return manifest


def manifest_of(path: Path) -> Manifest:
    """Read only what an archive says of itself.

    Raises:
        BackupError: it can't be read, or is not ours.
    """
    with _opened(path) as content, _files(content) as tar:
        first = tar.next()
        file = tar.extractfile(first) if first and first.name == MANIFEST else None
        return _manifest(file.read(LONGEST_MANIFEST) if file else b"")


@contextmanager
def _opened(path: Path) -> Iterator[gzip.GzipFile]:
    """Say of a file that can't be read which one it is, and whether it was ever ours."""
    try:
        with gzip.open(path) as content:
            yield content
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise BackupError("no_file", file=path) from error
    except gzip.BadGzipFile as error:
        raise BackupError("foreign", file=path) from error
    except (EOFError, zlib.error, tarfile.TarError, msgspec.MsgspecError) as error:
        raise BackupError("damaged", file=path) from error
    except BackupError as error:
        raise BackupError(error.code, **{"file": path} | error.params) from error


def _files(content: gzip.GzipFile) -> tarfile.TarFile:
    return tarfile.open(fileobj=content, mode="r:", tarinfo=_OurFile)


def _extract(content: gzip.GzipFile, folder: Path, room: int) -> None:
    """Take the files out; reading on to the end has the sum of everything compared as well."""
    with _files(content) as tar:
        for info in tar:
            room -= info.size
            if room < 0:
                raise BackupError("no_room", folder=folder)
            place, file = folder / info.name, tar.extractfile(info)
            assert file is not None, "only files come this far"
            place.parent.mkdir(parents=True, exist_ok=True)
            if place.exists():
                raise BackupError("damaged")
            with _private(place) as out:
                shutil.copyfileobj(file, out)
            if place.stat().st_size != info.size:
                raise BackupError("damaged")
        if len(content.read(TAIL)) == TAIL:
            raise BackupError("foreign")


def _manifest(said: bytes) -> Manifest:
    if msgspec.json.decode(said, type=_Format).format > FORMAT:
        raise BackupError("newer")
    manifest = msgspec.json.decode(said, type=Manifest)
    if manifest.revision not in schema.REVISIONS:
        raise BackupError("newer")
    return manifest


def _compare(manifest: Manifest, folder: Path) -> None:
    """Compare every file with what the manifest says of it."""
    wanted = {f"{name}.jsonl": facts.sha256 for name, facts in manifest.tables.items()}
    found = {each.name: _sha256(each) for each in (folder / TABLES).glob("*")}
    secret = folder / SECRET
    if wanted != found or not secret.exists() or _sha256(secret) != manifest.secret:
        raise BackupError("damaged")
    if not all(map(PHOTO.fullmatch, manifest.photos)):
        raise BackupError("foreign")
    brought = folder / PHOTOS
    for each in brought.glob("*/*"):
        if manifest.photos.get(str(each.relative_to(brought))) != each.stat().st_size:
            raise BackupError("damaged")


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def sha256_of(secret: bytes) -> str:
    """Give what a manifest says of the secret."""
    return hashlib.sha256(secret).hexdigest()
