"""Which mails went out: to whom, when, and what the mail server said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from killer.game.model import PlayerId
from killer.store.database import Connection
from killer.store.games import now
from killer.store.tables import mails

ASKED, HANDING, SENT, FAILED = "asked", "handing", "sent", "failed"
LONGEST = 300


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to a player; `at` in milliseconds since 1970, UTC.

    ASKED means that an organiser wants it to go out, in the language that `detail` names. HANDING
    means that it was wholly given to the server, whose answer nobody has seen: whether it went out
    is unknown.
    """

    address: str
    state: str
    detail: str = ""
    at: int = 0


def sent(connection: Connection, game: int, kind: str) -> Mapping[PlayerId, Mail]:
    """Give what became of the last mail of a kind to each player."""
    query = select(mails).where(mails.c.game == game, mails.c.kind == kind)
    rows = connection.execute(query)
    return {PlayerId(r.player): Mail(r.address, r.state, r.detail, r.at) for r in rows}


def note(connection: Connection, game: int, player: PlayerId, kind: str, mail: Mail) -> None:
    """Remember what became of a mail."""
    mine = (mails.c.game == game, mails.c.player == player, mails.c.kind == kind)
    connection.execute(delete(mails).where(*mine))
    row = {"game": game, "player": player, "kind": kind, "address": mail.address}
    row |= {"state": mail.state, "detail": mail.detail[:LONGEST], "at": mail.at or now()}
    connection.execute(insert(mails).values(row))


def ask(
    connection: Connection, game: int, people: Iterable[PlayerId], kind: str, language: str
) -> None:
    """Remember that these players are to get a mail, whatever became of the last one."""
    wanted = list(people)
    mine = (mails.c.game == game, mails.c.player.in_(wanted), mails.c.kind == kind)
    connection.execute(delete(mails).where(*mine))
    row = {"game": game, "kind": kind, "address": "", "state": ASKED, "detail": language}
    if wanted:
        connection.execute(insert(mails), [row | {"player": p, "at": now()} for p in wanted])


def forget(connection: Connection, game: int, player: PlayerId, kind: str) -> None:
    """Forget what became of a mail, as if there had been none."""
    mine = (mails.c.game == game, mails.c.player == player, mails.c.kind == kind)
    connection.execute(delete(mails).where(*mine))
