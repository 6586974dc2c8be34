"""Several machines in this one: a network namespace for each, and cables that can be pulled."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

import pytest

from engines.processes import program

NETWORK = "10.77.0"
_libc = ctypes.CDLL(None, use_errno=True)


class Wires:
    """A switch, and a cable from it to each machine."""

    def __init__(self, *machines: str) -> None:
        self.machines = machines
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._namespace("switch")
        self._say("switch", "link", "add", "br0", "type", "bridge")
        self._say("switch", "link", "set", "br0", "up")
        for machine in self.machines:
            self._namespace(machine)
            inside = ("eth0", "netns", name(machine))
            self._say("switch", "link", "add", machine, "type", "veth", "peer", "name", *inside)
            self._say("switch", "link", "set", machine, "master", "br0", "up")
            self._say(machine, "addr", "add", f"{self.address(machine)}/24", "dev", "eth0")
            for end in ("lo", "eth0"):
                self._say(machine, "link", "set", end, "up")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _namespace(self, machine: str) -> None:
        say("netns", "add", name(machine))
        self._stack.callback(say, "netns", "del", name(machine))

    def _say(self, machine: str, *words: str) -> None:
        say("-n", name(machine), *words)

    def address(self, machine: str) -> str:
        """Give a machine's address."""
        return f"{NETWORK}.{10 + self.machines.index(machine)}"

    def cut(self, machine: str) -> None:
        """Pull its cable: from now on packets vanish, and nobody is told."""
        self._say("switch", "link", "set", machine, "down")

    def heal(self, machine: str) -> None:
        """Put the cable in again."""
        self._say("switch", "link", "set", machine, "up")

    @contextmanager
    def inside(self, machine: str) -> Iterator[None]:
        """Be there while the block lasts: with sockets, threads and programs that begin in it."""
        with Path("/proc/thread-self/ns/net").open("rb") as here:
            with Path("/run/netns", name(machine)).open("rb") as there:
                enter(there.fileno())
            try:
                yield
            finally:
                enter(here.fileno())


def wires(*machines: str) -> Wires:
    """Give machines on wires, or leave the test out where there can be none."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")  # CI is root
    program("ip", package="iproute2")
    return Wires(*machines)


def name(machine: str) -> str:
    """Give the name of a machine's namespace, which other test runs don't use."""
    return f"killer{os.getpid()}-{machine}"


def say(*words: str) -> None:
    """Run `ip`."""
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=30)


def enter(namespace: int) -> None:
    """Let this thread go into a network namespace."""
    if _libc.setns(namespace, 0):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
