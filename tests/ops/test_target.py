"""Machines over the line and this one: what happens to files, and what is said of a bad line."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from engines.processes import free_port
from killer.ops.failures import DeployError
from killer.ops.target import Here, Remote


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nobody's known hosts are touched."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return tmp_path


class Aside(Here):
    """This machine, with a spool that anybody may use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0

    def spool(self) -> str:
        self.count += 1
        return str(self.folder / f"spool{self.count}")


def test_a_file_is_written_with_its_mode_and_nothing_stays_beside_it(tmp_path: Path) -> None:
    here, path = Aside(tmp_path), tmp_path / "below" / "note"
    if os.geteuid():
        pytest.skip("files are given to root, which only root may")  # CI is root
    here.write(str(path), "one", mode="600")
    here.write(str(path), b"two", mode="640")
    source = tmp_path / "source"
    source.write_text("three")
    here.write(str(tmp_path / "below" / "copy"), source)
    assert path.read_text() == "two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(each.name for each in path.parent.iterdir()) == ["copy", "note"]
    assert not list(tmp_path.glob("spool*"))
    assert here.read(str(path)) == "two"
    assert here.read(str(tmp_path / "nothing")) is None


def test_a_link_leads_elsewhere_in_one_step(tmp_path: Path) -> None:
    here, link = Here(), tmp_path / "live"
    for goal in ("one", "two"):
        here.link(str(link), goal)
        assert str(link.readlink()) == goal
    assert [each.name for each in tmp_path.iterdir()] == ["live"]


def test_a_command_that_fails_is_said_with_its_last_words() -> None:
    with pytest.raises(DeployError) as error:
        Here().run("seq 30; echo the reason >&2; exit 3")
    assert error.value.code == "command_failed"
    assert "the reason" in error.value.sentence
    assert "\n5\n" not in error.value.sentence, "only the last lines"


@pytest.mark.parametrize(
    ("host", "code"),
    [("root@nowhere.invalid", "unknown_host"), ("root@127.0.0.1:{port}", "unreachable")],
)
def test_a_machine_that_cannot_be_reached_is_said(host: str, code: str, own_home: Path) -> None:
    with pytest.raises(DeployError) as error:
        Remote(host.format(port=free_port()))
    assert error.value.code == code
    assert "ssh" in error.value.sentence or "IP" in error.value.sentence
    assert stat.S_IMODE((own_home / ".ssh" / "known_hosts").stat().st_mode) == 0o600
