"""A player's present photo, set by hand: from the phone, or taken away by whoever may."""

from __future__ import annotations

from killer.game import commands as c
from killer.game.model import Game, PlayerId
from killer.play import Outcome, Play, Request
from killer.store import people, photos
from killer.store.database import Connection
from killer.store.photos import Tried

OWN = "own"
"""Outcome of a link that a photo from the phone has overtaken."""
REMOVED = "removed"
"""Outcome of a link whose photo was taken away: it isn't fetched again."""


def wear(play: Play, number: int, player: PlayerId, name: str, request: Request) -> Outcome:
    """Give a player the photo of that name; the links known by now are out of date."""
    return _set(play, number, player, (name, OWN), request)


def take_off(play: Play, number: int, player: PlayerId, request: Request) -> Outcome:
    """Leave a player without a photo, until there is a new link or a photo from the phone."""
    return _set(play, number, player, ("", REMOVED), request)


def _set(
    play: Play, number: int, player: PlayerId, wanted: tuple[str, str], request: Request
) -> Outcome:
    name, outcome = wanted
    with play.database.read() as connection:
        contact = people.read_contacts(connection, number).get(player)
    last = Tried(contact.photo_source if contact else "", outcome)

    def note(connection: Connection, _game: Game) -> None:
        photos.note(connection, number, player, last)

    edit = c.Edit(player, (("photo", name),))
    return play.perform(number, edit, request=request, alongside=note)
