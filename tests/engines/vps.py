"""Throw-away servers as one rents them: Debian with its own systemd and sshd, on its own wire.

debootstrap makes the base once, systemd-nspawn boots a fresh overlay of it in seconds; each server
has a network namespace, and a bridge joins them in the namespace of whoever operates them.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engines.processes import program, wait_for

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "killer-tests"
SOURCES = Path("/etc/apt/sources.list.d/debian.sources")
CERTIFICATES = Path("/usr/local/share/ca-certificates")
PACKAGES = "systemd,systemd-sysv,dbus,openssh-server,iproute2,python3,sudo,ca-certificates"
NETWORK = "10.79.0"
REBOOT = 133  # how systemd-nspawn ends when `reboot` was said inside
TOOLS = {
    "debootstrap": "debootstrap",
    "systemd-nspawn": "systemd-container",
    "slirp4netns": "slirp4netns",
    "ssh": "openssh-client",
    "ip": "iproute2",
}


def needed() -> None:
    """Leave the test out when this machine can't hold such a server."""
    if os.geteuid() != 0:
        pytest.skip("a server with its own systemd needs root")  # CI is root
    if not SOURCES.exists():
        pytest.skip("this machine has no apt sources of Debian to hand on")  # CI is on Debian
    for name, package in TOOLS.items():
        program(name, package=package)


def say(*command: str | Path, check: bool = True, timeout: float = 300) -> str:
    """Run a command of this machine and give what it printed."""
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0 or not check, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class Base:
    """The installed system that every server of a suite starts from, kept between test runs."""

    suite: str

    @property
    def root(self) -> Path:
        """Give its folder; it is never written to after it was made."""
        return CACHE / self.suite

    def make(self) -> None:
        """Install it, which takes two minutes and a Debian mirror, unless that was done."""
        if (self.root / "made").exists():
            return
        shutil.rmtree(self.root, ignore_errors=True)
        unfinished = self.root / "root"
        unfinished.mkdir(parents=True)
        mirror = re.search(r"^URIs: *(\S+)", SOURCES.read_text(), re.MULTILINE)
        assert mirror, f"{SOURCES} names no mirror"
        include = f"--include={PACKAGES}"
        say(
            "debootstrap",
            "--variant=minbase",
            include,
            self.suite,
            unfinished,
            mirror[1],
            timeout=900,
        )
        self._hand_on(unfinished)
        (self.root / "made").touch()

    def _hand_on(self, root: Path) -> None:
        """Give it this machine's apt sources and certificates: apt works inside as outside."""
        (root / "etc/apt/sources.list").unlink(missing_ok=True)
        sources = SOURCES.read_text().replace("bookworm", self.suite)
        (root / "etc/apt/sources.list.d/debian.sources").write_text(sources)
        for each in CERTIFICATES.glob("*.crt"):
            shutil.copy(each, root / "usr/local/share/ca-certificates")
        say("chroot", root, "update-ca-certificates")
        for key in (root / "etc/ssh").glob("ssh_host_*"):
            key.unlink()
        (root / "etc/machine-id").write_text("")


