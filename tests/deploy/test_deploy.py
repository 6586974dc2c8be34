"""`killer deploy` on a real server: from nothing, again, broken, killed, restarted, under load.

The tests share one server and build on each other, as a weekend does: they run in this order.
"""

from __future__ import annotations

import re
import subprocess
import threading
import time

import pytest
from playwright.sync_api import expect, sync_playwright

from browser.conftest import FLAGS
from browser.devices import Devices, finger_on, shoot
from deploy.campus import ROOT, Campus, Checkout, assert_nothing_was_missed
from e2e.crowd import Crowd
from e2e.phones import NoAnswerError, Phone, following
from engines.processes import program, wait_for
from killer.live.stream import RETRY, SPREAD

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(600)]

READY = {
    "ready": True,
    "database": True,
    "migrations": True,
    "bell": "look",
    "redis": None,
    "sheet_lag": None,
}
EXPOSURE = 2.0  # at most, as `systemd-analyze security` has it


def test_a_dry_run_tells_every_step_and_touches_nothing(campus: Campus) -> None:
    before = campus.server.run(
        "find / -xdev -newer /etc/hostname -type f | grep -v ^/var/log | sort"
    )
    said = campus.deploy("--dry-run")
    assert said.count("(would be done)") == 14
    assert "Nothing was touched." in said
    after = campus.server.run(
        "find / -xdev -newer /etc/hostname -type f | grep -v ^/var/log | sort"
    )
    assert after == before


def test_one_command_brings_the_game_to_a_bare_server(campus: Campus) -> None:
    said = campus.deploy()
    assert campus.ready() == READY
    assert f"serves the players: http://{campus.server.address}" in said
    for line in (
        r"workers: \d+",
        "worker_class: gevent",
        "timeout: 120",
        "killer@1.service: active",
    ):
        assert re.search(rf"^{line}$", said, re.MULTILINE), line
    kept = campus.server.run("stat -c '%a %U' /etc/killer/killer.env; cat /etc/killer/killer.env")
    assert kept.startswith("600 root\n")
    assert re.search(r"^SECRET_KEY=\S{40,}$", kept, re.MULTILINE)
    assert f"PUBLIC_URL=http://{campus.server.address}\n" in kept
    limits = campus.server.run("cat /proc/$(pgrep -of 'nginx: worker')/limits")
    soft = re.search(r"Max open files +(\d+)", limits)
    assert soft
    assert int(soft[1]) >= 16384, "an open phone takes two"
    assert campus.server.run("killer check").strip() == "", "no trace of the game of the trial"


def test_a_second_deployment_changes_nothing(campus: Campus) -> None:
    written = "find /etc /opt /usr -xdev -type f -printf '%p %T@\\n' | sort"
    before = campus.server.run(f"{written}; systemctl show -p InvocationID 'killer@*'")
    said = campus.deploy()
    assert said.count("(already so)") == 15
    assert "0 steps changed something." in said
    assert campus.server.run(f"{written}; systemctl show -p InvocationID 'killer@*'") == before


def test_the_unit_is_hardened_and_only_three_doors_are_open(campus: Campus) -> None:
    unit = f"killer@{campus.slot()}.service"
    said = campus.server.run(f"systemd-analyze security {unit} --no-pager | tail -n 1")
    exposure = float(said.split("level for")[1].split(":")[1].split()[0])
    print(f"\nsystemd-analyze security {unit}: {exposure}")
    assert exposure < EXPOSURE
    campus.server.run("systemd-run -q --unit=stray python3 -m http.server 9999")
    listening = "ss -Hltn | grep -q :9999"
    wait_for(lambda: campus.server.attempt(listening).returncode == 0, 10, "a stray server")
    assert open_ports(campus, [22, 80, 443, 3306, 5432, 6379, 8000, 8080, 8081, 8082, 9999]) == {
        22,
        80,
    }
    campus.server.run("systemctl stop stray")


def open_ports(campus: Campus, ports: list[int]) -> set[int]:
    """Scan the server from outside; 443 is let through, and nobody listens there without TLS."""
    scan = (
        "import socket, sys\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "def shut(port):\n"
        "    with socket.socket() as s:\n"
        "        s.settimeout(2)\n"
        "        return s.connect_ex((sys.argv[1], port))\n"
        "ports = list(map(int, sys.argv[2:]))\n"
        "with ThreadPoolExecutor(len(ports)) as pool:\n"
        "    print(*(p for p, failed in zip(ports, pool.map(shut, ports)) if not failed))"
    )
    words = campus.server.operator.within("python3", "-c", scan, campus.server.address)
    done = subprocess.run([*words, *map(str, ports)], capture_output=True, text=True, check=True)
    return {int(port) for port in done.stdout.split()}


