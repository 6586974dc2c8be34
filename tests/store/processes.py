"""Processes that play on one database: forked in no time, telling in JSON lines what they did."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from engines.processes import wait_for

TESTS = Path(__file__).parent.parent
PATIENCE = 60.0  # seconds

Line = dict[str, Any]


def environment() -> dict[str, str]:
    """Give the environment in which a program finds the modules of the tests."""
    path = os.pathsep.join(filter(None, (str(TESTS), os.environ.get("PYTHONPATH"))))
    return os.environ | {"PYTHONPATH": path}


class Process:
    """One process with one job; whatever it was answered can be read even after its death."""

    def __init__(self, pid: int, told: Path) -> None:
        self.pid = pid
        self._told = told

    def lines(self) -> list[Line]:
        """Give what it has told so far; a line that its death cut off is not told."""
        whole, _newline, _cut = self._told.read_bytes().rpartition(b"\n")
        return [json.loads(line) for line in whole.splitlines()]

    def finish(self) -> list[Line]:
        """Wait for the end of its job, which must be a good one, and give what it told."""
        wait_for(self._last, PATIENCE, "the end of a job")
        assert "error" not in self._last(), self._last()["error"]
        return self.lines()[:-1]

    def _last(self) -> Line:
        lines = self.lines()
        return lines[-1] if lines and {"done", "error"} & lines[-1].keys() else {}

    def kill(self) -> list[Line]:
        """End it as a power cut would, and give what it had told."""
        os.kill(self.pid, signal.SIGKILL)
        wait_for(lambda: not Path(f"/proc/{self.pid}").exists(), PATIENCE, "its death")
        return self.lines()


class Mother:
    """Imports everything once and forks: ten processes begin at the same moment."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._count = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "store.one_process"],
            cwd=TESTS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
        )

    def start(self, *jobs: tuple[object, ...]) -> list[Process]:
        """Let one process begin for each job: what to do, where, and with which numbers."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        files = [self._new_file() for _job in jobs]
        asked = [[str(file), *job] for file, job in zip(files, jobs, strict=True)]
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        self._process.stdin.flush()
        pids = json.loads(self._process.stdout.readline())["pids"]
        return [Process(pid, file) for pid, file in zip(pids, files, strict=True)]

    def _new_file(self) -> Path:
        self._count += 1
        file = Path(self._folder.name, str(self._count))
        file.touch()
        return file

    def end(self) -> None:
        """Let it go; its children go with it."""
        self._process.communicate(timeout=PATIENCE)
        self._folder.cleanup()
