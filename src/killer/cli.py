"""The commands and what they say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table as RichTable

from killer import app as app_
from killer import demo as demo_
from killer import serve as serve_
from killer import settings as settings_
from killer.game import commands as c
from killer.game.model import Status
from killer.game.refusals import Refusal
from killer.language import say
from killer.play import Request
from killer.settings import Settings
from killer.sheets import importer
from killer.sheets.roster import Problem, Reading, read_roster
from killer.sheets.tables import UnreadableTable, read_table
from killer.store import check as check_
from killer.store import games, people
from killer.web.site import Site

FIRST_NAME = "Killer"


def build() -> typer.Typer:
    """Make the command line in the current language."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_show_locals=False,  # there are passwords among them
        help=say("cli.help"),
    )
    organisers = typer.Typer(no_args_is_help=True, help=say("cli.organiser.help"))
    for name, command in (("demo", demo), ("serve", serve), ("import", import_), ("check", check)):
        app.command(name, help=say(f"cli.{name}.help"))(command)
    organisers.command("add", help=say("cli.organiser.add.help"))(organiser_add)
    app.add_typer(organisers, name="organiser")
    return app


def _settings() -> Settings:
    return settings_.load(dotenv=app_.DOTENV)


def _refuse(sentence: str, error: Exception) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(1) from error


def _site(settings: Settings) -> Site:
    with _folder(settings):
        serve_.prepare(settings)
    return app_.build(settings)


@contextmanager
def _folder(settings: Settings) -> Iterator[None]:
    """Say which folder can't be used."""
    try:
        yield
    except OSError as error:
        folder = error.filename or settings.data_dir
        _refuse(say("cli.no_folder", folder=folder, cause=error.strerror or ""), error)


def serve() -> None:
    """Start the server."""
    settings = _settings()
    with _folder(settings):
        serve_.run(settings)


def demo(*, fast: Annotated[bool, typer.Option(help="One death a second.")] = False) -> None:
    """Show a game that moves."""
    demo_.run(_settings(), pace=1.0 if fast else 5.0)


def _game(site: Site, name: str | None, *, make: bool = False) -> int:
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
            return games.create(connection, name or FIRST_NAME)
    key = "cli.no_game" if not known else "cli.which_game"
    typer.echo(say(key, games=", ".join(sorted(known)) or "-"), err=True)
    raise typer.Exit(1)


def _read(players: Path, challenges: Path | None) -> Reading:
    try:
        tables = [read_table(p.name, p.read_bytes()) for p in (players, challenges) if p]
    except UnreadableTable as error:
        sentence = say(f"roster.{error.code}", **dict(error.params))
        _refuse(say("cli.unreadable", file=error.file, why=sentence), error)
    except OSError as error:
        _refuse(say("cli.no_file", file=str(error.filename)), error)
    return read_roster(*tables)


def _show(problems: tuple[Problem, ...]) -> None:
    if not problems:
        return
    table = RichTable(*(say(f"cli.import.{h}") for h in ("where", "column", "what")))
    for one in problems:
        where = one.file if one.row is None else f"{one.file}:{one.row}"
        style = "red" if one.severity == "problem" else "dim"
        table.add_row(where, one.column, say(f"roster.{one.code}", **dict(one.params)), style=style)
    Console(stderr=True).print(table)


def import_(
    players: Annotated[Path, typer.Option(help="CSV")],
    challenges: Annotated[Path | None, typer.Option(help="CSV")] = None,
    game: Annotated[str | None, typer.Option()] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad")] = False,
) -> None:
    """Import a roster."""
    reading = _read(players, challenges)
    if skip_bad:
        reading = reading.without_bad()
    _show(reading.problems)
    if not reading.sound:
        count = sum(p.severity == "problem" for p in reading.problems)
        typer.echo(say("cli.import.refused", n=count), err=True)
        raise typer.Exit(1)
    site = _site(_settings())
    number = _game(site, game, make=not dry_run) if not dry_run or site.hub.games() else None
    _import(site, number, reading, dry_run=dry_run)


def _import(site: Site, number: int | None, reading: Reading, *, dry_run: bool) -> None:
    if number is None:
        typer.echo(say("cli.import.would", new=len(reading.entries), changed=0, unchanged=0))
        return
    with site.database.read() as connection:
        contacts = people.read_contacts(connection, number)
    wanted = importer.plan(site.hub.feed(number).game, reading, contacts)
    counts = {"new": len(wanted.new), "changed": len(wanted.changed), "unchanged": wanted.unchanged}
    if dry_run:
        typer.echo(say("cli.import.would", **counts))
        return
    try:
        imported = _carry_out(site, number, wanted)
    except Refusal as refusal:
        _refuse(say(f"refusal.{refusal.code}", **refusal.params), refusal)
    typer.echo(say("cli.import.done", **counts, passwords=imported.passwords))
    for nickname, token in imported.links.items():
        typer.echo(f"{nickname}: {site.settings.address}/s/{token}")


def _carry_out(site: Site, number: int, wanted: importer.Plan) -> importer.Imported:
    total, why = 2 * len(wanted.secrets), Request(reason="import")
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task(say("cli.import.passwords"), total=total)
        done = importer.carry_out(site.play, number, wanted, why, lambda: progress.advance(task))
        progress.update(task, completed=total)
    return done


def organiser_add(
    name: Annotated[str, typer.Argument()], game: Annotated[str | None, typer.Option()] = None
) -> None:
    """Make an organiser and print a one-time sign-in link."""
    site = _site(_settings())
    number = _game(site, game, make=True)
    known = site.hub.feed(number).game.find(name)
    command: c.Command = c.Enrol(name, status=Status.OUT, organiser=True)
    if known:
        command = c.Edit(known.id, (("organiser", True),))
    try:
        site.play.perform(number, command)
    except Refusal as refusal:
        _refuse(say(f"refusal.{refusal.code}", **refusal.params), refusal)
    player = site.hub.feed(number).game.find(name)
    assert player is not None
    with site.database.write() as connection:
        token = people.new_links(connection, number, [player.id], once=True)[player.id]
    typer.echo(f"{site.settings.address}/s/{token}")


def check() -> None:
    """Check the laws on the live database."""
    site = _site(_settings())
    sound = True
    with site.database.read() as connection:
        for row in games.every(connection):
            found = check_.faults(connection, row)
            sound = sound and not found
            key = "cli.check.broken" if found else "cli.check.sound"
            typer.echo(say(key, game=row.name, version=row.version, state=row.state))
            for fault in found:
                typer.echo(f"  - {fault}")
    if not sound:
        raise typer.Exit(1)
