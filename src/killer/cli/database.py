"""`killer migrate-database`: from SQLite to PostgreSQL and back, during a pause of the game."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from killer import settings as settings_
from killer.cli.common import refuse
from killer.language import say
from killer.store import moving
from killer.store.database import Database
from killer.store.moving import Moved, MoveError


def migrate_database(
    source: Annotated[str, typer.Argument()],
    target: Annotated[str, typer.Argument()],
) -> None:
    """Move everything to another database."""
    try:
        moved = _move(_named(source), _named(target))
    except MoveError as error:
        refuse(say(f"move.{error.code}", **error.params), error)
    for game in moved.scores:
        counts = {"version": game.version, "alive": game.alive, "players": game.players}
        typer.echo(say("backup.game", game=game.name, **counts))
    typer.echo(say("move.done", rows=moved.rows, tables=moved.tables))
    if moved.served:
        typer.echo(say("move.served"), err=True)


def _named(url: str) -> Database:
    """Open a database by its address, which is checked as DATABASE_URL is."""
    return moving.opened(settings_.load({"DATABASE_URL": url}).database_url)


def _move(source: Database, target: Database) -> Moved:
    if source.embedded and not source.file.exists():
        raise MoveError("nothing")  # else looking would make the file
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=len(moving.STEPS))

        def told(step: str) -> None:
            bar.update(task, description=say(f"cli.migrate-database.{step}"), advance=1)

        try:
            return moving.move(source, target, told)
        finally:
            source.close()
            target.close()
