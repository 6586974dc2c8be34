"""What this machine has left, as the kernel says it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil

from engines.processes import wait_for
from killer.watch import machine
from killer.watch.machine import Machine


def test_shares_are_between_none_and_all() -> None:
    gauge = Machine(workers=False)
    sum(n * n for n in range(300_000))
    use = gauge.use()
    again = gauge.use()
    for share in (use.cpu, use.machine_cpu, again.cpu, use.memory, use.machine_memory):
        assert 0.0 <= share <= 1.0
    assert 0 < use.memory < use.machine_memory


def test_a_process_that_works_is_seen() -> None:
    gauge = Machine(workers=False)
    worker = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        gauge.use()  # who there is
        wait_for(lambda: machine.spent(psutil.Process(worker.pid)) > 0.3, 60, "its work")
        assert gauge.use().cpu > 0.0
    finally:
        worker.kill()
        worker.wait()
    assert gauge.use().cpu >= 0.0, "a dead process takes nothing back"


def test_a_folder_that_is_gone_has_nothing_free(tmp_path: Path) -> None:
    assert machine.free(tmp_path) > 0
    assert machine.free(tmp_path / "nowhere") == 0


def test_the_newest_backup_counts(tmp_path: Path) -> None:
    assert machine.newest(tmp_path, "killer-*.tar.gz", 1000.0) is None
    assert machine.newest(tmp_path / "nowhere", "killer-*.tar.gz", 1000.0) is None
    for name, at in (("killer-1.tar.gz", 400), ("killer-2.tar.gz", 900), ("other.tar.gz", 990)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (at, at))
    assert machine.newest(tmp_path, "killer-*.tar.gz", 1000.0) == 100.0
    assert machine.newest(tmp_path, "killer-*.tar.gz", 800.0) == 0.0, "a clock that was put back"