def test_nginx_gives_files_for_a_year_and_keeps_the_figures_for_itself(campus: Campus) -> None:
    phone = Phone(campus.port)
    page = phone.ask("GET", "/sign-in")
    style = re.search(rb'href="(/static/[^"]+\.css)"', page.body)
    assert style
    for wanted in ("gzip", None):
        headers = {"Accept_Encoding": wanted} if wanted else {}
        answer = [phone.ask("GET", style[1].decode(), **headers) for _ in range(2)][1]
        assert answer.status == 200
        assert answer.headers["Content-Encoding"] == wanted
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert phone.ask("GET", "/metrics").status == 404
    assert phone.ask("GET", "/_photos/1/").status == 404
    assert "nginx/" not in str(page.headers)
    for name in ("Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy"):
        assert page.headers[name]
    assert phone.ask("POST", "/api/login", "x" * 2_000_000).status == 413


def test_a_release_on_which_nobody_can_sign_in_is_never_reached(
    campus: Campus, checkout: Checkout
) -> None:
    checkout.changed("web/entrance.py", "def enter(", "def never_enter(")
    with asking(campus) as statuses:
        before = campus.server.run("readlink /opt/killer/live.sock /opt/killer/current")
        said = campus.deploy(checkout=checkout, fails=True)
        assert campus.server.run("readlink /opt/killer/live.sock /opt/killer/current") == before
    assert "isn't fit to serve" in said
    assert "/api/login: 500" in said, "the sign-in of the trial has failed"
    assert "NameError" in said, "the last words of its log are shown"
    assert set(statuses) == {200}
    assert campus.server.run("systemctl list-units --no-legend 'killer@*.service'").count("\n") == 1


def test_a_release_that_does_not_even_start_is_never_reached(
    campus: Campus, checkout: Checkout
) -> None:
    checkout.changed(
        "ops/gunicorn.py", "import gc\n", "import gc\n\nraise RuntimeError('broken')\n"
    )
    with asking(campus) as statuses:
        said = campus.deploy(checkout=checkout, fails=True)
    assert "RuntimeError: broken" in said
    assert set(statuses) == {200}


class asking:  # noqa: N801  # reads like a function
    """Ask the site without end while the block lasts; gives what it answered."""

    def __init__(self, campus: Campus) -> None:
        self.statuses: list[int | str] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask, args=(Phone(campus.port),), daemon=True)

    def __enter__(self) -> list[int | str]:
        self._thread.start()
        return self.statuses

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(30)

    def _ask(self, phone: Phone) -> None:
        while not self._over.wait(0.02):
            try:
                self.statuses.append(phone.ask("GET", "/sign-in").status)
            except NoAnswerError as error:
                self.statuses.append(repr(error))


@pytest.fixture(scope="session")
def crowd(campus: Campus) -> Crowd:
    """Forty people who play on the server, and two organisers."""
    phones, hosts = campus.players(40)
    return Crowd(dict(phones), list(hosts))


def test_an_update_and_a_restart_under_load_lose_no_request_and_no_news(
    campus: Campus, crowd: Crowd, checkout: Checkout
) -> None:
    checkout.changed("__init__.py", "0.1.0", "0.1.1")
    streams = following([Phone(campus.port, p.nickname, p.cookie) for p in crowd.phones.values()])
    old = campus.slot()
    with crowd.tapping():
        began = time.monotonic()
        said = campus.deploy(checkout=checkout)
        took = time.monotonic() - began
        assert campus.slot() != old
        campus.killer("restart", campus.name, checkout=checkout)
    print(f"\nan update took {took:.0f} s; {len(crowd.deaths)} deaths meanwhile")
    assert "Backup before the update (done)" in said
    assert campus.failed == []
    assert crowd.wrong == []
    assert len(crowd.deaths) > 50
    assert_nothing_was_missed(streams, crowd)
    assert min(s.retries[-1] for s in streams) >= RETRY - SPREAD, "each is open again"
    assert all(stream.connections >= 3 for stream in streams), "two goodbyes, two returns"
    for stream in streams:
        stream.close()
    assert "En cours" in campus.server.run("KILLER_LANGUAGE=fr killer check")


