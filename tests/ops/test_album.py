"""Each photo is kept once beside the archives, and comes back from wherever it still is."""

from __future__ import annotations

from pathlib import Path

import pytest

from killer.media.pictures import SIZES
from killer.ops import album
from ops.deployments import photo


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A shelf with two photos in three sizes."""
    found = tmp_path / "shelf"
    for name in ("Alice", "Bob"):
        for size in SIZES:
            file = found / "1" / f"{photo(name)}-{size}.webp"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(f"{name} {size}".encode())
    return found


NOWHERE = Path("/nowhere")
SHOWN = [(1, photo("Alice")), (1, photo("Bob"))]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.glob("*/*")}


def test_what_players_show_is_needed_and_what_is_gone_is_counted(shelf: Path) -> None:
    sizes, absent = album.needed([*SHOWN, (1, photo("Zoe"))], shelf, NOWHERE)
    assert absent == 3
    assert sizes == {name: len(data) for name, data in contents(shelf).items()}


def test_what_only_the_album_has_is_needed_too(shelf: Path, tmp_path: Path) -> None:
    sizes, _ = album.needed(SHOWN, shelf, NOWHERE)
    album.mirror(sizes, shelf, tmp_path / "album")
    for file in shelf.glob("*/*"):
        file.unlink()
    assert album.needed(SHOWN, shelf, tmp_path / "album") == (sizes, 0)
    album.mirror(sizes, shelf, tmp_path / "album")


def test_a_photo_goes_into_the_album_once_and_comes_back(shelf: Path, tmp_path: Path) -> None:
    sizes, _ = album.needed(SHOWN, shelf, NOWHERE)
    mirror, again = tmp_path / "album", tmp_path / "again"
    album.mirror(sizes, shelf, mirror)
    assert contents(mirror) == contents(shelf)
    before = {f: f.stat() for f in mirror.glob("*/*")}
    album.mirror(sizes, shelf, mirror)
    assert {f: f.stat() for f in mirror.glob("*/*")} == before
    assert album.bring_back(sizes, [tmp_path / "nowhere", mirror], again) == 0
    assert contents(again) == contents(shelf)


def test_a_photo_thrown_off_the_shelf_stays_in_the_album(shelf: Path, tmp_path: Path) -> None:
    sizes, _ = album.needed(SHOWN, shelf, NOWHERE)
    album.mirror(sizes, shelf, tmp_path / "album")
    before = contents(shelf)
    for file in shelf.glob("*/*"):
        file.unlink()
    assert contents(tmp_path / "album") == before


def test_a_cut_photo_is_not_there_and_another_album_has_it(shelf: Path, tmp_path: Path) -> None:
    sizes, _ = album.needed(SHOWN, shelf, NOWHERE)
    good, bad = tmp_path / "good", tmp_path / "bad"
    album.mirror(sizes, shelf, good)
    name = next(iter(sizes))
    (bad / "1").mkdir(parents=True)
    (bad / name).write_bytes(b"cut")
    (shelf / name).unlink()
    assert album.bring_back(sizes, [bad], shelf) == 1
    assert album.bring_back(sizes, [bad, good], shelf) == 0
    assert (shelf / name).stat().st_size == sizes[name]


def test_only_what_nobody_wants_is_thrown_away(shelf: Path) -> None:
    wanted = {name for name in contents(shelf) if photo("Bob") in name}
    album.prune(shelf, wanted)
    assert contents(shelf).keys() == wanted
