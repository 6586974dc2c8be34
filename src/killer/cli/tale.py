"""What a deployment tells on the terminal: each step, and how the machines are in the end."""

from __future__ import annotations

from functools import partial
from typing import Self

import typer
from rich.console import Console
from rich.text import Text

from killer.language import say
from killer.ops import places
from killer.ops.deploy import Status
from killer.ops.steps import Outcome, Tell
from killer.ops.target import Target

PART = "switch."  # how the names of the parts of a step begin; nothing becomes of them alone
SIGNS = {
    Outcome.ALREADY: ("=", "dim"),
    Outcome.DONE: ("+", "green"),
    Outcome.WOULD: ("?", "yellow"),
}


class Tale:
    """Tells which step is being taken and what became of it."""

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

    def of(self, target: Target) -> Tell:
        """Give what tells of one machine among several."""
        return partial(self.__call__, mark=f"{target.name}: ")

    def __call__(self, name: str, outcome: Outcome | None, mark: str = "") -> None:
        """Tell that a step begins, or what became of it."""
        sentence = f"{mark}{say(f'step.{name}')}"
        if outcome is None:
            self._status.update(Text(sentence))
            if name.startswith(PART):
                self._console.print(Text(f"  · {sentence}", "dim"))
            return
        told = f" ({say(f'outcome.{outcome.value}')})"
        line = Text.assemble(SIGNS[outcome], " ", sentence, (told, "dim"))
        self._console.print(line, soft_wrap=True)


def show(status: Status) -> None:
    """Show how the machine is."""
    show_units(status)
    show_settings(status)
    typer.echo(say("cli.deploy.serves", release=status.release, address=status.address))
    if status.advice:
        typer.echo(say("cli.deploy.public_url", file=places.ENVIRONMENT, address=status.address))


def show_all(found: dict[str, Status]) -> None:
    """Show how each node is, by its name, and once what is the same for all."""
    for name, status in found.items():
        typer.echo(f"{name}: {status.release}")
        show_units(status, f"{name}: ")
    first = next(iter(found.values()))
    show_settings(first)
    typer.echo(say("cli.deploy.serves", release=first.release, address=first.address))
    for name, status in found.items():
        if status.advice:
            params = {"host": name, "file": places.ENVIRONMENT, "address": status.address}
            typer.echo(say("cli.deploy.public_url_of", **params))


def show_units(status: Status, mark: str = "") -> None:
    """Show what runs, and what the server says of itself."""
    for unit, state in status.units.items():
        typer.echo(f"{mark}{unit}: {state}")
    typer.echo(f"{mark}/health/ready: {status.ready}")


def show_settings(status: Status) -> None:
    """Show the settings in force."""
    for name, value in status.settings.items():
        typer.echo(f"{name}: {value}")
