"""What the station sees of a database, of its server and of the sheet, on both databases."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from engines.processes import wait_for
from killer.game import commands as c
from killer.keeper import LEASE
from killer.settings import Settings
from killer.station import Eye, Station, knock
from killer.store import games, keeping, sheets
from killer.store.sheets import SheetState
from killer.watch import machine
from killer.watch.alarm import Alarm
from killer.watch.register import LAST_HOUR, Reading, Register, point_of
from killer.watch.weather import Colour
from store.worlds import World
from watch.skies import seen


def eye_of(world: World, folder: Path, **more: object) -> Eye:
    settings = Settings(data_dir=folder, database_url=world.database.url)
    return Eye(replace(settings, **more), world.play.hub)


def by_hand(world: World, sql: str) -> None:
    with world.database.write() as connection:
        connection.execute(text(sql))


def test_a_sound_game_has_no_faults(world: World, tmp_path: Path) -> None:
    pulse = eye_of(world, tmp_path).look()
    assert (pulse.state, pulse.playing, pulse.faults, pulse.sheet) == ("ok", True, 0, None)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE players SET target = id WHERE id = 1",
        "UPDATE players SET target = NULL WHERE id = 2",
        "UPDATE players SET challenge = 'autre' WHERE id = 3",
        "UPDATE games SET version = version + 1",
        "DELETE FROM events WHERE version = 3",
        "UPDATE players SET killed_by = 2, status = 'dead', fell = 1 WHERE id = 4",
    ],
)
def test_whatever_is_changed_by_hand_is_a_fault(world: World, tmp_path: Path, sql: str) -> None:
    eye = eye_of(world, tmp_path)
    by_hand(world, sql)
    assert (eye.look().faults or 0) > 0


def test_a_game_that_moves_stays_sound(world: World, tmp_path: Path) -> None:
    for player in list(world.game.alive)[:3]:
        world.play.perform(world.number, c.Kill(player.id))
        assert eye_of(world, tmp_path).look().faults == 0


def test_a_rehearsal_is_nobodys_trouble(world: World, tmp_path: Path) -> None:
    with world.database.write() as connection:
        number = games.create(connection, "Essai", rehearses=world.number)
    by_hand(world, f"UPDATE games SET version = 7 WHERE id = {number}")
    assert eye_of(world, tmp_path).look().faults == 0


def test_a_backup_of_another_machine_is_known_where_the_database_is_shared(
    world: World, tmp_path: Path
) -> None:
    eye = eye_of(world, tmp_path)
    assert eye.look().backed_up is None
    keeping.note(world.database, keeping.BACKUP, "another machine")
    by_hand(world, f"UPDATE leases SET expires = {games.now() - 30_000}")
    age = eye.look().backed_up
    assert age is None if world.database.embedded else 30 <= (age or 0) < 60
    keeping.note(world.database, keeping.BACKUP, machine.name())
    assert eye.look().backed_up is None, "its own folder says it"


def test_a_keeper_who_has_the_lease_is_there(world: World, tmp_path: Path) -> None:
    keeping.take_lease(world.database, LEASE, "me", 20.0)
    assert eye_of(world, tmp_path).look().alone == 0.0
    by_hand(world, f"UPDATE leases SET expires = {games.now() - 30_000}")
    alone = eye_of(world, tmp_path).look().alone
    assert alone is not None
    assert 30 <= alone < 60


def test_the_sheet_is_seen_as_its_keeper_notes_it(world: World, tmp_path: Path) -> None:
    eye = eye_of(world, tmp_path, sheet_id="1aB")
    first = eye.look().sheet
    assert first is not None
    assert (first.read, first.trouble) == (None, "")
    level = SheetState(
        read_at=games.now() - 90_000,
        trouble="google.quota",
        details=(("seconds", "7"),),
        since=games.now() - 40_000,
    )
    with world.database.write() as connection:
        sheets.set_state(connection, world.number, level)
    found = eye.look().sheet
    assert found is not None
    assert found.trouble == "google.quota"
    assert found.details == {"seconds": "7"}
    late = (found.read or 0) - 90  # seconds from the note to the look
    assert 0 <= late < 60
    assert (found.overdue, found.since) == pytest.approx((60 + late, 40 + late), abs=0.1)


def test_a_database_that_cannot_be_reached_is_silent(world: World, tmp_path: Path) -> None:
    eye = eye_of(world, tmp_path)
    eye._pulse = eye.look()
    world.play.hub.database.close()
    world.play.hub.database.url = f"sqlite:///{tmp_path}/no/folder/here.sqlite3"
    (tmp_path / "no").write_text("a file")
    world.play.hub.database.embedded = True
    pulse = eye.look()
    assert (pulse.state, pulse.faults, pulse.playing) == ("silent", None, True)


def test_a_look_that_does_not_come_back_is_silence(world: World, tmp_path: Path) -> None:
    eye = eye_of(world, tmp_path)
    assert eye.pulse().state == "ok"
    eye._looked -= 20
    assert eye.pulse().state == "silent"


# --- the server ---


@pytest.fixture
def answering(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    """A server that says to everybody what the test wants."""
    with socket.create_server(("127.0.0.1", 0)) as door:

        def serve() -> None:
            while True:
                try:
                    line, _ = door.accept()
                except OSError:
                    return
                line.recv(100)
                line.sendall(request.param)
                line.close()

        threading.Thread(target=serve, daemon=True).start()
        yield door.getsockname()[:2]


@pytest.mark.parametrize("answering", [b"HTTP/1.1 200 OK\r\n\r\nok"], indirect=True)
def test_a_server_that_is_there_says_so(answering: tuple[str, int]) -> None:
    took = knock(answering)
    assert took is not None
    assert took < 3


@pytest.mark.parametrize("answering", [b"HTTP/1.1 503 Busy\r\n\r\n", b""], indirect=True)
def test_a_server_that_says_something_else_is_not(answering: tuple[str, int]) -> None:
    assert knock(answering) is None


def test_a_server_that_says_nothing_is_not(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        assert knock(door.getsockname()[:2], patience=0.1) is None
        port = door.getsockname()[1]
    assert knock(("127.0.0.1", port)) is None
    assert knock(str(tmp_path / "no.socket")) is None


def test_a_socket_file_is_knocked_at_too(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(tmp_path / "door"))
        door.listen()

        def answer() -> None:
            line, _ = door.accept()
            with line:
                line.recv(200)  # who hangs up on a question unread breaks the line
                line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        assert knock(str(tmp_path / "door")) is not None


def test_red_that_lasts_is_told_by_whoever_measures_now(world: World, tmp_path: Path) -> None:
    """Another worker saw it turn red two minutes ago; this one takes over and tells."""
    told: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as door:

        def hear() -> None:
            line, _ = door.accept()
            told.append(line.recv(100_000))
            line.sendall(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
            line.close()

        threading.Thread(target=hear, daemon=True).start()
        settings = Settings(
            data_dir=tmp_path / "data",
            database_url=world.database.url,
            alert_webhook=f"http://127.0.0.1:{door.getsockname()[1]}/hook",
        )
        book = Register(settings.data_dir)
        assert book.claim()
        at = time.time()
        before = Reading(seen(at=at - 5), alarm=Alarm(red=True, since=at - 120))
        book.note(before, point_of(before, Colour.RED))
        book.leave()
        over = threading.Event()
        Station(settings, world.play.hub, ("127.0.0.1", 1), lambda: not over.is_set()).start()
        try:
            wait_for(lambda: told, 20, "the alert")
            unsent = lambda: (found := book.read()) and found.unsent  # noqa: E731
            assert wait_for(unsent, 20, "the note that it failed") == "weather.unsent.webhook"
        finally:
            over.set()
    assert b"POST /hook" in told[0]


def test_a_station_notes_what_it_sees(world: World, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", database_url=world.database.url)
    over = threading.Event()
    Station(settings, world.play.hub, ("127.0.0.1", 1), lambda: not over.is_set()).start()
    book = Register(settings.data_dir)
    try:
        wait_for(lambda: book.points(LAST_HOUR, time.time()), 30, "a reading and its point")
    finally:
        over.set()
    found = book.read()
    assert found is not None
    assert found.seen.alive is None, "nobody serves there"
    assert {line.name: line.code for line in found.lines}["answers"] == "mute"
    assert found.seen.at in [point.at for point in book.points(LAST_HOUR, found.seen.at)]
