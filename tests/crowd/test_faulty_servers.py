"""A load test must be able to fail: real servers with one fault each get their verdict."""

from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from crowd import loads
from e2e.server import KILLER, LINK
from engines.processes import free_port, running, wait_until_ready

Play = Callable[[str], tuple[int, str]]
FAULTY = Path(__file__).parent / "faulty.py"


def answers(address: str) -> bool:
    try:
        urllib.request.urlopen(f"{address}/health", timeout=5).close()
    except (urllib.error.URLError, OSError):
        return False
    return True


@contextmanager
def serving(folder: Path, fault: str) -> Iterator[tuple[str, str]]:
    """Run the real server with one fault; give its address and an organiser's token."""
    port = free_port()
    figures_ = folder / "figures"
    figures_.mkdir()
    settings = loads.environment(
        folder,
        PORT=str(port),
        GUNICORN_WORKERS="1",
        PROMETHEUS_MULTIPROC_DIR=str(figures_),
        FAULT=fault,
    )
    add = [*KILLER, "organiser", "add", "Chef"]
    done = subprocess.run(
        add, cwd=folder, env=settings, capture_output=True, text=True, check=True, timeout=60
    )
    command = [sys.executable, "-m", "gunicorn", "--config", FAULTY]
    log, address = folder / "server.log", f"http://127.0.0.1:{port}"
    with running(command, log=log, cwd=folder, env=settings) as server:
        wait_until_ready(server, lambda: answers(address), log)
        yield address, LINK.findall(done.stdout)[0][1]


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    """Play against a server with that fault."""
    with ExitStack() as stack:

        def against(fault: str) -> tuple[int, str]:
            address, token = stack.enter_context(serving(tmp_path, fault))
            words = ("--host", address, "--token", token, "--steps", "5", "--hold", "2")
            return loads.played(tmp_path, *words)

        yield against


def test_a_sound_server_passes(play: Play, tmp_path: Path) -> None:
    found = loads.sound(tmp_path, *play(""))
    step = found.steps[0]
    assert (step.deaths, step.streams > 0) == (3, True)
    assert None not in (step.cpu, step.memory)  # both read from /metrics
    assert found.host.startswith("http://127.0.0.1:")


def test_a_slow_server_misses_the_line_of_the_answers(play: Play, tmp_path: Path) -> None:
    code, said = play("slow")
    assert code == 1, said
    missed = loads.red(loads.report(tmp_path))
    assert "p95" in missed
    assert missed <= loads.SPEED  # a death that is noted late is told late
    assert loads.report(tmp_path).steps[0].times.p50 >= 600


def test_a_server_that_refuses_is_told_by_its_503(play: Play, tmp_path: Path) -> None:
    code, said = play("busy")
    assert code == 1, said
    found = loads.report(tmp_path)
    assert loads.red(found) - loads.SPEED == {"503"}  # a refused tap is told when repeated
    assert found.steps[0].errors.keys() == {"503"}


def test_a_server_that_forgets_deaths_is_found_out(play: Play, tmp_path: Path) -> None:
    code, said = play("forgetful")
    assert code == 1, said
    found = loads.report(tmp_path)
    assert loads.red(found) - loads.SPEED == {"lost"}  # nobody is told of what isn't done
    assert found.steps[0].faults.lost == found.steps[0].deaths == 3


def test_a_server_that_keeps_streams_is_found_out(play: Play, tmp_path: Path) -> None:
    code, said = play("leaking")
    assert code == 1, said
    found = loads.report(tmp_path)
    assert loads.red(found) - loads.SPEED == {"leaked"}
    assert found.steps[0].faults.leaked >= 5
