"""The big screen: for whoever has its link, without an account, as long as it is open."""

from __future__ import annotations

import hmac
import secrets
from functools import lru_cache
from typing import NamedTuple

import segno
from flask import Response, redirect, request
from flask.typing import ResponseReturnValue

from killer import language
from killer.language import say
from killer.live.hub import Feed, UnknownGameError
from killer.store import games
from killer.store.games import GameRow
from killer.web import deeds, render
from killer.web.answers import FRESH, SHARED, Header, negotiate
from killer.web.edition import edition
from killer.web.problems import ProblemError
from killer.web.site import Site, outer_address, site, viewer

API = "/api/screen/"
PAGE = "/organiser/screen"
LARGEST = 2**62
NOTHING: tuple[Header, ...] = (
    ("Cache-Control", "no-store"),
    ("Content-Type", "application/json"),
    ("Content-Length", "0"),
    ("X-Content-Type-Options", "nosniff"),
)


class Answer(NamedTuple):
    """An answer, and by which route it was given."""

    route: str
    status: int
    headers: list[Header]
    body: bytes


@lru_cache(maxsize=10_000)
def _token(secret: bytes, game: int, number: int) -> str:
    return hmac.digest(secret, f"screen/{game}/{number}".encode(), "sha256").hex()[:32]


def token(parts: Site, row: GameRow) -> str:
    """Give the token of a game's link, empty when its screen is closed.

    Nothing secret is stored: without the server's secret, the number tells nobody the link.
    """
    if row.screen is None:
        return ""
    return _token(parts.secret, row.id, row.screen)


def feed_of(parts: Site, given: str) -> Feed | None:
    """Find the game whose link holds a token; none when it opens nothing, or no longer.

    Raises:
        StoreUnavailableError: the database can't be asked.
    """
    asked = given.encode()
    for row in parts.hub.rows():
        if row.screen is not None and hmac.compare_digest(token(parts, row).encode(), asked):
            try:
                return parts.hub.feed(row.id)
            except UnknownGameError:  # a rehearsal, removed just now
                return None
    return None


def answer(parts: Site, path: str, known: str, accepted: str) -> Answer | None:
    """Answer what a screen asks for, or give nothing when the link opens nothing.

    Nobody's cookie is looked at: what anybody may keep must be the same for everybody.

    Raises:
        StoreUnavailableError: the database can't be asked.
    """
    given, *wanted = path.removeprefix(API).split("/")
    feed = feed_of(parts, given)
    if feed is None or len(wanted) > 1:
        return None
    now = edition(feed)
    if not wanted:
        return Answer(f"GET {API}<token>", *negotiate(now.status, known, accepted, FRESH))
    route = f"GET {API}<token>/<edition>"
    if wanted[0] == now.name:
        return Answer(route, *negotiate(now.whole, known, accepted, SHARED))
    return Answer(route, 303, [("Location", f"{API}{given}/{now.name}"), *NOTHING], b"")


def _answered() -> Response:
    accepted = request.headers.get("Accept-Encoding", "")
    found = answer(site(), request.path, request.headers.get("If-None-Match", ""), accepted)
    if found is None:
        raise ProblemError(404, "screen_closed")
    return Response(found.body, found.status, found.headers)


def status(token: str) -> Response:  # noqa: ARG001  # it is read in the path, as before Flask
    """Tell a big screen which edition it should show now."""
    return _answered()


def whole(token: str, edition: str) -> Response:  # noqa: ARG001  # as above
    """Give an edition of the big screen, or lead to the present one."""
    return _answered()


def page(token: str) -> ResponseReturnValue:
    """Show the big screen to whoever has its link."""
    language.choose(request.args.get("lang", language.current()))
    feed = feed_of(site(), token)
    if feed is None:
        raise ProblemError(404, "screen_closed")
    return render.page("screen.html", game=feed.game, token=token)


# --- the organisers' page ---


def _row() -> GameRow:
    number = viewer().feed.number
    return next(row for row in site().hub.rows() if row.id == number)


def desk() -> ResponseReturnValue:
    """Show organisers the link of their big screen, and what they can do with it."""
    held = token(site(), _row())
    link = f"{outer_address()}/screen/{held}" if held else ""
    code = segno.make(link, error="m", micro=False) if link else None
    drawn = code.svg_data_uri(border=3, dark="#000", light="#fff") if code else ""
    return render.page("organiser/screen.html", link=link, held=held, drawn=drawn)


def show() -> ResponseReturnValue:
    """Open the big screen under a new link; an older one dies at once.

    Whoever doesn't hold the present link changes nothing: not by a second tap, nor by a page that
    is older than what another organiser has done.
    """
    row = _row()
    mine = request.form.get("held", "") == token(site(), row)
    done = deeds.repeated() is not None
    if done or (mine and _number(row, 1 + secrets.randbelow(LARGEST))):
        told = "screen.done.shown"
    else:
        told = "screen.done.closed_meanwhile" if _row().screen is None else "screen.done.other"
    render.leave_notice(say(told))
    return redirect(PAGE, 303)


def close() -> ResponseReturnValue:
    """Close the big screen: its link dies at once."""
    while deeds.repeated() is None and not _number(_row(), None):
        pass  # somebody has just made another link
    render.leave_notice(say("screen.done.closed"))
    return redirect(PAGE, 303)


def _number(row: GameRow, after: int | None) -> bool:
    with site().database.write() as connection:
        return games.set_screen(connection, row.id, row.screen, after) and deeds.once(connection)