def test_a_game_is_played_in_chromium_and_a_restart_does_not_show(
    campus: Campus, crowd: Crowd, chromium: str
) -> None:
    table = crowd.hosts[0].ask("GET", "/api/organiser/players").json["players"]
    prey = {row["nickname"]: row["target"] for row in table if row["target"]}
    hunter, victim = next(iter(prey.items()))
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=FLAGS)
        devices = Devices(browser, f"http://127.0.0.1:{campus.port}")
        hunting = devices.open("/", crowd.phones[hunter].cookie)
        dying = devices.open("/", crowd.phones[victim].cookie)
        for page in (hunting, dying):
            expect(page.locator("#link")).to_have_text("en direct")
        hunting.get_by_text("Touche pour voir ta cible").tap()
        age = hunting.evaluate("performance.timeOrigin")
        campus.killer("restart", campus.name)
        dying.get_by_role("link", name="Je suis mort").tap()
        with finger_on(dying, dying.get_by_role("button", name="Maintiens pour mourir")):
            expect(dying.locator("#card")).to_have_attribute("data-mood", "dead")
        heir = hunting.locator(".suspect-name").get_by_text(prey[victim], exact=True)
        expect(heir).to_be_visible()
        shoot(hunting, "deployed-new-target-phone")
        assert hunting.evaluate("performance.timeOrigin") == age, "the page was never loaded again"
        assert devices.complaints() == []
        browser.close()


def test_rollback_leads_back_to_the_release_before(campus: Campus, crowd: Crowd) -> None:
    said = campus.killer("rollback", campus.name)
    assert re.search(r"Release 0\.1\.0-\S+ serves", said)
    assert campus.ready() == READY
    assert set(crowd.phones) == {p.me()["player"]["nickname"] for p in crowd.phones.values()}
    assert campus.failed == []


def test_the_master_killed_or_the_machine_restarted_the_site_comes_back(
    campus: Campus, crowd: Crowd
) -> None:
    unit = f"killer@{campus.slot()}.service"
    campus.server.run(f"kill -9 $(systemctl show -p MainPID --value {unit})")
    assert Phone(campus.port).ask("GET", "/sign-in").status == 200, "phones wait at the open door"
    host = crowd.hosts[0]
    before = host.me()["game"]["version"]
    campus.server.reboot()
    wait_for(lambda: is_back(campus), 60, "the site after the reboot")
    assert host.me()["game"]["version"] == before
    campus.server.run("systemctl is-active killer-firewall.service killer-backup.timer")


def is_back(campus: Campus) -> bool:
    try:
        return bool(Phone(campus.port).ask("GET", "/health/ready").json == READY)
    except (NoAnswerError, ValueError):
        return False


def test_while_nobody_answers_a_page_says_so_and_comes_back_by_itself(campus: Campus) -> None:
    slot = campus.slot()
    campus.server.run(f"systemctl stop killer@{slot}.service killer@{slot}.socket")
    for method in ("GET", "POST"):
        answer = Phone(campus.port).ask(method, "/death")
        assert answer.status == 502
        assert answer.headers["Retry-After"] == "4"
        page = answer.body.decode()
        assert "Le serveur revient" in page
        assert "The server is coming back" in page
        assert 'http-equiv="refresh"' in page
    campus.server.run(f"systemctl start killer@{slot}.socket")
    assert Phone(campus.port).ask("GET", "/sign-in").status == 200, "a visitor starts it"


def test_the_way_back_from_gevent_is_two_lines_and_a_restart(campus: Campus, crowd: Crowd) -> None:
    keep = "cp /etc/killer/killer.env /srv/killer.env"
    change = (
        "sed -i -e s/^GUNICORN_WORKER_CLASS=.*/GUNICORN_WORKER_CLASS=sync/"
        " -e s/^GUNICORN_WORKERS=.*/GUNICORN_WORKERS=9/ /etc/killer/killer.env"
    )
    said = campus.server.run(f"{keep}; {change}; KILLER_LANGUAGE=en killer restart")
    assert "worker_class: sync\n" in said
    assert "workers: 9\n" in said
    phone = next(iter(crowd.phones.values())).twin()
    assert phone.ask("GET", "/api/events").status == 501
    assert phone.ask("GET", "/").status == 200
    campus.server.run("mv /srv/killer.env /etc/killer/killer.env; killer restart")
    assert phone.ask("GET", "/health").status == 200


def test_settings_that_do_not_work_are_refused_and_the_site_goes_on(campus: Campus) -> None:
    break_it = "sed -i s/^GUNICORN_TIMEOUT=.*/GUNICORN_TIMEOUT=soon/ /etc/killer/killer.env"
    mend_it = "sed -i s/^GUNICORN_TIMEOUT=.*/GUNICORN_TIMEOUT=120/ /etc/killer/killer.env"
    campus.server.run(break_it)
    with asking(campus) as statuses:
        said = campus.killer("restart", campus.name, fails=True)
    campus.server.run(mend_it)
    assert "GUNICORN_TIMEOUT" in said
    assert set(statuses) == {200}


TROUBLES = ROOT / "docs" / "exploitation.md"
#: These also end with 1, because nothing was found, or because the weather is red.
MAY_FAIL = re.compile(r"grep|^killer status")


