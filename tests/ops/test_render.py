"""The files that go to the machine, as the programs that read them judge them."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from engines.nginx import command
from engines.processes import program
from killer.ops import places, render, site
from killer.ops.machine import Wish
from killer.ops.site import Certificate
from killer.web.routes import ROUTES
from ops.test_survey import SOUND

HTTP = "include /etc/nginx/mime.types; include {folder}/site.conf;"
OPENSSL = (
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-days",
    "2",
    "-subj",
    "/CN=killer.test",
)


def judged(nginx: str, folder: Path, text: str) -> str:
    """Give what nginx says of a site."""
    text = text.replace("/var/lib/nginx/killer", f"{folder}/cache")
    text = text.replace("/var/log/nginx/killer.error.log", f"{folder}/error.log")
    (folder / "site.conf").write_text(text)
    words = command(nginx, folder, HTTP.format(folder=folder))
    done = subprocess.run([*words, "-t"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.parametrize("ipv6", [True, False])
def test_nginx_takes_the_site(nginx: str, tmp_path: Path, *, ipv6: bool) -> None:
    text = site.site(Wish(), replace(SOUND, ipv6=ipv6), None)
    said = judged(nginx, tmp_path, text)
    assert "warn" not in said
    assert ("[::]" in text) is ipv6
    assert "Strict-Transport-Security" not in text, "without HTTPS it means nothing"


@pytest.mark.parametrize("ipv6", [True, False])
def test_nginx_takes_a_node_s_site(nginx: str, tmp_path: Path, *, ipv6: bool) -> None:
    text = site.inner(["10.0.0.1", "fd00::1"], replace(SOUND, ipv6=ipv6))
    assert "warn" not in judged(nginx, tmp_path, text)
    assert ("listen [::]:8090" in text) is ipv6


@pytest.mark.parametrize("nodes", [(), (("root@a", ""), ("root@b", ""))])
@pytest.mark.parametrize("domain", ["killer.example.org", ""])
def test_nginx_takes_the_site_over_https(
    nginx: str, tmp_path: Path, domain: str, nodes: tuple[tuple[str, str], ...]
) -> None:
    openssl = program("openssl", package="openssl")
    shown = Certificate(str(tmp_path / "chain.pem"), str(tmp_path / "key.pem"))
    files = ("-keyout", shown.key, "-out", shown.chain)
    subprocess.run([openssl, *OPENSSL, *files], check=True, capture_output=True)
    text = site.site(Wish(domain=domain, certificate=True, nodes=nodes), SOUND, shown)
    (tmp_path / "nodes.inc").write_text("server 10.0.0.2:8090;\nserver [fd00::3]:8090 down;\n")
    text = text.replace(places.NODES, str(tmp_path / "nodes.inc"))
    assert "warn" not in judged(nginx, tmp_path, text)
    assert ("Strict-Transport-Security" in text) is bool(domain)
    assert text.count("listen 443 ssl") == 1


def test_every_address_that_takes_a_large_body_may_get_one_through_nginx() -> None:
    text = site.site(Wish(), SOUND, None)
    large = [route for route in ROUTES if route.largest > render.ORDINARY]
    assert large
    for route in large:
        found = re.search(rf"location = {route.rule} {{.*client_max_body_size (\d+);", text)
        assert found
        assert int(found[1]) > route.largest, "the site itself refuses, in words"


def test_streams_are_not_held_back_and_figures_are_not_shown() -> None:
    text = site.site(Wish(), SOUND, None)
    stream = text.split("location = /api/events {")[1].split("}")[0]
    assert "proxy_buffering off;" in stream
    assert "proxy_set_header Connection close;" in stream, "its end is the connection's end"
    assert "location = /metrics { return 404; }" in text


def test_the_waiting_page_speaks_both_languages_and_allows_its_own_style_only() -> None:
    page = render.waiting_page()
    assert "Le serveur revient" in page
    assert "The server is coming back" in page
    assert "<script" not in page
    assert f"style-src '{render.style_hash(page)}'" in site.site(Wish(), SOUND, None)
    assert render.style_hash(page) != render.style_hash(page.replace("margin: 0", "margin: 1px"))


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    systemd = program("systemd-analyze", package="systemd")
    for name in (
        "killer@.service",
        "killer@.socket",
        "killer-backup.service",
        "killer-backup.timer",
        "killer-lookout.service",
    ):
        text = render.render(name, addresses=["10.0.0.2:8090", "[fd00::3]:8090"])
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.MULTILINE)
        text = re.sub(r"^(User|Group|SocketGroup)=.*", r"\1=root", text, flags=re.MULTILINE)
        (tmp_path / name).write_text(text)
    (tmp_path / "killer-firewall.service").write_text(render.render("killer-firewall.service"))
    units = [
        *("killer@1.service", "killer@1.socket"),
        *("killer-backup.timer", "killer-lookout.service"),
    ]
    words = [systemd, "verify", "--man=no", *(str(tmp_path / unit) for unit in units)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "killer" in line]
    assert not ours, "\n".join(ours)


def test_a_socket_comes_before_its_server_and_nobody_else_opens_one() -> None:
    service, door = render.render("killer@.service"), render.render("killer@.socket")
    assert "Requires=killer@%i.socket" in service
    assert f"EnvironmentFile={places.ENVIRONMENT}" in service
    assert f"ListenStream={places.SOCKETS}/%i.sock" in door
    assert places.socket(2) == f"{places.SOCKETS}/2.sock"
    assert places.slot_of(places.socket(2)) == 2
    assert places.slot_of("/somewhere/else.sock") == 0


def test_the_shell_understands_the_command() -> None:
    text = render.render("killer.sh")
    done = subprocess.run(["sh", "-n"], input=text, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("fronts", "phones", "said"),
    [
        ([], True, "tcp dport { 22, 2222, 80, 443 } accept"),
        (["10.0.0.1", "fd00::1"], False, "ip6 saddr fd00::1 tcp dport 8090 accept"),
        (["10.0.0.1"], True, "ip saddr 10.0.0.1 tcp dport 8090 accept"),
    ],
)
def test_the_firewall_is_understood_and_lets_ssh_in(
    tmp_path: Path, fronts: list[str], said: str, *, phones: bool
) -> None:
    text = render.render("firewall.nft", ports=[22, 2222], fronts=fronts, phones=phones)
    assert said in text
    assert ("80, 443" in text) is phones
    nft = program("nft", package="nftables")
    if os.geteuid():
        pytest.skip("nft judges rules for root only")  # CI is root
    (tmp_path / "rules").write_text(text)
    own = ["unshare", "--net", nft, "-c", "-f", str(tmp_path / "rules")]
    done = subprocess.run(own, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_logrotate_takes_its_file(tmp_path: Path) -> None:
    logrotate = program("logrotate", package="logrotate")
    text = render.render("logrotate").replace(f"su {places.USER} {places.USER}", "su root root")
    text = text.replace(f"{places.USER} {places.USER}", "root root")
    (tmp_path / "rules").write_text(text)
    words = [logrotate, "-d", "-s", str(tmp_path / "state"), str(tmp_path / "rules")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "error" not in done.stderr
