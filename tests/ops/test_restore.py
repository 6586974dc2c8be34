"""A backup comes back on an empty machine, and never over something that isn't kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from sqlalchemy import text

from killer import secret as secret_
from killer.game import commands as c
from killer.game.model import PlayerId
from killer.ops import backup, restore, shed
from killer.ops.archive import BackupError
from killer.ops.restore import Restored
from killer.settings import Settings
from killer.store import games, keeping, migrations
from killer.store.database import Database
from ops.deployments import (
    KILLS,
    add_photo,
    begin,
    broken,
    everything,
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


@pytest.fixture
def bare(tmp_path: Path) -> Settings:
    """An empty machine, on SQLite."""
    return settings_in(tmp_path / "bare" / "data")


def restored(settings: Settings, file: Path, *, instead: bool = False) -> Restored:
    return restore.restore(settings, file, silent, instead=instead)


def refused(settings: Settings, file: Path, *, instead: bool = False) -> BackupError:
    with pytest.raises(BackupError) as found:
        restored(settings, file, instead=instead)
    return found.value


def move_on(settings: Settings, *players: int) -> None:
    with playing(settings) as world:
        world.perform(*(c.Die(PlayerId(player)) for player in players))


# --- an empty machine ---


def test_an_empty_machine_has_everything_back(
    played: Settings, bare: Settings, tmp_path: Path
) -> None:
    add_photo(played, 4, photo("Dora"), b"the face of Dora")
    done = made(played)
    found = restored(bare, done.path)
    assert (found.missing, found.kept, found.secret_differs) == (0, None, False)
    assert everything(bare, tmp_path / "there") == everything(played, tmp_path / "here")
    assert broken(bare) == {}
    assert secret_.of(bare) == secret_.of(played)
    assert (bare.data_dir / "secret_key").stat().st_mode & 0o777 == 0o600
    on_shelf = {str(f.relative_to(bare.photos)) for f in bare.photos.glob("*/*")}
    assert on_shelf == set(done.manifest.photos)


def test_the_game_is_played_on_from_where_it_was(played: Settings, bare: Settings) -> None:
    before = made(played).manifest.games[0].version
    restored(bare, shed.archives(played.backups)[-1])
    assert version(bare) == before
    move_on(bare, 4, 5)
    assert version(bare) > before
    assert broken(bare) == {}


def test_postgresql_gets_what_sqlite_had_and_numbers_go_on(
    embedded: Settings, postgres_url: str, tmp_path: Path
) -> None:
    server = settings_in(tmp_path / "server", postgres_url)
    restored(server, made(embedded).path)
    assert everything(server, tmp_path / "there") == everything(embedded, tmp_path / "here")
    database = Database(postgres_url)
    with database.write() as connection:
        assert games.create(connection, "La suivante") == 2
    database.close()


def test_a_server_that_only_prepared_the_folder_is_still_empty(
    played: Settings, bare: Settings
) -> None:
    other = secret_.of(bare)
    database = Database(bare.database)
    migrations.migrate(database)
    database.close()
    assert restored(bare, made(played).path).kept is None
    assert secret_.of(bare) == secret_.of(played) != other


def test_a_whole_archive_brings_its_photos_alone(
    embedded: Settings, bare: Settings, tmp_path: Path
) -> None:
    add_photo(embedded, 4, photo("Dora"), b"the face of Dora")
    whole = tmp_path / "carried" / "whole.tar.gz"
    whole.parent.mkdir()
    made(embedded, whole=whole)
    assert restored(bare, whole).missing == 0
    file = bare.photos / "1" / f"{photo('Dora')}-small.webp"
    assert file.read_bytes().startswith(b"the face of Dora")


def test_without_its_photos_all_the_rest_comes_back_and_they_are_counted(
    embedded: Settings, bare: Settings, tmp_path: Path
) -> None:
    add_photo(embedded, 4, photo("Dora"))
    alone = made(embedded).path.rename(tmp_path / "alone.tar.gz")
    assert restored(bare, alone).missing == 3
    assert version(bare) == version(embedded)


def test_a_secret_that_was_set_is_told_when_it_is_another_one(
    embedded: Settings, bare: Settings
) -> None:
    set_ = replace(bare, secret_key="another secret, long enough")
    assert restored(set_, made(embedded).path).secret_differs
    assert secret_.of(bare) == secret_.of(embedded)  # once the line is removed


def test_an_older_version_s_backup_is_migrated(empty: Settings, bare: Settings) -> None:
    a_game_of_long_ago(empty.database, "0001").close()
    restored(bare, made(empty).path)
    assert broken(bare) == {}


# --- what is refused ---


def test_a_game_that_is_there_is_never_lost(played: Settings, tmp_path: Path) -> None:
    old = made(played).path
    move_on(played, 4, 5)
    newer = version(played)
    assert refused(played, old).code == "not_empty"
    assert version(played) == newer
    found = restored(played, old, instead=True)
    assert version(played) == newer - 2
    assert found.kept is not None
    assert backup.prove(found.kept, tmp_path) == {}
    restored(played, found.kept, instead=True)
    assert version(played) == newer


def test_a_broken_game_can_be_replaced_and_is_kept_as_it_is(played: Settings) -> None:
    good = made(played).path
    database = Database(played.database)
    with database.write() as connection:
        connection.execute(text("UPDATE players SET target = id WHERE status = 'alive'"))
    database.close()
    found = restored(played, good, instead=True)
    assert broken(played) == {}
    assert found.kept is not None
    assert found.kept.name.endswith(shed.DOUBTFUL)
    assert refused(played, found.kept, instead=True).code == "broken"


@pytest.mark.parametrize("spoil", ["cut", "strange", "gone"])
def test_a_bad_archive_changes_nothing(played: Settings, tmp_path: Path, spoil: str) -> None:
    good = made(played).path
    bad = tmp_path / "bad.tar.gz"
    if spoil != "gone":
        bad.write_bytes(good.read_bytes()[:700] if spoil == "cut" else b"hello")
    before = everything(played, tmp_path / "before")
    assert refused(played, bad, instead=True).code in {"damaged", "foreign", "no_file"}
    assert everything(played, tmp_path / "after") == before


def test_somebody_else_s_database_is_never_replaced(
    played: Settings, database_url: str, tmp_path: Path
) -> None:
    good = made(played).path
    database = Database(played.database)
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert refused(played, good, instead=True).code == "foreign_database"
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM players")).scalar() == 8
    database.close()


@pytest.mark.parametrize("damage", [b"this was a database once " * 200, b""])
def test_a_file_that_is_no_database_any_more_is_put_aside(
    embedded: Settings, damage: bytes
) -> None:
    good = made(embedded).path
    file = Database(embedded.database).file
    for end in ("-wal", "-shm"):
        file.with_name(file.name + end).unlink(missing_ok=True)
    file.write_bytes(damage)
    if damage:
        assert refused(embedded, good).code == "damaged_database"
    found = restored(embedded, good, instead=True)
    if damage:
        assert found.kept is not None
        assert found.kept.read_bytes() == damage
    assert broken(embedded) == {}
    assert version(embedded) > 0


def test_a_file_damaged_in_its_middle_is_put_aside(embedded: Settings) -> None:
    good = made(embedded).path
    file = Database(embedded.database).file
    data = bytearray(file.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    file.write_bytes(data)
    found = restored(embedded, good, instead=True)
    assert found.kept is not None
    assert found.kept.read_bytes() == bytes(data)
    assert broken(embedded) == {}


@contextmanager
def answering(settings: Settings) -> Iterator[None]:
    """Something that answers where the server would."""

    class Nothing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(503)

        def log_message(self, *_words: object) -> None:
            pass

    with HTTPServer((settings.host, settings.port), Nothing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


def test_where_something_answers_nothing_is_restored(embedded: Settings, bare: Settings) -> None:
    good = made(embedded).path
    with answering(bare):
        assert refused(bare, good).code == "served"
    assert version(bare) == 0


def test_a_server_that_keeps_its_lease_is_running(played: Settings) -> None:
    good = made(played).path
    database, over = Database(played.database), threading.Event()

    def keep() -> None:
        while not over.wait(0.2):
            keeping.take_lease(database, keeping.KEEPER, "a worker", 20)

    keeping.take_lease(database, keeping.KEEPER, "a worker", 20)
    keeper = threading.Thread(target=keep)
    keeper.start()
    assert refused(played, good, instead=True).code == "served"
    over.set()
    keeper.join()
    database.close()


def test_a_dead_server_s_lease_is_waited_for(played: Settings) -> None:
    good = made(played).path
    database = Database(played.database)
    keeping.take_lease(database, keeping.KEEPER, "a dead worker", 1)
    restored(played, good, instead=True)
    database.close()


# --- what accidents leave ---


def test_one_that_is_killed_leaves_nothing_or_everything(
    embedded: Settings, empty: Settings, mother: Mother, tmp_path: Path
) -> None:
    good = made(embedded).path
    whole, target = version(embedded), replace(empty, data_dir=tmp_path / "target")
    if target.database_url.startswith("sqlite"):
        target = replace(target, database_url=f"sqlite:///{tmp_path}/target.sqlite3")
    for _ in range(KILLS):
        killed(mother, "restore", target, good)
        assert version(target) in {0, whole}
        assert broken(target) == {}
    restored(target, good, instead=True)
    assert version(target) == whole


def test_one_that_is_killed_leaves_the_old_game_or_the_new_one(
    played: Settings, mother: Mother, tmp_path: Path
) -> None:
    good = made(played).path.rename(tmp_path / "good.tar.gz")
    old = version(played)
    move_on(played, 4, 5)
    new = version(played)
    for _ in range(KILLS):
        killed(mother, "restore", played, good)
        assert version(played) in {old, new}
        assert broken(played) == {}


def test_with_another_secret_an_accident_never_mixes_the_two(
    embedded: Settings, bare: Settings, mother: Mother
) -> None:
    """The old game with the new secret would sign everybody out."""
    good = made(embedded).path
    begin(bare, players=5, deaths=1)
    old_secret, old = secret_.of(bare), version(bare)
    new_secret, new = secret_.of(embedded), version(embedded)
    for _ in range(KILLS):
        killed(mother, "restore", bare, good)
        assert (version(bare), secret_.of(bare)) in {
            (old, old_secret),
            (0, old_secret),
            (0, new_secret),
            (new, new_secret),
        }
