"""A load test as a user starts it, and what its report says."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from e2e.server import INHERITED, KILLER
from engines.processes import tied
from killer.crowd import figures
from killer.crowd.figures import Report
from killer.crowd.verdict import judge

#: Lines about how quick a server is: a busy machine misses them, and the verdict is right then.
SPEED = {"p95", "delay", "cpu"}


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """Give what a command inherits, and nothing of a real deployment."""
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return kept | {"DATA_DIR": str(folder / "data"), "KILLER_LANGUAGE": "en"} | settings


def start(folder: Path, *words: str, typed: str = "", **settings: str) -> subprocess.Popen[str]:
    """Begin a load test whose reports go to `out`; it ends when the test run does."""
    with tempfile.TemporaryFile("w+") as keyboard:
        keyboard.write(typed)
        keyboard.seek(0)
        return subprocess.Popen(
            tied("TERM", [*KILLER, "loadtest", "--out", str(folder / "out"), *words]),
            cwd=folder,
            env=environment(folder, **settings),
            stdin=keyboard,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def played(folder: Path, *words: str, typed: str = "", **settings: str) -> tuple[int, str]:
    """Play a load test to its end and give its exit code and its words."""
    process = start(folder, *words, typed=typed, **settings)
    try:
        said, _ = process.communicate(timeout=240)
    finally:
        process.kill()
    return process.returncode, said


def report(folder: Path) -> Report:
    return figures.read(folder / "out" / "report.json")


def red(found: Report) -> set[str]:
    """Give the codes of the lines that were missed."""
    return {line.code for line in judge(found).whole.red}


def sound(folder: Path, code: int, said: str) -> Report:
    """Give a report in which nothing went wrong; the exit code says what the lines say."""
    found = report(folder)
    assert red(found) <= SPEED, said
    assert code == int(bool(red(found))), said
    assert all(step.delay.count for step in found.steps), "nobody was told of a death"
    return found
