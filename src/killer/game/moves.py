"""How the ring moves: whose target changes when somebody enters, leaves or is passed on."""

from __future__ import annotations

from killer.game.model import Change, Changes, PlayerId, Status

Moves = tuple[tuple[PlayerId, PlayerId | None, PlayerId | None], ...]
"""Hunters whose target changed: the hunter, the target before, the target after."""


def moved(moves: Moves) -> Changes:
    """Give every hunter the new target."""
    return tuple(Change(hunter, "target", before, after) for hunter, before, after in moves)


def left(
    player: PlayerId, status: Status, hunter: PlayerId | None, prey: PlayerId | None
) -> Changes:
    """Take a living player out of the ring: the hunter inherits the target."""
    heir = None if prey == hunter else prey
    inherited = () if hunter is None else (Change(hunter, "target", player, heir),)
    return (
        Change(player, "status", Status.ALIVE, status),
        Change(player, "target", prey, None),
        *inherited,
    )
