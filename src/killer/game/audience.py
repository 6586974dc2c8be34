"""Who may know what: the only place where a target leaves the game."""

from __future__ import annotations

from dataclasses import dataclass

from killer.game import events as e
from killer.game.model import HUNTING, Game, Player, PlayerId, State, Status, Visibility


@dataclass(frozen=True, slots=True)
class Prey:
    """What a hunter knows of the target."""

    nickname: str
    challenge: str
    photo: str
    year: str


@dataclass(frozen=True, slots=True)
class News:
    """What an event tells everybody; empty names are what the game's visibility keeps back."""

    kind: str
    who: str = ""
    by: str = ""
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """What organisers know of a player: everything."""

    nickname: str
    status: Status
    target: str | None
    hunter: str | None
    challenge: str
    kills: int
    killed_by: str | None
    order: int | None


def prey(game: Game, player: Player) -> Prey | None:
    """Give what a player may know of the own target: nothing before the start and after the end."""
    if game.state not in HUNTING or player.status is not Status.ALIVE or player.target is None:
        return None
    target = game.players[player.target]
    return Prey(target.nickname, target.challenge, target.photo, target.year)


def row(game: Game, player: Player) -> Row:
    """Give a line of the organisers' table."""
    hunter = game.hunters.get(player.id) if player.status is Status.ALIVE else None
    return Row(
        nickname=player.nickname,
        status=player.status,
        target=_nickname(game, player.target),
        hunter=_nickname(game, hunter),
        challenge=player.challenge,
        kills=game.kills.get(player.id, 0),
        killed_by=_nickname(game, player.killed_by),
        order=game.order.get(player.id),
    )


def _nickname(game: Game, player: PlayerId | None) -> str | None:
    return None if player is None else game.players[player].nickname


def news(game: Game, event: e.Event) -> News:
    """Tell what everybody may know of an event, given the game after it.

    An undone death is told like the death itself: who came back, if deaths are told at all.
    """
    told = game.visibility is not Visibility.DISCREET
    match event:
        case e.Died():
            who = _nickname(game, event.player) if told else None
            seen = game.visibility is Visibility.OPEN and event.credited
            by = _nickname(game, event.hunter) if seen else None
            return News("died", who or "", by or "")
        case e.GaveUp() | e.Removed() | e.Revived() | e.Joined():
            who = _nickname(game, event.player) if told else None
            return News(e.kind(event), who or "")
        case e.Undone():
            told = told and event.kind in {"died", "gaveup", "removed"}
            who = _nickname(game, event.player) if told else None
            return News("undone", who or "", cause=event.kind)
        case e.Started() | e.Paused() | e.Resumed() | e.Ended() | e.Reshuffled():
            return News(e.kind(event))
        case e.Enrolled() if game.state is State.PREPARING and event.status is Status.ALIVE:
            return News("enrolled", _nickname(game, event.player) or "")
        case _:
            return News("changed")


CARD = frozenset({"status", "target", "killed_by", "nickname", "challenge", "photo", "year"})
"""Fields that a card shows, of the player or of the target."""


def cards(before: Game, after: Game, event: e.Event) -> frozenset[PlayerId]:
    """Name the players whose own card looks different after an event.

    They alone are told to look again, each on the own stream. Nobody else may be: whoever is told
    after a death that the own target has moved on would know who killed.
    """
    touched = {c.player for c in event.changes if c.player is not None and c.field in CARD}
    credited = {c.before for c in event.changes if c.field == "killed_by"}
    credited |= {c.after for c in event.changes if c.field == "killed_by"}
    hunters = {before.hunters.get(p) for p in touched} | {after.hunters.get(p) for p in touched}
    turned = (before.state in HUNTING) is not (after.state in HUNTING)  # targets appear or vanish
    living = {p.id for p in (*before.alive, *after.alive)} if turned else set()
    named = touched | hunters | living | {PlayerId(p) for p in credited if isinstance(p, int)}
    return frozenset(p for p in named if p is not None and _card(before, p) != _card(after, p))


def _card(game: Game, player: PlayerId) -> tuple[object, ...]:
    own = game.players[player]
    shown = (own.nickname, own.year, own.photo, own.status, game.kills.get(player, 0))
    return (*shown, prey(game, own))
