"""What every command needs: the settings, the parts of the server, the game that is meant."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console
from rich.progress import Progress

from killer import app as app_
from killer import serve as serve_
from killer import settings as settings_
from killer.language import say
from killer.settings import Settings
from killer.store import games
from killer.store.database import Database
from killer.web.site import Site


def settings() -> Settings:
    """Read the settings."""
    return settings_.load(dotenv=app_.DOTENV)


def refuse(sentence: str, error: Exception | None = None) -> NoReturn:
    """Say why a command can't be done, and end with 1."""
    typer.echo(sentence, err=True)
    raise typer.Exit(1) from error


def site(*, make: bool = False) -> Site:
    """Put the server's parts together, with the schema up to date; `make` may begin a first game.

    Raises:
        typer.Exit: nothing has begun here, and nothing is made.
    """
    found = settings()
    with folder(found):
        if not make:
            expect(found)
        serve_.prepare(found)
    return app_.build(found)


def begun(found: Settings) -> bool:
    """Tell whether there is a database; one that is served elsewhere is believed to be there."""
    database = Database(found.database)
    return not database.embedded or database.file.exists()


def expect(found: Settings) -> None:
    """Refuse a folder where nothing has begun, before anything is made there.

    Raises:
        typer.Exit: it is one.
    """
    if not begun(found):
        here = f"DATA_DIR={found.data_dir.absolute()}"
        refuse(say("cli.nothing_here", where=found.database_url or here))


@contextmanager
def folder(found: Settings) -> Iterator[None]:
    """Say which folder can't be used."""
    try:
        yield
    except OSError as error:
        name = error.filename or found.data_dir
        refuse(say("cli.no_folder", folder=name, cause=error.strerror or ""), error)


@contextmanager
def progress(sentence: str, total: int) -> Iterator[Progress]:
    """Show on the standard error how far something is; its one task is number 0."""
    with Progress(console=Console(stderr=True)) as bar:
        bar.add_task(sentence, total=total)
        yield bar


@contextmanager
def asked_to_end() -> Iterator[list[int]]:
    """Note Ctrl-C or SIGTERM instead of dying: what is under way is finished first.

    The second time, it ends at once as any program does.
    """
    asked: list[int] = []

    def note(got: int, _frame: object) -> None:
        asked.append(got)
        signal.signal(got, before[signal.Signals(got)])

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def game_named(site: Site, name: str | None, *, make: bool = False) -> int:
    """Find a game by name; without a name, the only one there is.

    Raises:
        typer.Exit: there is none, or more than one.
    """
    known = {row.name: row.id for row in site.hub.games()}
    if name in known:
        return known[name]
    if name is None and len(known) == 1:
        return next(iter(known.values()))
    if make and (name or not known):
        with site.database.write() as connection:
            return games.create(connection, name or games.FIRST_NAME)
    key = "cli.no_game" if not known else "cli.which_game"
    typer.echo(say(key, games=", ".join(sorted(known)) or "-"), err=True)
    raise typer.Exit(1)
