"""The organiser's hands over HTTP: a rehearsal game made, started, looked at and removed."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from killer.crowd.client import CONNECTION, UNTRUSTED, Address, Answer, Client
from killer.crowd.plan import Hidden, Ticket
from killer.crowd.truth import Row
from killer.language import current, say

REHEARSALS = "/api/organiser/rehearsals"
NOT_FOUND, UNAUTHORIZED = 404, 401
MOVED = range(300, 400)

Shape = TypeVar("Shape")


class HostError(Exception):
    """The server can't be played on; the message is a sentence for whoever started the test."""


class SignedIn(msgspec.Struct, frozen=True):
    """Who has signed in."""

    organiser: bool


class Guest(Hidden, msgspec.Struct, frozen=True):
    """A player of a rehearsal, or its organiser."""

    nickname: str
    token: str


class Rehearsal(Hidden, msgspec.Struct, frozen=True):
    """A game that was made for one step."""

    number: int
    game: str
    password: str
    players: tuple[Guest, ...]
    organiser: Guest

    @property
    def tickets(self) -> tuple[Ticket, ...]:
        """Seat everybody: three of four by link, as mails and cards bring them; one by password."""
        return tuple(
            Ticket(guest.nickname, password=self.password)
            if each % 4 == 1
            else Ticket(guest.nickname, token=guest.token)
            for each, guest in enumerate(self.players)
        )


class Table(msgspec.Struct, frozen=True):
    """What the organiser's table shows."""

    version: int
    players: tuple[Row, ...]


class Host:
    """An organiser of a real game, and of the rehearsal that is being played."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._real = Client(address, current())
        self._game = Client(address, current())

    def sign_in(self, token: str) -> None:
        """Sign in for the whole test.

        Raises:
            HostError: there is no such server, or the token opens nothing there.
        """
        answer = self._real.ask("POST", "/api/login", json={"token": token})
        if answer.status == UNAUTHORIZED:
            raise HostError(say("crowd.bad_token"))
        if not _told(answer, SignedIn).organiser:
            raise HostError(say("crowd.no_organiser"))

    def make(self, players: int) -> Rehearsal:
        """Make a rehearsal and sign in to it as its organiser.

        Raises:
            HostError: the server doesn't make one.
        """
        answer = self._real.ask("POST", REHEARSALS, json={"players": players})
        if answer.status == NOT_FOUND:
            raise HostError(say("crowd.too_old"))
        made = _told(answer, Rehearsal)
        self._game = Client(self._address, current())
        _read(self._game.ask("POST", "/api/login", json={"token": made.organiser.token}))
        return made

    def remove(self, made: Rehearsal) -> None:
        """Remove a rehearsal.

        Raises:
            HostError: it is still there.
        """
        answer = self._real.ask("DELETE", f"{REHEARSALS}/{made.number}", expect=(204, NOT_FOUND))
        if answer.kind:
            raise HostError(say("crowd.not_removed", game=made.game, cause=_cause(answer)))

    def steer(self, verb: str) -> None:
        """Start or end the rehearsal.

        Raises:
            HostError: the server refuses.
        """
        _read(self._game.ask("POST", f"/api/organiser/game/{verb}", json={"reason": ""}))

    def table(self) -> Table:
        """Look at everybody.

        Raises:
            HostError: the server doesn't show it.
        """
        return _told(self._game.ask("GET", "/api/organiser/players"), Table)

    def is_there(self) -> bool:
        """Tell whether anybody takes connections; a server that is slow is there."""
        visit = Client(self._address)
        answer = visit.ask("GET", "/health")
        visit.close()
        return answer.kind != CONNECTION


def _told(answer: Answer, shape: type[Shape]) -> Shape:
    """Give what an answer says."""
    try:
        return msgspec.json.decode(_read(answer).body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise HostError(say("crowd.no_killer")) from error


def _read(answer: Answer) -> Answer:
    """Give an answer that is as it should be."""
    if answer.kind == UNTRUSTED:
        raise HostError(say("crowd.untrusted"))
    elsewhere = urlsplit(answer.header("Location"))
    if answer.status in MOVED and elsewhere.netloc:
        raise HostError(say("crowd.moved", address=f"{elsewhere.scheme}://{elsewhere.netloc}"))
    if answer.kind:
        raise HostError(say("crowd.host", cause=_cause(answer)))
    return answer


def _cause(answer: Answer) -> str:
    """Say why something didn't work: in the server's words when it has some."""
    if not answer.status:
        return say(f"crowd.cause.{answer.kind}")
    told: Any = {}
    if "json" in answer.header("Content-Type"):
        with suppress(msgspec.DecodeError, UnicodeDecodeError):
            told = msgspec.json.decode(answer.body)
    title = str(told.get("title", "")) if isinstance(told, dict) else ""
    return title or say("crowd.cause.status", status=answer.status)
