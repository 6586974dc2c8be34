"""The settings that a machine gets once, and the firewall that never locks anybody out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from dotenv import dotenv_values

from killer import settings
from killer.ops import machine, places, steps
from killer.ops.build import CHECKOUT
from killer.ops.failures import DeployError
from killer.ops.machine import Wish
from ops.paper_machine import PaperMachine, Told
from ops.test_survey import SOUND

EXAMPLE = (CHECKOUT / machine.EXAMPLE).read_text()
ADDRESS = "https://killer.example.org"
WISH = Wish(host="203.0.113.7", domain="killer.example.org")


def written(folder: Path) -> dict[str, str | None]:
    file = folder / "killer.env"
    file.write_text(machine.environment(CHECKOUT, ADDRESS))
    return dotenv_values(file)


def test_the_settings_are_the_example_s_with_what_a_machine_behind_nginx_knows(
    tmp_path: Path,
) -> None:
    found = settings.load({}, tmp_path / "killer.env") if written(tmp_path) else None
    assert found
    assert (found.host, found.proxies, found.photo_accel) == ("127.0.0.1", 1, True)
    assert (found.public_url, str(found.data_dir)) == (ADDRESS, places.DATA)
    assert "PORT" not in written(tmp_path), "each slot has its own"
    example = dotenv_values(CHECKOUT / machine.EXAMPLE)
    for name in example.keys() - {"HOST", "PORT", "DATA_DIR"}:
        assert written(tmp_path)[name] == example[name]
    comments = [line for line in EXAMPLE.splitlines() if line.startswith("# ---")]
    assert all(line in (tmp_path / "killer.env").read_text() for line in comments)


def test_each_machine_has_a_secret_of_its_own(tmp_path: Path) -> None:
    secrets = {written(tmp_path)["SECRET_KEY"] for _ in range(3)}
    assert len(secrets) == 3
    assert all(each and len(each) > 40 for each in secrets)


def test_settings_that_are_there_are_never_overwritten() -> None:
    target = PaperMachine()
    step = machine.settings(target, machine.environment(CHECKOUT, ADDRESS))
    assert steps.walk([step], Told()) == 0, "`test -s` says that there are some"
    assert target.files == {}
    target.on("test -s", code=1)
    assert steps.walk([step], Told()) == 1
    content, mode, owner = target.files[places.ENVIRONMENT]
    assert (mode, owner) == ("600", "root")
    assert f"PUBLIC_URL={ADDRESS}\n" in content


@pytest.mark.parametrize(
    ("wish", "certbot"),
    [(Wish(), False), (WISH, True), (replace(WISH, certificate=True), False)],
)
def test_certbot_comes_only_with_a_domain_that_has_no_certificate(
    wish: Wish, *, certbot: bool
) -> None:
    target = PaperMachine()
    target.on("dpkg-query", code=1)
    steps.walk([machine.packages(target, wish)], Told())
    (install,) = [each for each in target.said if "apt-get" in each]
    assert ("certbot" in install) is certbot


def test_a_firewall_is_kept_only_after_ssh_has_got_in_once_more() -> None:
    target = PaperMachine()
    target.on("nft list table", code=1)
    facts = replace(SOUND, ssh=(2222,))
    assert steps.walk([machine.firewall(target, facts)], Told()) == 1
    assert "tcp dport { 2222, 80, 443 } accept" in target.files["/etc/killer/firewall.nft"][0]
    timer, end = target.said[-2:]
    assert f"--on-active={machine.PROOF}" in timer
    assert "delete table inet killer" in timer
    assert "stop killer-firewall-undo.timer" in end
    assert "enable -q killer-firewall.service" in end


def test_a_firewall_that_locks_us_out_takes_itself_away() -> None:
    target = PaperMachine(reachable=False)
    target.on("nft list table", code=1)
    with pytest.raises(DeployError) as error:
        steps.walk([machine.firewall(target, SOUND)], Told())
    assert error.value.code == "firewall_locks"
    assert not [each for each in target.said if "stop killer-firewall-undo.timer;" in each[60:]]
    assert not [each for each in target.said if "enable -q killer-firewall" in each]


def test_the_port_of_ssh_is_open_even_when_sshd_does_not_say_it() -> None:
    target = PaperMachine()
    target.on("nft list table", code=1)
    steps.walk([machine.firewall(target, replace(SOUND, ssh=()))], Told())
    assert "tcp dport { 22, 80, 443 }" in target.files["/etc/killer/firewall.nft"][0]
