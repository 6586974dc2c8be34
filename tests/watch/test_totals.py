"""What workers have counted, added up from their files, and what came in between."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from killer.watch import totals
from killer.watch.totals import Counters, Totals, above, grown, quantile

WORKER = """
from killer.watch import metrics
for seconds in (0.003, 0.3, 0.3, 20):
    metrics.answered("GET /players", 200, seconds)
metrics.answered("GET /health", 503, 9.0)
metrics.answered("GET /static/<fingerprint>/<path:name>", 200, 9.0)
metrics.answered("POST /death", 503, 0.02)
metrics.answered("GET /api/events", 200, None)
metrics.DELAY.observe(0.15)
metrics.HUNG.inc()
metrics.STREAMS.inc()
metrics.STREAMS.inc()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two workers that are gone have left."""
    found = tmp_path_factory.mktemp("metrics")
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(found)}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", WORKER], env=environment, check=True)
    return found


def test_workers_are_added_up_without_monitors_and_files(folder: Path) -> None:
    found = Counters(folder).read()
    assert sum(found.answers.values()) == 10
    assert (found.refused, found.hung, found.phones) == (2, 2, 4)
    assert sum(found.delays.values()) == 2
    assert above(found.answers, totals.TOO_LATE) == 2
    assert above(found.answers, 0.0) == 10


LATER = """
print(flush=True); input()
metrics.answered("POST /giveup", 503, 0.1)
metrics.answered("GET /players", 200, 0.3)
"""


def test_what_a_worker_counts_later_is_seen_too(tmp_path: Path) -> None:
    counters = Counters(tmp_path)
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER + LATER],
        env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert worker.stdout is not None
    worker.stdout.readline()
    first, again = counters.read(), counters.read()
    assert first == again
    worker.communicate(b"\n")
    later = counters.read()
    assert later == Counters(tmp_path).read()
    assert later.refused - first.refused == 1
    assert grown(first.answers, later.answers)[0.5] == 1


def test_a_file_that_is_half_written_is_left_out(folder: Path, tmp_path: Path) -> None:
    for number, content in enumerate((b"", b"\1", os.urandom(5000))):
        (tmp_path / f"counter_{number}.db").write_bytes(content)
    assert Counters(tmp_path).read() == Totals()
    assert Counters(tmp_path / "nowhere").read() == Totals()


def test_what_came_in_between_is_never_negative() -> None:
    assert grown({0.5: 3.0}, {0.5: 5.0, 1.0: 2.0}) == {0.5: 2.0, 1.0: 2.0}
    assert grown({0.5: 3.0}, {0.5: 1.0}) == {0.5: 0.0}


@pytest.mark.parametrize(
    ("buckets", "share", "value"),
    [
        ({}, 0.95, None),
        ({0.1: 0.0, 0.5: 0.0}, 0.95, None),
        ({0.1: 100.0}, 0.5, 0.05),
        ({0.1: 90.0, 0.5: 10.0}, 0.95, 0.3),
        ({0.1: 96.0, float("inf"): 4.0}, 0.95, 0.1),
        ({0.1: 50.0, 0.5: 0.0, float("inf"): 50.0}, 0.95, 0.5),
    ],
)
def test_a_percentile_is_guessed_within_its_bucket(
    buckets: dict[float, float], share: float, value: float | None
) -> None:
    assert quantile(buckets, share) == (value if value is None else pytest.approx(value, abs=0.002))
