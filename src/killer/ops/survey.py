"""What there is on a machine before anything is done, and whether the game can live there."""

from __future__ import annotations

from dataclasses import dataclass

from killer.ops.failures import DeployError
from killer.ops.target import Target

OLDEST = (3, 11)
DISK = 1_500_000  # kB that packages and two releases take, with air
PLATFORMS = {"x86_64": "x86_64-manylinux_2_28", "aarch64": "aarch64-manylinux_2_28"}

#: One question over the line; each answer is a line `name=value`.
QUESTIONS = r"""
[ -r /etc/os-release ] && . /etc/os-release; echo "system=${ID-} ${ID_LIKE-}"
echo "machine=$(uname -m)"; echo "systemd=$([ -d /run/systemd/system ] && echo yes)"
echo "python=$(python3 -c 'import sys; print(*sys.version_info[:2], sep=".")' 2>/dev/null)"
echo "free=$(df -Pk /opt 2>/dev/null | awk 'NR == 2 { print $4 }')"
echo "ipv6=$([ -e /proc/net/if_inet6 ] && echo yes)"
echo "ssh=$(/usr/sbin/sshd -T 2>/dev/null | awk '$1 == "port" { print $2 }' | xargs)"
echo "addresses=$(hostname -I 2>/dev/null)"
web="$(ss -Hltnp '( sport = :80 or sport = :443 )' 2>/dev/null)"
echo "web=$(echo "$web" | grep -o '(("[^"]*"' | tr -d '("' | sort -u | xargs)"
"""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the deployment needs to know of a machine."""

    system: str
    machine: str
    systemd: bool
    python: str  # empty when there is none yet
    free: int  # kB below /opt
    ipv6: bool
    ssh: tuple[int, ...]  # ports on which sshd listens
    addresses: tuple[str, ...]
    web: tuple[str, ...]  # programs that listen on 80 and 443

    @property
    def platform(self) -> str:
        """Give the machine as uv calls it."""
        return PLATFORMS[self.machine]

    @property
    def python_version(self) -> tuple[int, ...]:
        """Give the version of Python as numbers; () without one."""
        return tuple(int(part) for part in self.python.split(".") if part)


def look(target: Target) -> Facts:
    """Ask a machine what it is."""
    lines = target.ask(QUESTIONS).out.splitlines()
    said = dict(line.split("=", 1) for line in lines if "=" in line)
    return Facts(
        system=said.get("system", ""),
        machine=said.get("machine", ""),
        systemd=bool(said.get("systemd")),
        python=said.get("python", ""),
        free=int(said.get("free") or 0),
        ipv6=bool(said.get("ipv6")),
        ssh=tuple(int(port) for port in said.get("ssh", "").split()),
        addresses=tuple(said.get("addresses", "").split()),
        web=tuple(said.get("web", "").split()),
    )


def judge(target: Target, facts: Facts) -> None:
    """Refuse a machine on which the game can't live.

    Raises:
        DeployError: why, with what to do about it.
    """
    host = target.name
    if "debian" not in facts.system.split() or not facts.systemd:
        raise DeployError("not_debian", host=host, system=facts.system.strip() or "?")
    if facts.machine not in PLATFORMS:
        raise DeployError("machine", host=host, machine=facts.machine)
    if facts.python and facts.python_version < OLDEST:
        raise DeployError("old_python", host=host, version=facts.python)
    if facts.free < DISK:
        raise DeployError("no_room", host=host, free=facts.free // 1000, wanted=DISK // 1000)
    if strangers := [name for name in facts.web if name != "nginx"]:
        raise DeployError("port_taken", host=host, program=", ".join(strangers))
