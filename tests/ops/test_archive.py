"""An archive comes back as it was, or is refused by name; nothing hostile is ever unpacked."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from killer.ops import archive
from killer.ops.archive import BackupError, Manifest
from killer.settings import Settings
from ops.deployments import add_photo, made, photo

FLIPS = 60


@pytest.fixture
def packed(embedded: Settings) -> Path:
    """A good archive."""
    return made(embedded).path


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An empty folder."""
    found = tmp_path / "place"
    found.mkdir()
    return found


def code(path: Path, place: Path) -> str:
    """Give why an archive is refused, which has to name its file; empty when it isn't."""
    try:
        archive.unpack(path, place)
    except BackupError as error:
        return error.code if error.params["file"] == path else "somebody else"
    return ""


def entries(path: Path) -> list[tuple[tarfile.TarInfo, bytes]]:
    with tarfile.open(path) as tar:
        return [(info, tar.extractfile(info).read()) for info in tar]


def rewritten(path: Path, change: Callable[[list], list]) -> Path:
    """Write an archive again, its entries changed by somebody who knows the format."""
    new = path.with_name("rewritten.tar.gz")
    with tarfile.open(new, "w:gz") as tar:
        for info, data in change(entries(path)):
            if info.isreg():
                info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return new


def named(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def test_what_was_packed_comes_out_and_only_its_owner_may_read_it(
    packed: Path, place: Path
) -> None:
    manifest = archive.unpack(packed, place)
    assert packed.stat().st_mode & 0o777 == 0o600
    assert (manifest.games[0].name, manifest.games[0].alive) == ("Une partie", 5)
    assert archive.manifest_of(packed) == manifest
    assert set(manifest.tables) == {each.stem for each in (place / "tables").iterdir()}
    assert archive.sha256_of((place / "secret_key").read_bytes()) == manifest.secret


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9, 0.99, 0.9999])
def test_half_an_archive_is_damaged(packed: Path, place: Path, share: float) -> None:
    packed.write_bytes(packed.read_bytes()[: int(packed.stat().st_size * share)])
    assert code(packed, place) in {"damaged", "foreign"}


def test_a_flipped_bit_is_found_or_changes_nothing(packed: Path, tmp_path: Path) -> None:
    """Nothing changes for gzip's time, or where deflate may copy equal bytes from elsewhere."""
    good = packed.read_bytes()
    before = gzip.decompress(good)
    for number in range(FLIPS):
        where = random.randrange(len(good)) if number else len(good) // 2
        bad = bytearray(good)
        bad[where] ^= 1 << random.randrange(8)
        packed.write_bytes(bad)
        folder = tmp_path / f"flip {number}"
        folder.mkdir()
        if not code(packed, folder):
            assert gzip.decompress(bad) == before


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"\x1f\x8b", gzip.compress(b"hello " * 500, mtime=0)]
)
def test_what_was_never_an_archive_is_foreign_or_damaged(
    tmp_path: Path, place: Path, data: bytes
) -> None:
    path = tmp_path / "holiday.tar.gz"
    path.write_bytes(data)
    assert code(path, place) in {"foreign", "damaged"}


def test_a_file_that_isn_t_there_is_named(tmp_path: Path, place: Path) -> None:
    assert code(tmp_path / "nowhere.tar.gz", place) == "no_file"
    assert code(tmp_path, place) == "no_file"


@pytest.mark.parametrize(
    "stranger",
    [
        named("../../escaped"),
        named("/tmp/escaped"),
        named("tables/../../escaped.jsonl"),
        named("tables/x.jsonl", tarfile.SYMTYPE, "/etc/passwd"),
        named("tables/x.jsonl", tarfile.LNKTYPE, "secret_key"),
        named("tables/x.jsonl", tarfile.CHRTYPE),
        named("tables/x.jsonl", tarfile.FIFOTYPE),
        named("tables", tarfile.DIRTYPE),
        named("photos/1/" + "a" * 32 + "-huge.webp"),
        named("more.txt"),
        named("tables/" + "x" * 200 + ".jsonl"),  # as a head of another kind has it
    ],
    ids=lambda info: f"{info.name[:30]} {info.type!r}",
)
def test_nothing_but_our_own_files_is_looked_at(
    packed: Path, place: Path, stranger: tarfile.TarInfo
) -> None:
    bad = rewritten(packed, lambda all_: [*all_, (stranger, b"")])
    assert code(bad, place) == "foreign"
    assert not [*place.parent.rglob("escaped*"), *Path("/tmp").glob("escaped*")]


