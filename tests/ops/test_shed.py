"""The folder of the backups: one at work, names in order, a week kept and the newest always."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from killer.ops import shed
from killer.ops.archive import BackupError

NOW = datetime(2026, 1, 17, 14, 0, tzinfo=UTC).timestamp()
MINUTE = 60.0


def at(when: float, end: str = "") -> Path:
    stamp = datetime.fromtimestamp(when, UTC).strftime("%Y%m%dT%H%M%SZ")
    return Path(f"killer-{stamp}.tar.gz{end}")


def test_a_name_says_when_it_was_begun() -> None:
    assert at(NOW).name == "killer-20260117T140000Z.tar.gz"
    assert shed.begun(at(NOW)) == NOW
    assert shed.begun(at(NOW, shed.DOUBTFUL)) == NOW


def test_two_names_in_one_second_are_two(tmp_path: Path) -> None:
    names = []
    for sound in (True, False, True):
        made = tmp_path / "made"
        made.touch()
        names.append(shed.put(made, shed.free_name(tmp_path), sound=sound).name)
    assert len({name.removesuffix(shed.DOUBTFUL) for name in names}) == 3
    assert [p.name for p in shed.archives(tmp_path)] == [names[0], names[2]]


def test_only_archives_are_archives(tmp_path: Path) -> None:
    for name in ("killer-1.tar.gz", "killer-20260117T140000Z.tar.gz.part", "other.tar.gz"):
        (tmp_path / name).touch()
    assert shed.archives(tmp_path) == []
    assert shed.archives(tmp_path / "nowhere") == []


def test_one_works_at_a_time_and_leaves_nothing(tmp_path: Path) -> None:
    with shed.alone(tmp_path) as work:
        assert list(work.iterdir()) == []
        (work / "half").touch()
        with pytest.raises(BackupError) as refused, shed.alone(tmp_path, patience=0):
            raise AssertionError
        assert refused.value.code == "busy"
        assert (work / "half").exists()
    assert [p.name for p in tmp_path.iterdir()] == [".lock"]


def test_what_a_killed_one_left_is_swept(tmp_path: Path) -> None:
    left = tmp_path / ".work-killed"
    left.mkdir()
    (left / "half.tar.gz").touch()
    with shed.alone(tmp_path):
        assert not left.exists()


def test_the_last_day_is_kept_whole_and_a_week_by_the_hour() -> None:
    paths = [at(NOW - minutes * MINUTE) for minutes in range(0, 9 * 24 * 60, 10)]
    kept = set(paths) - set(shed.superfluous(paths, NOW))
    ages = sorted(NOW - shed.begun(path) for path in kept)
    assert sum(age <= shed.DAY for age in ages) == 145
    assert sum(shed.DAY < age <= shed.KEPT for age in ages) == 6 * 24
    assert max(ages) <= shed.KEPT


@given(ages=st.lists(st.integers(0, 60 * 24 * 3600), min_size=1, unique=True))
def test_the_newest_stays_whatever_its_age_and_sweeping_twice_is_sweeping_once(
    ages: list[int],
) -> None:
    paths = [at(NOW - age) for age in ages]
    kept = set(paths) - set(shed.superfluous(paths, NOW))
    assert at(NOW - min(ages)) in kept
    assert all(NOW - shed.begun(p) <= shed.KEPT for p in kept - {at(NOW - min(ages))})
    assert {p for p in paths if NOW - shed.begun(p) <= shed.DAY} <= kept
    assert shed.superfluous(sorted(kept), NOW) == []


def test_of_doubtful_archives_the_last_one_stays_and_counts_for_nothing(tmp_path: Path) -> None:
    old = tmp_path / at(NOW - 30 * shed.DAY)
    doubtful = [tmp_path / at(NOW - age, shed.DOUBTFUL) for age in (300, 200, 100)]
    for path in (old, *doubtful):
        path.touch()
    assert shed.sweep(tmp_path, NOW) == doubtful[:2]
    assert old.exists()  # the newest good one
    assert shed.sweep(tmp_path, NOW) == []
