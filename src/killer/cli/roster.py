"""`killer import`: a roster from exported files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table as RichTable

from killer.cli import common
from killer.cli.common import game_named, refuse
from killer.game.refusals import Refusal
from killer.language import say
from killer.play import Request
from killer.sheets import importer
from killer.sheets.roster import Problem, Reading, read_roster
from killer.sheets.tables import UnreadableTable, read_table
from killer.store import people
from killer.web.site import Site


def _read(players: Path, challenges: Path | None) -> Reading:
    try:
        tables = [read_table(p.name, p.read_bytes()) for p in (players, challenges) if p]
    except UnreadableTable as error:
        sentence = say(f"roster.{error.code}", **dict(error.params))
        refuse(say("cli.unreadable", file=error.file, why=sentence), error)
    except OSError as error:
        refuse(say("cli.no_file", file=str(error.filename)), error)
    return read_roster(*tables)


def _show(problems: tuple[Problem, ...]) -> None:
    """Show what is to be corrected, and apart from it what is only good to know."""
    for severity in ("problem", "note"):
        _tabulate([one for one in problems if one.severity == severity], severity)


def _tabulate(problems: list[Problem], severity: str) -> None:
    if not problems:
        return
    table = RichTable(*(say(f"cli.import.{h}") for h in ("where", "column", severity)))
    for one in problems:
        where = one.file if one.row is None else f"{one.file}:{one.row}"
        style = "red" if one.severity == "problem" else "dim"
        table.add_row(where, one.column, say(f"roster.{one.code}", **dict(one.params)), style=style)
    Console(stderr=True).print(table)


def import_(
    players: Annotated[Path, typer.Option()],
    challenges: Path | None = None,
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
    if dry_run and not common.begun(common.settings()):
        typer.echo(say("cli.import.would", new=len(reading.entries), changed=0, unchanged=0))
        return
    site = common.site(make=not dry_run)
    number = game_named(site, game, make=not dry_run) if not dry_run or site.hub.games() else None
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
        refuse(say(f"refusal.{refusal.code}", **refusal.params), refusal)
    typer.echo(say("cli.import.done", counts=_counted(counts | {"passwords": imported.passwords})))
    for nickname, token in imported.links.items():
        url = f"{site.settings.address}/s/{token}"
        typer.echo(say("cli.import.link", nickname=nickname, url=url))


def _counted(counts: dict[str, int]) -> str:
    """List what there is some of."""
    return ", ".join(say(f"cli.import.done.{what}", n=n) for what, n in counts.items() if n) or "-"


def _carry_out(site: Site, number: int, wanted: importer.Plan) -> importer.Imported:
    total, why = 2 * len(wanted.secrets), Request(reason="import")
    with Progress(console=Console(stderr=True), disable=not total) as progress:
        task = progress.add_task(say("cli.import.passwords"), total=total)
        done = importer.carry_out(site.play, number, wanted, why, lambda: progress.advance(task))
        progress.update(task, completed=total)
    return done