@dataclass
class Operator:
    """Whoever operates the servers: a namespace with a bridge, and an SSH key."""

    folder: Path
    name: str = field(default_factory=lambda: f"kops{os.getpid()}")

    @property
    def key(self) -> Path:
        """Give the private key."""
        return self.folder / "id"

    @property
    def known_hosts(self) -> Path:
        """Give the file of the servers' own keys."""
        return self.folder / "known_hosts"

    @property
    def home(self) -> Path:
        """Give the home folder of whoever sits there."""
        return self.folder / "home"

    def open(self) -> None:
        """Make the namespace and the key."""
        say("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key)
        say("ip", "netns", "add", self.name)
        self.ip("link", "set", "lo", "up")
        self.ip("link", "add", "br0", "type", "bridge")
        self.ip("addr", "add", f"{NETWORK}.1/24", "dev", "br0")
        self.ip("link", "set", "br0", "up")

    def close(self) -> None:
        """Take the namespace away."""
        say("ip", "netns", "del", self.name, check=False)

    def ip(self, *words: str) -> None:
        """Run `ip` inside the namespace."""
        say("ip", "-n", self.name, *words)

    def within(self, *command: str | Path) -> list[str]:
        """Give a command as it runs inside the namespace."""
        return ["ip", "netns", "exec", self.name, *map(str, command)]


@dataclass
class Vps:
    """One rented server."""

    operator: Operator
    base: Base
    name: str
    last: int  # byte of its address
    _boot: subprocess.Popen[bytes] | None = None
    _way_out: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Give its address on the operator's wire."""
        return f"{NETWORK}.{self.last}"

    @property
    def folder(self) -> Path:
        """Give the folder of everything that is its own."""
        return self.operator.folder / self.name

    @property
    def root(self) -> Path:
        """Give its file system, as this machine sees it."""
        return self.folder / "root"

    @property
    def namespace(self) -> str:
        """Give the name of its network namespace."""
        return f"{self.operator.name}-{self.last}"

    @property
    def plug(self) -> str:
        """Give the operator's end of its cable."""
        return f"p{self.last}"

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Pull its cable out while the block lasts."""
        self.operator.ip("link", "set", self.plug, "down")
        try:
            yield
        finally:
            self.operator.ip("link", "set", self.plug, "up")

    def up(self) -> None:
        """Start it from a fresh copy of the base, and return when SSH answers."""
        self._mount()
        self._personalise()
        self._wire()
        self._boot = subprocess.Popen(
            [sys.executable, "-c", BOOT, self.namespace, str(self.root)],
            stdin=subprocess.DEVNULL,
            stdout=(self.folder / "console.log").open("wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.wait()

    def wait(self) -> None:
        """Return when SSH answers and the start is over."""
        wait_for(self.answers, 60, f"SSH of {self.name}")
        self.run("systemctl is-system-running --wait", check=False)

    def answers(self) -> bool:
        """Tell whether SSH answers."""
        return self.attempt("true").returncode == 0

    def _mount(self) -> None:
        for each in ("upper", "work", "root"):
            (self.folder / each).mkdir(parents=True)
        below = f"lowerdir={self.base.root / 'root'}"
        above = f"upperdir={self.folder / 'upper'},workdir={self.folder / 'work'}"
        say("mount", "-t", "overlay", "overlay", "-o", f"{below},{above}", self.root)

    def _personalise(self) -> None:
        ssh, own = self.root / "root/.ssh", self.root / "etc/ssh/ssh_host_ed25519_key"
        ssh.mkdir(mode=0o700, exist_ok=True)
        shutil.copy(self.operator.key.with_suffix(".pub"), ssh / "authorized_keys")
        (self.root / "etc/hostname").write_text(f"{self.name}\n")
        hosts = f"127.0.0.1 localhost\n127.0.1.1 {self.name}\n"
        (self.root / "etc/hosts").write_text(hosts)
        say("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", own)
        with self.operator.known_hosts.open("a") as known:
            kind, key = own.with_suffix(".pub").read_text().split()[:2]
            known.write(f"{self.address} {kind} {key}\n")
        (self.root / "etc/resolv.conf").unlink(missing_ok=True)
        (self.root / "etc/resolv.conf").write_text("nameserver 10.0.2.3\n")

    def _wire(self) -> None:
        there, plug = self.namespace, self.plug
        say("ip", "netns", "add", there)
        say("ip", "-n", there, "link", "set", "lo", "up")
        self.operator.ip(
            *("link", "add", plug, "type", "veth", "peer", "name", "eth0", "netns", there)
        )
        self.operator.ip("link", "set", plug, "master", "br0", "up")
        say("ip", "-n", there, "addr", "add", f"{self.address}/24", "dev", "eth0")
        say("ip", "-n", there, "link", "set", "eth0", "up")

    def online(self) -> None:
        """Give it a way to the package registries that this machine reaches."""
        options = ("--configure", "--mtu=1400", "--disable-host-loopback", "--netns-type=path")
        self._way_out = subprocess.Popen(
            ["slirp4netns", *options, f"/run/netns/{self.namespace}", "tap0"],
            stdin=subprocess.DEVNULL,
            stdout=(self.folder / "slirp.log").open("wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        shown = ("ip", "-n", self.namespace, "-4", "addr", "show", "tap0")
        wait_for(lambda: "inet" in say(*shown, check=False), 10, "the way out")

    def offline(self) -> None:
        """Take it away again."""
        if self._way_out:
            stop(self._way_out, signal.SIGTERM)
            self._way_out = None

    def ssh(self, *words: str) -> list[str]:
        """Give the command that runs something there."""
        trust = (f"UserKnownHostsFile={self.operator.known_hosts}", "BatchMode=yes")
        ways = ("ConnectTimeout=15", "LogLevel=ERROR")
        options = [word for each in (*trust, *ways) for word in ("-o", each)]
        own = ("ssh", "-F", "none", "-i", self.operator.key, *options, f"root@{self.address}")
        return self.operator.within(*own, *words)

    def attempt(self, command: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command there, whatever comes of it."""
        return subprocess.run(
            self.ssh(command),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def run(self, command: str, *, check: bool = True, timeout: float = 120) -> str:
        """Run a command there and give what it printed."""
        done = self.attempt(command, timeout)
        said = f"{done.returncode}: {done.stdout}{done.stderr}"
        assert done.returncode == 0 or not check, f"{command}: {said}"
        return done.stdout

    def reboot(self) -> None:
        """Restart the whole machine, and return when SSH answers again."""
        before = self.run(
            "cat /proc/sys/kernel/random/boot_id; systemctl show -p UserspaceTimestampMonotonic"
        )
        self.run("systemctl reboot", check=False)
        shown = "systemctl show -p UserspaceTimestampMonotonic"
        old = before.splitlines()[-1]
        wait_for(lambda: (new := self.attempt(shown).stdout.strip()) and new != old, 60, "a reboot")
        self.wait()

    def down(self) -> None:
        """Switch it off and leave nothing behind."""
        self.offline()
        if self._boot:
            stop(self._boot, signal.SIGTERM, patience=20)
        say("umount", "-l", self.root, check=False)
        say("ip", "netns", "del", self.namespace, check=False)
        for hierarchy in ("systemd", "unified"):
            place = Path("/sys/fs/cgroup") / hierarchy / self.namespace
            for folder in [*sorted(place.rglob("*/"), reverse=True), place]:
                with suppress(OSError):
                    folder.rmdir()


def stop(process: subprocess.Popen[bytes], first: signal.Signals, patience: float = 5) -> None:
    """End a process that was started here."""
    process.send_signal(first)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


#: Boots the server again and again as long as it says `reboot`; in a cgroup of its own, or else
#: two servers collide. A SIGTERM is handed on as a clean shutdown.
BOOT = f"""
import os, pathlib, signal, subprocess, sys
namespace, root = sys.argv[1:]
for hierarchy in ("systemd", "unified"):
    place = pathlib.Path("/sys/fs/cgroup") / hierarchy
    if place.is_dir():
        (place / namespace).mkdir(exist_ok=True)
        (place / namespace / "cgroup.procs").write_text(str(os.getpid()))
command = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--console=read-only",
           "--resolv-conf=off", "--timezone=off", "--capability=CAP_NET_ADMIN", "-D", root,
           "-M", namespace, "--network-namespace-path=/run/netns/" + namespace, "-b"]
while True:
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    if server.wait() != {REBOOT}:
        break
"""


@contextmanager
def operator(folder: Path) -> Iterator[Operator]:
    """Open the operator's namespace while the block lasts."""
    found = Operator(folder)
    found.open()
    try:
        yield found
    finally:
        found.close()


@contextmanager
def vps(operator: Operator, suite: str, name: str, last: int) -> Iterator[Vps]:
    """Rent a server while the block lasts."""
    base = Base(suite)
    base.make()
    server = Vps(operator, base, name, last)
    try:
        server.up()
        yield server
    finally:
        server.down()


Make = Callable[[str], Vps]
