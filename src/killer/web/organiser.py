"""The organisers' desk: the table of players, the state of the game, the log."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

from flask import redirect, request
from flask.typing import ResponseReturnValue

from killer.game import audience
from killer.game import commands as c
from killer.game import events as e
from killer.game.model import Game, Player, Status
from killer.game.refusals import Refusal
from killer.language import say
from killer.store import log
from killer.web import deeds, pages, render, sheet
from killer.web.problems import ProblemError, tell
from killer.web.site import site, viewer

PAGE = 100  # lines of the log
LONGEST_VERSION = 10  # digits
ACTIONS = frozenset({"start", "pause", "resume", "end", "reshuffle"})


def table() -> ResponseReturnValue:
    """Show all players and the state of the game."""
    part = request.args.get("part", "")
    whole = "organiser/table.html"
    template = {"table": "organiser/_table.html", "state": "organiser/_state.html"}.get(part, whole)
    return render.page(template, table=pages.table(viewer().game), line=sheet.line())


def confirm(verb: str) -> ResponseReturnValue:
    """Ask once more before the state of the game changes."""
    if verb not in ACTIONS:
        raise ProblemError(404, "not_found")
    return render.page("organiser/confirm.html", action=verb)


def steer(verb: str) -> ResponseReturnValue:
    """Change the state of the game, or what players learn of a death."""
    if verb == "visibility":
        deeds.show(request.form.get("visibility", ""), _reason())
    else:
        deeds.steer(verb, _reason())
    render.leave_notice(say(f"site.done.{verb}"))
    return redirect("/organiser", 303)


def _reason() -> str:
    return request.form.get("reason", "")


# --- one player ---


def player(nickname: str) -> ResponseReturnValue:
    """Show all about one player; the address of a link that was shown leads there too."""
    stem = nickname.removesuffix("/link")
    if stem != nickname and viewer().game.find(nickname) is None:
        return redirect(_address(deeds.player_named(stem).nickname), 303)
    return _player_page(deeds.player_named(nickname))


def _player_page(player: Player, **more: str) -> str:
    records = _records(viewer().game)
    mine = [r for r in records if _concerns(r.event, player)]
    file = pages.player_file(viewer().game, player, mine, _undone(records))
    return render.page("organiser/player.html", file=file, **more)


def _concerns(event: e.Event, player: Player) -> bool:
    return player.id in {event.player, getattr(event, "hunter", None)}


def _back_to(nickname: str, done: str) -> ResponseReturnValue:
    render.leave_notice(say(f"site.done.{done}", nickname=nickname))
    return redirect(_address(nickname), 303)


def _address(nickname: str) -> str:
    return f"/organiser/players/{quote(nickname, safe='')}"


def kill(nickname: str) -> ResponseReturnValue:
    """Declare a player's death, credited to the hunter or not."""
    credited = request.form.get("credited", "yes") == "yes"
    deeds.kill(nickname, credited=credited, reason=_reason())
    return _back_to(nickname, "kill")


def revive(nickname: str) -> ResponseReturnValue:
    """Bring a player back at a new place in the ring."""
    deeds.revive(nickname, _reason())
    return _back_to(nickname, "revive")


def remove(nickname: str) -> ResponseReturnValue:
    """Take a player out of the game."""
    deeds.remove(nickname, _reason())
    return _back_to(nickname, "remove")


def sign_out(nickname: str) -> ResponseReturnValue:
    """End all sessions of a player."""
    deeds.sign_out_everywhere(nickname, _reason())
    return _back_to(nickname, "signout")


def link(nickname: str) -> ResponseReturnValue:
    """Make a new sign-in link for a player and show it once, however often the page is loaded."""
    player, made = deeds.player_named(nickname), deeds.new_link(nickname, _reason())
    return _player_page(player, link=made) if made else _back_to(nickname, "link")


def edit(nickname: str) -> ResponseReturnValue:
    """Correct a player's nickname, year or challenge."""
    fields = {n: request.form[n] for n in ("nickname", "year", "challenge") if n in request.form}
    done = deeds.repeated() is not None and fields.get("nickname")  # by which nobody goes any more
    here = deeds.player_named(done or nickname)
    problem = ""
    try:
        deeds.edit(nickname, fields, _reason())
    except Refusal as refusal:
        problem = tell(refusal).title
    if request.args.get("part") == "challenge":
        return _challenge(here, problem)
    if problem:
        return _player_page(here, edit_problem=problem), 422
    return _back_to(fields.get("nickname") or nickname, "edit")


def _challenge(player: Player, problem: str) -> str:
    game = viewer().feed.game
    row = audience.row(game, game.players[player.id])
    return render.page("organiser/_challenge.html", row=row, saved=not problem, problem=problem)


# --- everybody ---


def challenges() -> ResponseReturnValue:
    """Show every player's challenge, to be reviewed and corrected."""
    return render.page("organiser/challenges.html", table=pages.table(viewer().game))


def add_page() -> ResponseReturnValue:
    """Show the form to add a player."""
    return render.page("organiser/add.html")


def add() -> ResponseReturnValue:
    """Add a player, before the start or in the middle of the game."""
    form = request.form
    nickname = form.get("nickname", "")
    status = Status.ALIVE if form.get("playing") else Status.OUT
    organiser = bool(form.get("organiser"))
    wanted = c.Enrol(
        nickname, form.get("year", ""), form.get("challenge", ""), status, organiser, deeds.seed()
    )
    try:
        deeds.add(wanted, reason=_reason())
    except Refusal as refusal:
        render.leave_notice(tell(refusal).title, "problem")
        return render.page("organiser/add.html", form=form), 422
    return _back_to(nickname, "add")


# --- the log ---


def audit() -> ResponseReturnValue:
    """Show the log: who did what, when and why."""
    before = request.args.get("before", "")
    sound = before.isdecimal() and len(before) < LONGEST_VERSION
    return _log_page(int(before) - 1 if sound else viewer().game.version)


def _log_page(newest: int, **refused: str | int) -> str:
    records = _records(viewer().game)
    shown = [r for r in records if newest - PAGE < r.version <= newest]
    older = shown[-1].version if shown and shown[-1].version > 1 else None
    lines = pages.log(viewer().game, shown, _undone(records))
    return render.page("organiser/log.html", lines=lines, older=older, newest=newest, **refused)


def undo(version: int) -> ResponseReturnValue:
    """Take one event back exactly, or show in the log what is in the way."""
    try:
        deeds.undo(version, _reason())
    except Refusal as refusal:
        told, in_the_way = tell(refusal), refusal.params.get("version", version)
        newest = min(viewer().game.version, version + PAGE - 1)  # the line in question is shown
        refused = {"problem": told.title, "why": _reason()}
        page = _log_page(newest, wanted=version, blocker=in_the_way, **refused)
        return page, told.status
    render.leave_notice(say("site.done.undo", version=version))
    return redirect("/organiser/log", 303)


def _records(game: Game) -> list[pages.Record]:
    """Read the whole log, newest first, with the names of who did it."""
    with site().database.read() as connection:
        records = log.since(connection, viewer().feed.number, 0)
    return [
        pages.Record(
            r.version,
            datetime.fromtimestamp(r.at / 1000, UTC),
            r.event,
            pages.nickname(game, r.actor),
            r.reason,
        )
        for r in reversed(records)
    ]


def _undone(records: list[pages.Record]) -> frozenset[int]:
    """Find which events are taken back now; a taking back may be taken back too."""
    undone: set[int] = set()
    for record in records:  # newest first
        if isinstance(record.event, e.Undone) and record.version not in undone:
            undone.add(record.event.version)
    return frozenset(undone)
