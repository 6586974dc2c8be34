"""Two slots side by side: a server is tried in the idle one, then players are led there at once.

nginx connects to a link; to move it is one rename, so nothing is reloaded and no connection is cut.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from killer.ops import places, release
from killer.ops.failures import DeployError
from killer.ops.target import Target

SETTLING = 1.0  # seconds for requests on their way to the old slot to get there
LINES = 25  # of the journal that are shown when a server fails

#: Asks for /health as a phone or the front does, by nginx; Python is there, curl perhaps not.
THROUGH = f"""python3 -c '
import http.client, os
door = {places.NODE_PORT} if os.path.exists("{places.NODE_SITE}") else 80
line = http.client.HTTPConnection("127.0.0.1", door, timeout=15)
line.request("GET", "/health")
answer = line.getresponse()
raise SystemExit(0 if answer.status == 200 else f"/health: {{answer.status}}")'"""

Tell = Callable[[str], None]


def live(target: Target) -> int:
    """Give the slot that players reach; 0 before the first deployment."""
    return places.slot_of(target.ask(f"readlink {places.LIVE}").out)


def runs(target: Target, release_: str) -> bool:
    """Tell whether players reach this release, started after the newest unit and alone."""
    slot = live(target)
    if not slot or release.led_to(target, f"{places.SLOTS}/{slot}") != release_:
        return False
    since = f"systemctl show -p ActiveEnterTimestamp --value killer@{slot}.service"
    units = " ".join(f"{places.UNITS}/killer@.{kind}" for kind in ("service", "socket"))
    young = f'test "$(date -d "$({since})" +%s)" -ge "$(stat -c %Y {units} | sort -n | tail -n 1)"'
    return target.holds(f"{_alone(slot)} && {young}")


def _alone(slot: int) -> str:
    """Give the condition that a slot serves, starts with the machine, and the other doesn't."""
    idle = places.other(slot)
    return (
        f"systemctl is-active -q killer@{slot}.service"
        f" && systemctl is-enabled -q {places.units(slot)}"
        f" && ! systemctl is-active -q {places.units(idle)}"
        f" && ! systemctl is-enabled -q {places.units(idle)}"
    )


def switch(target: Target, release_: str, tell: Tell) -> str:
    """Start a release in the idle slot, try it, lead players there; give what it says.

    Raises:
        DeployError: it isn't fit to serve; players are where they were.
    """
    old = live(target)
    new = places.other(old)
    tell("start")
    _start(target, new, release_)
    tell("try")
    ready = _tried(target, new, release_)
    tell("lead")
    _lead(target, old, new)
    _remember(target, release_)
    tell("drain")
    target.run(f"systemctl enable -q {places.units(new)}")
    _end(target, places.other(new))
    return ready


def _start(target: Target, slot: int, release_: str) -> None:
    _end(target, slot)
    target.link(f"{places.SLOTS}/{slot}", release_)
    began = target.ask(f"systemctl start killer@{slot}.socket killer@{slot}.service")
    if began.code:
        _refuse(target, slot, began.said)


def _tried(target: Target, slot: int, release_: str) -> str:
    """Ask whether it is ready and sign in once, on the machine itself."""
    said = target.ask(as_user(f"{release_}/.venv/bin/python -m killer.ops.probe {slot}"))
    if said.code:
        _refuse(target, slot, said.said)
    return said.out.strip()


def _refuse(target: Target, slot: int, cause: str) -> None:
    """Stop what isn't fit to serve, and show its last words."""
    words = target.ask(f"journalctl -u killer@{slot}.service -n {LINES} --no-pager -o cat").out
    _end(target, slot)
    raise DeployError("refused", f"{words}\n{cause}", host=target.name)


def _lead(target: Target, old: int, new: int) -> None:
    """Lead the players to the new slot, and back at once when nginx doesn't get an answer there."""
    target.link(places.LIVE, places.socket(new))
    answer = target.ask(THROUGH)
    if answer.code:
        if old:
            target.link(places.LIVE, places.socket(old))
        _refuse(target, new, f"nginx\n{answer.said}")


def _remember(target: Target, release_: str) -> None:
    before = release.led_to(target, places.CURRENT)
    if before and before != release_:
        target.link(places.PREVIOUS, before)
    target.link(places.CURRENT, release_)


def _end(target: Target, slot: int) -> None:
    """Let a slot's server finish what it has begun; nobody is led there any more."""
    units = places.units(slot)
    if target.holds(f"systemctl is-active -q {units} || systemctl is-failed -q {units}"):
        time.sleep(SETTLING)
    target.run(
        f"systemctl disable -q {units}; systemctl stop {units};"
        f" systemctl reset-failed {units} 2>/dev/null; true"
    )


def as_user(command: str, *, terminal: bool = False) -> str:
    """Give a command as it runs with the server's user, settings and folder."""
    how = "--pty" if terminal else "--pipe"
    given = (
        f"User={places.USER}",
        f"Group={places.USER}",
        f"EnvironmentFile={places.ENVIRONMENT}",
        f"WorkingDirectory={places.DATA}",
        "UMask=0027",
    )
    options = " ".join(f"-p {each}" for each in given)
    return f"systemd-run --quiet --wait --collect {how} {options} -- {command}"
