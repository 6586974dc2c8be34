"""One file for all: one writer at a time, whole states only, and a past that fits."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from killer.watch import register
from killer.watch.register import LAST_HOUR, PLACE, TWO_DAYS, Point, Register, point_of
from killer.watch.weather import Colour
from watch.skies import reading

NOON = 1_800_000_000.0 // 60 * 60


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Register]:
    found = Register(tmp_path / "data")
    assert found.claim()
    yield found
    found.leave()


def point(at: float, cpu: float = 0.5, p95: float = math.nan) -> Point:
    return Point(at, p95, cpu, 0.25, 40.0, math.nan, 0.0)


def test_nobody_has_measured_in_an_empty_folder(tmp_path: Path) -> None:
    nobody = Register(tmp_path / "nowhere")
    assert nobody.read() is None
    assert nobody.points(LAST_HOUR, NOON) == []
    assert not (tmp_path / "nowhere").exists()


def test_what_was_noted_is_read_by_everybody(book: Register, tmp_path: Path) -> None:
    for cpu in (0.1, 0.2, 0.3):
        noted = reading(cpu=cpu)
        book.note(noted, point_of(noted, Colour.GREEN))
        assert Register(tmp_path / "data").read() == noted


def test_only_one_writes_and_the_next_one_goes_on(book: Register, tmp_path: Path) -> None:
    other = Register(tmp_path / "data")
    assert not other.claim()
    book.note(reading(cpu=0.1), point(NOON))
    book.leave()
    assert other.claim()
    assert other.claim(), "who has it keeps it"
    other.note(reading(cpu=0.9), point(NOON + 5))
    assert book.read() == reading(cpu=0.9)
    assert len(book.points(LAST_HOUR, NOON)) == 2
    other.leave()


def test_the_right_to_write_ends_with_the_process(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from killer.watch.register import Register; "
        "r = Register(pathlib.Path(sys.argv[1])); print(r.claim(), flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"True\n"
    mine = Register(tmp_path)
    assert not mine.claim()
    holder.kill()
    holder.communicate()
    assert mine.claim()
    mine.leave()


def test_half_a_state_is_never_read(book: Register, tmp_path: Path) -> None:
    file = tmp_path / "data" / register.NAME
    first, second = reading(cpu=0.1), reading(cpu=0.2)
    book.note(first, point(NOON))
    book.note(second, point(NOON))
    with file.open("r+b") as raw:  # the second stands in the first place: its turn is even
        raw.seek(40)
        raw.write(b"torn")
    assert book.read() == first
    with file.open("r+b") as raw:
        raw.seek(PLACE + 40)
        raw.write(b"torn")
    assert book.read() is None


def test_the_file_has_all_its_room_from_the_beginning(book: Register, tmp_path: Path) -> None:
    file = tmp_path / "data" / register.NAME
    size = file.stat().st_size
    assert file.stat().st_blocks * 512 >= size
    for at in range(0, 200_000, 997):
        book.note(reading(), point(NOON + at))
    assert file.stat().st_size == size


def test_a_ring_gives_its_time_and_no_more(book: Register) -> None:
    for second in range(0, 2 * 3600, 5):
        book.note(reading(), point(NOON + second, cpu=second / 10_000))
    now = NOON + 2 * 3600
    hour = book.points(LAST_HOUR, now)
    assert len(hour) == 719
    assert [p.at for p in hour] == sorted(p.at for p in hour)
    assert hour[-1].at == now - 5
    assert len(book.points(TWO_DAYS, now)) == 120
    assert book.points(LAST_HOUR, now + 3 * 86_400) == [], "a server that stood still has no past"


def test_a_point_of_two_days_is_the_worst_of_its_minute(book: Register) -> None:
    for second, cpu, p95 in ((0, 0.2, math.nan), (5, 0.9, 0.3), (10, 0.4, 0.1)):
        book.note(reading(), point(NOON + second, cpu, p95))
    (found,) = book.points(TWO_DAYS, NOON + 20)
    assert (found.cpu, found.p95) == pytest.approx((0.9, 0.3))
    assert math.isnan(found.delay)


def test_a_disk_without_room_is_said_and_tried_again(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in the folder's place")
    book = Register(tmp_path / "data")
    with pytest.raises(OSError, match="exists"):
        book.claim()
    (tmp_path / "data").unlink()
    assert book.claim()
    book.leave()


def test_a_file_of_another_version_is_nobodys_reading(tmp_path: Path) -> None:
    (tmp_path / register.NAME).write_bytes(os.urandom(3 * PLACE))
    assert Register(tmp_path).read() is None
