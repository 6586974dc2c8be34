"""PostgreSQL that restarts, loses a client in the middle, or is seen through several lines."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, event, text

from engines import postgresql as engine
from engines.processes import free_port, frozen, wait_for
from killer.game import commands as c
from killer.game.model import PlayerId
from killer.store.absence import Absence
from killer.store.database import ConnectionLostError, Database, StoreUnavailableError
from killer.store.postgresql import ANSWER, Look, Notices, Server, ServerAwayError, take_time
from store.gates import Gate
from store.worlds import a_world, look_at

BOB = PlayerId(2)


@pytest.fixture(scope="module")
def files() -> Iterator[Path]:
    with engine.files() as folder:
        yield folder


def in_background(work: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    """Do something meanwhile; what it gives or raises is kept."""
    found: list[object] = []

    def run() -> None:
        try:
            found.append(work())
        except Exception as error:  # noqa: BLE001  # the test looks at it
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, found


def test_changes_and_readings_wait_for_a_server_that_restarts(files: Path) -> None:
    port = free_port()
    with ExitStack() as first:
        first.enter_context(engine.serving(files, port))
        address = f"{engine.address_at(port)}/postgres"
        a_world(address, 8).database.close()
        world = look_at(address, patience=60, away=60)
        before = world.game.version
    death, died = in_background(lambda: world.perform(c.Die(BOB)).version)
    reading, read = in_background(lambda: world.game.version)
    time.sleep(0.3)  # they have found nobody
    assert (died, read) == ([], [])
    with engine.serving(files, port):
        for thread in (death, reading):
            thread.join(90)
        assert died == [before + 1]
        assert read[0] in {before, before + 1}
        assert world.kinds().count("died") == 1
        assert world.faults() == []
        world.database.close()


def test_a_server_that_stays_away_is_told_once_and_then_at_once() -> None:
    database = Database(f"postgresql://app@127.0.0.1:{free_port()}/app", patience=0.3)
    with pytest.raises(StoreUnavailableError):
        database.generation()
    began = time.monotonic()
    for ask in (database.generation, database.ping):
        for _ in range(20):
            with pytest.raises(StoreUnavailableError):
                ask()
    assert time.monotonic() - began < 40 * 0.3


def test_only_one_tries_while_a_server_is_away() -> None:
    absence, tries, at_once = Absence(), [], []
    door, inside = threading.Event(), threading.Semaphore()

    def reach() -> str:
        tries.append(1)
        if not inside.acquire(blocking=False):
            at_once.append(1)
            raise OSError("away")
        time.sleep(0.02)
        inside.release()
        if not door.is_set():
            raise OSError("away")
        return "here"

    def come() -> str:
        return absence.bridge(reach, (OSError,), 120)

    waiting = [in_background(come)]
    wait_for(lambda: len(tries) > 1, 30, "the first tries")
    known = len(tries)
    waiting += [in_background(come) for _ in range(20)]
    wait_for(lambda: len(tries) > known + 3, 30, "more tries")
    assert at_once == []
    door.set()
    for thread, _ in waiting:
        thread.join(60)
    assert [found for _, found in waiting] == [["here"]] * 21


def test_another_error_than_absence_is_nobodys_to_wait_for() -> None:
    def reach() -> str:
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        Absence().bridge(reach, (OSError,), 30)


def break_once(database: Database, *, kept: bool) -> list[bool]:
    """Lose the connection once, in the middle of a change or right after it was kept."""
    done: list[bool] = []

    def before(_line: object, cursor: psycopg.Cursor, statement: str, *_: object) -> None:
        if not (kept or done) and "INSERT INTO events" in statement:
            done.append(True)
            with closing(psycopg.connect(database.url, autocommit=True)) as admin:
                pid = cursor.connection.info.backend_pid
                admin.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))

    def committing(connection: Connection) -> None:
        driver = connection.connection.driver_connection
        if kept and not done and driver is not None:
            done.append(True)
            driver.commit()
            driver.close()

    event.listen(database.engine, "before_cursor_execute", before)
    event.listen(database.engine, "commit", committing)
    return done


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("key", ["", "a key"])
def test_a_change_whose_connection_breaks_is_carried_out_once(
    postgres_url: str, key: str, *, kept: bool
) -> None:
    world = a_world(postgres_url, 8)
    before = world.game.version
    broken = break_once(world.database, kept=kept)
    assert world.perform(c.Die(BOB), key=key).version == before + 1
    assert broken
    assert world.perform(c.Die(BOB), key=key).version == before + 1
    assert world.kinds().count("died") == 1
    assert world.faults() == []
    world.database.close()


def test_a_reading_whose_connection_breaks_is_begun_again(postgres_url: str) -> None:
    world = a_world(postgres_url, 8)
    tries: list[int] = []

    def read(connection: Connection) -> int:
        tries.append(1)
        if len(tries) == 1:
            connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
        return int(connection.exec_driver_sql("SELECT 7").scalar_one())

    assert world.database.reading(read) == 7
    assert len(tries) == 2
    world.database.close()


def test_whoever_freezes_with_a_games_lock_loses_it_before_the_others_give_up(
    postgres_url: str,
) -> None:
    world, frozen = a_world(postgres_url, 8), look_at(postgres_url)
    release = threading.Event()
    freezing, told = in_background(
        lambda: frozen.play.perform(frozen.number, c.Pause(), alongside=lambda *_: freeze(release))
    )
    wait_for(lambda: waits_for_client(postgres_url), 5, "the frozen transaction")
    died = world.perform(c.Die(BOB)).version
    release.set()
    freezing.join(30)
    assert world.kinds()[-2:] == ["died", "paused"], "who wakes later begins again"
    assert getattr(told[0], "version", None) == died + 1
    assert world.faults() == []
    for one in (world, frozen):
        one.database.close()


def freeze(release: threading.Event) -> None:
    assert release.wait(20)


def waits_for_client(url: str) -> bool:
    with closing(psycopg.connect(url, autocommit=True)) as admin:
        query = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"
        row = admin.execute(f"{query} AND datname = current_database()").fetchone()
        return bool(row and row[0])


def test_the_address_has_the_last_word_on_time_outs(postgres_url: str) -> None:
    with closing(Server(f"{postgres_url}?options=-c%20lock_timeout%3D1s").connect()) as line:
        assert line.execute("SHOW lock_timeout").fetchone() == ("1s",)
    with closing(Server(postgres_url).connect()) as line:
        assert line.execute("SHOW lock_timeout").fetchone() == ("8s",)
        assert line.execute("SHOW idle_in_transaction_session_timeout").fetchone() == ("5s",)


def test_an_address_with_several_hosts_leads_to_the_one_that_writes(postgres_url: str) -> None:
    host, _, name = postgres_url.partition("@")[2].partition("/")
    several = f"postgresql://app@127.0.0.1:{free_port()},{host}/{name}"
    database = Database(f"{several}?target_session_attrs=read-write")
    database.ping()
    database.close()


def test_a_look_through_a_line_that_was_cut_is_taken_again(postgres_url: str) -> None:
    look = Look(Server(postgres_url))
    first = look.snapshot()
    with closing(psycopg.connect(postgres_url, autocommit=True)) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert look.snapshot() == first
    look.close()


def test_looks_at_the_same_time_share_a_round_trip(postgres_url: str) -> None:
    database = Database(postgres_url)
    database.generation()
    database._looking = gate = Gate()
    before = database._looks
    waiting = [in_background(database.generation) for _ in range(20)]
    gate.open_for(20)
    for thread, _ in waiting:
        thread.join(30)
    assert database._looks == before + 1
    database.close()


def test_nobody_waits_for_a_server_that_is_frozen(files: Path) -> None:
    """Neither a look, a reading, a listener, nor a transaction in the middle."""
    port = free_port()
    address = f"{engine.address_at(port)}/postgres"
    with engine.serving(files, port) as server, closing(Database(address)) as database:
        database.generation()
        database.ping()
        listening, begun, over = threading.Event(), threading.Event(), threading.Event()
        asked = [
            lambda: listen(address, listening),
            lambda: write(database, begun, over),
            lambda: over.wait(30) and database.generation(),
            lambda: over.wait(30) and database.ping(),
        ]
        waiting = [in_background(ask) for ask in asked]
        assert listening.wait(30)
        assert begun.wait(30)
        with frozen(server):
            over.set()
            for thread, _ in waiting:
                thread.join(60)
            kinds = [type(found[0]) for _, found in waiting]
        database.generation()
        database.ping()
    refused = StoreUnavailableError
    assert kinds == [ServerAwayError, ConnectionLostError, refused, refused]


def listen(address: str, ready: threading.Event) -> None:
    with Notices(address).listening() as rings:
        ready.set()
        for _ in rings:
            pass


def write(database: Database, begun: threading.Event, go_on: threading.Event) -> None:
    with database.write() as connection:
        connection.execute(text("SELECT 1"))
        begun.set()
        go_on.wait(30)
        connection.execute(text("SELECT 1"))


def test_a_try_that_took_long_is_followed_by_a_rest() -> None:
    """So that those who come one after another to a frozen server don't each wait for it."""
    absence, tries = Absence(), []

    def reach() -> None:
        tries.append(1)
        time.sleep(1.0)
        raise OSError("away")

    for _ in range(20):
        with pytest.raises(OSError, match="away"):
            absence.bridge(reach, (OSError,), 0.2)
    assert len(tries) == 1


def test_who_does_slow_work_may_wait_for_longer(files: Path) -> None:
    port = free_port()
    address = f"{engine.address_at(port)}/postgres"
    with engine.serving(files, port), closing(Database(address)) as database:
        with database.write() as connection:
            line = connection.connection.driver_connection
            take_time(connection)
            assert line.patience > ANSWER
        with database.read() as connection:
            assert connection.connection.driver_connection is line
            assert line.patience == ANSWER
