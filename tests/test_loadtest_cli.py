"""`killer loadtest` as people start it: on its own server, on another's, interrupted, mistaken."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from crowd import loads
from e2e.conftest import deploying
from e2e.server import LINK, Server
from engines.processes import wait_for

HERE = ("--steps", "3,6", "--hold", "2", "--workers", "2")


def descendants(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def own_folder(tmp_path: Path) -> Path:
    """Make a folder for the throw-away server, to see what it leaves there."""
    folder = tmp_path / "throw-away"
    folder.mkdir()
    return folder


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with deploying(tmp_path / "server") as deploy:
        (tmp_path / "server").mkdir()
        running = deploy(GUNICORN_WORKERS="2", GUNICORN_LOGLEVEL="warning")
        running.start()
        yield running


def token(server: Server) -> str:
    return LINK.findall(server.command("organiser", "add", "Chef"))[0][1]


def address(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}"


def test_it_plays_on_a_server_of_its_own_and_leaves_nothing(tmp_path: Path) -> None:
    away = own_folder(tmp_path)
    played = loads.played(tmp_path, *HERE, DATA_DIR="never-made", TMPDIR=str(away))
    found = loads.sound(tmp_path, *played)
    assert [(s.phones, s.broken_off) for s in found.steps] == [(3, ""), (6, "")]
    assert (found.host, found.settings["workers"]) == ("", "2")
    small, large = found.steps
    assert small.times.count < large.times.count == sum(m.requests for m in large.moments)
    names = [moment.name for moment in large.moments]
    assert names == ["arrival", "start", "play", "burst", "reconnection", "quiet"]
    routes = {route.name: route.times.count for route in large.routes}
    assert (routes["POST /sign-in"], routes["POST /s/…"]) == (2, 4)
    assert routes["POST /death"] >= large.deaths == 3
    assert large.delay.count >= large.last.count > 0
    assert 0 < large.delay.p50 <= large.delay.worst
    assert 0 < large.cpu <= large.cpu_peak <= 1.05
    assert 0 < large.memory < 1
    assert 0 < found.generator_cpu < 1
    assert {each.name for each in (tmp_path / "out").iterdir()} >= {
        *("report.html", "report.json", "report.csv")
    }
    assert not list(away.glob("killer-loadtest-*"))
    assert not (tmp_path / "never-made").exists()


def test_its_phones_may_be_spread_over_workers_of_locust(server: Server, tmp_path: Path) -> None:
    words = ("--steps", "7", "--hold", "2", "--distributed", "2")
    words = ("--host", address(server), "--token", token(server), *words)
    found = loads.sound(tmp_path, *loads.played(tmp_path, *words))
    step = found.steps[0]
    routes = {route.name: route.times.count for route in step.routes}
    assert found.processes == 2
    assert routes["POST /sign-in"] + routes["POST /s/…"] == 7
    assert (step.deaths, step.last.count > 0) == (3, True)
    assert step.times.count == sum(moment.requests for moment in step.moments)
    assert server.query("SELECT count(*) FROM games") == [(1,)]  # the rehearsal is gone


def test_an_interrupted_test_reports_what_there_was_and_tidies_up(tmp_path: Path) -> None:
    away = own_folder(tmp_path)
    words = ("--steps", "5", "--hold", "60", "--workers", "1")
    process = loads.start(tmp_path, *words, TMPDIR=str(away))
    try:
        assert process.stdout
        assert any("begins" in line for line in process.stdout), "the step never began"
        time.sleep(3)  # somebody has arrived by then, or not: both must end well
        begun = descendants(process)
        assert len(begun) >= 3, "a server, its worker and the crowd"
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 1, said
    assert "interrupted" in loads.report(tmp_path).steps[0].broken_off
    assert not psutil.wait_procs(begun, 10)[1]
    assert not list(away.glob("killer-loadtest-*"))


def test_a_server_that_dies_ends_the_test(server: Server, tmp_path: Path) -> None:
    words = ("--steps", "4,5", "--hold", "60")
    process = loads.start(tmp_path, "--host", address(server), "--token", token(server), *words)
    try:
        playing = "SELECT count(*) FROM games WHERE state = 'running'"
        wait_for(lambda: server.query(playing) == [(1,)], 120, "the start of the rehearsal")
        server.end()
        said, _ = process.communicate(timeout=150)
    finally:
        process.kill()
    assert process.returncode == 1, said
    found = loads.report(tmp_path)
    assert [step.phones for step in found.steps] == [4]
    assert found.steps[0].broken_off  # by whoever noticed first: a look, or the organiser
    assert "played" in loads.red(found)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--host", "http://127.0.0.1:9"), "token"),
        (("--host", "http://127.0.0.1:9", "--token", "-"), "token"),  # and nothing was typed
        (("--host", "killer.example", "--token", "x"), "https://killer.example"),
        (("--steps", "5,two"), "between 3 and 5000"),
        (("--steps", "2"), "between 3 and 5000"),
        (("--steps", ""), "between 3 and 5000"),
        (("--hold", "0"), "hold"),
    ],
    ids=str,
)
def test_wrong_usage_is_2_and_a_sentence(tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    code, said = loads.played(tmp_path, *words)
    assert (code, says in re.sub(r"[\s│]+", " ", said)) == (2, True), said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("host", "says"),
    [("http://127.0.0.1:9", "connection is refused"), ("", "refuses this token")],
    ids=["nobody", "bad token"],
)
def test_a_server_that_cannot_be_played_on_is_a_sentence(
    request: pytest.FixtureRequest, tmp_path: Path, host: str, says: str
) -> None:
    where = host or address(request.getfixturevalue("server"))
    code, said = loads.played(tmp_path, "--host", where, "--token", "wrong")
    assert (code, says in said, "Traceback" in said) == (1, True, False), said
