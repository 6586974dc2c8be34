"""The rules: what a command does to a game, as events, or why it is refused."""

from __future__ import annotations

from dataclasses import dataclass

from killer.game import commands as c
from killer.game import events as e
from killer.game import names, ring
from killer.game.model import (
    FALLEN,
    HUNTING,
    SMALLEST_GAME,
    Game,
    Player,
    PlayerId,
    State,
    Status,
    Value,
)
from killer.game.moves import Moves
from killer.game.refusals import Invalid, NotNow, Unknown
from killer.game.undo import undo

Events = tuple[e.Event, ...]
NOTHING: Events = ()

LONGEST = {"nickname": 60, "year": 60, "challenge": 500, "photo": 200}


def decide(game: Game, command: c.Command) -> Events:
    """Answer a command with what happens; nothing, when its aim is already reached.

    Raises:
        Refusal: the command can't be done; the game has not changed.
    """
    match command:
        case c.Die() | c.GiveUp() | c.Kill():
            return _fall(game, command)
        case c.Undo():
            return _and_the_end(game, *undo(game, command))  # a death can be taken back twice
        case c.Enrol():
            return _enrol(game, command)
        case c.Edit():
            return _edit(game, command)
        case c.Revive():
            return _revive(game, command)
        case c.Remove():
            return _remove(game, command)
        case c.NoteContacts():
            return (e.ContactsChanged(_known(game, command.player).id, command.fields),)
        case c.EndSessions() | c.Dismiss():
            return _sign_out(game, command)
        case c.GiveTargets() | c.NoteFall():
            return _carry_over(game, command)
        case _:
            return _steer(game, command)


def _steer(game: Game, command: c.Command) -> Events:
    """Whatever concerns more than one player."""
    match command:
        case c.Start():
            return _start(game, command)
        case c.Reshuffle():
            return _reshuffle(game, command)
        case c.Redirect():
            return _redirect(game, command)
        case c.Credit():
            return _credit(game, command)
        case c.Pause():
            return _turn(game, State.RUNNING, State.PAUSED, e.Paused())
        case c.Resume():
            return _turn(game, State.PAUSED, State.RUNNING, e.Resumed())
        case c.End():
            return _end(game)
        case c.SetVisibility():
            if command.visibility is game.visibility:
                return NOTHING
            return (e.VisibilitySet(game.visibility, command.visibility),)
        case _:
            raise TypeError(command)


def _known(game: Game, player: PlayerId) -> Player:
    if player not in game.players:
        raise Unknown("no_such_player")
    return game.players[player]


def _hunting(game: Game, *, paused: bool = True) -> None:
    """Refuse what only makes sense while the hunt is on."""
    if game.state not in HUNTING or (game.state is State.PAUSED and not paused):
        raise NotNow(f"game_{game.state}")


def _unfinished(game: Game) -> None:
    if game.state is State.OVER:
        raise NotNow("game_over")


# --- leaving the ring ---


@dataclass(frozen=True, slots=True)
class _Seat:
    hunter: PlayerId
    prey: PlayerId


def _seat(game: Game, player: Player) -> _Seat:
    assert player.target is not None  # a law: the living of a running game are one ring
    return _Seat(game.hunters[player.id], player.target)


def _and_the_end(game: Game, *happened: e.Event) -> Events:
    """Add the end of the game when one player is left."""
    after = game.after(*happened)
    if after.state in HUNTING and len(after.alive) < SMALLEST_GAME:
        return (*happened, e.Ended(after.state, automatic=True))
    return happened


def _fall(game: Game, command: c.Die | c.GiveUp | c.Kill) -> Events:
    player = _known(game, command.player)
    wanted = Status.GAVEUP if isinstance(command, c.GiveUp) else Status.DEAD
    if player.status is wanted:
        return NOTHING  # a second tap, or a request that a bad network repeated
    if player.status is not Status.ALIVE:
        raise NotNow(f"already_{player.status}", nickname=player.nickname)
    _hunting(game, paused=isinstance(command, c.Kill))
    seat = _seat(game, player)
    match command:
        case c.GiveUp():
            fall: e.Event = e.GaveUp(player.id, seat.hunter, seat.prey)
        case c.Die():
            fall = e.Died(player.id, seat.hunter, seat.prey, credited=True)
        case c.Kill():
            fall = e.Died(player.id, seat.hunter, seat.prey, credited=command.credited)
    return _and_the_end(game, fall)


