"""A frame: what a stream tells of one event, encoded once for all phones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from killer.game import audience
from killer.game.model import Game, PlayerId
from killer.language import LANGUAGES, say, speaking
from killer.store.log import Recorded

SILENT = frozenset({"changed", "enrolled"})  # counts move, but a roster of 500 is no news
PING = b"event: ping\ndata: {}\n\n"


@dataclass(frozen=True, slots=True)
class Frame:
    """One event for everybody, and the same one for those whose own card it changed."""

    version: int
    public: bytes
    personal: bytes
    cards: frozenset[PlayerId]
    at: int  # milliseconds since 1970, UTC
    news: audience.News

    def to(self, viewer: PlayerId) -> bytes:
        """Give the bytes for one viewer."""
        return self.personal if viewer in self.cards else self.public


def encode(before: Game, after: Game, record: Recorded) -> Frame:
    """Encode an event, given the game before and after it."""
    news = audience.news(after, record.event)
    data: dict[str, Any] = {
        "version": record.version,
        "type": news.kind,
        "at": moment(record.at),
        "alive": after.census.alive,
        "players": after.census.playing,
        "state": after.state,
        "text": texts(news),
    }
    return Frame(
        record.version,
        _bytes(news.kind, data),
        _bytes(news.kind, data | {"card": True}),
        audience.cards(before, after, record.event),
        record.at,
        news,
    )


def resync(version: int) -> bytes:
    """Tell a phone that is too far behind to look at everything again; no id, as it is no event."""
    return b'event: resync\ndata: {"version":%d}\n\n' % version


def _bytes(kind: str, data: dict[str, Any]) -> bytes:
    body = msgspec.json.encode(data)
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (data["version"], kind.encode(), body)


def moment(at: int) -> str:
    """Write a time in milliseconds as RFC 3339, UTC."""
    stamp = datetime.fromtimestamp(at // 1000, UTC)
    return stamp.strftime("%Y-%m-%dT%H:%M:%SZ")


def texts(news: audience.News) -> dict[str, str] | None:
    """Give the sentence for the feed in every language; none when there is nothing to tell."""
    if news.kind in SILENT:
        return None
    sentences = {}
    for language in LANGUAGES:
        with speaking(language):
            sentences[language] = sentence(news)
    return sentences


def sentence(news: audience.News) -> str:
    """Say the news in the current language."""
    if news.kind == "undone":
        return say("news.undone.who", who=news.who) if news.who else say("news.undone")
    if news.by:
        return say(f"news.{news.kind}.by", who=news.who, by=news.by)
    if news.who:
        return say(f"news.{news.kind}.who", who=news.who)
    return say(f"news.{news.kind}")
