"""The machine that players reach in a cluster: nginx before several nodes, and who watches them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

from killer.ops import places
from killer.ops.failures import DeployError
from killer.ops.render import render
from killer.ops.site import LOOPBACK, addresses_of
from killer.ops.steps import Paper, Step, condition, papers
from killer.ops.target import Target

LOOKOUT = Path(__file__).with_name("lookout.py")
UNIT = "killer-lookout.service"


def address(front: Target, node: Target, given: str) -> str:
    """Give the number by which the front reaches a node.

    Raises:
        DeployError: the front knows no such machine.
    """
    name = given or (LOOPBACK if node is front else node.host)
    quoted = shlex.quote(name)
    ask = f"getent ahostsv4 {quoted} || getent ahosts {quoted}"
    number = _number(name) or _number(front.ask(ask).out.partition(" ")[0])
    if not number:
        raise DeployError("no_address", host=front.name, node=node.name, address=name)
    return number


def _number(text: str) -> str:
    """Give an address in its usual form; nothing for a name, or one that a scope makes local."""
    try:
        found = ip_address(text)
    except ValueError:
        return ""
    return "" if "%" in text else str(found)


def door(number: str) -> str:
    """Give where a node's nginx listens, as nginx and the lookout write it."""
    return f"[{number}]:{places.NODE_PORT}" if ":" in number else f"{number}:{places.NODE_PORT}"


def sources(front: Target, number: str) -> list[str]:
    """Give the addresses from which the front comes to a node."""
    route = front.ask(f"ip -o route get {shlex.quote(number)}").out
    found = re.search(r"\bsrc (\S+)", route)
    return sorted({*addresses_of(front.host), *([found[1]] if found else [])})


def reach(front: Target, doors: Sequence[str]) -> Step:
    """Give the step that refuses to lead players where the front itself isn't answered."""

    def answers(each: str) -> bool:
        ask = f'import urllib.request as u; u.urlopen("http://{each}/health", timeout=5)'
        return front.holds(f"python3 -c '{ask}'")

    def refuse() -> None:
        silent = [each for each in doors if not answers(each)]
        if silent:
            raise DeployError("front_cut", host=front.name, nodes=", ".join(silent))

    return Step("reach", lambda: all(answers(each) for each in doors), refuse)


def nodes(front: Target, doors: Sequence[str]) -> Step:
    """Give the step of nginx's list, which its site includes, as long as no lookout keeps it."""
    text = "".join(f"server {each} max_fails=1 fail_timeout=2s;\n" for each in doors)

    def kept() -> bool:
        listed = _listed(front)
        return listed == list(doors) or (
            bool(listed) and front.holds(f"systemctl is-active {UNIT}")
        )

    return Step("nodes", kept, lambda: front.write(places.NODES, text))


def _listed(front: Target) -> list[str]:
    return re.findall(r"^server (\S+)", front.read(places.NODES) or "", re.MULTILINE)


def lookout(front: Target, doors: Sequence[str]) -> Step:
    """Give the step of the program that asks each node how it is, and keeps nginx's list.

    When it starts, it writes the list of its nodes, whom it has left out still marked, and has
    nginx read it. Until then it goes on with the nodes of before.
    """
    files = [
        Paper(places.LOOKOUT, LOOKOUT.read_text(encoding="utf-8")),
        Paper(f"{places.UNITS}/{UNIT}", render(UNIT, addresses=doors)),
    ]
    start = f"systemctl daemon-reload && systemctl enable -q {UNIT} && systemctl restart {UNIT}"
    step = papers("lookout", front, files, start)
    so = f"systemctl is-active -q {UNIT} && systemctl is-enabled -q {UNIT}"

    def settled() -> bool:
        return _listed(front) == list(doors) and step.settled() and front.holds(so)

    return Step("lookout", settled, step.do)


def retired(front: Target) -> Step:
    """Give the step that ends the game which lived on the front alone before."""
    slots = " ".join(places.units(slot) for slot in places.BOTH)
    deed = f"systemctl disable -q --now killer-backup.timer {slots}; rm -f {places.LIVE}"
    return condition("retired", front, f"test ! -L {places.LIVE}", deed)
