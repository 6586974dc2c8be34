"""One real sign-in on a server before any player reaches it: run there, as the server's own user.

`python -m killer.ops.probe SLOT` prints what /health/ready says; exit code 1 with a sentence.
"""

from __future__ import annotations

import json
import secrets
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from killer import language, passwords, settings
from killer.game import commands as c
from killer.game.model import Game
from killer.language import say
from killer.live.hub import Hub
from killer.ops import places
from killer.play import Play
from killer.store import games, people, rehearsals
from killer.store.database import Connection, Database

PATIENCE = 40.0  # seconds for all that a server does before it is ready
NO_GAME = 0  # the number of no game: a machine that has none yet


class ProbeError(Exception):
    """The server doesn't do what it must; the text says what."""


@dataclass(frozen=True, slots=True)
class Guest:
    """A player who exists for a moment, in a game that nobody sees."""

    nickname: str
    password: str = field(repr=False)


def main() -> None:
    """Probe a slot's server."""
    found = settings.load()
    language.choose(found.language)
    address = f"http://127.0.0.1:{places.port(int(sys.argv[1]))}"
    try:
        ready = wait_until_ready(address, PATIENCE)
        with guest(Database(found.database)) as invited:
            sign_in(address, invited)
    except (ProbeError, OSError) as error:
        sys.exit(say("cli.probe.failed", cause=str(error)))
    sys.stdout.write(f"{json.dumps(ready)}\n")


def wait_until_ready(address: str, seconds: float) -> Any:
    """Give what a server says of itself when it may get traffic.

    Raises:
        ProbeError: it doesn't say so in time.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return _ask(f"{address}/health/ready")[0]
        except (ProbeError, OSError) as error:
            if time.monotonic() > deadline:
                raise ProbeError(f"/health/ready: {error}") from error
        time.sleep(0.2)


def sign_in(address: str, guest: Guest) -> None:
    """Sign in as a player does and look at the card.

    Raises:
        ProbeError: it can't be done.
    """
    _, cookie = _ask(
        f"{address}/api/login", {"nickname": guest.nickname, "password": guest.password}
    )
    card, _ = _ask(f"{address}/api/me", cookie=cookie)
    if card["player"]["nickname"] != guest.nickname:
        raise ProbeError("/api/me: somebody else")


def _ask(url: str, body: object = None, cookie: str = "") -> tuple[Any, str]:
    """Give the JSON of an answer and the cookie that came with it."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Cookie": cookie}
    request = urllib.request.Request(url, data, headers)  # noqa: S310  # our own address
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:  # noqa: S310  # as above
            kept = (answer.headers["Set-Cookie"] or "").partition(";")[0]
            return json.load(answer), kept
    except urllib.error.HTTPError as error:
        raise ProbeError(
            f"{url}: {error.code} {error.read(500).decode(errors='replace')}"
        ) from error


@contextmanager
def guest(database: Database) -> Iterator[Guest]:
    """Let a player exist in a rehearsal that is hidden from all, and leave no trace of it."""
    with database.write() as connection:
        real = next((r.id for r in games.every(connection) if r.rehearses is None), NO_GAME)
        mark = secrets.token_hex(6)
        number = games.create(connection, f"Probe {mark}", rehearses=real)
    invited = Guest(f"Probe {mark}", secrets.token_urlsafe(12))
    hashed = passwords.hash_password(invited.password)

    def let_in(connection: Connection, game: Game) -> None:
        people.set_hashes(connection, number, dict.fromkeys(game.players, hashed))

    try:
        Play(database, Hub(database)).perform(number, c.Enrol(invited.nickname), alongside=let_in)
        yield invited
    finally:
        with database.write() as connection:
            rehearsals.remove(connection, real, number)
        database.close()


if __name__ == "__main__":
    main()
