"""The server's secret: made once, whole, for its owner only, and replaced in one step."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

from killer import secret as secret_
from killer.settings import Settings

GOOD = "a secret that nobody else has"


def test_a_given_secret_is_used_as_it_is(tmp_path: Path) -> None:
    assert secret_.of(Settings(secret_key=GOOD, data_dir=tmp_path)) == GOOD.encode()
    assert list(tmp_path.iterdir()) == []


def test_a_secret_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    mine = Settings(data_dir=tmp_path / "data")
    made = secret_.of(mine)
    assert len(made) >= 32
    assert secret_.of(mine) == made
    [file] = mine.data_dir.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert secret_.of(Settings(data_dir=tmp_path / "another")) != made


def test_servers_that_start_at_once_have_one_secret(tmp_path: Path) -> None:
    for turn in range(20):
        mine, found = Settings(data_dir=tmp_path / str(turn)), []
        gate = threading.Barrier(4)

        def start(mine: Settings = mine, gate: threading.Barrier = gate) -> None:
            gate.wait()
            found.append(secret_.of(mine))  # noqa: B023  # done before the next turn

        starts = [threading.Thread(target=start) for _ in range(4)]
        for one in starts:
            one.start()
        for one in starts:
            one.join()
        assert len(found) == 4
        assert len(set(found)) == 1
        assert len(found[0]) >= 32
        assert [file.name for file in mine.data_dir.iterdir()] == ["secret_key"]


def test_a_secret_that_comes_back_takes_the_place_of_another(tmp_path: Path) -> None:
    mine = Settings(data_dir=tmp_path / "data")
    assert secret_.kept(mine) is None
    made = secret_.of(mine)
    assert secret_.kept(mine) == made
    secret_.put(mine, b"the one of the backup")
    assert secret_.of(mine) == secret_.kept(mine) == b"the one of the backup"
    (kept,) = mine.data_dir.iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
