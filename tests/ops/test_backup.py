"""A backup is one moment of a game that goes on, proven by restoring; else there is none."""

from __future__ import annotations

import resource
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from engines.processes import wait_for
from killer.game import commands as c
from killer.game.model import PlayerId
from killer.ops import archive, backup, restore, shed
from killer.ops.archive import BackupError
from killer.settings import Settings
from killer.store import migrations, schema
from killer.store.database import Database, StoreUnavailableError
from ops.deployments import (
    KILLS,
    add_photo,
    at,
    killed,
    made,
    photo,
    playing,
    settings_in,
    silent,
    version,
)
from store.processes import Mother
from store.worlds import a_game_of_long_ago


def files(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.name != ".lock")


@contextmanager
def small_files(largest: int) -> Iterator[None]:
    """Let no file of this process grow beyond so many bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


# --- what is made ---


def test_a_backup_is_one_file_that_says_what_is_in_it(played: Settings) -> None:
    done = made(played)
    assert files(played.backups) == [done.path.name]
    assert done.path.stat().st_mode & 0o777 == 0o600
    assert played.backups.stat().st_mode & 0o777 == 0o700
    (game,) = done.manifest.games
    assert (game.state, game.players, game.alive) == ("running", 8, 5)
    assert game.version == version(played)
    assert (done.broken, done.absent, done.unsent) == ({}, 0, None)


def test_every_step_is_told(embedded: Settings) -> None:
    told: list[str] = []
    backup.make(embedded, told.append)
    assert tuple(told) == backup.STEPS


def test_an_archive_has_no_name_before_it_is_proven(embedded: Settings) -> None:
    seen = {}
    backup.make(embedded, lambda step: seen.update({step: shed.archives(embedded.backups)}))
    assert [bool(seen[step]) for step in backup.STEPS] == [False, False, False, False, True]


def test_the_photos_that_players_show_lie_beside_it(embedded: Settings) -> None:
    add_photo(embedded, 4, photo("Dora"))
    with playing(embedded) as world:
        world.perform(c.Edit(PlayerId(5), (("photo", photo("lost")),)))
    done = made(embedded)
    assert done.absent == 3
    album = embedded.backups / archive.PHOTOS
    assert {str(f.relative_to(album)) for f in album.glob("*/*")} == set(done.manifest.photos)


def test_backups_of_a_game_that_goes_on_are_each_one_sound_moment(
    played: Settings, mother: Mother
) -> None:
    mover = mother.start(("write", played.database, 1, "mover"))[0]
    wait_for(mover.lines, 30, "the first move")
    versions = []
    for _ in range(5):
        done = made(played)
        assert not done.broken
        versions.append(done.manifest.games[0].version)
        wait_for(lambda: version(played) > versions[-1] + 3, 30, "more moves")
    told = mover.kill()
    assert versions == sorted(set(versions))
    assert any("version" in line for line in told)


def test_a_database_of_an_older_version_is_backed_up_before_it_is_migrated(
    empty: Settings,
) -> None:
    a_game_of_long_ago(empty.database, "0001").close()
    done = made(empty)
    assert (done.manifest.revision, done.manifest.games[0].name) == ("0001", "Ancienne")


def test_a_release_that_came_back_backs_up_all_that_it_knows(
    played: Settings, tmp_path: Path
) -> None:
    """A newer one has added to the schema, which stays when the release before it takes over."""
    database = Database(played.database)
    with database.write() as connection:
        connection.execute(text("ALTER TABLE players ADD COLUMN shirt INTEGER"))
        connection.execute(text("CREATE TABLE shirts (size INTEGER)"))
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    done = made(played)
    assert (done.manifest.revision, done.broken) == (schema.NEWEST, {})
    bare = settings_in(tmp_path / "bare")
    restore.restore(bare, done.path, silent)
    assert version(bare) == done.manifest.games[0].version


# --- what is refused ---


def refused(settings: Settings, **more: object) -> BackupError:
    with pytest.raises(BackupError) as found:
        made(settings, **more)
    return found.value


def test_a_game_that_breaks_a_law_is_kept_apart_and_named(played: Settings) -> None:
    database = Database(played.database)
    with database.write() as connection:
        connection.execute(text("UPDATE players SET target = id WHERE status = 'alive'"))
    database.close()
    for _ in range(2):
        done = made(played)
        assert done.broken.keys() == {"Une partie"}
    assert files(played.backups) == [done.path.name]  # the last of them
    assert done.path.name.endswith(shed.DOUBTFUL)
    assert shed.archives(played.backups) == []


def test_a_disk_that_is_nearly_full_is_left_alone(embedded: Settings) -> None:
    assert refused(embedded, margin=2**60).code == "full"
    assert files(embedded.backups) == []


@pytest.mark.parametrize("largest", [0, 10, 500, 3000])
def test_a_disk_that_fills_up_meanwhile_leaves_nothing_half(
    embedded: Settings, largest: int
) -> None:
    before = made(embedded).path
    good = before.read_bytes()
    with playing(embedded) as world:
        world.rows()  # as under a server, what SQLite needs beside its file is there
        with small_files(largest):
            assert refused(embedded).code == "no_folder"
    assert files(embedded.backups) == [before.name]
    assert before.read_bytes() == good


def test_a_folder_that_can_t_be_one_is_named(embedded: Settings, tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    found = refused(at(embedded, backup_dir=tmp_path / "taken" / "backups"))
    assert found.code == "no_folder"
    assert "taken" in str(found.params["folder"])


def test_a_database_that_isn_t_there_is_said(tmp_path: Path) -> None:
    nowhere = Settings(data_dir=tmp_path, database_url="postgresql://app@127.0.0.1:9/x")
    with pytest.raises(StoreUnavailableError):
        made(nowhere)
    assert files(nowhere.backups) == []


def test_an_empty_database_has_nothing_to_keep(empty: Settings) -> None:
    assert refused(empty).code == "nothing"


def test_somebody_else_s_database_isn_t_read(empty: Settings) -> None:
    database = Database(empty.database)
    migrations.migrate(database)
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'ae1027a6acf'"))
    database.close()
    assert refused(empty).code == "foreign_database"


def test_a_whole_backup_is_never_written_over_a_file(embedded: Settings, tmp_path: Path) -> None:
    taken = tmp_path / "taken.tar.gz"
    taken.write_text("mine")
    assert refused(embedded, whole=taken).code == "exists"
    assert taken.read_text() == "mine"
    assert refused(embedded, whole=tmp_path / "nowhere" / "x.tar.gz").code == "no_folder"


# --- what accidents leave ---


def test_one_that_is_killed_leaves_no_archive_or_a_good_one(
    played: Settings, mother: Mother
) -> None:
    for _ in range(KILLS):
        killed(mother, "backup", played)
    for path in played.backups.glob("killer-*"):
        assert backup.prove(path, played.backups) == {}
    done = made(played)
    assert not list(played.backups.glob(".work-*"))
    assert done.path in shed.archives(played.backups)


def test_what_is_a_week_old_goes_with_the_photos_that_only_it_needed(embedded: Settings) -> None:
    add_photo(embedded, 4, photo("Dora"))
    old = made(embedded).path
    add_photo(embedded, 4, photo("Dora again"))
    aged = old.with_name("killer-20200101T120000Z.tar.gz")
    old.rename(aged)
    done = made(embedded)
    assert shed.archives(embedded.backups) == [done.path]
    album = embedded.backups / archive.PHOTOS
    assert {str(f.relative_to(album)) for f in album.glob("*/*")} == set(done.manifest.photos)


def test_an_unreadable_old_archive_costs_nobody_a_photo(embedded: Settings) -> None:
    add_photo(embedded, 4, photo("Dora"))
    first = made(embedded).path
    first.rename(first.with_name("killer-20200101T120000Z.tar.gz"))
    shutil.copy(__file__, first)  # no archive
    add_photo(embedded, 4, photo("Dora again"))
    made(embedded)
    assert len(list((embedded.backups / archive.PHOTOS).glob("*/*"))) == 6
