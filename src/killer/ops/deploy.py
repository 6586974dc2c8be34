"""The whole deployment: what `killer deploy`, `restart`, `rollback` and `logs` do on a machine."""

from __future__ import annotations

import json
import re
import shlex
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from killer.ops import build, machine, places, release, site, slots, steps, survey
from killer.ops.build import Build
from killer.ops.failures import DeployError
from killer.ops.inventory import Inventory
from killer.ops.machine import Wish
from killer.ops.steps import Step
from killer.ops.survey import Facts
from killer.ops.target import Target

JOURNALS = ("'killer@*.service'", "killer-backup.service", "killer-lookout.service")


@dataclass(frozen=True, slots=True)
class Order:
    """What one call of `killer deploy` is to do."""

    wish: Wish
    checkout: Path = build.CHECKOUT
    chain: Path | None = None
    key: Path | None = None


def kept_wish(target: Target) -> Wish:
    """Give what the last deployment was asked for."""
    found = json.loads(target.read(places.WISHES) or "{}")
    known = asdict(Wish())
    wish = Wish(**{name: value for name, value in found.items() if name in known})
    return replace(wish, nodes=tuple((name, address) for name, address in wish.nodes))


def deploy(target: Target, order: Order, tell: steps.Tell, *, dry: bool = False) -> int:
    """Bring a machine to what this checkout says; give how many steps changed something.

    Raises:
        DeployError: why not; what was done stays and is not done again.
    """
    facts = surveyed(target)
    site.check_domain(target, order.wish, facts)
    with workshop() as here:

        def rest(seen: Facts) -> Iterator[Step]:
            return _all(target, order, seen, here, tell)

        return taken(target, order.wish, facts, rest, tell, dry=dry)


@contextmanager
def workshop() -> Iterator[Path]:
    """Give a folder of this machine, as long as releases are made in it."""
    with tempfile.TemporaryDirectory(prefix="killer-deploy-") as name:
        yield Path(name)


def surveyed(target: Target) -> Facts:
    """Give what a machine is.

    Raises:
        DeployError: the game can't live there.
    """
    facts = survey.look(target)
    survey.judge(target, facts)
    return facts


def taken(
    target: Target,
    wish: Wish,
    facts: Facts,
    rest: Callable[[Facts], Iterable[Step]],
    tell: steps.Tell,
    *,
    dry: bool,
) -> int:
    """Install the packages, then take the steps that need them."""
    changed = steps.walk([machine.packages(target, wish)], tell, dry=dry)
    if not facts.python and not dry:
        facts = surveyed(target)
    return changed + steps.walk(rest(facts), tell, dry=dry)


def _all(
    target: Target, order: Order, facts: Facts, here: Path, tell: steps.Tell
) -> Iterator[Step]:
    """Give the steps in their order; each is made when those before it are done."""
    wish = order.wish
    made = build.of(order.checkout, facts)
    yield from laid(target, made, here, machine.environment(order.checkout, wish.address))
    yield from front(target, order, facts)
    if wish.firewall:
        yield machine.firewall(target, facts)
    yield from served(target, made, lambda: back_up(target, tell), tell)
    yield machine.backups(target)
    yield remembered(target, wish)
    yield tidied(target)


def laid(target: Target, made: Build, here: Path, text: str) -> Iterator[Step]:
    """Give the steps that put a release beside the one that serves."""
    yield machine.user(target)
    yield machine.folders(target)
    yield machine.settings(target, text)
    yield machine.command(target)
    yield machine.units(target)
    yield machine.logs(target)
    yield Step(
        "release",
        lambda: bool(release.folder(target, made)),
        lambda: release.bring(target, made, here),
    )


def served(
    target: Target, made: Build, keep: Callable[[], None], tell: steps.Tell
) -> Iterator[Step]:
    """Give the steps by which a release takes over; `keep` makes a backup first."""
    yield Step(
        "switch",
        lambda: slots.runs(target, release.folder(target, made) or "-"),
        lambda: _update(target, release.folder(target, made), keep, tell),
    )


def tidied(target: Target) -> Step:
    """Give the step that removes old releases."""
    return Step("tidy", lambda: not release.superfluous(target), lambda: release.tidy(target))


def front(target: Target, order: Order, facts: Facts) -> Iterator[Step]:
    """Give the steps of nginx: a certificate that is asked for needs a plain site first."""
    yield site.capacity(target)
    wish, wanted = order.wish, site.certificate(order.wish)
    if wanted is None:
        yield site.plain(target, wish, facts)
        return
    if order.chain and order.key:
        yield site.given(target, order.chain, order.key)
    elif not wish.certificate:
        if not site.answers_questions(target):
            yield site.plain(target, wish, facts)
        yield site.asked_for(target, wish)
    yield site.secure(target, wish, facts)


def remembered(target: Target, wish: Wish) -> Step:
    """Give the step that notes there what was asked for."""
    text = json.dumps(asdict(wish), indent=2) + "\n"
    return steps.papers("wish", target, [steps.Paper(places.WISHES, text)])


