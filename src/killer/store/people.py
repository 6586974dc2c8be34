"""What people keep apart from the log: passwords, sign-in links, contacts."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, or_, select, update

from killer.game.model import PlayerId
from killer.store.games import now
from killer.store.tables import contacts, credentials, links, players

LINK_DAYS = 30
DAY = 86_400_000  # milliseconds


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in with a password; no hash means that only a link will do."""

    game: int
    player: PlayerId
    password_hash: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Said:
    """What the last import said of a player, as its row was."""

    nickname: str = ""
    year: str = ""
    challenge: str = ""
    status: str = "alive"
    target: str = ""
    killed_by: str = ""
    order: int | None = None
    organiser: bool = False
    stamp: str = ""  # when the form was sent, as the sheet writes it
    aim: str | None = None  # the target's cell, even of no use; None when no sheet was ever seen


@dataclass(frozen=True, slots=True)
class Contact:
    """A player's private details, which only organisers see."""

    email: str = ""
    phone: str = ""
    gender: str = ""
    photo_source: str = ""
    answers: tuple[tuple[str, str], ...] = ()
    said: Said | None = None


def accounts(connection: Connection, nickname_key: str) -> list[Account]:
    """Find who goes by a nickname, in the newest game first."""
    query = (
        select(players.c.game, players.c.id, credentials.c.password_hash)
        .outerjoin(
            credentials,
            (credentials.c.game == players.c.game) & (credentials.c.player == players.c.id),
        )
        .where(players.c.nickname_key == nickname_key)
        .order_by(players.c.game.desc())
    )
    return [Account(r[0], PlayerId(r[1]), r[2]) for r in connection.execute(query)]


def hashes(connection: Connection, game: int) -> dict[PlayerId, str]:
    """Read every password hash of a game."""
    query = select(credentials.c.player, credentials.c.password_hash).where(
        credentials.c.game == game
    )
    return {PlayerId(r[0]): r[1] for r in connection.execute(query)}


def set_hashes(connection: Connection, game: int, fresh: Mapping[PlayerId, str]) -> None:
    """Put new password hashes in the place of old ones."""
    if not fresh:
        return
    mine = (credentials.c.game == game, credentials.c.player.in_(list(fresh)))
    connection.execute(delete(credentials).where(*mine))
    rows = [{"game": game, "player": p, "password_hash": h} for p, h in fresh.items()]
    connection.execute(insert(credentials), rows)


def read_contacts(connection: Connection, game: int) -> dict[PlayerId, Contact]:
    """Read the private details of everybody in a game."""
    rows = connection.execute(select(contacts).where(contacts.c.game == game))
    return {PlayerId(r.player): _contact(r) for r in rows}


def phones(connection: Connection, game: int, people: Collection[PlayerId]) -> dict[PlayerId, str]:
    """Read the phone numbers of some players; whoever has given none is left out."""
    rows = connection.execute(_PHONES, {"game": game, "people": list(people)})
    return {PlayerId(row.player): str(row.phone) for row in rows}


_PHONES = select(contacts.c.player, contacts.c.phone).where(
    contacts.c.game == bindparam("game"),
    contacts.c.player.in_(bindparam("people", expanding=True)),
    contacts.c.phone != "",
)


def _contact(row: object) -> Contact:
    found = {name: getattr(row, name) for name in ("email", "phone", "gender", "photo_source")}
    pairs = msgspec.json.decode(getattr(row, "answers"), type=tuple[tuple[str, str], ...])  # noqa: B009  # a row's columns aren't typed
    said = msgspec.json.decode(getattr(row, "said"), type=Said | None)  # noqa: B009  # as above
    return Contact(**found, answers=pairs, said=said)


def set_contacts(connection: Connection, game: int, fresh: Mapping[PlayerId, Contact]) -> None:
    """Put new private details in the place of old ones."""
    if not fresh:
        return
    mine = (contacts.c.game == game, contacts.c.player.in_(list(fresh)))
    connection.execute(delete(contacts).where(*mine))
    connection.execute(insert(contacts), [_contact_row(game, p, c) for p, c in fresh.items()])


def _contact_row(game: int, player: PlayerId, contact: Contact) -> dict[str, object]:
    return {
        "game": game,
        "player": player,
        "email": contact.email,
        "phone": contact.phone,
        "gender": contact.gender,
        "photo_source": contact.photo_source,
        "answers": msgspec.json.encode(contact.answers).decode(),
        "said": msgspec.json.encode(contact.said).decode(),
    }


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def new_token() -> str:
    """Draw a sign-in token of 128 random bits; it opens nothing before `keep_links`."""
    return secrets.token_urlsafe(16)


def keep_links(
    connection: Connection,
    game: int,
    tokens: Mapping[PlayerId, str],
    *,
    once: bool = False,
    lasting: int = LINK_DAYS * DAY,
) -> None:
    """Let tokens sign players in from now on; only their SHA-256 is kept.

    What was kept already is kept anew. They are `lasting` so many milliseconds.
    """
    made = now()
    rows = [
        {
            "hash": _digest(token),
            "game": game,
            "player": player,
            "once": once,
            "created": made,
            "expires": made + lasting,
        }
        for player, token in tokens.items()
    ]
    if rows:
        connection.execute(delete(links).where(links.c.hash.in_([row["hash"] for row in rows])))
        connection.execute(insert(links), rows)


def organisers(connection: Connection, game: int) -> set[PlayerId]:
    """Give who is an organiser now: whoever was looked up before may have become one."""
    mine = (players.c.game == game, players.c.organiser.is_(True))
    return {PlayerId(i) for i in connection.execute(select(players.c.id).where(*mine)).scalars()}


def drop_link(connection: Connection, token: str) -> None:
    """Make one link useless, and leave the player's others."""
    connection.execute(delete(links).where(links.c.hash == _digest(token)))


def new_links(
    connection: Connection, game: int, people: Sequence[PlayerId], *, once: bool = False
) -> dict[PlayerId, str]:
    """Make a sign-in link for each and give the tokens."""
    tokens = {player: new_token() for player in people}
    keep_links(connection, game, tokens, once=once)
    return tokens


def who_has_link(connection: Connection, token: str) -> Account | None:
    """Find whose link this is, without using it up."""
    query = select(links.c.game, links.c.player).where(*_usable(token))
    row = connection.execute(query).first()
    return None if row is None else Account(row.game, PlayerId(row.player), None)


def who_has_lasting_link(connection: Connection, token: str) -> Account | None:
    """Find whose link this is, if using it leaves it as it is: then nothing has to be written."""
    lasting = (*_usable(token), links.c.once.is_(False))
    row = connection.execute(select(links.c.game, links.c.player).where(*lasting)).first()
    return None if row is None else Account(row.game, PlayerId(row.player), None)


def use_link(connection: Connection, token: str) -> Account | None:
    """Take a sign-in link; one that holds once is used up by it, even in a race."""
    used = update(links).where(*_usable(token)).values(used=now())
    row = connection.execute(used.returning(links.c.game, links.c.player)).first()
    return None if row is None else Account(row.game, PlayerId(row.player), None)


def _usable(token: str) -> tuple[ColumnElement[bool], ...]:
    fresh = links.c.expires > now()
    unused = or_(links.c.once.is_(False), links.c.used.is_(None))
    return (links.c.hash == _digest(token), fresh, unused)


def revoke_links(connection: Connection, game: int, player: PlayerId) -> None:
    """Make every link of a player useless."""
    mine = (links.c.game == game, links.c.player == player)
    connection.execute(delete(links).where(*mine))