def _remove(game: Game, command: c.Remove) -> Events:
    player = _known(game, command.player)
    if player.status is Status.OUT:
        return NOTHING
    _unfinished(game)
    hunter = game.hunters.get(player.id) if player.status is Status.ALIVE else None
    removed = e.Removed(
        player.id, player.status, hunter, player.target, player.killed_by, player.fell
    )
    return _and_the_end(game, removed)


def _sign_out(game: Game, command: c.EndSessions | c.Dismiss) -> Events:
    player = _known(game, command.player)
    ended = e.SessionsEnded(player.id, player.sessions)
    if isinstance(command, c.EndSessions):
        return (ended,)
    if not player.organiser:
        return NOTHING
    others = (p for p in game.players.values() if p.organiser and p.id != player.id)
    if not command.even_last and not any(others):
        raise NotNow("last_organiser", nickname=player.nickname)
    return (e.Edited(player.id, (("organiser", True, False),)), ended)


def _credit(game: Game, command: c.Credit) -> Events:
    player = _known(game, command.player)
    if player.status is not Status.DEAD:
        raise NotNow("not_dead", nickname=player.nickname)
    if command.hunter is not None:
        hunter = _known(game, command.hunter)
        if hunter.status is Status.OUT or hunter.id == player.id:
            raise Invalid("no_such_hunter", nickname=hunter.nickname)
    if player.killed_by == command.hunter:
        return NOTHING
    return (e.Credited(player.id, player.killed_by, command.hunter),)


# --- the ring ---


def _redirect(game: Game, command: c.Redirect) -> Events:
    _hunting(game)
    hunter, prey = _known(game, command.player), _known(game, command.target)
    for one in (hunter, prey):
        if one.status is not Status.ALIVE:
            raise NotNow("not_in_play", nickname=one.nickname)
    if prey.id == hunter.id:
        raise Invalid("own_target", nickname=prey.nickname)
    if hunter.target == prey.id:
        return NOTHING
    left = _seat(game, prey)
    moves = (
        (left.hunter, prey.id, left.prey),
        (hunter.id, hunter.target, prey.id),
        (prey.id, left.prey, hunter.target),
    )
    return (e.Redirected(prey.id, moves),)


# --- entering the ring ---


def _place(game: Game, player: PlayerId, seed: int) -> Moves:
    """Find a place in the ring; before the start there is none to find."""
    if game.state is State.PREPARING:
        return ()
    targets = {p.id: p.target for p in game.alive if p.target is not None}
    return ring.enter(targets, player, seed)


def _enrol(game: Game, command: c.Enrol) -> Events:
    nickname = _nickname(game, command.nickname, None)
    player = PlayerId(max(game.players, default=0) + 1)
    if command.status in FALLEN:
        raise ValueError(command.status)  # a fall is noted by itself: it has a place in the order
    late = command.status is Status.ALIVE and game.state is not State.PREPARING
    if late:
        _unfinished(game)
    enrolled = e.Enrolled(
        player,
        nickname,
        _text("year", command.year),
        _text("challenge", command.challenge),
        Status.OUT if late else command.status,
        command.organiser,
    )
    return (enrolled, e.Joined(player, _place(game, player, command.seed))) if late else (enrolled,)


def _revive(game: Game, command: c.Revive) -> Events:
    player = _known(game, command.player)
    if player.status is Status.ALIVE:
        return NOTHING
    _unfinished(game)
    moves = _place(game, player.id, command.seed)
    return (e.Revived(player.id, player.status, player.killed_by, player.fell, moves),)


# --- the roster ---


