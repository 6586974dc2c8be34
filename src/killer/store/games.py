"""Games and their players as rows, changed together with the log."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from killer.game import names
from killer.game.model import Game, Player, PlayerId, State, Status, Visibility
from killer.store import log, postgresql
from killer.store.database import StaleVersionError
from killer.store.tables import answers, games, links, players

FIRST_NAME = "Killer"  # of a game that nobody has named
ANSWERS_KEPT = 7 * 86_400_000  # milliseconds that a repeated request finds its first answer

Key = tuple[int, str]  # who asks, and the idempotency key of the request
Kept = tuple[str, int]  # what was asked, and the version that was answered


@dataclass(frozen=True, slots=True)
class GameRow:
    """A game as the list of games knows it."""

    id: int
    name: str
    state: State
    version: int
    first_visibility: Visibility
    created: int = 0  # milliseconds since 1970, UTC
    rehearses: int | None = None  # the real game for which it is a rehearsal
    screen: int | None = None  # what the link of the big screen is made from; none: it is closed


def now() -> int:
    """Give the time in milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


def create(
    connection: Connection,
    name: str,
    visibility: Visibility = Visibility.DEATHS,
    rehearses: int | None = None,
) -> int:
    """Make an empty game and give its number, which no other game ever gets."""
    row = {
        "name": name,
        "state": State.PREPARING,
        "visibility": visibility,
        "first_visibility": visibility,
        "version": 0,
        "created": now(),
        "rehearses": rehearses,
    }
    result = connection.execute(insert(games).values(row).returning(games.c.id))
    return int(result.scalar_one())


def every(connection: Connection) -> list[GameRow]:
    """List all games, newest first, rehearsals too."""
    return [_game_row(row) for row in connection.execute(select(games).order_by(games.c.id.desc()))]


def _game_row(row: Any) -> GameRow:
    first = Visibility(row.first_visibility)
    state = State(row.state)
    told = (row.version, first, row.created, row.rehearses, row.screen)
    return GameRow(row.id, row.name, state, *told)


_VERSION = select(games.c.version).where(games.c.id == bindparam("game"))
_LOCKED_VERSION = _VERSION.with_for_update()


def version(connection: Connection, game: int, *, lock: bool = False) -> int | None:
    """Give a game's version; with `lock`, nobody else may save until this transaction ends."""
    query = _LOCKED_VERSION if lock else _VERSION
    found = connection.execute(query, {"game": game}).scalar()
    if lock:
        postgresql.hurry(connection)
    return None if found is None else int(found)


def set_screen(connection: Connection, game: int, before: int | None, after: int | None) -> bool:
    """Let a game's big screen be under another number, or closed (none); tell whether it moved.

    Nothing happens when it isn't under the number `before` any more: a repeated request changes
    nothing twice.
    """
    mine = (games.c.id == game, games.c.screen.is_not_distinct_from(before))
    return bool(connection.execute(update(games).where(*mine).values(screen=after)).rowcount)


def blank(row: GameRow) -> Game:
    """Give the game as it was before its first event."""
    return Game(name=row.name, visibility=row.first_visibility)


def load(connection: Connection, game: int) -> Game:
    """Read a game from its rows."""
    row = connection.execute(select(games).where(games.c.id == game)).one()
    query = select(players).where(players.c.game == game).order_by(players.c.id)
    people = {PlayerId(r["id"]): _player(r) for r in connection.execute(query).mappings()}
    return Game(row.name, State(row.state), Visibility(row.visibility), row.version, people)


def save(
    connection: Connection, game: int, before: Game, after: Game, records: Sequence[log.Recorded]
) -> None:
    """Keep what happened: the version, the events and the rows that differ.

    Raises:
        StaleVersionError: the game has moved since `before` was loaded.
    """
    moved = connection.execute(
        update(games)
        .where(games.c.id == game, games.c.version == before.version)
        .values(version=after.version, state=after.state, visibility=after.visibility)
    )
    if moved.rowcount != 1:
        raise StaleVersionError
    log.append(connection, game, records)
    postgresql.notify(connection, game)
    _save_players(connection, game, before.players, after.players)


def _save_players(
    connection: Connection,
    game: int,
    before: Mapping[PlayerId, Player],
    after: Mapping[PlayerId, Player],
) -> None:
    fresh = [_row(game, p) for i, p in after.items() if i not in before]
    if fresh:
        connection.execute(insert(players), fresh)
    moved = [p for i, p in after.items() if i in before and before[i] is not p]
    if moved:
        rows = [_row(game, player) for player in moved]
        connection.execute(_MOVE, [row | {"its_game": game, "its_id": row["id"]} for row in rows])
    _revoke_links(connection, game, [p for p in moved if before[p.id].organiser is not p.organiser])


def _revoke_links(connection: Connection, game: int, people: Sequence[Player]) -> None:
    """Make the links of those useless who became organisers, or are none any more.

    A player's link lasts: whoever finds it in a history must not become an organiser by it.
    """
    if people:
        mine = (links.c.game == game, links.c.player.in_([player.id for player in people]))
        connection.execute(delete(links).where(*mine))


_MOVE = (
    update(players)
    .where(players.c.game == bindparam("its_game"), players.c.id == bindparam("its_id"))
    .values({c.name: bindparam(c.name) for c in players.columns if not c.primary_key})
)


def _row(game: int, player: Player) -> dict[str, Any]:
    row = {name: getattr(player, name) for name in Player.__dataclass_fields__}
    return row | {"game": game, "nickname_key": names.key(player.nickname)}


def _player(row: Any) -> Player:
    values = {name: row[name] for name in Player.__dataclass_fields__}
    return Player(**values | {"status": Status(row["status"])})


def remember(connection: Connection, game: int, fresh: Mapping[Key, Kept]) -> None:
    """Keep what requests with idempotency keys were answered."""
    rows = [
        {"game": game, "actor": actor, "key": key, "request": asked, "version": version}
        for (actor, key), (asked, version) in fresh.items()
    ]
    if rows:
        at = now()
        connection.execute(insert(answers), [row | {"at": at} for row in rows])


#: Two lists and not pairs, for which SQLite would read all answers of the game.
_REMEMBERED = select(answers).where(
    answers.c.game == bindparam("game"),
    answers.c.actor.in_(bindparam("actors", expanding=True)),
    answers.c.key.in_(bindparam("keys", expanding=True)),
)


def remembered(connection: Connection, game: int, keys: Collection[Key]) -> dict[Key, Kept]:
    """Give what was kept for idempotency keys, perhaps for other keys of the same people too."""
    if not keys:
        return {}
    asked = {"actors": [actor for actor, _ in keys], "keys": [key for _, key in keys]}
    rows = connection.execute(_REMEMBERED, {"game": game} | asked)
    return {(row.actor, row.key): (row.request, row.version) for row in rows}


def forget_answers(connection: Connection, before: int) -> None:
    """Drop what was answered before that time."""
    connection.execute(delete(answers).where(answers.c.at < before))
