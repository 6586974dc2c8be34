"""nginx on the machine: a site that it doesn't take is taken back, a domain must lead there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from killer.ops import site, steps
from killer.ops.failures import DeployError
from killer.ops.machine import Wish
from ops.paper_machine import PaperMachine, Told
from ops.test_survey import SOUND

HERE = "127.0.0.1"


def test_a_site_is_laid_and_nginx_reloaded_only_when_it_takes_it() -> None:
    machine = PaperMachine()
    assert steps.walk([site.plain(machine, Wish(), SOUND)], Told()) == 1
    assert machine.files[site.SITE][0].startswith("# Written by")
    assert "nginx -t && (systemctl reload nginx" in machine.said[-1]
    assert steps.walk([site.plain(machine, Wish(), SOUND)], Told()) == 0


@pytest.mark.parametrize("before", [None, "the site of before"])
def test_a_site_that_nginx_refuses_is_taken_back(before: str | None) -> None:
    machine = PaperMachine()
    if before:
        machine.files[site.SITE] = (before, "644", "root")
    machine.on("nginx -t", code=1, err="duplicate default server")
    with pytest.raises(DeployError) as error:
        steps.walk([site.plain(machine, Wish(), SOUND)], Told())
    assert error.value.code == "nginx_refused"
    assert "duplicate default server" in error.value.sentence
    if before:
        assert machine.files[site.SITE][0] == before
    else:
        assert machine.said[-1] == f"rm -f {site.SITE}"


def test_let_s_encrypt_is_asked_for_the_domain_and_nginx_told_of_renewals() -> None:
    machine = PaperMachine(host=HERE)
    machine.on("test -s", code=1)
    wish = Wish(host=HERE, domain="localhost", email="orga@example.org")
    site.check_domain(machine, wish, SOUND)
    assert steps.walk([site.asked_for(machine, wish)], Told()) == 1
    (asked,) = [each for each in machine.said if "certbot" in each]
    assert "-d localhost" in asked
    assert "-m orga@example.org" in asked
    assert machine.files[site.HOOK][1] == "755"


def test_an_email_is_one_word_to_the_shell() -> None:
    machine = PaperMachine()
    machine.on("test -s", code=1)
    wish = Wish(host=HERE, domain="localhost", email="orga@example.org; reboot")
    steps.walk([site.asked_for(machine, wish)], Told())
    (asked,) = [each for each in machine.said if "certbot" in each]
    assert "-m 'orga@example.org; reboot' --webroot" in asked


def test_a_domain_that_leads_elsewhere_is_refused_before_anything_is_done() -> None:
    elsewhere = PaperMachine(host="203.0.113.7")
    elsewhere.on("test -s", code=1)
    wish = Wish(host="203.0.113.7", domain="localhost")
    with pytest.raises(DeployError) as error:
        site.check_domain(elsewhere, wish, SOUND)
    assert error.value.code == "domain"
    assert "203.0.113.7" in error.value.sentence
    elsewhere.on("test -s")
    site.check_domain(elsewhere, wish, SOUND)  # there is a certificate already
    elsewhere.on("test -s", code=1)
    site.check_domain(elsewhere, replace(wish, certificate=True), SOUND)  # its owner knows


def test_let_s_encrypt_s_refusal_is_said() -> None:
    machine = PaperMachine(host=HERE)
    machine.on("test -s", code=1)
    machine.on("certbot", code=1, err="Timeout during connect")
    wish = Wish(host=HERE, domain="localhost")
    with pytest.raises(DeployError) as error:
        steps.walk([site.asked_for(machine, wish)], Told())
    assert error.value.code == "certbot_failed"
    assert "Timeout during connect" in error.value.sentence


def test_nginx_gets_room_for_a_crowd() -> None:
    machine = PaperMachine()
    machine.on("^grep", code=1)
    assert steps.walk([site.capacity(machine)], Told()) == 1
    assert "LimitNOFILE=65535" in machine.files[site.FILES][0]
    assert machine.said[-1].endswith("systemctl restart nginx"), "a limit begins with a process"
    assert f"worker_connections {site.CONNECTIONS};" in machine.said[-1]
