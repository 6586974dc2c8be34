"""`killer backup` and `killer restore`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from killer.cli import common
from killer.cli.common import refuse
from killer.language import say
from killer.ops import backup as backup_
from killer.ops import restore as restore_
from killer.ops import shed
from killer.ops.archive import BackupError, Manifest
from killer.ops.backup import Made


def backup(
    whole: Path | None = None,
    *,
    quiet: Annotated[bool, typer.Option("--quiet")] = False,
) -> None:
    """Make a backup."""
    settings = common.settings()
    common.expect(settings)
    with _steps("backup", len(backup_.STEPS), quiet=quiet) as told:
        made = backup_.make(settings, told, whole)
    _warn(made)
    if not quiet:
        _show(made.manifest)
    if made.broken:
        refuse(say("backup.doubtful", games=", ".join(made.broken), file=made.path))
    typer.echo(whole or made.path)


def restore(
    file: Annotated[Path | None, typer.Argument()] = None,
    *,
    replace: Annotated[bool, typer.Option("--replace")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y")] = False,
) -> None:
    """Put a backup back."""
    settings = common.settings()
    wanted = file or next(iter(reversed(shed.archives(settings.backups))), None)
    if wanted is None:
        refuse(say("backup.none_there", folder=settings.backups))
    if replace and not yes and not typer.confirm(say("backup.sure", file=wanted)):
        raise typer.Exit(1)
    with _steps("restore", len(restore_.STEPS)) as told:
        done = restore_.restore(settings, wanted, told, instead=replace)
    if done.kept:
        typer.echo(say("backup.kept", file=done.kept))
    if done.missing:
        typer.echo(say("backup.photos_missing", n=done.missing), err=True)
    if done.secret_differs:
        typer.echo(say("backup.secret_differs"), err=True)
    _show(done.manifest)
    typer.echo(say("backup.restored", file=wanted))


@contextmanager
def _steps(kind: str, total: int, *, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Show each step when it begins, and say as a sentence why none could be done."""
    with Progress(console=Console(stderr=True), disable=quiet, transient=True) as bar:
        task = bar.add_task("", total=total)

        def told(step: str) -> None:
            bar.update(task, description=say(f"cli.{kind}.{step}"), advance=1)

        try:
            yield told
        except BackupError as error:
            bar.stop()
            refuse(say(f"backup.{error.code}", **error.params), error)


def _warn(made: Made) -> None:
    if made.away:
        typer.echo(say(made.away.sentence, **made.away.params), err=True)
    if made.absent:
        typer.echo(say("backup.photos_absent", n=made.absent), err=True)
    if made.unsent:
        typer.echo(say(f"backup.{made.unsent.code}", **made.unsent.params), err=True)


def _show(manifest: Manifest) -> None:
    for game in manifest.games:
        counts = {"version": game.version, "alive": game.alive, "players": game.players}
        typer.echo(say("backup.game", game=game.name, **counts))
