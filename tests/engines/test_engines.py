"""The engines that other tests stand on: there, empty, and gone afterwards."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

from engines.processes import end, free_port, listening, running, wait_for

KILLED = """
import sys
import time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from engines.processes import running
with running(["sleep", "1000"], log=Path(sys.argv[2])) as process:
    while "sleep" not in Path(f"/proc/{process.pid}/comm").read_text():
        pass
    print(process.pid, flush=True)
    input()
"""


def test_a_free_port_is_below_those_of_outgoing_connections() -> None:
    assert 1024 < free_port() < 32768


def test_a_port_is_given_once_until_somebody_listens_on_it() -> None:
    port = free_port()
    with socket.socket() as another, pytest.raises(OSError, match="in use"):
        another.bind(("127.0.0.1", port))  # as another call for a port asks
    with socket.create_server(("127.0.0.1", port)):  # as servers do
        assert listening(port)


def test_each_test_gets_an_empty_database(database_url: str) -> None:
    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE a_table_of_this_test (n integer)"))
    engine.dispose()


def test_a_second_test_does_not_meet_the_first_one_s_tables(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        assert tables.fetchone() == (0,)


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_gets_an_empty_redis(redis_url: str, turn: int) -> None:
    port = int(redis_url.rpartition(":")[2].partition("/")[0])
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"DBSIZE\r\nSET a 1\r\n")
        assert connection.recv(64).startswith(b":0"), turn


def test_what_runs_is_gone_after_the_block(tmp_path: Path) -> None:
    with running(["sleep", "1000"], log=tmp_path / "log") as process:
        assert process.poll() is None
    assert process.returncode == -signal.SIGTERM


def test_whoever_ignores_the_polite_signal_is_killed(tmp_path: Path) -> None:
    deaf = ["sh", "-c", "trap '' TERM; echo deaf; sleep 1000 & wait; wait"]
    log = tmp_path / "log"
    with running(deaf, log=log, patience=0.3) as process:
        wait_for(lambda: b"deaf" in log.read_bytes())
    assert process.returncode == -signal.SIGKILL


def test_ending_twice_is_harmless(tmp_path: Path) -> None:
    with running(["true"], log=tmp_path / "log") as process:
        process.wait()
        end(process)
    assert process.returncode == 0


def test_what_runs_does_not_outlive_a_killed_test_run(tmp_path: Path) -> None:
    tests = Path(__file__).parent.parent
    command = [sys.executable, "-c", KILLED, str(tests), str(tmp_path / "log")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        child = int(run.stdout.readline())
        run.kill()
    wait_for(lambda: not alive(child), what="the end of the child")


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def test_a_condition_that_never_comes_is_an_error_with_its_name() -> None:
    with pytest.raises(AssertionError, match="the moon"):
        wait_for(lambda: False, seconds=0.05, what="the moon")


def test_a_condition_that_has_come_while_the_machine_stood_still_is_seen() -> None:
    looks = iter([False, True])

    def look() -> bool:
        time.sleep(0.1)
        return next(looks)

    assert wait_for(look, seconds=0.05)


def test_nothing_listens_on_a_free_port() -> None:
    assert not listening(free_port())
