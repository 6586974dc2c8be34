"""What editors of the sheet ask of a game: noticed, offered to the organisers, then carried out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from killer.game import commands as c
from killer.game import names
from killer.game.model import Game, Player, PlayerId, Status
from killer.game.refusals import Unknown
from killer.sheets.cells import STATE, Difference, Value, says
from killer.sheets.columns import Meaning, status_of
from killer.sheets.roster import Entry
from killer.store.sheets import Offer

MOST = 10  # cells at once; more are no decisions but an accident, such as columns sorted alone
SEVERAL = 3  # rows that may vanish at once before it is an accident as well
CROWD = 50  # newcomers that are offered: nobody decides on two thousand
ROWS = frozenset({"newcomer", "gone"})  # offers that hold as long as a row is there, or is not

Told = Callable[[Game, Difference], Value | None]
"""What a game says in the place of a difference; None when it doesn't know the player."""


def edited(
    found: Iterable[Difference], history: Sequence[Game], told: Told
) -> tuple[Difference, ...]:
    """Pick what an editor wrote: filled cells that no version since the sheet was level has said.

    `history` holds the games from when the sheet was last known to be level until now.
    """
    return tuple(
        one
        for one in found
        if one.meaning in STATE and one.cell.strip() and not _was_said(one, history, told)
    )


def _was_said(one: Difference, history: Sequence[Game], told: Told) -> bool:
    said = (told(game, one) for game in history)
    return any(value is not None and says(one.meaning, one.cell, value) for value in said)


def asked(game: Game, changes: Sequence[Difference]) -> list[Offer]:
    """Make offers of what was edited; none of what can't be meant, or of too much at once."""
    if len(changes) > MOST:
        return []
    return [offer for one in changes if (offer := _offer(game, one))]


def _offer(game: Game, one: Difference) -> Offer | None:
    assert one.player is not None
    player = game.players[one.player]
    wanted = _wanted(game, one)
    if not wanted or one.meaning not in _KINDS:
        return None
    return Offer(player.id, _KINDS[one.meaning], player.nickname, str(one.wanted)[:300], wanted)


_KINDS = {Meaning.STATUS: "status", Meaning.TARGET: "target", Meaning.KILLED_BY: "killed_by"}


def _wanted(game: Game, one: Difference) -> str:
    if one.meaning is Meaning.STATUS:
        return status_of(one.cell) or ""
    named = game.find(one.cell)
    return named.nickname if named and named.id != one.player else ""


def newcomers(entries: Iterable[Entry]) -> list[Offer]:
    """Offer to let in whoever is new in the sheet of a game that has begun; not a whole crowd."""
    return [Offer(None, "newcomer", e.nickname, "", e.nickname) for e in entries][:CROWD]


def gone(game: Game, known: Iterable[PlayerId], here: Iterable[PlayerId]) -> list[Offer] | None:
    """Offer to take out whoever had a row and has none any more; None after an accident."""
    absent = sorted({i for i in known if game.players[i].status is Status.ALIVE} - set(here))
    if len(absent) > SEVERAL:
        return None
    return [Offer(i, "gone", game.players[i].nickname, "", "out") for i in absent]


def fresh(made: Iterable[Offer], kept: Iterable[Offer]) -> list[Offer]:
    """Pick the offers that weren't made before."""
    known = {_subject(one) for one in kept}
    return [one for one in made if _subject(one) not in known]


def _subject(one: Offer) -> tuple[object, ...]:
    return (one.kind, one.player or names.key(one.nickname), one.wanted)


def stale(
    game: Game, kept: Iterable[Offer], made: Iterable[Offer], sure: Collection[str] = ROWS
) -> list[int]:
    """Pick the offers that have become pointless: done otherwise, or taken back in the sheet.

    What is taken back can be told only of the kinds that this look was `sure` of.
    """
    standing = {_subject(one) for one in made}
    return [
        one.id
        for one in kept
        if (one.kind in sure and _subject(one) not in standing)
        or (one.player and _reached(game, game.players[one.player], one))
    ]


def _reached(game: Game, player: Player, one: Offer) -> bool:
    match one.kind:
        case "status":
            return player.status == one.wanted
        case "target":
            return player.status is not Status.ALIVE or player.target == _named(game, one)
        case "killed_by":
            return player.killed_by is not None and player.killed_by == _named(game, one)
        case _:
            return player.status is Status.OUT


def _named(game: Game, one: Offer) -> PlayerId | None:
    found = game.find(one.wanted)
    return found.id if found else None


def command(game: Game, one: Offer, seed: int) -> c.Command:
    """Say what carries an offer out.

    Raises:
        Unknown: it names somebody who is no longer there.
    """
    if one.player is None:
        return c.Enrol(one.nickname, status=Status.ALIVE, seed=seed)
    if one.kind in {"target", "killed_by"}:
        other = _named(game, one)
        if other is None:
            raise Unknown("no_such_nickname", nickname=one.wanted)
        return (
            c.Redirect(one.player, other) if one.kind == "target" else c.Credit(one.player, other)
        )
    return _status_command(one.player, Status(one.wanted), seed)


def _status_command(player: PlayerId, wanted: Status, seed: int) -> c.Command:
    match wanted:
        case Status.DEAD:
            return c.Kill(player)
        case Status.GAVEUP:
            return c.GiveUp(player)
        case Status.OUT:
            return c.Remove(player)
        case Status.ALIVE:
            return c.Revive(player, seed)
