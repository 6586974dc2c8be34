"""The machine below the game: packages, user, folders, settings, units, firewall."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from killer.ops import places
from killer.ops.failures import DeployError
from killer.ops.render import render
from killer.ops.steps import Paper, Step, condition, papers
from killer.ops.survey import Facts
from killer.ops.target import Target

PACKAGES = ("python3", "nginx", "nftables", "logrotate", "ca-certificates", "iproute2", "procps")
CERTBOT = "certbot"
APT = "DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=300"
TABLE = "inet killer"
PROOF = 60  # seconds for a new SSH connection to show that the firewall lets one in

#: What the example leaves open, and a machine behind nginx knows.
EXAMPLE = ".env.production"


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for; kept on the machine, so that the next deployment need not repeat it."""

    host: str = ""  # by which the machine was reached
    domain: str = ""
    email: str = ""
    certificate: bool = False  # given as files instead of asked from Let's Encrypt
    firewall: bool = True
    nodes: tuple[tuple[str, str], ...] = ()  # of a front: machine and its address from here, or ""
    front: str = ""  # of a node: the machine that sends it players

    @property
    def tls(self) -> bool:
        """Tell whether the site is to be reached over HTTPS."""
        return bool(self.domain) or self.certificate

    @property
    def address(self) -> str:
        """Give the address that players type."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{self.domain or host}"


def packages(target: Target, wish: Wish) -> Step:
    """Give the step of Debian's packages."""
    wanted = " ".join((*PACKAGES, CERTBOT) if wish.tls and not wish.certificate else PACKAGES)
    count = len(wanted.split())
    status = f'dpkg-query -W -f "\\${{db:Status-Status}}\\n" {wanted}'
    so = f'test "$({status} | grep -cx installed)" = {count}'
    deed = f"{APT} update && {APT} install --no-install-recommends {wanted}"
    return condition("packages", target, so, deed, "apt_failed")


def user(target: Target) -> Step:
    """Give the step of the user who may do nothing but run the game."""
    deed = (
        f"useradd --system --user-group --home-dir {places.DATA} --no-create-home"
        f" --shell /usr/sbin/nologin {places.USER}"
    )
    return condition("user", target, f"id -u {places.USER}", deed)


def folders(target: Target) -> Step:
    """Give the step of the folders; nginx may go through the data to the photos only."""
    mine, web = places.USER, places.WEB
    wanted = (
        ("755", "root", "root", places.HOME),
        ("755", "root", "root", places.RELEASES),
        ("755", "root", "root", places.LIBRARIES),
        ("755", "root", "root", places.SLOTS),
        ("755", "root", "root", places.SETTINGS),
        ("711", mine, mine, places.DATA),
        ("2750", mine, web, f"{places.DATA}/photos"),
        ("750", mine, mine, f"/var/log/{places.USER}"),
    )
    paths = " ".join(row[3] for row in wanted)
    so = f'test "$(stat -c "%a %U %G %n" {paths})" = "{chr(10).join(map(" ".join, wanted))}"'
    deeds = (
        f"install -d -m {mode} -o {own} -g {group} {path}" for mode, own, group, path in wanted
    )
    return condition("folders", target, so, " && ".join(deeds))


def settings(target: Target, text: str) -> Step:
    """Give the step of killer.env, which is written once and is the organiser's ever after."""
    return Step(
        "settings",
        lambda: target.holds(f"test -s {places.ENVIRONMENT}"),
        lambda: target.write(places.ENVIRONMENT, text, mode="600"),
    )


def environment(checkout: Path, address: str, own: Mapping[str, str] | None = None) -> str:
    """Make a machine's settings from the example, with a secret that nobody else has.

    Args:
        checkout: where the example lies.
        address: what players type.
        own: what is to stand there whatever the example says.
    """
    values = {
        "HOST": "127.0.0.1",
        "DATA_DIR": places.DATA,
        "PUBLIC_URL": address,
        "PROXIES": "1",
        "PHOTO_ACCEL": "true",
        "SECRET_KEY": secrets.token_urlsafe(48),
        **(own or {}),
    }
    example = (checkout / EXAMPLE).read_text(encoding="utf-8")
    lines = [line for line in example.splitlines() if not line.startswith("PORT=")]  # of each slot
    return laid_over("\n".join(lines), values)


