"""Two slots: players are led to a server that was tried, and back if nginx doesn't reach it."""

from __future__ import annotations

import re

import pytest

from killer.ops import places, slots
from killer.ops.build import CHECKOUT
from killer.ops.failures import DeployError
from ops.paper_machine import PaperMachine

OLD = f"{places.RELEASES}/0.1.0-20261128T120000Z-aaaaaaaaaaaa"
NEW = f"{places.RELEASES}/0.1.1-20261128T130000Z-bbbbbbbbbbbb"
READY = '{"ready":true}'


@pytest.fixture
def machine() -> PaperMachine:
    """A machine whose first slot serves."""
    links = {
        places.LIVE: places.socket(1),
        f"{places.SLOTS}/1": OLD,
        places.CURRENT: OLD,
    }
    found = PaperMachine(links=links)
    found.on("killer.ops.probe", READY)
    return found


def order(machine: PaperMachine, *parts: str) -> list[int]:
    """Give where in what was said each of these comes first."""
    return [next(i for i, said in enumerate(machine.said) if part in said) for part in parts]


def test_a_release_is_tried_before_players_reach_it_and_the_old_one_ends_after(
    machine: PaperMachine,
) -> None:
    told: list[str] = []
    assert slots.switch(machine, NEW, told.append) == READY
    assert told == ["start", "try", "lead", "drain"]
    places_ = order(
        machine,
        f"link {places.SLOTS}/2 {NEW}",
        "systemctl start killer@2.socket killer@2.service",
        "killer.ops.probe 2",
        f"link {places.LIVE} {places.socket(2)}",
        '"/health"',
        f"link {places.CURRENT} {NEW}",
        "systemctl stop killer@1.service killer@1.socket",
    )
    assert places_ == sorted(places_)
    assert machine.links[places.PREVIOUS] == OLD
    assert slots.live(machine) == 2


def test_the_same_release_again_does_not_forget_the_one_before(machine: PaperMachine) -> None:
    machine.links[places.PREVIOUS] = NEW
    slots.switch(machine, OLD, [].append)
    assert machine.links[places.PREVIOUS] == NEW
    assert slots.live(machine) == 2


@pytest.mark.parametrize(
    ("fails", "word"),
    [("systemctl start killer@2", "did not start"), ("killer.ops.probe", "could not sign in")],
)
def test_what_does_not_serve_is_stopped_and_players_stay(
    machine: PaperMachine, fails: str, word: str
) -> None:
    machine.on("journalctl", "its last words")
    machine.on(fails, code=1, err=word)
    with pytest.raises(DeployError) as error:
        slots.switch(machine, NEW, [].append)
    assert error.value.code == "refused"
    assert "its last words" in error.value.sentence
    assert word in error.value.sentence
    assert slots.live(machine) == 1
    assert machine.links[places.CURRENT] == OLD
    stopped = [each for each in machine.said if "stop killer@2.service killer@2.socket" in each]
    assert len(stopped) == 2, "before the start, and after it failed"
    assert not [each for each in machine.said if "stop killer@1" in each]


def test_players_are_led_back_when_nginx_does_not_reach_the_new_slot(
    machine: PaperMachine,
) -> None:
    machine.on('"/health"', code=1, err="/health: 502")
    with pytest.raises(DeployError) as error:
        slots.switch(machine, NEW, [].append)
    assert "/health: 502" in error.value.sentence
    assert slots.live(machine) == 1
    assert places.PREVIOUS not in machine.links
    assert not [each for each in machine.said if "stop killer@1" in each]


def test_the_first_release_comes_into_the_first_slot() -> None:
    machine = PaperMachine()
    machine.on("killer.ops.probe", READY)
    slots.switch(machine, NEW, [].append)
    assert slots.live(machine) == 1
    assert places.PREVIOUS not in machine.links


def test_a_release_runs_when_its_slot_alone_serves_it(machine: PaperMachine) -> None:
    assert slots.runs(machine, OLD)
    assert not slots.runs(machine, NEW)
    machine.on("is-active -q killer@1.service", code=1)
    assert not slots.runs(machine, OLD)
    assert not slots.runs(PaperMachine(), OLD), "nothing was ever deployed"


def test_the_docs_end_every_unit_of_a_machine_that_leaves() -> None:
    text = (CHECKOUT / "docs" / "plusieurs-machines.md").read_text()
    (command,) = re.findall(r"systemctl disable --now (killer@[^`]*)", text)
    named = {unit if "." in unit else f"{unit}.service" for unit in command.split()}
    assert named == {unit for slot in places.BOTH for unit in places.units(slot).split()}