def _nickname(game: Game, wanted: str, owner: PlayerId | None) -> str:
    nickname = names.clean(wanted)
    if names.key(nickname) in {"", ".", ".."}:  # browsers take dots for folders in addresses
        raise Invalid("nickname_empty")
    if game.by_key.get(names.key(nickname), owner) != owner:
        raise Invalid("nickname_taken", nickname=nickname)
    return _text("nickname", nickname)


def _text(field: str, value: Value) -> str:
    storable = str(value or "").replace("\0", "").encode(errors="ignore").decode()
    text = storable.strip()  # no database keeps a NUL or half a character
    if len(text) > LONGEST[field]:
        raise Invalid("too_long", field=field, most=LONGEST[field])
    return text


def _edit(game: Game, command: c.Edit) -> Events:
    player = _known(game, command.player)
    moved = []
    for field, wanted in dict(command.fields).items():
        if field == "nickname":
            after: Value = _nickname(game, str(wanted or ""), player.id)
        elif field == "organiser":
            after = bool(wanted)
        else:
            after = _text(field, wanted)
        if game.value(player.id, field) != after:
            moved.append((field, game.value(player.id, field), after))
    return (e.Edited(player.id, tuple(moved)),) if moved else NOTHING


def _named(game: Game, nickname: str) -> Player:
    player = game.find(nickname)
    if player is None:
        raise Unknown("no_such_nickname", nickname=nickname)
    return player


def _carry_over(game: Game, command: c.GiveTargets | c.NoteFall) -> Events:
    if game.state is not State.PREPARING:
        raise NotNow("already_started")
    if isinstance(command, c.GiveTargets):
        wishes = {_named(game, a).id: _named(game, b).id for a, b in command.pairs}
        moves = _moves(game, wishes)
        return (e.TargetsGiven(moves),) if moves else NOTHING
    player = _named(game, command.nickname)
    if command.status not in FALLEN or player.status is not Status.ALIVE:
        return NOTHING
    killer = _named(game, command.killed_by).id if command.killed_by else None
    credited = killer if command.status is Status.DEAD and killer != player.id else None
    return (e.FellEarlier(player.id, command.status, credited),)


# --- the game as a whole ---


def _moves(game: Game, targets: dict[PlayerId, PlayerId]) -> Moves:
    """Whose target changes when these are the targets and nobody else has one."""
    return tuple(
        (p.id, p.target, targets.get(p.id))
        for p in game.players.values()
        if p.target != targets.get(p.id)
    )


def given_ring(game: Game) -> dict[PlayerId, PlayerId] | None:
    """Give the ring that the roster carries, if it is exactly one through all the living."""
    wishes = {p.id: p.target for p in game.alive if p.target is not None}
    sound = len(wishes) == len(game.alive) and ring.whole(wishes)
    return wishes if sound else None


def _start(game: Game, command: c.Start) -> Events:
    if game.state is State.RUNNING:
        return NOTHING
    if game.state is not State.PREPARING:
        raise NotNow(f"start_{game.state}")
    if len(game.alive) < SMALLEST_GAME:
        raise NotNow("too_few_players", least=SMALLEST_GAME, players=len(game.alive))
    targets = given_ring(game) or ring.draw([p.id for p in game.alive], command.seed)
    moves = tuple((p.id, p.target, targets.get(p.id)) for p in game.players.values())
    return (e.Started(tuple(m for m in moves if m[1:] != (None, None))),)  # kept wishes as well


def _reshuffle(game: Game, command: c.Reshuffle) -> Events:
    _hunting(game)
    moves = _moves(game, ring.draw([p.id for p in game.alive], command.seed))
    return (e.Reshuffled(moves),) if moves else NOTHING


def _turn(game: Game, before: State, after: State, event: e.Event) -> Events:
    if game.state is after:
        return NOTHING
    if game.state is not before:
        raise NotNow(f"game_{game.state}")
    return (event,)


def _end(game: Game) -> Events:
    if game.state is State.OVER:
        return NOTHING
    _hunting(game)
    return (e.Ended(game.state, automatic=False),)
