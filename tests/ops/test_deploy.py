"""The whole plan on a machine of paper: its order, what it remembers, what it shows in the end."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from killer.ops import deploy, places, release, slots
from killer.ops.deploy import Order
from killer.ops.failures import DeployError
from killer.ops.inventory import Inventory
from killer.ops.machine import Wish
from killer.ops.steps import Outcome
from ops.paper_machine import PaperMachine, Told

FACTS = """system=debian
machine=x86_64
systemd=yes
python=3.11
free=9000000
ipv6=yes
ssh=22
addresses=203.0.113.7
web=
"""
MADE = f"{places.RELEASES}/0.1.0-20261128T120000Z-aaaaaaaaaaaa"
WISH = Wish(host="203.0.113.7")


@pytest.fixture
def bare() -> PaperMachine:
    """A machine on which no condition is true yet."""
    machine = PaperMachine(host="203.0.113.7")
    for condition in (r"^test ", "^id ", "^grep ", "is-enabled", "^ls "):
        machine.on(condition, code=1)
    machine.on("os-release", FACTS)
    return machine


def deployed() -> PaperMachine:
    links = {
        places.LIVE: places.socket(1),
        places.CURRENT: MADE,
        f"{places.SLOTS}/1": MADE,
    }
    machine = PaperMachine(host="203.0.113.7", links=links)
    machine.on("killer.ops.probe", '{"ready":true}')
    return machine


def planned(machine: PaperMachine, order: Order) -> list[str]:
    told = Told()
    deploy.deploy(machine, order, told, dry=True)
    assert set(told.outcomes.values()) <= {Outcome.WOULD, Outcome.ALREADY}
    return list(told.outcomes)


def test_a_dry_run_on_a_bare_machine_tells_every_step(bare: PaperMachine) -> None:
    steps = planned(bare, Order(WISH))
    assert steps[0] == "packages"
    assert [name for name in steps if name in {"settings", "release", "firewall", "switch"}] == [
        "settings",
        "release",
        "firewall",
        "switch",
    ]
    assert bare.files == {}
    assert not [each for each in bare.said if "apt-get" in each or "systemctl start" in each]


def test_without_a_firewall_none_is_raised(bare: PaperMachine) -> None:
    assert "firewall" not in planned(bare, Order(replace(WISH, firewall=False)))


def test_a_certificate_is_asked_for_through_a_plain_site_first(bare: PaperMachine) -> None:
    bare.host = "localhost"
    steps = planned(bare, Order(replace(WISH, domain="localhost")))
    front = [name for name in steps if name in {"site", "certificate", "site_tls"}]
    assert front == ["site", "certificate", "site_tls"]


def test_a_certificate_of_one_s_own_needs_no_plain_site(bare: PaperMachine, tmp_path: Path) -> None:
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_text("chain")
    key.write_text("key")
    wish = replace(WISH, certificate=True)
    steps = planned(bare, Order(wish, chain=chain, key=key))
    assert [s for s in steps if s in {"site", "certificate", "site_tls"}] == [
        "certificate",
        "site_tls",
    ]
    with pytest.raises(DeployError) as error:
        planned(bare, Order(wish, chain=tmp_path / "none.pem", key=key))
    assert error.value.code == "no_certificate"


def test_what_was_asked_for_once_need_not_be_asked_again() -> None:
    machine = deployed()
    kept = {"host": "203.0.113.7", "domain": "killer.example.org", "firewall": False, "gone": 1}
    machine.files[places.WISHES] = (json.dumps(kept), "644", "root")
    asked = Inventory("")
    wish = deploy.merged(machine, asked)
    assert wish == Wish(host="203.0.113.7", domain="killer.example.org", firewall=False)
    assert wish.address == "https://killer.example.org"
    other = deploy.merged(machine, replace(asked, domain="other.example.org", firewall=True))
    assert (other.domain, other.firewall) == ("other.example.org", True)
    bare = deploy.merged(PaperMachine(host="203.0.113.9"), asked)
    assert bare.address == "http://203.0.113.9"
    assert Wish(host="2001:db8::7").address == "http://[2001:db8::7]"


def update(machine: PaperMachine, told: Told) -> None:
    deploy._update(machine, f"{MADE}b", lambda: deploy.back_up(machine, told), told)


def test_an_update_keeps_a_backup_first_and_stops_without_one() -> None:
    machine = deployed()
    told = Told()
    update(machine, told)
    backup = next(i for i, said in enumerate(machine.said) if "killer backup" in said)
    start = next(i for i, said in enumerate(machine.said) if "systemctl start" in said)
    assert backup < start
    assert told.outcomes["backup"] is Outcome.DONE
    machine = deployed()
    machine.on("killer backup", code=1, err="the disk is full")
    with pytest.raises(DeployError) as error:
        update(machine, Told())
    assert error.value.code == "no_backup"
    assert not [each for each in machine.said if "systemctl start" in each]


def test_restart_serves_the_same_release_from_the_other_slot() -> None:
    machine = deployed()
    deploy.restart(machine, Told())
    assert slots.live(machine) == 2
    assert release.led_to(machine, places.CURRENT) == MADE


def test_rollback_goes_back_and_once_more_forward() -> None:
    machine = deployed()
    machine.links[places.PREVIOUS] = f"{MADE}old"
    assert deploy.rollback(machine, Told()) == f"{MADE}old".rpartition("/")[2]
    assert machine.links[places.CURRENT] == f"{MADE}old"
    deploy.rollback(machine, Told())
    assert machine.links[places.CURRENT] == MADE


@pytest.mark.parametrize(
    ("deed", "code"), [(deploy.restart, "nothing_there"), (deploy.rollback, "no_previous")]
)
def test_where_nothing_is_there_is_nothing_to_go_back_to(deed, code: str) -> None:
    with pytest.raises(DeployError) as error:
        deed(PaperMachine(), Told())
    assert error.value.code == code


@pytest.mark.parametrize(
    "journal",
    [
        "[2026-11-28 12:00:00 +0000] [7] [INFO] workers: 16\n[INFO] worker_class: gevent",
        '{"event": "workers: 16", "level": "info"}\n{"event": "worker_class: gevent"}',
    ],
)
def test_the_settings_in_force_are_read_from_the_journal(journal: str) -> None:
    machine = deployed()
    machine.on("journalctl", journal)
    assert deploy.in_force(machine, 1) == {"workers": "16", "worker_class": "gevent"}


def test_in_the_end_the_status_is_shown_with_advice_about_the_address() -> None:
    machine = deployed()
    machine.on("is-active", "active\nactive\ninactive\n", code=3)
    machine.on("health/ready", '{"ready":true}')
    found = deploy.status(machine, WISH)
    assert found.units["killer@1.service"] == "active"
    assert found.units["killer-backup.timer"] == "inactive"
    assert found.ready == '{"ready":true}'
    assert found.advice, "killer.env says nothing of this address"
    env = f"PUBLIC_URL={WISH.address}\n"
    machine.files[places.ENVIRONMENT] = (env, "600", "root")
    assert not deploy.status(machine, WISH).advice


def test_the_journal_is_followed_until_one_has_seen_enough() -> None:
    machine = deployed()
    assert deploy.logs(machine, follow=True, lines=10) == 0
    assert machine.said[-1].endswith("-n 10 -f")
    deploy.logs(machine, follow=False, lines=10)
    assert machine.said[-1].endswith("--no-pager")
