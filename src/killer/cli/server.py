"""`killer serve`, `demo`, `check` and `organiser`."""

from __future__ import annotations

from typing import Annotated

import typer

from killer import demo as demo_
from killer import serve as serve_
from killer import settings as settings_
from killer.cli import common
from killer.cli.common import game_named, refuse
from killer.game import commands as c
from killer.game.model import Status
from killer.game.refusals import Refusal
from killer.language import say
from killer.store import check as check_
from killer.store import games, people


def serve() -> None:
    """Start the server."""
    settings = common.settings()
    with common.folder(settings):
        serve_.run(settings)


def demo(*, fast: Annotated[bool, typer.Option("--fast")] = False) -> None:
    """Show a game that moves."""
    demo_.run(settings_.load(), pace=1.0 if fast else 5.0)  # `.env` is the real server's


def organiser_add(
    name: Annotated[str, typer.Argument()], game: Annotated[str | None, typer.Option()] = None
) -> None:
    """Make an organiser and print a one-time sign-in link."""
    site = common.site(make=True)
    number = game_named(site, game, make=True)
    known = site.hub.feed(number).game.find(name)
    command: c.Command = c.Enrol(name, status=Status.OUT, organiser=True)
    if known:
        command = c.Edit(known.id, (("organiser", True),))
    try:
        site.play.perform(number, command)
    except Refusal as refusal:
        refuse(say(f"refusal.{refusal.code}", **refusal.params), refusal)
    player = site.hub.feed(number).game.find(name)
    assert player is not None
    with site.database.write() as connection:
        token = people.new_links(connection, number, [player.id], once=True)[player.id]
    typer.echo(f"{site.settings.address}/s/{token}")
    typer.echo(say("cli.organiser.once"), err=True)


def organiser_list(game: Annotated[str | None, typer.Option()] = None) -> None:
    """Name the organisers."""
    site = common.site()
    number = game_named(site, game)
    organisers = [p for p in site.hub.feed(number).game.players.values() if p.organiser]
    for player in organisers:
        typer.echo(player.nickname)
    if not organisers:
        typer.echo(say("cli.organiser.none"))


def organiser_remove(
    name: Annotated[str, typer.Argument()], game: Annotated[str | None, typer.Option()] = None
) -> None:
    """Take an organiser's right away; whoever plays goes on playing."""
    site = common.site()
    number = game_named(site, game)
    known = site.hub.feed(number).game.find(name)
    if known is None or not known.organiser:
        refuse(say("cli.organiser.not_one", nickname=known.nickname if known else name))
    site.play.perform(number, c.Dismiss(known.id, even_last=True))
    typer.echo(say("cli.organiser.removed", nickname=known.nickname))


def check() -> None:
    """Check the laws on the live database."""
    site = common.site()
    sound = True
    with site.database.read() as connection:
        known = games.every(connection)
        for row in known:
            found = check_.faults(connection, row)
            sound = sound and not found
            state = say(f"site.state.{row.state}")
            key = "cli.check.broken" if found else "cli.check.sound"
            typer.echo(say(key, game=row.name, version=row.version, state=state))
            for fault in found:
                typer.echo(f"  - {fault}")
    if not known:
        typer.echo(say("cli.no_game"), err=True)
    if not sound:
        raise typer.Exit(1)
