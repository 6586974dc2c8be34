"""Which machines a deployment is for: from the command line, or from a file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from killer.ops.failures import DeployError
from killer.settings import Settings

FRONT = {"host": str, "domain": str, "email": str, "certificate": str, "key": str, "firewall": bool}
NODE = {"host": str, "address": str}
TABLES = {"front": dict, "node": list, "settings": dict}
#: What a machine behind nginx knows better.
FIXED = {"HOST", "PORT", "DATA_DIR", "PROXIES", "PHOTO_ACCEL"}
SETTINGS = {name for one in fields(Settings) for name in one.metadata["names"]} - FIXED


@dataclass(frozen=True, slots=True)
class Place:
    """A node: the machine as one types it for SSH, and its address as the front reaches it."""

    name: str
    address: str = ""  # the machine's own when empty

    @property
    def host(self) -> str:
        """Give the machine alone, without a user."""
        return self.name.rpartition("@")[2].casefold()


@dataclass(frozen=True, slots=True)
class Inventory:
    """What is to be deployed to, and how the front is to be reached."""

    front: str
    nodes: tuple[Place, ...] = ()
    domain: str = ""
    email: str = ""
    certificate: Path | None = None
    key: Path | None = None
    firewall: bool | None = None
    settings: Mapping[str, str] = field(default_factory=dict)  # for new nodes

    def behind(self, nodes: Sequence[str]) -> Inventory:
        """Give the same with these nodes."""
        return replace(self, nodes=tuple(map(Place, nodes)))


def checked(found: Inventory) -> Inventory:
    """Give an inventory in which each machine has one name, and the front is a node's if left out.

    Raises:
        DeployError: a machine is there twice.
    """
    known: set[str] = set()
    for node in found.nodes:
        if node.host in known:
            raise DeployError("node_twice", host=node.name)
        known.add(node.host)
    front = found.front or (found.nodes[0].name if found.nodes else "")
    alone = Place(front).host
    nodes = tuple(replace(node, name=front) if node.host == alone else node for node in found.nodes)
    return replace(found, front=front, nodes=nodes)


def read(file: Path) -> Inventory:
    """Read an inventory; paths in it begin at its own folder.

    Raises:
        DeployError: it can't be read, or says something that nobody knows.
    """
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DeployError("inventory_unread", file=str(file), cause=str(error)) from error
    _known(file, "", found, TABLES)
    front, nodes = found.get("front", {}), found.get("node", [])
    _known(file, "[front]", front, FRONT)
    for node in nodes:
        _known(file, "[[node]]", node, NODE)
    if not nodes or not all(node.get("host") for node in nodes):
        raise DeployError("no_node", file=str(file))
    files = {name: file.parent / front[name] for name in ("certificate", "key") if name in front}
    return checked(
        Inventory(
            front=front.get("host", ""),
            nodes=tuple(Place(node["host"], node.get("address", "")) for node in nodes),
            settings=_settings(file, found.get("settings", {})),
            **{name: front[name] for name in ("domain", "email", "firewall") if name in front},
            **files,
        )
    )


def _known(file: Path, table: str, found: Any, keys: Mapping[str, type]) -> None:
    """Refuse what nobody would look at."""
    if not isinstance(found, dict):
        raise DeployError("inventory_key", file=str(file), key=table)
    for key, value in found.items():
        if not isinstance(value, keys.get(key, type(None))):
            raise DeployError("inventory_key", file=str(file), key=f"{table} {key}".strip())


def _settings(file: Path, found: Mapping[str, Any]) -> dict[str, str]:
    said = {}
    for name, value in found.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        plain = isinstance(value, (str, int)) and "\n" not in text
        if name not in SETTINGS or not plain:
            raise DeployError("inventory_key", file=str(file), key=f"[settings] {name}")
        said[name] = text
    return said
