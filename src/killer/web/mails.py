"""The sign-in links' way to the players: the button that mails them, who got one, the cards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from flask import Response, redirect, request
from flask.typing import ResponseReturnValue

from killer.game.model import Player, PlayerId
from killer.language import current, say, say_kept
from killer.mail import addresses, cards, credentials
from killer.mail.credentials import Plan, Wanted
from killer.store import errands, mails, people
from killer.store.errands import OPEN, Errand
from killer.store.mails import Mail
from killer.web import deeds, render
from killer.web.lots import Lots
from killer.web.problems import ProblemError
from killer.web.site import outer_address, site, viewer

PAGE = "/organiser/mails"


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one player's mail, without the address."""

    nickname: str
    why: str = ""
    said: str = ""  # the mail server's own words
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a game's mails stand."""

    due: int  # whom the button would write to
    fresh: int  # of them, those who were never written to
    sent: tuple[Line, ...]
    failed: tuple[Line, ...]
    uncertain: tuple[Line, ...]
    without: tuple[str, ...]
    unreached: int
    errand: Errand | None
    configured: bool
    nowhere: str  # the address, when it would open nothing on a player's phone

    @property
    def busy(self) -> bool:
        """Tell whether mails are under way."""
        return self.errand is not None and self.errand.state in OPEN

    @property
    def stopped(self) -> str:
        """Say why the last run left off."""
        code = dict(self.errand.detail).get("stopped", "") if self.errand else ""
        return say_kept(f"mail.{code}") if code and not self.busy else ""


def page() -> ResponseReturnValue:
    """Show who has got a sign-in link by mail, who hasn't and why."""
    part = request.args.get("part") == "mails"
    template = "organiser/_mails.html" if part else "organiser/mails.html"
    return render.page(template, desk=_desk())


def _desk() -> Desk:
    number, database = viewer().feed.number, site().database
    plan = credentials.look(database, number, Wanted())
    with database.read() as connection:
        log = mails.sent(connection, number, credentials.KIND)
        errand = errands.latest(connection, number, "mails")
    lines = _by_state(log, plan)
    address = outer_address()
    return Desk(
        due=len(plan.due),
        fresh=sum(log.get(p.id) is None or log[p.id].state == mails.ASKED for p in plan.due),
        sent=lines[mails.SENT],
        failed=lines[mails.FAILED],
        uncertain=lines[mails.HANDING],
        without=tuple(p.nickname for p in plan.without),
        unreached=len(credentials.card_holders(database, number, Wanted(), unreached=True)),
        errand=errand,
        configured=bool(site().settings.smtp_host),
        nowhere=address if _leads_nowhere(address) else "",
    )


def _leads_nowhere(address: str) -> bool:
    return not site().settings.public_url and addresses.leads_nowhere(address)


def _by_state(log: Mapping[PlayerId, Mail], plan: Plan) -> dict[str, tuple[Line, ...]]:
    """Sort the log of the mails by what became of them; each list by nickname."""
    order = {p.id: n for n, p in enumerate((*plan.due, *plan.already, *plan.uncertain))}
    players = viewer().game.players
    found: dict[str, list[Line]] = {mails.SENT: [], mails.FAILED: [], mails.HANDING: []}
    for number, mail in sorted(log.items(), key=lambda item: order.get(item[0], len(order))):
        if mail.state in found:
            found[mail.state].append(_line(players[number], mail))
    return {state: tuple(lines) for state, lines in found.items()}


def _line(player: Player, mail: Mail) -> Line:
    code, _, said = mail.detail.partition(" ")
    at = datetime.fromtimestamp(mail.at / 1000, UTC)
    return Line(player.nickname, say_kept(f"mail.{code}") if code else "", said, at)


def ask() -> ResponseReturnValue:
    """Ask for a mail to everybody who hasn't got one."""
    plan = credentials.look(site().database, viewer().feed.number, Wanted())
    _ask([player.id for player in plan.due])
    render.leave_notice(say("site.mails.queued"))
    return redirect(PAGE, 303)


def ask_one(nickname: str) -> ResponseReturnValue:
    """Ask for one player's mail, though it may have gone out before."""
    player, number = deeds.player_named(nickname), viewer().feed.number
    with site().database.read() as connection:
        contact = people.read_contacts(connection, number).get(player.id)
    if contact is None or not contact.email.strip():
        raise ProblemError(409, "no_address", nickname=player.nickname)
    _ask([player.id])
    render.leave_notice(say("site.mails.queued_one", nickname=player.nickname))
    back = f"/organiser/players/{quote(nickname, safe='')}"
    return redirect(back if request.form.get("back") == "player" else PAGE, 303)


def _ask(wanted: list[PlayerId]) -> None:
    """Note whom to write to and that there is something to do, both or neither."""
    if not site().settings.smtp_host:
        raise ProblemError(409, "no_mail_server")
    number, actor, address = viewer().feed.number, viewer().player.id, _address()
    with site().database.write() as connection:
        if deeds.once(connection):
            mails.ask(connection, number, wanted, credentials.KIND, current())
            errands.ask(connection, number, "mails", actor, address)


def _address() -> str:
    address = outer_address()
    if _leads_nowhere(address):
        raise ProblemError(409, "mail_nowhere", address=address)
    return address


def print_cards() -> ResponseReturnValue:
    """Give a PDF of cards for those whom no mail reaches."""
    number, address = viewer().feed.number, _address()
    database = site().database
    holders = credentials.card_holders(database, number, Wanted(), unreached=True)
    lots = Lots.drawn("cards")
    tokens = {player.id: lots.token(f"player {player.id}") for player in holders}
    drawn = cards.pdf(
        [cards.Card(p.nickname, f"{address}/s/{tokens[p.id]}") for p in holders],
        cards.words(viewer().game.name),
    )
    with database.write() as connection:
        if deeds.once(connection):
            credentials.keep_cards(connection, number, holders, tokens)
    headers = {
        "Content-Disposition": f'attachment; filename="{say("site.mails.card_file")}"',
        "Cache-Control": "no-store",
    }
    return Response(drawn, headers=headers, content_type="application/pdf")
