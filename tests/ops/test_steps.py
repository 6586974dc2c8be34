"""Steps: looked at first, taken only when needed, and never in a dry run."""

from __future__ import annotations

import pytest

from killer.ops import steps
from killer.ops.failures import DeployError
from killer.ops.steps import Outcome, Paper, Step
from ops.paper_machine import PaperMachine, Told

PAPER = Paper("/etc/killer/note", "what it says\n", "600", "killer")


def a_step(done: list[str], name: str = "user", *, so: bool = False) -> Step:
    return Step(name, lambda: so or name in done, lambda: done.append(name))


def test_what_is_so_already_is_left_alone() -> None:
    done: list[str] = []
    told = Told()
    every = [a_step(done, "user", so=True), a_step(done, "folders")]
    assert steps.walk(every, told) == 1
    assert done == ["folders"]
    assert told.outcomes == {"user": Outcome.ALREADY, "folders": Outcome.DONE}
    assert steps.walk(every, told) == 0


def test_a_dry_run_says_what_would_be_done_and_does_nothing() -> None:
    done: list[str] = []
    told = Told()
    assert steps.walk([a_step(done), a_step(done, "logs", so=True)], told, dry=True) == 1
    assert done == []
    assert told.outcomes == {"user": Outcome.WOULD, "logs": Outcome.ALREADY}


def test_after_a_step_that_fails_none_is_begun_and_the_next_run_goes_on_there() -> None:
    done: list[str] = []
    machine, told = PaperMachine(), Told()
    machine.on("apt-get", code=100, err="E: no network")
    so = steps.condition("packages", machine, "false-at-first", "apt-get update", "apt_failed")
    machine.on("false-at-first", code=1)
    with pytest.raises(DeployError) as error:
        steps.walk([a_step(done), so, a_step(done, "logs")], told)
    assert error.value.code == "apt_failed"
    assert "no network" in error.value.sentence
    assert done == ["user"]
    machine.on("apt-get")
    assert steps.walk([a_step(done), so, a_step(done, "logs")], Told()) == 2
    assert done == ["user", "logs"]


def test_a_full_disk_is_said_whatever_failed() -> None:
    machine = PaperMachine()
    machine.on("tar", code=2, err="tar: write error: No space left on device")
    with pytest.raises(DeployError) as error:
        machine.run("tar -xzf release")
    assert error.value.code == "disk_full"


@pytest.mark.parametrize(
    "there",
    [
        None,
        ("something else\n", "600", "killer"),
        (PAPER.content, "644", "killer"),
        (PAPER.content, "600", "root"),
    ],
)
def test_a_file_is_written_unless_content_mode_and_owner_are_right(
    there: tuple[str, str, str] | None,
) -> None:
    machine = PaperMachine(files={} if there is None else {PAPER.path: there})
    step = steps.papers("units", machine, [PAPER], "systemctl daemon-reload")
    assert steps.walk([step], Told()) == 1
    assert machine.files[PAPER.path] == (PAPER.content, "600", "killer")
    assert machine.said[-1] == "systemctl daemon-reload"
    assert steps.walk([step], Told()) == 0
