"""What every player may look at: the news, the leaderboard, the faces, the podiums."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Response, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from killer.game.model import Game, PlayerId
from killer.language import current
from killer.live.frames import sentence
from killer.live.hub import Feed
from killer.store import people
from killer.web import pages, render
from killer.web.answers import takes_gzip
from killer.web.pages import FeedLine, Rank
from killer.web.site import site, viewer

NEWS = 30  # lines
PLACE = "#rank#"  # where a line's rank is filled in, before anything that a player has written


@dataclass(frozen=True, slots=True)
class Ranking:
    """The leaderboard of one version in one language: its lines, written, and whose they are."""

    lines: tuple[Rank, ...]
    written: tuple[str, ...]
    places: Mapping[PlayerId, int]
    alive: int
    players: int

    def rows(self, mine: int | None) -> Markup:
        """Give all rows as one text, the reader's own marked."""
        rows = list(self.written)
        if mine is not None:
            rows[mine] = _row(self.lines[mine], mine=True)
        return _joined(rows)


def _row(line: Rank, *, mine: bool) -> str:
    """Write a line; one kill moves almost everybody's rank, so that it is filled in afterwards."""
    first = line.rank == 1 and line.kills > 0
    told = {"person": line.person, "kills": line.kills, "first": first, "mine": mine}
    return str.replace(render.kept("_rank.html", rank=PLACE, **told), PLACE, str(line.rank), 1)


def _joined(rows: Sequence[str]) -> Markup:
    return Markup("".join(rows))  # noqa: S704  # each row is escaped already


@dataclass(frozen=True, slots=True)
class Faces:
    """The trombinoscope of one version in one language."""

    html: Markup
    years: tuple[str, ...]
    zipped: bytes


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
    feed, me = viewer().feed, viewer().player.id
    ranking = feed.once(("ranking", current()), written_ranking)
    return _page("leaderboard", ranking=ranking, mine=ranking.places.get(me))


def written_ranking(game: Game) -> Ranking:
    """Write every line once for all readers; each only has the own one written anew."""
    lines = pages.leaderboard(game)
    rows = tuple(_row(line, mine=False) for line in lines)
    places = {line.player: number for number, line in enumerate(lines)}
    return Ranking(lines, rows, places, len(game.alive), len(game.playing))


def players() -> ResponseReturnValue:
    """Show everybody's face."""
    feed = viewer().feed
    phones = organisers_phones()
    key = ("gallery", current(), *sorted(phones.items()))
    faces = feed.once(key, lambda game: written_faces(game, phones))
    if "HX-Request" not in request.headers:
        return render.page("players.html", faces=faces)
    if not takes_gzip():
        return faces.html
    return Response(faces.zipped, headers={"Content-Encoding": "gzip"}, mimetype="text/html")


def written_faces(game: Game, phones: Mapping[PlayerId, str]) -> Faces:
    """Write all faces once for all readers."""
    gallery = pages.gallery(game, phones)
    rows = [render.kept("_face.html", person=person) for person in gallery.people]
    html = render.part("_players.html", gallery=gallery, rows=_joined(rows))
    return Faces(html, gallery.years, gzip.compress(html.encode(), 5, mtime=0))


def organisers_phones() -> dict[PlayerId, str]:
    """Read the numbers that everybody may call; no version tells when one of them has moved."""
    feed = viewer().feed
    organisers = [p.id for p in feed.game.players.values() if p.organiser]
    with site().database.read() as connection:
        return people.phones(connection, feed.number, organisers)


def podium() -> ResponseReturnValue:
    """Show who survived and who killed most."""
    return _page("podium", podium=pages.podium(viewer().game))
