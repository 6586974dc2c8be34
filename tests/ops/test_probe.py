"""The trial of a server before players reach it: a real sign-in, and no trace of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.phones import Phone
from e2e.server import Server
from killer.ops import probe
from killer.ops.probe import Guest, ProbeError
from killer.store.database import Database


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with no game at all."""
    found = Server(tmp_path_factory.mktemp("probed"), GUNICORN_WORKERS="2")
    found.start()
    yield found
    found.end()


def database(server: Server) -> Database:
    return Database(f"sqlite:///{server.folder}/data/killer.sqlite3")


def address(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}"


def test_a_guest_signs_in_and_leaves_no_trace(server: Server) -> None:
    assert probe.wait_until_ready(address(server), 5)["ready"] is True
    with probe.guest(database(server)) as guest:
        probe.sign_in(address(server), guest)
        assert server.query("SELECT name FROM games") == [(guest.nickname,)]
    for table in ("games", "players", "credentials", "events"):
        assert server.query(f"SELECT * FROM {table}") == []


def test_a_guest_of_a_real_game_is_hidden_from_it(server: Server) -> None:
    host = server.organiser()
    with probe.guest(database(server)) as guest:
        probe.sign_in(address(server), guest)
        assert guest.nickname not in str(host.ask("GET", "/api/organiser/players").json)
    assert server.check().count("\n") == 1, "one game, the real one"


def test_a_guest_leaves_even_when_the_sign_in_fails(server: Server) -> None:
    before = server.query("SELECT count(*) FROM games")
    with (
        pytest.raises(ProbeError, match="401"),
        probe.guest(database(server)) as guest,
    ):
        probe.sign_in(address(server), Guest(guest.nickname, "wrong"))
    assert server.query("SELECT count(*) FROM games") == before


def test_a_server_that_is_not_ready_is_said(tmp_path: Path) -> None:
    with pytest.raises(ProbeError, match="/health/ready"):
        probe.wait_until_ready("http://127.0.0.1:9", 0)


def test_a_server_whose_schema_is_newer_goes_on(server: Server) -> None:
    """A release that is rolled back to, or that runs beside a newer one, must serve."""
    with server.database() as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("ALTER TABLE players ADD COLUMN aura TEXT NOT NULL DEFAULT ''")
        connection.commit()
    assert Phone(server.port).ask("GET", "/health/ready").status == 200
    server.stop()
    server.start()
    with probe.guest(database(server)) as guest:
        probe.sign_in(address(server), guest)
    assert server.query("SELECT version_num FROM alembic_version") == [("9999",)]
