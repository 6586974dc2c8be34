"""`killer deploy`, `rollback`, `restart` and `logs`: the game on a rented machine."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Self

import typer
from rich.console import Console

from killer.cli.common import refuse
from killer.language import say
from killer.ops import build, places
from killer.ops import deploy as deploy_
from killer.ops.deploy import Order, Status
from killer.ops.failures import DeployError
from killer.ops.steps import Outcome
from killer.ops.target import Here, Remote, Target

REMEMBERED = build.CHECKOUT / ".killer" / "host"  # the last machine that was deployed to
PART = "switch."  # how the names of the parts of a step begin; nothing becomes of them alone
SIGNS = {Outcome.ALREADY: "[dim]=[/]", Outcome.DONE: "[green]+[/]", Outcome.WOULD: "[yellow]?[/]"}

Host = Annotated[str, typer.Argument(metavar="[USER@]HOST")]


class Tale:
    """Tells on the terminal which step is being taken and what became of it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = console.status("")

    def __enter__(self) -> Self:
        """Begin."""
        self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End, whatever has happened."""
        self._status.stop()

    def __call__(self, name: str, outcome: Outcome | None) -> None:
        """Tell that a step begins, or what became of it."""
        sentence = say(f"step.{name}")
        if outcome is None:
            self._status.update(sentence)
            if name.startswith(PART):
                self._console.print(f"  [dim]· {sentence}[/]", highlight=False)
            return
        told = say(f"outcome.{outcome.value}")
        self._console.print(f"{SIGNS[outcome]} {sentence} [dim]({told})[/]", highlight=False)


@contextmanager
def _on(host: str) -> Iterator[Target]:
    """Reach a machine, and say what can't be done there."""
    target: Target | None = None
    try:
        target = _reached(host)
        yield target
    except DeployError as error:
        refuse(error.sentence, error)
    finally:
        if target:
            target.close()


def _reached(host: str) -> Target:
    if host:
        return Remote(host)
    if Path(places.HOME).exists():
        if os.geteuid():
            raise DeployError("not_root")
        return Here()
    if not REMEMBERED.exists():
        raise DeployError("which_host")
    return Remote(REMEMBERED.read_text(encoding="utf-8").strip())


def deploy(
    host: Annotated[str, typer.Argument(metavar="USER@HOST")],
    domain: Annotated[str, typer.Option(help="Name that leads there; brings HTTPS.")] = "",
    email: Annotated[str, typer.Option(help="Where Let's Encrypt warns.")] = "",
    certificate: Annotated[Path | None, typer.Option(help="Use this chain (PEM).")] = None,
    key: Annotated[Path | None, typer.Option(help="The certificate's key (PEM).")] = None,
    firewall: Annotated[bool | None, typer.Option(help="SSH, HTTP and HTTPS only.")] = None,
    *,
    dry_run: Annotated[bool, typer.Option(help="Tell each step, touch nothing.")] = False,
) -> None:
    """Bring the game to a machine."""
    if (certificate is None) != (key is None):
        raise typer.BadParameter(say("cli.deploy.two_files"))
    if not re.fullmatch(r"[A-Za-z0-9.-]*", domain):
        raise typer.BadParameter(say("cli.deploy.bad_domain", domain=domain))
    console = Console()
    with _on(host) as target:
        wish = deploy_.merged(
            target, domain=domain, email=email, certificate=bool(certificate), firewall=firewall
        )
        order = Order(wish, chain=certificate, key=key)
        with Tale(console) as tale:
            changed = deploy_.deploy(target, order, tale, dry=dry_run)
        typer.echo(say("cli.deploy.would" if dry_run else "cli.deploy.changed", n=changed))
        if not dry_run:
            _remember(host)
            _show(deploy_.status(target, wish))


def _remember(host: str) -> None:
    REMEMBERED.parent.mkdir(exist_ok=True)
    REMEMBERED.write_text(f"{host}\n", encoding="utf-8")


def _show(status: Status) -> None:
    for unit, state in status.units.items():
        typer.echo(f"{unit}: {state}")
    typer.echo(f"/health/ready: {status.ready}")
    for name, value in status.settings.items():
        typer.echo(f"{name}: {value}")
    typer.echo(say("cli.deploy.serves", release=status.release, address=status.address))
    if status.advice:
        typer.echo(say("cli.deploy.public_url", file=places.ENVIRONMENT, address=status.address))


def restart(host: Host = "") -> None:
    """Start the same release anew."""
    with _on(host) as target:
        with Tale(Console()) as tale:
            deploy_.restart(target, tale)
        _show(deploy_.status(target, deploy_.kept_wish(target)))


def rollback(host: Host = "") -> None:
    """Go back to the release before."""
    with _on(host) as target:
        with Tale(Console()) as tale:
            deploy_.rollback(target, tale)
        _show(deploy_.status(target, deploy_.kept_wish(target)))


def logs(
    host: Host = "",
    *,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("-n", "--lines", help="The last so many.")] = 200,
) -> None:
    """Show the server's journal."""
    with _on(host) as target:
        code = deploy_.logs(target, follow=follow, lines=lines)
    if code and not follow:
        raise typer.Exit(1)
