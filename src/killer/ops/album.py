"""The photos beside the archives: each is kept once, for as long as an archive may need it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from killer.media.pictures import SIZES


def needed(
    shown: Iterable[tuple[int, str]], shelf: Path, album: Path
) -> tuple[dict[str, int], int]:
    """Give the files of the photos that players have, with their bytes, and how many are absent.

    What only the album has, from an earlier backup, is there: a name stands for one picture.
    """
    sizes, absent = {}, 0
    for game, photo in sorted(shown):
        for size in SIZES:
            name = f"{game}/{photo}-{size}.webp"
            if found := _size(shelf / name) or _size(album / name):
                sizes[name] = found
            else:
                absent += 1
    return sizes, absent


def mirror(names: Mapping[str, int], shelf: Path, album: Path) -> None:
    """Put each photo into the album that is not in it yet.

    A photo's file is never written again under its name, so that the album may share it.

    Raises:
        OSError: the disk is full or closed.
    """
    for name, size in names.items():
        if not _is_there(album / name, size):
            _put(shelf / name, album / name)


def bring_back(names: Mapping[str, int], albums: Sequence[Path], shelf: Path) -> int:
    """Put the photos that are not on the shelf there, and give how many were in no album.

    Raises:
        OSError: the disk is full or closed.
    """
    missing = 0
    for name, size in names.items():
        if _is_there(shelf / name, size):
            continue
        found = next((a / name for a in albums if _is_there(a / name, size)), None)
        if found is None:
            missing += 1
        else:
            _put(found, shelf / name)
    return missing


def prune(album: Path, wanted: Collection[str]) -> None:
    """Throw away the photos that nobody wants; what can't be thrown away stays."""
    for file in album.glob("*/*.webp"):
        if str(file.relative_to(album)) not in wanted:
            with suppress(OSError):
                file.unlink()


def _is_there(file: Path, size: int) -> bool:
    return _size(file) == size


def _size(file: Path) -> int | None:
    """Give a file's bytes, if it is there."""
    try:
        return file.stat().st_size
    except OSError:
        return None


def _put(source: Path, place: Path) -> None:
    """Share a file between two folders, or copy it, whole or not at all."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".photo-") as folder:
        made = Path(folder, place.name)
        try:
            os.link(source, made)
        except OSError:  # on another disk
            shutil.copyfile(source, made)
            made.chmod(0o644)  # nginx runs as somebody else
        made.replace(place)
