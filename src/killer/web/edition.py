"""What the big screen shows of one version: the same bytes for everybody, under their own name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from killer.game.model import Game, State
from killer.live.frames import moment, texts
from killer.live.hub import Feed
from killer.web import pages
from killer.web.answers import Encoded, encode
from killer.web.shapes import StateWord

BEST = 10  # lines of the leaderboard: more can't be read from the back of a room
NEWS = 12  # lines


class ScreenStatus(msgspec.Struct):
    """What a screen asks for again and again: `edition` names what it should show now."""

    version: int
    state: StateWord
    edition: str


class ScreenLine(msgspec.Struct):
    """One line of the leaderboard's top; nobody is `fallen` in a game that keeps falls back."""

    rank: int
    nickname: str
    year: str
    kills: int
    fallen: bool


class ScreenNews(msgspec.Struct):
    """One piece of news, in every language."""

    version: int
    at: str
    type: str
    text: dict[str, str]


class ScreenStep(msgspec.Struct):
    """One step of a podium, shared by all who are equal."""

    place: int
    kills: int
    nicknames: list[str]


class Screen(msgspec.Struct):
    """All that a big screen shows; the podiums are empty until the game is over."""

    version: int
    game: str
    state: StateWord
    alive: int
    players: int
    best: list[ScreenLine]
    news: list[ScreenNews]
    survivors: list[ScreenStep]
    killers: list[ScreenStep]


@dataclass(frozen=True, slots=True)
class Edition:
    """A version as the screen shows it.

    The name holds the version and a fingerprint of the content: two contents never share a name,
    even when a restored backup counts the same versions again, or two releases say it differently.
    """

    name: str
    status: Encoded
    whole: Encoded


def edition(feed: Feed) -> Edition:
    """Encode what the screen shows, once for each version."""
    return feed.once("edition", lambda game: _made(game, feed))


def _made(game: Game, feed: Feed) -> Edition:
    whole = encode(_screen(game, feed))
    fingerprint = whole.etag.strip('"')
    name = f"{game.version}-{fingerprint}"
    return Edition(name, encode(ScreenStatus(game.version, game.state.value, name)), whole)


def _screen(game: Game, feed: Feed) -> Screen:
    best = [
        ScreenLine(r.rank, r.person.nickname, r.person.year, r.kills, _fallen(r.person.status))
        for r in pages.leaderboard(game)[:BEST]
        if r.kills
    ]
    news = [
        ScreenNews(f.version, moment(f.at), f.news.kind, texts(f.news) or {})
        for f in feed.recent(NEWS)
        if f.version <= game.version
    ]
    podium = pages.podium(game) if game.state is State.OVER else None
    return Screen(
        version=game.version,
        game=game.name,
        state=game.state.value,
        alive=len(game.alive),
        players=len(game.playing),
        best=best,
        news=news,
        survivors=_steps(podium.survivors) if podium else [],
        killers=_steps(podium.killers) if podium else [],
    )


def _fallen(status: str) -> bool:
    return status in {"dead", "gaveup"}


def _steps(steps: Iterable[pages.PodiumStep]) -> list[ScreenStep]:
    return [ScreenStep(s.place, s.kills, [p.nickname for p in s.people]) for s in steps]
