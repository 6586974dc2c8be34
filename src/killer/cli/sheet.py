"""`killer sheet check`, `pull`, `push` and `sync`: the Google Sheet, by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from killer.cli import common
from killer.cli.common import refuse
from killer.keeper import google_of
from killer.language import say
from killer.sheets.doctor import Finding, examine
from killer.sheets.google import GoogleError
from killer.sheets.rounds import stubborn, sync_of
from killer.sheets.sync import Look, Sync, Wishes
from killer.sheets.tables import UnreadableTable
from killer.store import games
from killer.store.games import GameRow
from killer.web.site import Site

LOOKS = 3  # to see that what was written stands where it should
SIGNS = {"fine": ("✓", "green"), "note": ("·", "dim"), "wrong": ("✗", "red")}

Game = Annotated[str | None, typer.Option("--game")]
Dry = Annotated[bool, typer.Option("--dry-run")]


def check() -> None:
    """Look at everything that can be wrong with the sheet."""
    settings = common.settings()
    console, wrong = Console(), False
    for finding in examine(settings, google_of(settings)):
        wrong = wrong or finding.grade == "wrong"
        told = Text.assemble(SIGNS[finding.grade], " ", _sentence(finding))
        console.print(told, soft_wrap=True)  # an address to open stays whole
    typer.echo(say("sheet.check.sick" if wrong else "sheet.check.healthy"))
    if wrong:
        raise typer.Exit(1)


def _sentence(finding: Finding) -> str:
    said = say(finding.key, **dict(finding.params))
    return f"{finding.where} : {said}" if finding.where else said


def pull(game: Game = None, *, dry_run: Dry = False) -> None:
    """Take what is new in the sheet into the game."""
    _run(game, Wishes(push=False, everything=True, dry=dry_run))


def push(game: Game = None, *, dry_run: Dry = False) -> None:
    """Write what the game says into the sheet."""
    _run(game, Wishes(pull=False, dry=dry_run))


def sync(game: Game = None, *, dry_run: Dry = False) -> None:
    """Do both."""
    _run(game, Wishes(everything=True, dry=dry_run))


def _run(game: str | None, wishes: Wishes) -> None:
    settings = common.settings()
    if not (settings.spreadsheet and settings.key_file.name):
        refuse(say("sheet.check.no_id" if not settings.spreadsheet else "sheet.check.no_key"))
    make = wishes.pull and not wishes.dry
    site = common.site(make=make)
    row = _game(site, game, make=make)
    ways = sync_of(settings, site.play, google_of(settings), row)
    with Console(stderr=True).status(say("cli.sheet.looking")):
        look = _look(ways, wishes)
    _tell(site, row, look, wishes)


def _game(site: Site, name: str | None, *, make: bool) -> GameRow:
    """Find the game: the newest one, as the server does, unless another is named."""
    known = site.hub.games()
    found = [row for row in known if name in {None, row.name}]
    if found:
        return found[0]
    if known or not make:
        refuse(say("cli.which_game" if known else "cli.sheet.no_game", games=_names(known)))
    with site.database.write() as connection:
        games.create(connection, name or games.FIRST_NAME)
    return site.hub.games()[0]


def _names(known: list[GameRow]) -> str:
    return ", ".join(row.name for row in known) or "-"


def _look(sync: Sync, wishes: Wishes) -> Look:
    """Look; and look again after writing, because somebody may have moved rows meanwhile.

    A cell that even then doesn't say what was written is to be corrected by an editor.
    """
    again = range(LOOKS if wishes.push and not wishes.dry else 0)
    try:
        first = before = last = sync.look(wishes)
        for _ in again:
            if last.level:
                return first
            before, last = last, sync.look(Wishes(pull=False))
    except GoogleError as error:
        _refuse_google(error)
    except UnreadableTable as error:
        refuse(say(f"roster.{error.code}", **dict(error.params)), error)
    same = [one for one in last.differences if again and one in before.differences]
    return replace(first, corrections=(*first.corrections, *stubborn(same)))


def _refuse_google(error: GoogleError) -> NoReturn:
    refuse(say(error.sentence, **error.params), error)


def _tell(site: Site, row: GameRow, look: Look, wishes: Wishes) -> None:
    would = "would" if wishes.dry else "done"
    if look.plan:
        new, changed = len(look.plan.new), len(look.plan.changed)
        counts = {"new": new, "changed": changed, "unchanged": look.plan.unchanged}
        typer.echo(say(f"cli.sheet.pull.{would}", game=row.name, **counts))
    if wishes.push:
        typer.echo(say(f"cli.sheet.push.{would}", n=len(look.differences)))
    for one in look.corrections:
        where = "" if one.row is None else f"{one.row} {one.column}".strip() + " : "
        typer.echo(f"  {where}{say(one.code, **dict(one.params))}", err=True)
    if look.offers:
        typer.echo(say("cli.sheet.offers", n=len(look.offers), address=site.settings.address))
    if look.corrections:
        raise typer.Exit(1)
