"""The photos' place: unguessable names that change with the picture, whole files only."""

from __future__ import annotations

import errno
import hmac
import os
import re
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from killer.media.pictures import SIZES, Photo, Size
from killer.threads import Threads

NAME = re.compile(r"[0-9a-f]{32}")
FILE = re.compile(rf"(\d+)/({NAME.pattern})-({'|'.join(SIZES)})\.webp")
GRACE = 24 * 3600.0
"""Seconds that a photo which nobody has any more is kept, so that its removal can be undone."""
MOST = 200  # files that one sweep throws out of the depot: each is a question to it

_DISK = Threads(1)  # where a file is awaited until it is on the disk, while the loop goes on


class ShelfError(Exception):
    """Photos can't be kept or had: `code` names the sentence `shelf.<code>` for organisers.

    `retry` tells whether it may pass by itself.
    """

    def __init__(self, code: str, *, retry: bool = False, **params: str) -> None:
        super().__init__(code, params)
        self.code, self.retry, self.params = code, retry, params

    @property
    def sentence(self) -> str:
        """Give the key of the sentence."""
        return f"shelf.{self.code}"

    @property
    def silent(self) -> bool:
        """Tell whether nobody has answered: then asking for something else is of no use."""
        return self.code == "away"


class Depot(Protocol):
    """Where several machines keep their photos together; every call may raise a ShelfError."""

    def put(self, file: str, data: bytes) -> None:
        """Keep a file, whole or not at all."""

    def get(self, file: str) -> bytes | None:
        """Give a whole file, or nothing when there is none of that name."""

    def files(self, folder: str) -> list[tuple[str, float]]:
        """Name the files whose name begins so, with the time when they were put, Unix seconds."""

    def remove(self, file: str) -> None:
        """Throw a file away, if it is there."""


