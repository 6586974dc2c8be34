"""What a machine is asked first, and on which the game can't live."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from killer.language import say
from killer.ops import survey
from killer.ops.failures import DeployError
from killer.ops.survey import Facts
from killer.ops.target import Here
from ops.paper_machine import PaperMachine

SOUND = Facts(
    system="debian ",
    machine="x86_64",
    systemd=True,
    python="3.11",
    free=20_000_000,
    ipv6=True,
    ssh=(22,),
    addresses=("203.0.113.7",),
    web=("nginx",),
)


def test_the_questions_are_understood_by_a_real_shell() -> None:
    found = survey.look(Here())
    assert found.machine
    assert found.python_version >= (3, 11)
    assert found.free > 0


def test_answers_become_facts() -> None:
    machine = PaperMachine()
    lines = (
        "system=ubuntu debian",
        "machine=aarch64",
        "systemd=yes",
        "python=3.13",
        "free=9000000",
    )
    rest = ("ipv6=", "ssh=22 2222", "addresses=203.0.113.7 10.0.0.1 ", "web=apache2 nginx")
    machine.on("os-release", "\n".join((*lines, *rest)))
    found = survey.look(machine)
    assert found.python_version == (3, 13)
    assert found.platform == "aarch64-manylinux_2_28"
    assert (found.ssh, found.ipv6) == ((22, 2222), False)
    assert found.web == ("apache2", "nginx")


def test_a_machine_that_says_nothing_is_no_debian() -> None:
    with pytest.raises(DeployError) as error:
        survey.judge(PaperMachine(), survey.look(PaperMachine()))
    assert error.value.code == "not_debian"


@pytest.mark.parametrize("kind", [{}, {"python": ""}, {"web": ()}, {"system": "ubuntu debian"}])
def test_a_sound_machine_is_taken(kind: dict[str, Any]) -> None:
    survey.judge(PaperMachine(), replace(SOUND, **kind))


@pytest.mark.parametrize(
    ("kind", "code", "words"),
    [
        ({"system": "fedora "}, "not_debian", "fedora"),
        ({"systemd": False}, "not_debian", "Debian"),
        ({"machine": "riscv64"}, "machine", "riscv64"),
        ({"python": "3.9"}, "old_python", "3.9"),
        ({"free": 400_000}, "no_room", "400"),
        ({"web": ("apache2", "nginx")}, "port_taken", "apache2"),
    ],
)
def test_another_one_is_refused_with_what_to_do(
    kind: dict[str, Any], code: str, words: str
) -> None:
    with pytest.raises(DeployError) as error:
        survey.judge(PaperMachine(), replace(SOUND, **kind))
    assert error.value.code == code
    assert words in error.value.sentence
    assert error.value.sentence == say(f"deploy.{code}", **error.value.params)
