"""Taking one event back exactly, or saying what stands in the way."""

from __future__ import annotations

from killer.game import events as e
from killer.game import names, ring
from killer.game.commands import Undo
from killer.game.model import Game, PlayerId, State
from killer.game.refusals import NotNow, Unknown

Log = tuple[tuple[int, e.Event], ...]
Slots = set[tuple[PlayerId | None, str]]

HUNT = frozenset({"status", "target"})
"""What stands still while the game is over; a text may be put back even then."""


def undo(game: Game, command: Undo) -> tuple[e.Event, ...]:
    """Take one event back; an automatic end that followed from it goes with it.

    Exact means: everything that the event changed still is as the event left it, and the ring is
    whole afterwards; so the game is as if the event had not been.

    Raises:
        Refusal: no such event, a kind that can't be undone, or a later event in the way.
    """
    if not command.log or command.log[0][0] != command.version:
        raise Unknown("no_such_version", version=command.version)
    event, gone = command.log[0][1], _gone(command.log)
    if command.version in gone:
        return ()
    if not event.undoable or _reopening(event):
        raise NotNow("cannot_undo", kind=e.kind(event), version=command.version)
    if _automatic(event):
        raise NotNow("undo_the_fall", version=command.version - 1)  # the end goes with its cause
    later = tuple((at, one) for at, one in command.log[1:] if at not in gone)
    reopened = _reopened(game, event, later)
    undone = _reverse(game.after(*reopened), command.version, event, later)
    after = game.after(*reopened, undone)
    if ring.faults(after):
        raise _blocked(command.version, later, {(c.player, c.field) for c in event.changes})
    return (*reopened, undone)


def _gone(log: Log) -> set[int]:
    """Find the events of a log that are taken back, and the taking back too: together nothing.

    A taking back that is taken back itself counts no more, so they are read backwards.
    """
    versions = {at for at, _event in log}
    gone: set[int] = set()
    for at, event in reversed(log):
        if isinstance(event, e.Undone) and at not in gone and event.version in versions:
            gone |= {at, event.version}
    return gone


def _automatic(event: e.Event) -> bool:
    return isinstance(event, e.Ended) and event.automatic


def _reopening(event: e.Event) -> bool:
    """Tell whether it reopened a game; who wants that back ends the game anew."""
    return isinstance(event, e.Undone) and event.kind == "ended"


def _reopened(game: Game, event: e.Event, later: Log) -> tuple[e.Event, ...]:
    """Take back an automatic end first, when what led to it is taken back."""
    fields = {change.field for change in event.changes}
    if game.state is not State.OVER or "state" in fields or not fields & HUNT:
        return ()
    for version, end in reversed(later):
        if any(change.field == "state" for change in end.changes):
            if _automatic(end):
                return (_reverse(game, version, end, ()),)
            raise NotNow("undo_blocked", version=version, kind=e.kind(end))
    return ()


def _reverse(game: Game, version: int, event: e.Event, later: Log) -> e.Undone:
    """Turn every change round, if nothing has moved since."""
    moved, back = set(), []
    for change in event.changes:
        left = version if change.now else change.after
        back.append((change.player, change.field, left, change.before))
        if game.value(change.player, change.field) != left:
            moved.add((change.player, change.field))
    if moved:
        raise _blocked(version, later, moved)
    undone = e.Undone(event.player, version, e.kind(event), tuple(back))
    _free_nickname(game, undone)
    return undone


def _blocked(version: int, later: Log, slots: Slots) -> NotNow:
    """Name the last event that moved one of these; it must be undone first.

    Events that moved any target count when none moved the same one: the ring is one thing. An
    automatic end is never named: it goes with the fall that led to it.
    """
    standing = [(at, event) for at, event in reversed(later) if not _automatic(event)]
    for at, event in standing:
        if any((change.player, change.field) in slots for change in event.changes):
            return NotNow("undo_blocked", version=at, kind=e.kind(event))
    for at, event in standing:
        if any(change.field == "target" for change in event.changes):
            return NotNow("undo_blocked", version=at, kind=e.kind(event))
    return NotNow("undo_breaks", version=version)


def _free_nickname(game: Game, undone: e.Undone) -> None:
    """Refuse to give back, or to take again, a nickname that is somebody else's by now."""
    for change in undone.changes:
        wanted = str(change.after) if change.field == "nickname" else ""
        if game.by_key.get(names.key(wanted), change.player) != change.player:
            raise NotNow("nickname_taken", nickname=wanted)
