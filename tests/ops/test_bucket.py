"""Backups of a deployment whose photos are in a bucket: they hold each one, and put it back."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from engines import bucket as s3_
from engines.bucket import kept, moody, refusal
from engines.processes import free_port
from killer.media.bucket import Bucket
from killer.media.pictures import SIZES
from killer.ops import restore
from killer.ops.archive import BackupError
from killer.settings import Settings
from ops.deployments import add_photo, made, photo, settings_in, silent, version

DORA = photo("Dora")


@pytest.fixture
def shared(embedded: Settings, in_bucket: dict[str, str]) -> Settings:
    """A played deployment, of whose photos this machine has no copy."""
    found = replace(embedded, **s3_.fields(in_bucket))
    add_photo(found, 4, DORA, b"the face of Dora")
    bucket = Bucket(found)
    for file in found.photos.glob("1/*"):
        bucket.put(f"1/{file.name}", file.read_bytes())
    shutil.rmtree(found.photos)
    return found


def emptied(settings: Settings, tmp_path: Path, in_bucket: dict[str, str]) -> Settings:
    """Give an empty machine with an empty bucket."""
    bare = settings_in(tmp_path / "bare")
    name = s3_.new(in_bucket["S3_ENDPOINT_URL"])
    return replace(bare, **s3_.fields(name))


def away(settings: Settings) -> Settings:
    return replace(settings, s3_endpoint=f"http://127.0.0.1:{free_port()}")


def test_a_backup_fetches_what_only_the_bucket_has(shared: Settings) -> None:
    done = made(shared)
    assert (done.absent, done.away) == (0, None)
    assert set(done.manifest.photos) == {f"1/{DORA}-{size}.webp" for size in SIZES}
    for name, size in done.manifest.photos.items():
        assert (shared.backups / "photos" / name).stat().st_size == size


def test_without_the_bucket_there_is_a_backup_and_it_says_what_it_lacks(shared: Settings) -> None:
    done = made(away(shared))
    assert done.absent == 3
    assert done.away is not None
    assert done.away.code == "away"
    assert done.path.exists()


def test_without_the_bucket_a_backup_has_what_an_earlier_one_has_kept(shared: Settings) -> None:
    before = made(shared).manifest.photos
    shutil.rmtree(shared.photos)
    done = made(away(shared))
    assert (done.manifest.photos, done.absent, done.away) == (before, 0, None)


def test_an_empty_machine_puts_them_back_into_its_bucket(
    shared: Settings, tmp_path: Path, in_bucket: dict[str, str]
) -> None:
    bare = emptied(shared, tmp_path, in_bucket)
    done = restore.restore(bare, made(shared).path, silent)
    assert done.missing == 0
    assert kept(bare) == kept(shared)


def test_a_bucket_that_has_survived_gives_what_no_folder_has(
    shared: Settings, tmp_path: Path
) -> None:
    file = made(shared).path
    shutil.rmtree(shared.backups / "photos")
    bare = replace(shared, data_dir=tmp_path / "bare")
    assert restore.restore(bare, file, silent).missing == 0
    assert len(list(bare.photos.glob("1/*.webp"))) == 3


def test_a_photo_that_is_nowhere_is_counted(
    shared: Settings, tmp_path: Path, in_bucket: dict[str, str]
) -> None:
    file = made(shared).path
    (shared.backups / "photos" / f"1/{DORA}-small.webp").unlink()
    bare = emptied(shared, tmp_path, in_bucket)
    assert restore.restore(bare, file, silent).missing == 1
    assert len(kept(bare)) == 2


def test_a_bucket_that_takes_nothing_keeps_everything_as_it_was(
    shared: Settings, tmp_path: Path, in_bucket: dict[str, str]
) -> None:
    bare = emptied(shared, tmp_path, in_bucket)
    file = made(shared).path
    with moody(refusal(403, "AccessDenied")) as endpoint, pytest.raises(BackupError) as caught:
        restore.restore(replace(bare, s3_endpoint=endpoint.url), file, silent)
    assert caught.value.code == "no_bucket"
    assert caught.value.params["cause"] == "AccessDenied"
    assert version(bare) == 0
    assert restore.restore(bare, file, silent).missing == 0, "once more, and it is done"
