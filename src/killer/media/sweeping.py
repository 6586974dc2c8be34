"""Photos that nobody wears: thrown away a day later, by the keeper, so that no player waits for it.

In a game's folder each machine throws them away itself; in the bucket whoever holds the lease does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from killer.media.shelf import GRACE, Shelf
from killer.store import games, log, photos
from killer.store.database import Connection, Database


def sweep(database: Database, shelf: Shelf, *, depot: bool) -> int:
    """Throw away what no player has worn for a day: until then it can be undone; count the files.

    What belongs to no game that the database knows, such as a removed rehearsal, goes as well. But
    where nobody at all has a photo nothing is thrown away: the database may be new, and what lies
    there all that is left of another one.

    Args:
        database: says who wears what.
        shelf: where the photos are.
        depot: whether to look through the depot too.

    Raises:
        StoreUnavailableError: nobody knows who wears what.
    """
    with database.read() as connection:
        shown = photos.shown(connection)
        used = _used(connection, shown)
    if not shown:
        return 0
    thrown = sum(shelf.sweep(game, used.get(game, ())) for game in shelf.games())
    return thrown + (shelf.sweep_depot(used) if depot else 0)


def _used(connection: Connection, shown: Iterable[tuple[int, str]]) -> Mapping[int, set[str]]:
    """Name the photos of each game that somebody has, or had less than a day ago.

    Who has what was read before: what somebody changes meanwhile is in it, or among the moves.
    """
    used: dict[int, set[str]] = {}
    for game, name in shown:
        used.setdefault(game, set()).add(name)
    since = games.now() - int(GRACE * 1000)
    for row in games.every(connection):
        moved = log.lately(connection, row.id, since, "photo")
        used.setdefault(row.id, set()).update(str(one.before) for one in moved)
    return used