def _update(target: Target, made: str, keep: Callable[[], None], tell: steps.Tell) -> None:
    keep()
    dance(target, made, tell)


def back_up(target: Target, tell: steps.Tell) -> None:
    """Keep what there is, if anything, before another release may change the schema.

    Raises:
        DeployError: the backup failed; nothing else was done.
    """
    if not slots.live(target):
        return
    tell("backup", None)
    live = release.led_to(target, places.CURRENT)
    said = target.ask(slots.as_user(f"{live}/.venv/bin/python -m killer backup"))
    if said.code:
        raise DeployError("no_backup", said.said, host=target.name)
    tell("backup", steps.Outcome.DONE)


def dance(target: Target, made: str, tell: steps.Tell) -> None:
    """Let a release that is there serve.

    Raises:
        DeployError: it isn't fit to; players are where they were.
    """
    slots.switch(target, made, lambda name: tell(f"switch.{name}", None))


def restart(target: Target, tell: steps.Tell) -> None:
    """Start the same release with what killer.env says now, without a phone noticing.

    Raises:
        DeployError: nothing is deployed there, or it doesn't serve with these settings.
    """
    dance(target, present(target), tell)


def present(target: Target) -> str:
    """Give the release that serves.

    Raises:
        DeployError: nothing is deployed there.
    """
    made = release.led_to(target, places.CURRENT)
    if not made:
        raise DeployError("nothing_there", host=target.name)
    return made


def rollback(target: Target, tell: steps.Tell) -> str:
    """Let the release before the present one serve again, on the same data; give its name.

    Raises:
        DeployError: there is none, or it doesn't serve.
    """
    made = previous(target)
    dance(target, made, tell)
    return made.rpartition("/")[2]


def previous(target: Target) -> str:
    """Give the release before the one that serves.

    Raises:
        DeployError: there is none.
    """
    made = release.led_to(target, places.PREVIOUS)
    if not made:
        raise DeployError("no_previous", host=target.name)
    return made


def logs(target: Target, *, follow: bool, lines: int, mark: str = "") -> int:
    """Show what the server said, and what it says as long as it is followed.

    Args:
        target: the machine.
        follow: go on until somebody has seen enough.
        lines: how many of the last ones to begin with.
        mark: what is to stand before each line.
    """
    tail = "-f" if follow else "--no-pager"
    units = " ".join(f"-u {unit}" for unit in JOURNALS)
    each = f"while IFS= read -r line; do printf '%s\\n' {shlex.quote(f'{mark}: ')}\"$line\"; done"
    marked = f" | {each}" if mark else ""
    return target.show(f"journalctl {units} -n {lines} {tail}{marked}")


@dataclass(frozen=True, slots=True)
class Status:
    """How a machine is after a deployment."""

    units: dict[str, str]
    ready: str
    settings: dict[str, str]
    release: str
    address: str
    advice: bool  # killer.env says another address than the one that was deployed for


def status(target: Target, wish: Wish) -> Status:
    """Ask a machine how it is."""
    slot = slots.live(target)
    names = [f"killer@{slot}.service", "nginx.service", "killer-backup.timer"]
    states = target.ask(f"systemctl is-active {' '.join(names)}").out.split()
    made = release.led_to(target, places.CURRENT)
    environment = target.read(places.ENVIRONMENT) or ""
    return Status(
        units=dict(zip(names, states, strict=False)),
        ready=_ready(target, slot),
        settings=in_force(target, slot),
        release=made.rpartition("/")[2],
        address=wish.front or wish.address,
        advice=not wish.front and f"PUBLIC_URL={wish.address}" not in environment,
    )


def _ready(target: Target, slot: int) -> str:
    url = f"http://127.0.0.1:{places.port(slot)}/health/ready"
    ask = f"import urllib.request as u; print(u.urlopen('{url}', timeout=10).read().decode())"
    answer = target.ask(f'python3 -c "{ask}"')
    return answer.said.strip().splitlines()[-1] if answer.said else ""


def in_force(target: Target, slot: int) -> dict[str, str]:
    """Give the settings that the serving process logged when it started."""
    unit = f"killer@{slot}.service"
    since = f'_SYSTEMD_INVOCATION_ID="$(systemctl show -p InvocationID --value {unit})"'
    said = target.ask(f"journalctl {since} --no-pager -o cat").out
    found = {name: re.search(rf"\b{name}: ([^\s\",]+)", said) for name in places.TOLD}
    return {name: match[1] for name, match in found.items() if match}


def merged(target: Target, asked: Inventory) -> Wish:
    """Fill what wasn't asked for this time with what the last deployment was asked for."""
    kept = kept_wish(target)
    nodes = tuple((node.name, node.address) for node in asked.nodes)
    return Wish(
        host=target.host,
        domain=asked.domain or kept.domain,
        email=asked.email or kept.email,
        certificate=bool(asked.certificate)
        or (kept.certificate and asked.domain in {"", kept.domain}),
        firewall=kept.firewall if asked.firewall is None else asked.firewall,
        nodes=nodes or kept.nodes,
        front="" if nodes else kept.front,
    )
