"""Whether the log holds what was acknowledged, each once, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import psycopg

from benchmarks.cluster import engine

Told = tuple[int, str]  # a version that was answered, and whose change it was


class Differences(NamedTuple):
    """What must be empty."""

    lost: list[Told]  # acknowledged, and not kept under that version
    twice: list[str]  # kept more often than it was asked for
    unasked: list[Told]  # kept, and never acknowledged although every phone went on asking


def compare(
    acknowledged: Iterable[Told], log: Sequence[Told], given_up: Iterable[str]
) -> Differences:
    """Hold the log against what the phones were told.

    A phone that gave up was never answered; its change may have been kept once.
    """
    told, kept, free = set(acknowledged), set(log), Counter(given_up)
    extra = sorted(kept - told)
    unasked = []
    for one in extra:
        if free[one[1]]:
            free[one[1]] -= 1
        else:
            unasked.append(one)
    asked = Counter(name for _, name in told) + Counter(given_up)
    often = Counter(name for _, name in log)
    twice = [name for name, times in often.items() if asked[name] and times > asked[name]]
    return Differences(sorted(told - kept), sorted(twice), unasked)


def log(kind: str, since: int) -> list[Told]:
    """Read who the events of a kind after a version are about."""
    with closing(psycopg.connect(engine.URL, connect_timeout=5)) as line:
        return line.execute(
            "SELECT e.version, p.nickname FROM events e JOIN players p"
            " ON p.game = e.game AND p.id = (e.data::json->>'player')::int"
            " WHERE e.kind = %s AND e.version > %s ORDER BY e.version",
            (kind, since),
        ).fetchall()


def version() -> int:
    """Give the version of the only game."""
    with closing(psycopg.connect(engine.URL, connect_timeout=5)) as line:
        ((found,),) = line.execute("SELECT version FROM games").fetchall()
        return int(found)


def check(folder: Path, environment: dict[str, str]) -> str:
    """Let `killer check` look at the laws; what it says when one is broken, else nothing."""
    done = subprocess.run(
        [sys.executable, "-m", "killer", "check"],
        env=os.environ | environment | {"DATA_DIR": str(folder / "check")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return "" if done.returncode == 0 else f"{done.stdout}{done.stderr}".strip() or "killer check"
