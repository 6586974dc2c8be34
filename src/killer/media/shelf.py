"""The folder of the photos: unguessable names that change with the picture, whole files only."""

from __future__ import annotations

import hmac
import os
import re
import tempfile
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from killer.media.pictures import SIZES, Photo, Size

NAME = re.compile(r"[0-9a-f]{32}")
GRACE = 24 * 3600.0
"""Seconds that a photo which nobody has any more is kept, so that its removal can be undone."""


class ShelfError(Exception):
    """The folder of the photos can't be used; `full` tells a full disk."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(cause.strerror or str(cause))
        self.full = "No space left" in str(cause) or "quota" in str(cause)


class Shelf:
    """All photos of a deployment, one folder for each game.

    Args:
        folder: where they are kept.
        secret: without it nobody finds out a photo's name, even who has the photo.
    """

    def __init__(self, folder: Path, secret: bytes) -> None:
        self.folder = folder
        self._secret = secret

    def name(self, game: int, photo: Photo) -> str:
        """Give the name of a photo: the same for the same picture in the same game."""
        message = f"photo/{game}/".encode() + photo.digest
        return hmac.digest(self._secret, message, "sha256").hex()[:32]

    def keep(self, game: int, photo: Photo) -> str:
        """Put a photo on the shelf and give its name.

        Raises:
            ShelfError: the disk is full or closed; nothing is half-written.
        """
        name = self.name(game, photo)
        try:
            for size, data in photo.files.items():
                _write(self.path(game, name, size), data)
        except OSError as error:
            raise ShelfError(error) from error
        return name

    def path(self, game: int, name: str, size: Size) -> Path:
        """Give the place of a file; the name must be one that this shelf has given."""
        return self.folder / str(game) / f"{name}-{size}.webp"

    def read(self, game: int, name: str, size: Size) -> bytes | None:
        """Give a picture, or nothing when there is none of that name."""
        if not NAME.fullmatch(name) or size not in SIZES:
            return None
        try:
            return self.path(game, name, size).read_bytes()
        except FileNotFoundError:
            return None

    def sweep(self, game: int, used: Collection[str], grace: float = GRACE) -> int:
        """Throw away what nobody uses and is older than so many seconds; give the number of files.

        What can't be thrown away stays, without an error.
        """
        thrown, before = 0, time.time() - grace
        for file in self._files(game):
            stray = file.name.partition("-")[0] not in used
            with suppress(OSError):  # another worker was faster, or it isn't ours: the next sweep's
                if stray and file.stat().st_mtime < before:
                    file.unlink()
                    thrown += 1
        return thrown

    def _files(self, game: int) -> list[Path]:
        try:
            return list((self.folder / str(game)).iterdir())
        except OSError:
            return []


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
