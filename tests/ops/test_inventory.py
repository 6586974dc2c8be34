"""Which machines are meant, from a file or a command line, and what makes no sense."""

from __future__ import annotations

from pathlib import Path

import pytest

from killer.ops import inventory
from killer.ops.build import CHECKOUT
from killer.ops.failures import DeployError
from killer.ops.inventory import Inventory, Place

WHOLE = """
[front]
host = "root@front.example.org"
domain = "killer.example.org"
certificate = "chain.pem"
key = "/etc/key.pem"
firewall = false

[[node]]
host = "root@a.example.org"
address = "10.0.0.2"

[[node]]
host = "root@b.example.org"

[settings]
DATABASE_URL = "postgresql://app@10.0.0.9/killer"
BACKUP_MINUTES = 5
PHOTO_ACCEL_ = ""
"""
LINES = """
[[node]]
host = "root@a"
[settings]
MAIL_FROM = "a\\nb"
"""


def read(folder: Path, text: str) -> Inventory:
    file = folder / "cluster.toml"
    file.write_text(text)
    return inventory.read(file)


def test_an_inventory_is_read_whole(tmp_path: Path) -> None:
    found = read(tmp_path, WHOLE.replace('PHOTO_ACCEL_ = ""', "GUNICORN_PRELOAD = false"))
    assert found == Inventory(
        front="root@front.example.org",
        nodes=(Place("root@a.example.org", "10.0.0.2"), Place("root@b.example.org")),
        domain="killer.example.org",
        certificate=tmp_path / "chain.pem",
        key=Path("/etc/key.pem"),
        firewall=False,
        settings={
            "DATABASE_URL": "postgresql://app@10.0.0.9/killer",
            "BACKUP_MINUTES": "5",
            "GUNICORN_PRELOAD": "false",
        },
    )


def test_the_inventory_of_the_docs_is_one(tmp_path: Path) -> None:
    text = (CHECKOUT / "docs" / "plusieurs-machines.md").read_text()
    found = read(tmp_path, text.partition("```toml\n")[2].partition("```")[0])
    assert [node.name for node in found.nodes] == [found.front, "root@203.0.113.8"]
    assert found.settings.keys() == {"DATABASE_URL", "REDIS_URL"}


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (WHOLE, "inventory_key", "[settings] PHOTO_ACCEL_"),
        ("[settings]\nHOST = '0.0.0.0'\n[[node]]\nhost = 'a'", "inventory_key", "[settings] HOST"),
        (LINES, "inventory_key", "[settings] MAIL_FROM"),
        ("[front]\nname = 'a'", "inventory_key", "[front] name"),
        ("[front]\nfirewall = 'no'", "inventory_key", "[front] firewall"),
        ("[[node]]\nhost = 'a'\nport = 8090", "inventory_key", "[[node]] port"),
        ("node = ['a']", "inventory_key", "[[node]]"),
        ("nodes = 1", "inventory_key", "nodes"),
        ("[front]\nhost = 'a'", "no_node", "[[node]]"),
        ("[[node]]\naddress = '10.0.0.2'", "no_node", "[[node]]"),
        ("[[node]]\nhost = 'root@a'\n[[node]]\nhost = 'ana@A'", "node_twice", "ana@A"),
        ("[front", "inventory_unread", "cluster.toml"),
    ],
)
def test_what_nobody_would_look_at_is_refused(
    tmp_path: Path, text: str, code: str, words: str
) -> None:
    with pytest.raises(DeployError) as error:
        read(tmp_path, text)
    assert error.value.code == code
    assert words in error.value.sentence


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DeployError) as error:
        inventory.read(tmp_path / "none.toml")
    assert error.value.code == "inventory_unread"


def test_the_first_node_is_in_front_when_nobody_else_is() -> None:
    found = inventory.checked(Inventory("").behind(["root@a", "root@b"]))
    assert found.front == "root@a"
    assert [node.name for node in found.nodes] == ["root@a", "root@b"]


def test_a_machine_that_is_front_and_node_has_one_name() -> None:
    found = inventory.checked(Inventory("ana@a").behind(["root@a", "root@b"]))
    assert found.front == "ana@a"
    assert [node.name for node in found.nodes] == ["ana@a", "root@b"]


def test_one_machine_alone_is_no_cluster() -> None:
    assert inventory.checked(Inventory("root@a")) == Inventory("root@a")
