"""`killer mail credentials`: every player's sign-in link, by mail."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, NoReturn

import typer

from killer.cli import common
from killer.cli.common import game_named, refuse
from killer.game.model import Game, Player, PlayerId
from killer.language import say
from killer.mail import addresses, credentials
from killer.mail.credentials import Plan, Report, Wanted
from killer.settings import Settings
from killer.web.site import Site

Game_ = Annotated[str | None, typer.Option("--game")]
Only = Annotated[list[str] | None, typer.Option("--only")]


class Language(StrEnum):
    """What the mails and the cards are written in."""

    FR = "fr"
    EN = "en"


def credentials_(
    game: Game_ = None,
    only: Only = None,
    language: Annotated[Language | None, typer.Option()] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run")] = False,
    again: Annotated[bool, typer.Option("--again")] = False,
    again_uncertain: Annotated[bool, typer.Option("--again-uncertain")] = False,
    organisers: Annotated[bool, typer.Option("--organisers")] = False,
) -> None:
    """Send every player's sign-in link."""
    site = common.site()
    number = game_named(site, game)
    wanted = Wanted(again, again_uncertain, organisers, named(site, number, only))
    plan = credentials.look(site.database, number, wanted)
    if dry_run:
        typer.echo(say("cli.mail.would", n=len(plan.due), names=_listed(_names(plan.due))))
        _tell_rest(_without_sending(plan))
        return
    address = reachable(site.settings)
    report = _send(site, number, address, wanted, language or Language(site.settings.language))
    typer.echo(say("cli.mail.sent", n=len(report.sent)))
    _tell_rest(report)
    if not report.complete:
        raise typer.Exit(1)


def named(site: Site, number: int, nicknames: list[str] | None) -> frozenset[PlayerId]:
    """Find players by their nicknames.

    Raises:
        typer.Exit: there is none of that nickname.
    """
    game = site.hub.feed(number).game
    return frozenset(player_named(game, nickname).id for nickname in nicknames or ())


def player_named(game: Game, nickname: str) -> Player:
    """Find one player.

    Raises:
        typer.Exit: there is none of that nickname.
    """
    return game.find(nickname) or _nobody(nickname)


def _nobody(nickname: str) -> NoReturn:
    refuse(say("refusal.no_such_nickname", nickname=nickname))


def reachable(settings: Settings) -> str:
    """Give the address for the players' links; whoever sets PUBLIC_URL knows why.

    Raises:
        typer.Exit: it would open nothing on another machine.
    """
    if not settings.public_url and addresses.leads_nowhere(settings.address):
        refuse(say("cli.mail.nowhere", address=settings.address))
    return settings.address


def _send(site: Site, number: int, address: str, wanted: Wanted, language: str) -> Report:
    with common.asked_to_end() as ending, common.progress(say("cli.mail.progress"), 0) as bar:

        def told(sent: int, failed: int, total: int) -> None:
            bar.update(bar.task_ids[0], completed=sent + failed, total=total)

        return credentials.send(
            site.database,
            site.settings,
            number,
            address,
            wanted,
            language=language,
            told=told,
            stop=lambda: bool(ending),
        )


def _names(players: tuple[Player, ...]) -> tuple[str, ...]:
    return tuple(player.nickname for player in players)


def _listed(nicknames: tuple[str, ...]) -> str:
    return ", ".join(nicknames) or "-"


def _without_sending(plan: Plan) -> Report:
    return Report(
        uncertain=_names(plan.uncertain),
        without=_names(plan.without),
        already=len(plan.already),
    )


def _tell_rest(report: Report) -> None:
    """Say who got no mail now, and why; what went wrong on the standard error."""
    if report.already:
        typer.echo(say("cli.mail.already", n=report.already))
    if report.without:
        names = _listed(report.without)
        typer.echo(say("cli.mail.without", n=len(report.without), names=names))
    for nickname, detail in report.failed:
        code, _, said = detail.partition(" ")
        why = say(f"mail.{code}")
        typer.echo(say("cli.mail.failed", nickname=nickname, why=why, said=said).strip(), err=True)
    if report.uncertain:
        names = _listed(report.uncertain)
        typer.echo(say("cli.mail.uncertain", n=len(report.uncertain), names=names), err=True)
    if report.stopped:
        why = say(f"mail.{report.stopped}")
        typer.echo(say("cli.mail.left", why=why, said=report.said, n=report.left), err=True)
