"""`killer deploy`, `rollback`, `restart` and `logs`: the game on one rented machine or several."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from killer.cli.common import refuse
from killer.cli.tale import Tale, show, show_all
from killer.language import say
from killer.ops import build, cluster, inventory, places
from killer.ops import deploy as deploy_
from killer.ops.cluster import Cluster
from killer.ops.deploy import Order
from killer.ops.failures import DeployError
from killer.ops.inventory import Inventory
from killer.ops.machine import Wish
from killer.ops.target import Here, Remote, Target

REMEMBERED = build.CHECKOUT / ".killer" / "host"  # the last machine that was deployed to

Reach = Callable[[str], Target]
Host = Annotated[str, typer.Argument(metavar="[USER@]HOST")]


@contextmanager
def _reaching() -> Iterator[Reach]:
    """Reach machines, each once, and say what can't be done there."""
    reached: dict[str, Target] = {}

    def reach(host: str) -> Target:
        if host not in reached:
            reached[host] = _reached(host)
        return reached[host]

    try:
        yield reach
    except DeployError as error:
        refuse(error.sentence, error)
    finally:
        for target in reached.values():
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
    host: Annotated[str, typer.Argument(metavar="USER@HOST")] = "",
    node: Annotated[list[str] | None, typer.Option(metavar="[USER@]HOST")] = None,
    inventory: Path | None = None,
    domain: str = "",
    email: str = "",
    certificate: Path | None = None,
    key: Path | None = None,
    *,
    firewall: bool | None = None,
    dry_run: Annotated[bool, typer.Option("--dry-run")] = False,
) -> None:
    """Bring the game to a machine, or to several."""
    said = Inventory(host, (), domain, email, certificate, key, firewall)
    with _reaching() as reach:
        _bring(_asked(said, node or [], inventory), reach, dry=dry_run)


def _asked(said: Inventory, nodes: list[str], file: Path | None) -> Inventory:
    """Give what is asked for, by the command line or by a file.

    Raises:
        DeployError: it makes no sense.
        typer.BadParameter: the command line makes none.
    """
    if file and (nodes or said != Inventory("")):
        raise typer.BadParameter(say("cli.deploy.file_alone"))
    asked = inventory.read(file) if file else inventory.checked(said.behind(nodes))
    if not asked.front:
        raise typer.BadParameter(say("cli.deploy.which"))
    if (asked.certificate is None) != (asked.key is None):
        raise typer.BadParameter(say("cli.deploy.two_files"))
    if not re.fullmatch(r"[A-Za-z0-9.-]*", asked.domain):
        raise typer.BadParameter(say("cli.deploy.bad_domain", domain=asked.domain))
    return asked


def _bring(asked: Inventory, reach: Reach, *, dry: bool) -> None:
    target = reach(asked.front)
    wish = deploy_.merged(target, asked)
    if wish.front:
        raise DeployError("is_node", host=target.name, front=wish.front)
    order = Order(wish, chain=asked.certificate, key=asked.key)
    found = cluster.of(target, wish, reach) if wish.nodes else None
    with Tale(Console()) as tale:
        if found:
            changed = cluster.deploy_all(found, order, asked.settings, tale.of, dry=dry)
        else:
            changed = deploy_.deploy(target, order, tale, dry=dry)
    typer.echo(say("cli.deploy.would" if dry else "cli.deploy.changed", n=changed))
    if not dry:
        _remember(asked.front)
        _show(target, found, wish)


def _remember(host: str) -> None:
    REMEMBERED.parent.mkdir(exist_ok=True)
    REMEMBERED.write_text(f"{host}\n", encoding="utf-8")


def _show(target: Target, found: Cluster | None, wish: Wish) -> None:
    if found:
        show_all({node.name: deploy_.status(node.target, wish) for node in found.nodes})
        if found.exposed:
            typer.echo(say("cli.deploy.exposed", hosts=", ".join(found.exposed)))
    else:
        show(deploy_.status(target, wish))


def _kept(target: Target, reach: Reach) -> tuple[Cluster | None, Wish]:
    """Give the nodes behind a front; a command typed on a machine is for that one alone."""
    wish = deploy_.kept_wish(target)
    alone = isinstance(target, Here) or not wish.nodes
    return (None if alone else cluster.of(target, wish, reach)), wish


def restart(host: Host = "") -> None:
    """Start the same release anew."""
    with _reaching() as reach:
        target = reach(host)
        found, wish = _kept(target, reach)
        with Tale(Console()) as tale:
            if found:
                cluster.restart(found, tale.of)
            else:
                deploy_.restart(target, tale)
        _show(target, found, wish)


def rollback(host: Host = "") -> None:
    """Go back to the release before."""
    with _reaching() as reach:
        target = reach(host)
        found, wish = _kept(target, reach)
        with Tale(Console()) as tale:
            if found:
                cluster.rollback(found, tale.of)
            else:
                deploy_.rollback(target, tale)
        _show(target, found, wish)


def logs(
    host: Host = "",
    *,
    follow: Annotated[bool, typer.Option("-f", "--follow")] = False,
    lines: Annotated[int, typer.Option("-n", "--lines")] = 200,
) -> None:
    """Show the server's journal."""
    with _reaching() as reach:
        target = reach(host)
        found, _ = _kept(target, reach)
        code = (
            cluster.logs(found, follow=follow, lines=lines)
            if found
            else deploy_.logs(target, follow=follow, lines=lines)
        )
    if code and not follow:
        raise typer.Exit(1)
