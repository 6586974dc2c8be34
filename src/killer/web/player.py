"""A player's own pages: the card, the news, the two ways to leave the game."""

from __future__ import annotations

from collections.abc import Callable

from flask import redirect, request
from flask.typing import ResponseReturnValue

from killer.game.refusals import Refusal
from killer.language import say
from killer.play import Outcome
from killer.web import deeds, pages, render
from killer.web.board import news_lines
from killer.web.pages import Notice
from killer.web.problems import ProblemError, tell
from killer.web.site import site, viewer

#: What is said of a player to anybody, as it is said to the player.
OWN = {
    "already_dead": "site.leave.already_dead",
    "already_gaveup": "site.leave.already_gaveup",
    "already_out": "site.leave.already_out",
}


def home() -> ResponseReturnValue:
    """Show the own card and the news."""
    card = pages.card(viewer().game, viewer().player)
    return render.page("card.html", card=card, feed=news_lines(viewer().feed))


def card(notice: Notice | None = None) -> str:
    """Show the own card alone, for a page that is open."""
    feed = viewer().feed
    shown = pages.card(feed.game, feed.game.players[viewer().player.id])
    return render.page("_card.html", card=shown, fragment_notice=notice, game=feed.game)


def card_fragment() -> ResponseReturnValue:
    """Show the own card alone, for a page that is open."""
    return card()


def leave_page() -> ResponseReturnValue:
    """Ask once more before somebody leaves the game, as long as there is anything to leave."""
    if pages.mood(viewer().game, viewer().player) != "running":
        return redirect("/")
    return render.page("leave.html", leave=request.path.lstrip("/"))


def death() -> ResponseReturnValue:
    """Declare one's own death."""
    return _leave("death", deeds.die)


def give_up() -> ResponseReturnValue:
    """Leave the game."""
    return _leave("giveup", deeds.give_up)


def _leave(kind: str, deed: Callable[[], Outcome]) -> ResponseReturnValue:
    if request.form.get("sure") != "yes":
        raise ProblemError(400, "not_sure")
    live = "HX-Request" in request.headers
    try:
        deed()
    except Refusal as refusal:
        return _not_left(refusal, live=live)
    done = say(f"site.leave.done.{kind}")
    site().hub.feed(viewer().feed.number)
    if live:
        return card(Notice(done))
    render.leave_notice(done)
    return redirect("/", 303)


def _not_left(refusal: Refusal, *, live: bool) -> ResponseReturnValue:
    """Tell a player why nothing was declared, where the game stands now."""
    reason = say(OWN[refusal.code]) if refusal.code in OWN else tell(refusal).title
    if live:
        return card(Notice(reason, "problem")), tell(refusal).status
    render.leave_notice(reason, "problem")
    return redirect("/", 303)
