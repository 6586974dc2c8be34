"""`killer cards` and `killer links`: sign-in cards to cut out, and links revoked or made again."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from killer.cli import common
from killer.cli.common import game_named, refuse
from killer.cli.mail import Game_, Language, Only, named, player_named, reachable
from killer.game import commands as c
from killer.game.model import Game, Player, PlayerId
from killer.language import say, speaking
from killer.mail import cards as cards_
from killer.mail import credentials
from killer.play import Request
from killer.store import people
from killer.store.database import Connection
from killer.web.site import Site


def cards(
    game: Game_ = None,
    output: Annotated[Path, typer.Option()] = Path("cards.pdf"),
    only: Only = None,
    language: Annotated[Language | None, typer.Option()] = None,
    *,
    without_mail: Annotated[bool, typer.Option("--without-mail")] = False,
) -> None:
    """Make a PDF of sign-in cards."""
    site = common.site()
    number = game_named(site, game)
    address = reachable(site.settings)
    meant = credentials.Wanted(only=named(site, number, only))
    found = credentials.card_holders(site.database, number, meant, unreached=without_mail)
    if not found:
        typer.echo(say("cli.cards.nobody"))
        return
    with speaking(language or site.settings.language):
        texts = cards_.words(site.hub.feed(number).game.name)
    _make(site, number, found, address, texts, output)
    typer.echo(say("cli.cards.done", n=len(found), file=output))
    typer.echo(say("cli.cards.warning"), err=True)


def _make(
    site: Site,
    number: int,
    found: Sequence[Player],
    address: str,
    texts: cards_.Words,
    output: Path,
) -> None:
    """Draw first, then keep the links, then show the file: there is never a card without a link."""
    tokens = {player.id: people.new_token() for player in found}
    drawn = cards_.pdf(
        [cards_.Card(p.nickname, f"{address}/s/{tokens[p.id]}") for p in found], texts
    )
    try:
        descriptor, name = tempfile.mkstemp(dir=output.parent, prefix=".cards-")  # mode 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(drawn)
                os.fsync(file.fileno())
            with site.database.write() as connection:
                credentials.keep_cards(connection, number, found, tokens)
            Path(name).replace(output)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        refuse(say("cli.cards.no_output", file=output, cause=error.strerror or ""), error)


def revoke(nickname: Annotated[str, typer.Argument()], game: Game_ = None) -> None:
    """Make all links of a player useless."""
    site = common.site()
    player, _ = _replace_links(site, game_named(site, game), nickname, make=False)
    typer.echo(say("cli.links.revoked", nickname=player.nickname))


def new(nickname: Annotated[str, typer.Argument()], game: Game_ = None) -> None:
    """Print a new link for a player."""
    site = common.site()
    player, made = _replace_links(site, game_named(site, game), nickname, make=True)
    typer.echo(f"{site.settings.address}/s/{made[player.id]}")
    if player.organiser:
        typer.echo(say("cli.organiser.once"), err=True)


def _replace_links(
    site: Site, number: int, nickname: str, *, make: bool
) -> tuple[Player, dict[PlayerId, str]]:
    """Revoke a player's links, and note it in the log as the organiser's page does."""
    player = player_named(site.hub.feed(number).game, nickname)
    made: dict[PlayerId, str] = {}

    def replace(connection: Connection, _game: Game) -> None:
        people.revoke_links(connection, number, player.id)
        if make:
            made.update(people.new_links(connection, number, [player.id], once=player.organiser))

    noted = c.NoteContacts(player.id, ("link",))
    site.play.perform(number, noted, request=Request(), alongside=replace)
    return player, made
