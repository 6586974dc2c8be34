"""How level the Google Sheet is with the game, and what its editors ask of the game."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import delete, insert, select, update

from killer.game.model import PlayerId
from killer.store.database import Connection
from killer.store.games import now
from killer.store.tables import offers, sheets

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Correction:
    """A cell of the sheet that its editors should correct; `roster.<code>` is the sentence."""

    row: int | None
    column: str
    code: str
    params: Pairs = ()


@dataclass(frozen=True, slots=True)
class SheetState:
    """How level a game's sheet is; times in milliseconds since 1970, UTC, None for never.

    `trouble` is empty, or the code of a sentence `google.<code>` or `sheet.<code>` that `details`
    fill; it began at `since`. `mended` counts the cells that the last look put right.
    """

    read_at: int | None = None
    wrote_at: int | None = None
    trouble: str = ""
    details: Pairs = ()
    since: int | None = None
    problems: tuple[Correction, ...] = ()
    mended: int = 0


@dataclass(frozen=True, slots=True)
class Offer:
    """What somebody wrote into the sheet that only the game may decide.

    `kind` is status, target, killed_by, newcomer or gone; no player means a newcomer.
    """

    player: PlayerId | None
    kind: str
    nickname: str
    before: str
    wanted: str
    refused: bool = False
    id: int = 0
    at: int = 0


def state(connection: Connection, game: int) -> SheetState | None:
    """Give how level a game's sheet is; None when no sheet was ever looked at."""
    row = connection.execute(select(sheets).where(sheets.c.game == game)).first()
    if row is None:
        return None
    found = {name: getattr(row, name) for name in SheetState.__dataclass_fields__}
    details = msgspec.json.decode(found["details"], type=Pairs)
    problems = msgspec.json.decode(found["problems"], type=tuple[Correction, ...])
    return SheetState(**found | {"details": details, "problems": problems})


def set_state(connection: Connection, game: int, level: SheetState) -> None:
    """Keep how level a game's sheet is."""
    row = {name: getattr(level, name) for name in SheetState.__dataclass_fields__}
    for name in ("details", "problems"):
        row[name] = msgspec.json.encode(row[name]).decode()
    if not connection.execute(update(sheets).where(sheets.c.game == game).values(row)).rowcount:
        connection.execute(insert(sheets).values(row | {"game": game}))


def every_offer(connection: Connection, game: int) -> list[Offer]:
    """Give all offers, oldest first, the refused ones too."""
    query = select(offers).where(offers.c.game == game).order_by(offers.c.id)
    return [_offer(row) for row in connection.execute(query)]


def _offer(row: object) -> Offer:
    return Offer(**{name: getattr(row, name) for name in Offer.__dataclass_fields__})


def make_offers(connection: Connection, game: int, fresh: Sequence[Offer]) -> None:
    """Add offers; a new one of the same kind for the same player takes the older one's place."""
    for one in fresh:
        whose = offers.c.player == one.player if one.player else offers.c.nickname == one.nickname
        same = (offers.c.game == game, offers.c.kind == one.kind, whose)
        connection.execute(delete(offers).where(*same))
        names = ("player", "kind", "nickname", "before", "wanted", "refused")
        row = {name: getattr(one, name) for name in names}
        connection.execute(insert(offers).values(row | {"game": game, "at": now()}))


def take_offer(connection: Connection, game: int, number: int) -> Offer | None:
    """Remove an offer and give it; None when somebody else was quicker."""
    query = select(offers).where(offers.c.game == game, offers.c.id == number)
    row = connection.execute(query).first()
    gone = connection.execute(delete(offers).where(offers.c.game == game, offers.c.id == number))
    return _offer(row) if row and gone.rowcount else None


def refuse_offer(connection: Connection, game: int, number: int) -> None:
    """Keep an offer as refused, so that it is not made again."""
    one = (offers.c.game == game, offers.c.id == number)
    connection.execute(update(offers).where(*one).values(refused=True))


def drop_offers(connection: Connection, game: int, numbers: Collection[int]) -> None:
    """Forget offers that no longer make sense."""
    mine = (offers.c.game == game, offers.c.id.in_(list(numbers)))
    connection.execute(delete(offers).where(*mine))