def laid_over(text: str, values: Mapping[str, str]) -> str:
    """Give the lines of settings with these values, at the place of the old ones if there are."""
    left, lines = dict(values), []
    said = {line.partition("=")[0] for line in text.splitlines()}
    for line in text.splitlines():
        name = line.lstrip("# ").partition("=")[0]
        its = name in left and (name not in said or not line.startswith("#"))
        lines.append(f"{name}={left.pop(name)}" if its else line)
    return "\n".join([*lines, *(f"{name}={value}" for name, value in left.items())]) + "\n"


def command(target: Target) -> Step:
    """Give the step of the command `killer` on the machine."""
    return papers("command", target, [Paper("/usr/local/bin/killer", render("killer.sh"), "755")])


def units(target: Target) -> Step:
    """Give the step of systemd's units."""
    names = (
        "killer@.service",
        "killer@.socket",
        "killer-backup.service",
        "killer-backup.timer",
    )
    files = [Paper(f"{places.UNITS}/{name}", render(name)) for name in names]
    return papers("units", target, files, "systemctl daemon-reload")


def backups(target: Target, *, here: bool = True) -> Step:
    """Give the step of the daily backup, or that of a machine whose neighbour makes it."""
    timer = "killer-backup.timer"
    if not here:
        so = f"! systemctl is-enabled -q {timer} && ! systemctl is-active -q {timer}"
        return condition("no_backups", target, so, f"systemctl disable -q --now {timer}")
    so = f"systemctl is-enabled -q {timer} && systemctl is-active -q {timer}"
    return condition("backups", target, so, f"systemctl enable -q --now {timer}")


def logs(target: Target) -> Step:
    """Give the step of the logs' rotation; what the server says otherwise goes to the journal."""
    return papers("logs", target, [Paper("/etc/logrotate.d/killer", render("logrotate"))])


def closed(target: Target) -> bool:
    """Tell whether a firewall of ours is up."""
    return target.holds(f"nft list table {TABLE}")


def firewall(
    target: Target, facts: Facts, fronts: Collection[str] = (), *, phones: bool = False
) -> Step:
    """Give the step of the firewall, which takes itself away again unless SSH still gets in.

    Args:
        target: the machine.
        facts: what it said of itself.
        fronts: addresses from which alone players come; everybody's when there are none.
        phones: they still come from everywhere as well, until the fronts lead them.
    """
    name = "firewall_opens" if fronts and phones else "firewall_node" if fronts else "firewall"
    ports = sorted({*facts.ssh, *([] if facts.ssh else [22])})
    text = render("firewall.nft", ports=ports, fronts=sorted(fronts), phones=phones or not fronts)
    rules = Paper(f"{places.SETTINGS}/firewall.nft", text)
    unit = Paper(f"{places.UNITS}/killer-firewall.service", render("killer-firewall.service"))
    started = "killer-firewall.service"

    def settled() -> bool:
        lies = rules.lies_on(target) and unit.lies_on(target)
        return lies and target.holds(f"systemctl is-enabled -q {started}") and closed(target)

    def raise_it() -> None:
        rules.lay(target)
        unit.lay(target)
        target.run(f"nft -c -f {rules.path}", "firewall_refused")
        target.run(
            "systemctl stop killer-firewall-undo.timer 2>/dev/null; systemctl daemon-reload;"
            f" systemd-run -q --collect --unit=killer-firewall-undo --on-active={PROOF}"
            f" nft delete table {TABLE} && systemctl restart {started}",
            "firewall_refused",
        )
        _prove(target)
        target.run(f"systemctl stop killer-firewall-undo.timer; systemctl enable -q {started}")

    return Step(name, settled, raise_it)


def _prove(target: Target) -> None:
    """Get in once more by a new connection, or leave it to the timer to open the door again."""
    try:
        target.again()
    except DeployError as error:
        raise DeployError("firewall_locks", host=target.name, seconds=PROOF) from error
