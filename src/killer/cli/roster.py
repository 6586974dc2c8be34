"""`killer import`: a roster from exported files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table as RichTable
from rich.text import Text

from killer.cli import common
from killer.cli.common import game_named, refuse
from killer.game.model import Game
from killer.game.refusals import Refusal
from killer.language import say
from killer.play import Request
from killer.sheets import importer
from killer.sheets.claims import Sorted, sort_out
from killer.sheets.identity import tag_of
from killer.sheets.roster import Problem, Reading
from killer.sheets.tables import Table, UnreadableTable, read_table
from killer.store import people
from killer.web.site import Site


def _tables(players: Path, challenges: Path | None) -> list[Table]:
    try:
        return [read_table(p.name, p.read_bytes()) for p in (players, challenges) if p]
    except UnreadableTable as error:
        sentence = say(f"roster.{error.code}", **dict(error.params))
        refuse(say("cli.unreadable", file=error.file, why=sentence), error)
    except OSError as error:
        refuse(say("cli.no_file", file=str(error.filename)), error)


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
        what = say(f"roster.{one.code}", **dict(one.params))
        table.add_row(
            *map(Text, (where, one.column, what)), style=style
        )  # no markup in their words
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
    first, *second = _tables(players, challenges)
    reading = _sound(sort_out(first, Game(), {}, ""), second, skip_bad=skip_bad)
    begun = not dry_run or common.begun(common.settings())
    site = common.site(make=not dry_run) if begun else None  # a bad file leaves nothing behind
    if site is None or (dry_run and not site.hub.games()):
        _show(reading.problems)
        typer.echo(say("cli.import.would", new=len(reading.entries), changed=0, unchanged=0))
        return
    number = game_named(site, game, make=not dry_run)
    with site.database.read() as connection:
        contacts = people.read_contacts(connection, number)
    tag = next(tag_of(row.created) for row in site.hub.rows() if row.id == number)
    known = site.hub.feed(number).game
    reading = _sound(sort_out(first, known, contacts, tag), second, skip_bad=skip_bad)
    _show(reading.problems)
    _import(site, number, importer.plan(known, reading, contacts, tag), dry_run=dry_run)


def _sound(found: Sorted, second: list[Table], *, skip_bad: bool) -> Reading:
    """Give a roster that can be imported, or say what must be corrected."""
    reading = found.read(*second)
    reading = reading.without_bad() if skip_bad else reading
    if not reading.sound:
        _show(reading.problems)
        count = sum(p.severity == "problem" for p in reading.problems)
        refuse(say("cli.import.refused", n=count))
    return reading


def _import(site: Site, number: int, wanted: importer.Plan, *, dry_run: bool) -> None:
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
