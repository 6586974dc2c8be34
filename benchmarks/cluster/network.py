"""Hosts in network namespaces; the bridge has one too: the machine's own is not touched."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

PREFIX = "killer-grappe-"  # then the process that made it: leftovers of a dead one are swept
WIRE = "10.78.0"
HOSTS = {"front": 10, "base": 20, "a": 31, "b": 32, "c": 33, "phones": 100}
NODES = ("a", "b", "c")
SWITCH = "switch"
PLACES, HERE = Path("/run/netns"), Path("/proc/thread-self/ns/net")
CPU = Path("/sys/fs/cgroup/cpu")  # the first version of control groups, where a quota can be set
FOLDERS = Path(tempfile.gettempdir())  # where a cluster has its files, under its name
PERIOD = 10_000  # µs in which a host may use its share


def needed() -> str:
    """Say why no cluster can stand here; nothing when it can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    try:
        ip("netns", "add", f"{PREFIX}{os.getpid()}-try")
        ip("netns", "del", f"{PREFIX}{os.getpid()}-try")
    except (OSError, subprocess.CalledProcessError):
        return "this machine makes no network namespace (iproute2, CAP_SYS_ADMIN)"
    return ""


def ip(*words: str) -> str:
    """Run `ip`."""
    done = subprocess.run(
        ["ip", *words],  # noqa: S607  # wherever it is installed
        check=True,
        capture_output=True,
        text=True,
        timeout=20,
    )
    return done.stdout


@dataclass(frozen=True)
class Network:
    """The hosts' wire."""

    name: str = field(default_factory=lambda: f"{PREFIX}{os.getpid()}")

    def open(self) -> None:
        """Make every host and plug it in."""
        ip("netns", "add", self.space(SWITCH))
        self._switch("link", "add", "br0", "type", "bridge")
        self._switch("link", "set", "br0", "up")
        for host in HOSTS:
            self._plug(host)

    def _switch(self, *words: str) -> None:
        ip("-n", self.space(SWITCH), *words)

    def _plug(self, host: str) -> None:
        space = self.space(host)
        ip("netns", "add", space)
        ip("-n", space, "link", "set", "lo", "up")
        pair = ("link", "add", plug(host), "type", "veth", "peer", "name", "eth0", "netns", space)
        self._switch(*pair)
        self._switch("link", "set", plug(host), "master", "br0", "up")
        ip("-n", space, "addr", "add", f"{address(host)}/24", "dev", "eth0")
        ip("-n", space, "link", "set", "eth0", "up")

    def close(self) -> None:
        """Take everything away, and end whatever still runs there."""
        remove(self.name)

    def space(self, host: str) -> str:
        """Give the namespace of a host."""
        return f"{self.name}-{host}"

    def on(self, host: str, command: Sequence[str | Path]) -> list[str]:
        """Give the command that runs something on a host."""
        return ["nsenter", f"--net={PLACES / self.space(host)}", *map(str, command)]

    def cut(self, host: str) -> None:
        """Pull a host's cable: what is sent is lost, and nobody is told."""
        self._switch("link", "set", plug(host), "down")

    def heal(self, host: str) -> None:
        """Plug it in again."""
        self._switch("link", "set", plug(host), "up")

    @contextmanager
    def inside(self, host: str) -> Iterator[None]:
        """Be on a host while the block lasts: this thread, and what it starts."""
        with HERE.open("rb") as before, (PLACES / self.space(host)).open("rb") as there:
            enter(there)
            try:
                yield
            finally:
                enter(before)

    def share(self, host: str, cores: float) -> list[str]:
        """Give the words that hold what comes after them to so many cores, on average.

        Raises:
            RuntimeError: this machine sets no quotas.
        """
        group = CPU / self.space(host)
        try:
            group.mkdir(exist_ok=True)
            (group / "cpu.cfs_period_us").write_text(str(PERIOD))
            (group / "cpu.cfs_quota_us").write_text(str(round(cores * PERIOD)))
        except OSError as error:
            raise RuntimeError(f"no quota can be set in {CPU}: {error}") from error
        join = f'echo $$ >{group / "cgroup.procs"} && exec "$0" "$@"'
        return ["/bin/sh", "-c", join]


def enter(space: BinaryIO) -> None:
    """Be in a network namespace from now on: this thread, and what it starts."""
    if ctypes.CDLL(None, use_errno=True).setns(space.fileno(), 0):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def address(host: str) -> str:
    """Give the address of a host."""
    return f"{WIRE}.{HOSTS[host]}"


def plug(host: str) -> str:
    """Give the name of the bridge's end of a host's cable."""
    return f"p-{host}"


def spaces() -> list[str]:
    """List the namespaces of all clusters, of this process and of others."""
    return [line.split()[0] for line in ip("netns", "list").splitlines() if PREFIX in line]


def sweep() -> list[str]:
    """Remove what a process that is dead has left, and give its names."""
    left = [*spaces(), *(folder.name for folder in FOLDERS.glob(f"{PREFIX}*"))]
    owners = {name.removeprefix(PREFIX).partition("-")[0] for name in left}
    dead = [f"{PREFIX}{owner}" for owner in owners if not Path("/proc", owner).exists()]
    for name in dead:
        remove(name)
    return dead


def remove(name: str) -> None:
    """End what runs on the hosts of one cluster, and take the hosts and their files away."""
    for space in spaces():
        if space.startswith(f"{name}-"):
            for pid in map(int, ip("netns", "pids", space).split()):
                if pid != os.getpid():
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            ip("netns", "del", space)
    for folder in FOLDERS.glob(f"{name}-*"):
        shutil.rmtree(folder, ignore_errors=True)
    for group in CPU.glob(f"{name}-*"):
        with suppress(OSError):  # its last process is still ending; the next sweep finds it
            group.rmdir()
