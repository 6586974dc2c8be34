"""A gevent process that changes a game while another greenlet counts its turns."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402  # after the patch, like all below
import sys  # noqa: E402

import gevent  # noqa: E402
from sqlalchemy import text  # noqa: E402

from killer.store import games  # noqa: E402
from store.worlds import look_at  # noqa: E402

STATEMENTS = 20


class Turns:
    """Counts the turns of a greenlet that always wants one."""

    def __init__(self) -> None:
        self.count = 0
        gevent.spawn(self.run)

    def run(self) -> None:
        while True:
            self.count += 1
            gevent.sleep(0)


def main(url: str, number: str) -> None:
    database, turns = look_at(url, int(number)).database, Turns()
    told = []
    for lock in (False, True, False):
        with database.write() as connection:
            games.version(connection, int(number), lock=lock)
            before = turns.count
            for _ in range(STATEMENTS):
                connection.execute(text("SELECT 1"))
            told.append(turns.count - before)
    with database.write() as connection:
        games.version(connection, int(number), lock=True)
        before = turns.count
        connection.execute(text("SELECT pg_sleep(0.2)"))
        told.append(turns.count - before)
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