class Shelf:
    """All photos of a deployment, one folder for each game.

    Args:
        folder: where they are kept.
        secret: without it nobody finds out a photo's name, even who has the photo.
        depot: where they are kept in truth; the folder then holds copies, which may be lost.
    """

    def __init__(self, folder: Path, secret: bytes, depot: Depot | None = None) -> None:
        self.folder = folder
        self._secret = secret
        self._depot = depot
        self._fetches: dict[str, Future[bytes | None]] = {}

    def name(self, game: int, photo: Photo) -> str:
        """Give the name of a photo: the same for the same picture in the same game."""
        message = f"photo/{game}/".encode() + photo.digest
        return hmac.digest(self._secret, message, "sha256").hex()[:32]

    def keep(self, game: int, photo: Photo) -> str:
        """Put a photo on the shelf and give its name.

        Raises:
            ShelfError: the disk is full or closed, or the depot out of reach; no file is
                half-written, and a photo of which a size is missing has not got a name.
        """
        name = self.name(game, photo)
        files = {_file(game, name, size): data for size, data in photo.files.items()}
        if self._depot:
            for file, data in files.items():
                self._depot.put(file, data)
        for file, data in files.items():
            self._write(file, data)
        return name

    def path(self, game: int, name: str, size: Size) -> Path:
        """Give the place of a file; the name must be one that this shelf has given."""
        return self.folder / _file(game, name, size)

    def read(self, game: int, name: str, size: Size) -> bytes | None:
        """Give a picture, or nothing when there is none of that name.

        Raises:
            ShelfError: there is no copy here, and the depot is out of reach.
        """
        if not NAME.fullmatch(name) or size not in SIZES:
            return None
        with suppress(FileNotFoundError, NotADirectoryError):
            return self.path(game, name, size).read_bytes()
        return self._fetch(self._depot, _file(game, name, size)) if self._depot else None

    def _fetch(self, depot: Depot, file: str) -> bytes | None:
        """Take a copy; who wants the same one meanwhile waits for it instead of asking again."""
        mine: Future[bytes | None] = Future()
        under_way = self._fetches.setdefault(file, mine)
        if under_way is not mine:
            return under_way.result()
        try:
            data = depot.get(file)
            if data is not None:
                self._write(file, data)
            mine.set_result(data)
        except BaseException as error:
            mine.set_exception(error)
            raise
        finally:
            del self._fetches[file]
        return data

    def gather(self, photos: Iterable[tuple[int, str]]) -> None:
        """Have all sizes of these photos in the folder that the depot has got.

        Raises:
            ShelfError: the depot is out of reach, or, when all others were tried, one wasn't given.
        """
        failure: ShelfError | None = None
        for game, name in photos:
            for size in SIZES:
                if self.path(game, name, size).exists():
                    continue
                try:
                    self.read(game, name, size)
                except ShelfError as error:
                    failure = failure or error
                    if error.silent:
                        raise
        if failure:
            raise failure

    def copies(self) -> list[str]:
        """Name the photos' files in the folder."""
        found = (str(each.relative_to(self.folder)) for each in self.folder.glob("*/*.webp"))
        return sorted(file for file in found if FILE.fullmatch(file))

    def hand_over(self, files: Collection[str], told: Callable[[int], object]) -> int:
        """Put those files of the folder into the depot that it hasn't got; give how many.

        Args:
            files: names as `copies` gives them.
            told: hears how many of them are there by now.

        Raises:
            ShelfError: the depot is out of reach; the next call goes on where this one was.
        """
        if not self._depot:
            return 0
        there = {file for file, _ in self._depot.files("")}
        missing = [file for file in files if file not in there]
        told(len(files) - len(missing))
        put = 0
        for done, file in enumerate(missing, len(files) - len(missing) + 1):
            with suppress(FileNotFoundError):  # swept meanwhile, or in no backup
                self._depot.put(file, (self.folder / file).read_bytes())
                put += 1
            told(done)
        return put

    def sweep(self, game: int, used: Collection[str], grace: float = GRACE) -> int:
        """Throw out of the folder what nobody uses and is older than so many seconds; count it.

        What can't be thrown away stays, without an error. No depot is asked: somebody may wait.
        """
        thrown, before = 0, time.time() - grace
        for file in self._files(game):
            stray = file.name.partition("-")[0] not in used
            with suppress(OSError):  # another worker was faster, or it isn't ours: the next sweep's
                if stray and file.stat().st_mtime < before:
                    file.unlink()
                    thrown += 1
        return thrown

    def games(self) -> list[int]:
        """Give the numbers of the games of which there is a folder."""
        try:
            return sorted(int(each.name) for each in self.folder.iterdir() if each.name.isdecimal())
        except OSError:
            return []

    def sweep_depot(self, used: Mapping[int, Collection[str]], grace: float = GRACE) -> int:
        """Throw out of the depot what no game uses and is older than so many seconds; count it.

        What is no photo stays, and so does what can't be thrown away, without an error: it is the
        next sweep's, as is what goes beyond MOST.
        """
        thrown = 0
        if not self._depot:
            return thrown
        with suppress(ShelfError):
            for file in _strays(self._depot.files(""), used, time.time() - grace)[:MOST]:
                try:
                    self._depot.remove(file)
                    thrown += 1
                except ShelfError as error:
                    if error.silent:
                        break
        return thrown

    def _files(self, game: int) -> list[Path]:
        try:
            return list((self.folder / str(game)).iterdir())
        except OSError:
            return []

    def _write(self, file: str, data: bytes) -> None:
        try:
            _DISK.do(lambda: _write(self.folder / file, data))
        except OSError as error:
            if self._depot:
                return  # it was a copy only
            code = "full" if error.errno in {errno.ENOSPC, errno.EDQUOT} else "folder"
            cause = error.strerror or str(error)
            raise ShelfError(code, folder=str(self.folder), cause=cause) from error


def _file(game: int, name: str, size: Size) -> str:
    return f"{game}/{name}-{size}.webp"


def _strays(
    files: Iterable[tuple[str, float]], used: Mapping[int, Collection[str]], before: float
) -> list[str]:
    old = (FILE.fullmatch(file) for file, put in files if put < before)  # what else is there stays
    return [photo[0] for photo in old if photo and photo[2] not in used.get(int(photo[1]), ())]


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, and not into the readers' way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".photo-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)  # nginx runs as somebody else
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
