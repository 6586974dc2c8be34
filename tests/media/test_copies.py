"""In a worker, many phones want a photo of which there is no copy: one asks, and no loop stands."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

WORKER = """
from gevent import monkey
monkey.patch_all()
import json, sys
from pathlib import Path
import gevent
from gevent.event import Event
from killer.media.shelf import Shelf, ShelfError

asked, gate, ticks = [], Event(), []
folder, refused = Path(sys.argv[1]), "refused" in sys.argv

class Depot:
    def get(self, file):
        asked.append(file)
        gate.wait()
        if refused:
            raise ShelfError("bucket")
        return b"a face"

shelf = Shelf(folder, b"", Depot())

def read(name="0" * 32):
    try:
        return shelf.read(7, name, "small").decode()
    except ShelfError as error:
        return error.code

def tick():
    while True:
        ticks.append(1)
        gevent.sleep(0)

phones = [gevent.spawn(read) for _ in range(20)]
gevent.sleep(0)
gate.set()
gevent.joinall(phones)
print(json.dumps([len(asked), sorted({phone.value for phone in phones})]))
gevent.spawn(tick)
gevent.sleep(0)
before = len(ticks)
read("1" * 32)
print(json.dumps([len(asked), len(ticks) > before]))
"""


def worker(folder: Path, *how: str) -> list[list[object]]:
    """Have twenty phones ask for one photo at once, then one for another."""
    command = [sys.executable, "-c", WORKER, folder, *how]
    run = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr.decode()
    return [json.loads(line) for line in run.stdout.splitlines()]


def test_a_photo_that_many_want_is_asked_for_once(tmp_path: Path) -> None:
    at_once, later = worker(tmp_path / "photos")
    assert at_once == [1, ["a face"]]
    assert later == [2, True], "the loop stood still while the copy was written"


@pytest.mark.parametrize("how", ["refused", "no disk"])
def test_so_it_is_when_no_copy_is_left_of_it(tmp_path: Path, how: str) -> None:
    (tmp_path / "photos").write_text("in the way")
    at_once, _ = worker(tmp_path / "photos", how)
    assert at_once == [1, ["bucket" if how == "refused" else "a face"]]