def remedies() -> list[str]:
    """Give the commands of the table of troubles."""
    table = TROUBLES.read_text().partition("## Quand quelque chose")[2].partition("\n## ")[0]
    rows = [re.split(r"(?<!\\)\|", line) for line in table.splitlines() if line.startswith("| ")]
    return [row[2].strip().strip("`").replace("\\|", "|") for row in rows[1:]]


@pytest.mark.parametrize("command", remedies())
def test_every_command_of_the_table_of_troubles_runs(campus: Campus, command: str) -> None:
    done = campus.server.attempt(command)
    assert done.returncode in ({0, 1} if MAY_FAIL.search(command) else {0}), done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    if not command.startswith("tail") and "grep" not in command:
        assert done.stdout + done.stderr, "it tells something"


def test_an_emptied_machine_has_everything_back_from_a_backup(campus: Campus, crowd: Crowd) -> None:
    before = crowd.hosts[0].me()["game"]["version"]
    kept = campus.server.run("killer backup").splitlines()[-1].strip()
    campus.server.run(f"install -o killer -m 0600 {kept} /srv/back.tar.gz")
    campus.server.run("systemctl stop 'killer@*'; rm -rf /var/lib/killer/*")
    began = time.monotonic()
    campus.server.run("killer restore /srv/back.tar.gz --yes")
    assert "En cours" in campus.server.run("KILLER_LANGUAGE=fr killer check")
    campus.killer("restart", campus.name)
    print(f"\nback after {time.monotonic() - began:.0f} s")
    assert crowd.hosts[0].me()["game"]["version"] == before
    assert {p.me()["player"]["nickname"] for p in crowd.phones.values()} == set(crowd.phones)


def test_the_journal_is_shown(campus: Campus) -> None:
    said = campus.killer("logs", campus.name, "-n", "500")
    assert "worker_class: gevent" in said
    assert "/s/" not in said.replace("/s/...", ""), "no sign-in token"


def test_https_with_a_certificate_of_one_s_own(campus: Campus) -> None:
    openssl = program("openssl", package="openssl")
    chain, key = campus.home / "chain.pem", campus.home / "key.pem"
    made = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    subject = ["-subj", "/CN=killer.test", "-keyout", str(key), "-out", str(chain)]
    subprocess.run([*made, *subject], check=True, capture_output=True)
    said = campus.deploy("--domain", "killer.test", "--certificate", chain, "--key", key)
    assert "PUBLIC_URL=https://killer.test" in said, (
        "killer.env is the organiser's: it only advises"
    )
    moved = Phone(campus.port).ask("GET", "/players")
    assert (moved.status, moved.headers["Location"]) == (301, "https://killer.test/players")
    seen = campus.server.run(
        f"{OVER_TLS} TLSv1_2; {OVER_TLS} TLSv1_3; {OVER_TLS} TLSv1_1 2>&1 | tail -n 1"
    )
    assert seen.count("200 max-age=15552000\n") == 2
    assert "protocol" in seen.lower(), "an old one is refused"
    assert open_ports(campus, [22, 80, 443, 8081, 8082]) == {22, 80, 443}
    again = campus.deploy()
    assert "0 steps changed something." in again, "the domain is remembered"


OVER_TLS = """python3 -c '
import http.client, ssl, sys
context = ssl._create_unverified_context()
context.minimum_version = context.maximum_version = ssl.TLSVersion[sys.argv[1]]
line = http.client.HTTPSConnection("127.0.0.1", 443, context=context, timeout=10)
line.request("GET", "/sign-in", headers={"Host": "killer.test"})
answer = line.getresponse()
print(answer.status, answer.headers["Strict-Transport-Security"])'"""


def test_what_cannot_work_is_said_in_a_sentence(campus: Campus) -> None:
    closed = "root@10.79.0.99"
    assert "doesn't answer" in campus.killer("deploy", closed, fails=True)
    stranger = f"nobody@{campus.server.address}"
    assert "refuses your SSH key" in campus.killer("deploy", stranger, fails=True)
    elsewhere = campus.deploy("--domain", "localhost", fails=True)
    assert "localhost leads to" in elsewhere
    assert "(done)" not in elsewhere


def test_somebody_with_sudo_may_deploy_and_somebody_without_is_told(campus: Campus) -> None:
    for name in ("ana", "bo"):
        campus.server.run(f"useradd -m {name} && cp -r ~/.ssh /home/{name}/")
        campus.server.run(f"chown -R {name}: /home/{name}/.ssh")
    campus.server.run("echo 'ana ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/ana")
    said = campus.killer("deploy", f"ana@{campus.server.address}")
    assert "0 steps changed something." in said
    said = campus.killer("deploy", f"bo@{campus.server.address}", fails=True)
    assert "bo isn't root" in said
