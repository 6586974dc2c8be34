"""What every player may look at: the news, the leaderboard, the faces, the podiums."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import request
from flask.typing import ResponseReturnValue

from killer.live.frames import sentence
from killer.live.hub import Feed
from killer.store import people
from killer.web import pages, render
from killer.web.pages import FeedLine
from killer.web.site import site, viewer

NEWS = 30  # lines


def _page(name: str, **context: object) -> str:
    """Show a whole page, or only the part that htmx asks for again."""
    part = "HX-Request" in request.headers
    return render.page(f"_{name}.html" if part else f"{name}.html", **context)


def news_lines(feed: Feed) -> list[FeedLine]:
    """Tell the last news in the reader's language."""
    return [
        FeedLine(f.version, datetime.fromtimestamp(f.at / 1000, UTC), f.news.kind, sentence(f.news))
        for f in feed.recent(NEWS)
    ]


def news() -> ResponseReturnValue:
    """Show the last news."""
    return render.page("_feed.html", feed=news_lines(viewer().feed))


def leaderboard() -> ResponseReturnValue:
    """Show everybody by kills."""
    return _page("leaderboard", board=pages.leaderboard(viewer().game, viewer().player))


def players() -> ResponseReturnValue:
    """Show everybody's face."""
    with site().database.read() as connection:
        contacts = people.read_contacts(connection, viewer().feed.number)
    phones = {number: contact.phone for number, contact in contacts.items()}
    return _page("players", gallery=pages.gallery(viewer().game, phones))


def podium() -> ResponseReturnValue:
    """Show who survived and who killed most."""
    return _page("podium", podium=pages.podium(viewer().game))
