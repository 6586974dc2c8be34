"""`killer status`: what the terminal says of the server, once or live, and its exit code."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from engines.processes import free_port, wait_for
from killer import cli
from killer.language import speaking
from killer.watch.register import Reading, Register, point_of
from killer.watch.weather import judge, worst
from watch.skies import seen


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    settings = {"DATA_DIR": "data", "PORT": str(free_port()), "COLUMNS": "160"}
    for name, value in {**settings, "SECRET_KEY": "a secret that is long enough"}.items():
        monkeypatch.setenv(name, value)
    with speaking("en"):
        yield tmp_path


def note(ago: float = 1.0, unsent: str = "", **what: Any) -> None:
    observation = seen(at=time.time() - ago, **what)
    lines = judge(observation, {})
    book = Register(Path("data"))
    assert book.claim()
    book.note(
        Reading(observation, lines, unsent=unsent), point_of(Reading(observation), worst(lines))
    )
    book.leave()


def status(*words: str) -> Result:
    done = CliRunner().invoke(cli.build(), ["status", *words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done


def test_a_good_day_ends_with_0() -> None:
    note()
    done = status()
    assert done.exit_code == 0
    assert "Server weather : All is well" in done.output
    assert "● green" in done.output
    assert "It answers, and can be written to." in done.output


def test_red_ends_with_1_and_says_what_to_do() -> None:
    note(faults=1, disk_free=120_000_000)
    done = status()
    assert done.exit_code == 1
    assert "Act now" in done.output
    assert done.output.index("Ring of targets") < done.output.index("Processor")
    assert "`killer restore` brings the last backup back" in " ".join(done.output.split())


def test_orange_is_no_failure() -> None:
    note(refused=1)
    assert status("--once").exit_code == 0


def test_programs_get_json() -> None:
    note(faults=1)
    done = status("--json")
    told = json.loads(done.output)
    assert (done.exit_code, told["colour"]) == (1, "red")
    assert told["lines"][0]["name"] == "ring"


def test_an_alert_that_did_not_go_out_is_said() -> None:
    note(unsent="weather.unsent.webhook")
    assert "did not reach ALERT_WEBHOOK" in status().output


def test_without_a_server_it_says_what_to_type() -> None:
    done = status()
    assert done.exit_code == 1
    assert "No server runs here" in done.output
    assert "killer serve" in done.output
    note(ago=3600)
    assert "No server runs here" in status().output, "what it saw an hour ago is of no use"
    assert json.loads(status("--json").stdout) is None


def test_a_folder_that_is_not_ones_own_is_no_dead_server() -> None:
    Path("data").write_text("no folder")
    done = status()
    assert done.exit_code == 1
    assert "data" in done.output
    assert "No server" not in done.output


def test_a_server_that_runs_without_measuring_is_told_apart() -> None:
    note(ago=120)
    with socket.create_server(("127.0.0.1", int(os.environ["PORT"]))) as door:

        def answer() -> None:
            line, _ = door.accept()
            with line:
                line.recv(200)  # who hangs up on a question unread breaks the line
                line.sendall(b"HTTP/1.1 200 OK\r\n\r\nok")

        threading.Thread(target=answer, daemon=True).start()
        done = status()
    assert done.exit_code == 1
    assert "The weather has not been updated for 2 minutes" in " ".join(done.output.split())


def test_in_a_terminal_it_follows_until_somebody_has_seen_enough() -> None:
    note(faults=1)
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "killer", "status"]
    wanted = {**os.environ, "KILLER_LANGUAGE": "en", "TERM": "xterm"}
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=wanted)
    os.close(slave)
    heard = bytearray()

    def listen() -> None:
        try:
            while piece := os.read(master, 4096):
                heard.extend(piece)
        except OSError:
            return

    threading.Thread(target=listen, daemon=True).start()
    try:
        wait_for(lambda: b"Ctrl-C" in heard and b"Act now" in heard, 20, "the first look")
        note()
        wait_for(lambda: b"All is well" in heard, 20, "the next one")
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
        os.close(master)
