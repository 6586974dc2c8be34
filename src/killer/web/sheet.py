"""The Google Sheet on the organisers' pages: how level it is, and what its editors ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flask import redirect, request
from flask.typing import ResponseReturnValue

from killer.bulletin import age
from killer.game.model import Game
from killer.game.refusals import Refusal
from killer.language import say, say_kept
from killer.sheets import edits
from killer.sheets.noticed import lag
from killer.store import people, sheets
from killer.store.database import Connection
from killer.store.games import now
from killer.store.people import Contact, Said
from killer.store.sheets import Correction, Offer, SheetState
from killer.web import deeds, render
from killer.web.problems import ProblemError, tell
from killer.web.site import asked, site, viewer

PAGE = "/organiser/sheet"
SECOND, MINUTE = 1000, 60_000  # milliseconds
LATE = 30 * SECOND  # without anything wrong, the sheet says everything after that
JUST_NOW = 5 * SECOND
SILENT = 2 * MINUTE  # nobody has looked at the sheet for so long after a look was due


@dataclass(frozen=True, slots=True)
class Line:
    """How level the sheet is, in one sentence; `mood` is level, late or trouble."""

    mood: Literal["level", "late", "trouble"]
    text: str
    more: str = ""
    offers: int = 0
    corrections: int = 0


@dataclass(frozen=True, slots=True)
class Ask:
    """An offer as organisers read it."""

    id: int
    nickname: str
    text: str
    consequence: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A cell to correct in the sheet."""

    row: int | None
    column: str
    text: str


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything about the sheet on one page."""

    line: Line | None
    asks: tuple[Ask, ...]
    faults: tuple[Fault, ...]
    targets: bool
    address: str


def page() -> ResponseReturnValue:
    """Show how level the sheet is, what its editors ask for and what they should correct."""
    if request.args.get("part") == "line":
        found = line()
        return render.page("organiser/_sheet_line.html", line=found) if found else ""
    return render.page("organiser/sheet.html", desk=_desk())


def _desk() -> Desk:
    settings, game = site().settings, viewer().game
    with site().database.read() as connection:
        level = sheets.state(connection, viewer().feed.number)
        waiting = _waiting(connection)
    address = f"https://docs.google.com/spreadsheets/d/{settings.spreadsheet}/edit"
    return Desk(
        line(),
        tuple(_ask(game, one) for one in waiting),
        tuple(map(_fault, level.problems if level else ())),
        settings.sheet_targets,
        address if settings.spreadsheet and not viewer().feed.rehearsal else "",
    )


def _waiting(connection: Connection) -> list[Offer]:
    every = sheets.every_offer(connection, viewer().feed.number)
    return [one for one in every if not one.refused]


def _fault(one: Correction) -> Fault:
    return Fault(one.row, one.column, say_kept(one.code, **dict(one.params)))


def _ask(game: Game, one: Offer) -> Ask:
    player = game.players.get(one.player) if one.player else None
    nickname = player.nickname if player else one.nickname
    before, wanted = one.before, one.wanted
    if one.kind == "status":
        before, wanted = (say(f"site.status.{word}") for word in (before, wanted))
    words = {"who": nickname, "before": before or say("sheet.offer.nothing"), "wanted": wanted}
    verb = f"{one.kind}.{one.wanted}" if one.kind == "status" else one.kind
    return Ask(
        one.id,
        nickname,
        say(f"sheet.offer.{one.kind}", **words),
        say(f"sheet.consequence.{verb}", **words),
    )


def line() -> Line | None:
    """Say how level the sheet is; nothing when there is no sheet."""
    if not site().settings.spreadsheet:
        return None
    number, game = viewer().feed.number, viewer().game
    if site().hub.games()[0].id != number:
        return None  # the sheet belongs to the newest game
    with site().database.read() as connection:
        level = sheets.state(connection, number) or SheetState()
        behind = lag(connection, number, game.version)
        offers = len(_waiting(connection))
    mood, text, more = _words(level, behind)
    return Line(mood, text, more, offers, len(level.problems))


def _words(
    level: SheetState, behind: float
) -> tuple[Literal["level", "late", "trouble"], str, str]:
    if level.trouble:
        return "trouble", _since(level), say_kept(level.trouble, **dict(level.details))
    if level.read_at is None:
        return "late", say("sheet.line.never"), ""
    ago = now() - level.read_at
    if ago > SILENT + site().settings.players_ttl * SECOND:
        return "trouble", say("sheet.line.silent", ago=age(ago / SECOND)), ""
    if behind * SECOND > LATE:
        return "late", say("sheet.line.late", ago=age(behind)), ""
    if ago < JUST_NOW:
        return "level", say("sheet.line.just_now"), ""
    return "level", say("sheet.line.level", ago=age(ago / SECOND)), ""


def _since(level: SheetState) -> str:
    ago = age((now() - (level.since or now())) / SECOND)
    if level.read_at is None:
        return say("sheet.line.cut_never", ago=ago)
    return say("sheet.line.cut", ago=ago, read=age((now() - level.read_at) / SECOND))


def apply(number: int) -> ResponseReturnValue:
    """Do in the game what somebody wrote into the sheet."""
    here = viewer().feed.number
    if deeds.repeated() is not None:
        return redirect(PAGE, 303)
    with site().database.read() as connection:
        one = _standing(connection, number)

    def settle(connection: Connection, game: Game) -> None:
        if sheets.take_offer(connection, here, number) is None:
            raise ProblemError(404, "offer_gone")  # somebody else was quicker
        player = game.find(one.nickname)
        if one.kind == "newcomer" and player:  # an organiser has vouched for this row
            said = Contact(said=Said(nickname=player.nickname))
            people.set_contacts(connection, here, {player.id: said})

    why = asked(say("sheet.offer.reason"))
    try:
        command = edits.command(viewer().game, one, deeds.seed())
        site().play.perform(here, command, request=why, alongside=settle)
    except Refusal as refusal:
        with site().database.read() as connection:
            _standing(connection, number)
        render.leave_notice(tell(refusal).title, "problem")
    else:
        render.leave_notice(say("sheet.offer.applied", who=one.nickname))
    return redirect(PAGE, 303)


def refuse(number: int) -> ResponseReturnValue:
    """Leave the game as it is; the sheet was put right already."""
    here = viewer().feed.number
    with site().database.write() as connection:
        if not deeds.once(connection):
            pass
        elif _standing(connection, number).kind in edits.ROWS:
            sheets.refuse_offer(connection, here, number)  # the row is still there, or still gone
        else:
            sheets.drop_offers(connection, here, [number])
    render.leave_notice(say("sheet.offer.refused"))
    return redirect(PAGE, 303)


def _standing(connection: Connection, number: int) -> Offer:
    """Give an offer that nobody has decided yet."""
    one = next((each for each in _waiting(connection) if each.id == number), None)
    if one is None:
        raise ProblemError(404, "offer_gone")
    return one
