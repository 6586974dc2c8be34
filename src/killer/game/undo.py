"""Taking one event back exactly, or saying what stands in the way."""

from __future__ import annotations

from killer.game import events as e
from killer.game import names, ring
from killer.game.commands import Undo
from killer.game.model import Game, PlayerId, State
from killer.game.refusals import NotNow, Unknown

Log = tuple[tuple[int, e.Event], ...]


def undo(game: Game, command: Undo) -> tuple[e.Event, ...]:
    """Take one event back; an automatic end that followed from it goes with it.

    Exact means: everything that the event changed still is as the event left it, and the ring is
    whole afterwards; so the game is as if the event had not been.

    Raises:
        Refusal: no such event, a kind that can't be undone, or a later event in the way.
    """
    if not command.log or command.log[0][0] != command.version:
        raise Unknown("no_such_version", version=command.version)
    event, later = command.log[0][1], command.log[1:]
    if _already(command.version, later):
        return ()
    if not event.undoable:
        raise NotNow("cannot_undo", kind=e.kind(event), version=command.version)
    reopened = _reopened(game, event, later)
    undone = _reverse(game.after(*reopened), command.version, event, later)
    return (*reopened, undone)


def _already(version: int, later: Log) -> bool:
    """Tell whether the event is taken back, and the taking back is not taken back itself."""
    answer, redone = False, set()
    for at, event in reversed(later):
        if isinstance(event, e.Undone) and at not in redone:
            redone.add(event.version)
            answer = answer or event.version == version
    return answer


def _reopened(game: Game, event: e.Event, later: Log) -> tuple[e.Event, ...]:
    """Take back an automatic end first, when what led to it is taken back."""
    if game.state is not State.OVER or isinstance(event, e.Ended):
        return ()
    for version, end in reversed(later):
        if isinstance(end, e.Ended):
            if end.automatic:
                return (_reverse(game, version, end, ()),)
            raise NotNow("undo_blocked", version=version, kind=e.kind(end))
    return ()


def _reverse(game: Game, version: int, event: e.Event, later: Log) -> e.Undone:
    """Turn every change round, if nothing has moved since."""
    moved = set()
    for change in event.changes:
        expected = version if change.now else change.after
        if game.value(change.player, change.field) != expected:
            moved.add((change.player, change.field))
    if moved:
        raise _blocked(version, later, moved)
    back = tuple(change.reversed() for change in event.changes)
    if isinstance(event, e.Edited):
        _free_nickname(game, event)
    undone = e.Undone(
        event.player,
        version,
        e.kind(event),
        tuple((change.player, change.field, change.before, change.after) for change in back),
    )
    if ring.faults(game.after(undone)):
        raise _blocked(version, later, {(c.player, c.field) for c in event.changes})
    return undone


def _blocked(version: int, later: Log, slots: set[tuple[PlayerId | None, str]]) -> NotNow:
    """Name the last event that moved one of these; it must be undone first.

    Events that moved any target count when none moved the same one: the ring is one thing.
    """
    for at, event in reversed(later):
        if any((change.player, change.field) in slots for change in event.changes):
            return NotNow("undo_blocked", version=at, kind=e.kind(event))
    for at, event in reversed(later):
        if any(change.field == "target" for change in event.changes):
            return NotNow("undo_blocked", version=at, kind=e.kind(event))
    return NotNow("undo_breaks", version=version)


def _free_nickname(game: Game, event: e.Edited) -> None:
    for field, before, _after in event.fields:
        owner = game.by_key.get(names.key(str(before))) if field == "nickname" else None
        if owner not in {None, event.player}:
            raise NotNow("nickname_taken", nickname=str(before))
