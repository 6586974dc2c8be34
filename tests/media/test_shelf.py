"""The shelf: names that nobody guesses, files that are whole, and what is thrown away."""

from __future__ import annotations

import os
import resource
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from killer.media.pictures import SIZES, prepare
from killer.media.shelf import GRACE, MOST, NAME, Shelf, ShelfError
from media.darkroom import encoded, photograph, quarters
from media.depots import Cupboard

PHOTO = prepare(encoded(quarters(), "PNG"))


def names(shelf: Shelf) -> list[str]:
    return sorted(each.name for each in shelf.folder.rglob("*") if each.is_file())


def test_what_was_kept_is_read_again(shelf: Shelf) -> None:
    name = shelf.keep(7, PHOTO)
    assert NAME.fullmatch(name)
    for size in SIZES:
        assert shelf.read(7, name, size) == PHOTO.files[size]
    assert names(shelf) == sorted(f"{name}-{size}.webp" for size in SIZES)


def test_the_same_picture_has_the_same_name(shelf: Shelf) -> None:
    assert shelf.keep(7, PHOTO) == shelf.keep(7, prepare(encoded(quarters(), "BMP")))
    assert len(names(shelf)) == 3


def test_nobody_finds_a_name_out_who_has_the_picture(shelf: Shelf, tmp_path: Path) -> None:
    other_server = Shelf(tmp_path / "other", b"another secret")
    known = {shelf.name(7, PHOTO), other_server.name(7, PHOTO), shelf.name(8, PHOTO)}
    known.add(shelf.name(7, prepare(photograph(1))))
    assert len(known) == 4


@pytest.mark.parametrize(
    "name", ["", "..", "../7/x", "a" * 31, "A" * 32, "g" * 32, "a" * 32 + "\n", "/etc/passwd"]
)
def test_only_names_are_looked_up(shelf: Shelf, name: str) -> None:
    shelf.keep(7, PHOTO)
    assert shelf.read(7, name, "small") is None


def test_what_is_not_there_is_nothing(shelf: Shelf) -> None:
    name = shelf.keep(7, PHOTO)
    assert shelf.read(8, name, "small") is None
    assert shelf.read(7, "0" * 32, "small") is None


def test_nginx_may_read_the_files(shelf: Shelf) -> None:
    name = shelf.keep(7, PHOTO)
    assert shelf.path(7, name, "small").stat().st_mode & 0o777 == 0o644


@contextmanager
def disk_with_room_for(size: int) -> Iterator[None]:
    """Let no file become larger than so many bytes, as a full disk does."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.getsignal(signal.SIGXFSZ)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_is_said_and_nothing_is_half_written(shelf: Shelf) -> None:
    noisy = prepare(photograph(2, (400, 400)))
    with disk_with_room_for(200), pytest.raises(ShelfError):
        shelf.keep(7, noisy)
    assert names(shelf) == []


def test_a_folder_that_is_none_is_said(shelf: Shelf) -> None:
    shelf.folder.write_text("in the way")
    with pytest.raises(ShelfError) as error:
        shelf.keep(7, PHOTO)
    assert error.value.code == "folder"
    assert error.value.params["folder"] == str(shelf.folder)
    assert error.value.params["cause"]


def test_what_nobody_uses_is_thrown_away_after_a_day(shelf: Shelf) -> None:
    used, stray = shelf.keep(7, PHOTO), shelf.keep(7, prepare(photograph(1)))
    elsewhere = shelf.keep(8, prepare(photograph(2)))
    assert shelf.sweep(7, {used}) == 0
    for file in shelf.folder.rglob("*.webp"):
        os.utime(file, (0, file.stat().st_mtime - GRACE - 60))
    assert shelf.sweep(7, {used}) == 3
    assert shelf.read(7, stray, "small") is None
    assert shelf.read(7, used, "small")
    assert shelf.read(8, elsewhere, "small")


def test_what_is_kept_again_is_fresh_again(shelf: Shelf) -> None:
    name = shelf.keep(7, PHOTO)
    for file in shelf.folder.rglob("*.webp"):
        os.utime(file, (0, 0))
    shelf.keep(7, PHOTO)
    assert shelf.sweep(7, set()) == 0
    assert shelf.read(7, name, "large")


def test_where_there_is_no_photo_nothing_is_thrown_away(shelf: Shelf) -> None:
    assert shelf.sweep(7, set()) == 0


@pytest.fixture
def lost(shelf: Shelf) -> tuple[Shelf, Cupboard, list[str]]:
    """A shelf that has lost its copies of two photos, what keeps them, and their names."""
    depot = Cupboard()
    one = Shelf(shelf.folder, b"a secret of the server", depot)
    kept = [one.keep(7, PHOTO), one.keep(7, prepare(photograph(1)))]
    shutil.rmtree(one.folder)
    return one, depot, kept


def test_one_that_is_not_given_keeps_none_of_the_others_away(
    lost: tuple[Shelf, Cupboard, list[str]],
) -> None:
    shelf, depot, kept = lost
    depot.refused[f"7/{kept[0]}-small.webp"] = ShelfError("bucket", retry=True)
    with pytest.raises(ShelfError) as error:
        shelf.gather([(7, name) for name in kept])
    assert error.value.code == "bucket"
    assert len(shelf.copies()) == 5


def test_where_nobody_answers_only_one_is_asked_for(
    lost: tuple[Shelf, Cupboard, list[str]],
) -> None:
    shelf, depot, kept = lost
    depot.refused |= dict.fromkeys(depot.held, ShelfError("away", retry=True))
    with pytest.raises(ShelfError):
        shelf.gather([(7, name) for name in kept])
    assert depot.asked.total() == 1


def test_a_sweep_of_the_depot_is_not_endless_and_one_that_stays_keeps_no_other_there(
    tmp_path: Path,
) -> None:
    files = [f"7/{number:032x}-small.webp" for number in range(MOST + 5)]
    depot = Cupboard(dict.fromkeys(files, (b"", 0.0)))
    depot.refused[files[0]] = ShelfError("bucket", retry=True)
    shelf = Shelf(tmp_path, b"", depot)
    assert [shelf.sweep_depot({}) for _ in range(3)] == [MOST - 1, 5, 0]
    assert list(depot.held) == files[:1]


def test_where_nobody_answers_a_sweep_ends(tmp_path: Path) -> None:
    depot = Cupboard({f"7/{number:032x}-small.webp": (b"", 0.0) for number in range(9)})
    depot.refused |= dict.fromkeys(depot.held, ShelfError("away", retry=True))
    assert Shelf(tmp_path, b"", depot).sweep_depot({}) == 0
    assert depot.asked["remove"] == 1