def test_a_giant_is_refused_by_its_head(packed: Path, place: Path) -> None:
    """A terabyte of zeros takes a gigabyte, and a head that announces it half a kilobyte."""
    head = named("tables/giant.jsonl")
    head.size = archive.LARGEST + 1
    giant = packed.with_name("giant.tar.gz")
    giant.write_bytes(gzip.compress(head.tobuf(tarfile.GNU_FORMAT)))
    assert code(giant, place) == "foreign"


def test_what_doesn_t_fit_on_the_disk_is_refused_before_it_is_written(
    packed: Path, place: Path
) -> None:
    with pytest.raises(BackupError) as refused:
        archive.unpack(packed, place, margin=2**60)
    assert refused.value.code == "no_room"
    assert not list(place.rglob("*.jsonl"))


def test_a_long_tail_of_nothing_is_refused(packed: Path, place: Path) -> None:
    with gzip.open(packed) as file:
        data = file.read()
    packed.write_bytes(gzip.compress(data + bytes(2 * archive.TAIL)))
    assert code(packed, place) == "foreign"


@pytest.mark.parametrize(
    "change",
    [
        lambda all_: all_[1:],  # no manifest
        lambda all_: [*all_, all_[-1]],  # twice the same
        lambda all_: all_[:-1],  # a table less
        lambda all_: [e for e in all_ if e[0].name != "secret_key"],
        lambda all_: [(i, d + b"x" if i.name == "secret_key" else d) for i, d in all_],
        lambda all_: [(i, d + b"[]\n" if "games" in i.name else d) for i, d in all_],
        lambda all_: [(i, b"{" if i.name == "manifest.json" else d) for i, d in all_],
        lambda all_: [*all_, (named(f"photos/1/{photo('?')}-large.webp"), b"")],
    ],
    ids=range(8),
)
def test_what_doesn_t_fit_its_manifest_is_damaged(packed: Path, place: Path, change) -> None:
    assert code(rewritten(packed, change), place) in {"damaged", "foreign"}


def with_manifest(path: Path, **changes: object) -> Path:
    def change(all_: list) -> list:
        said = msgspec.json.decode(all_[0][1]) | changes
        return [(all_[0][0], msgspec.json.encode(said)), *all_[1:]]

    return rewritten(path, change)


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"format": archive.FORMAT + 1, "games": "of a later kind"}, "newer"),
        ({"revision": "9999"}, "newer"),
        ({"photos": {"../../escaped": 4}}, "foreign"),
        ({"games": "none"}, "damaged"),
        ({"tables": {}}, "damaged"),
    ],
    ids=str,
)
def test_a_manifest_of_another_kind_is_refused(
    packed: Path, place: Path, changes: dict, wanted: str
) -> None:
    assert code(with_manifest(packed, **changes), place) == wanted


def test_photos_travel_in_a_whole_archive(embedded: Settings, tmp_path: Path, place: Path) -> None:
    add_photo(embedded, 4, photo("Dora"), b"the face of Dora")
    whole = tmp_path / "whole.tar.gz"
    made(embedded, whole=whole)
    manifest: Manifest = archive.unpack(whole, place)
    brought = {str(p.relative_to(place / "photos")) for p in (place / "photos").glob("*/*")}
    assert brought == set(manifest.photos)
    assert len(brought) == 3
    short = rewritten(whole, lambda all_: [(i, d[:-1] if "webp" in i.name else d) for i, d in all_])
    again = tmp_path / "again"
    again.mkdir()
    assert code(short, again) == "damaged"
