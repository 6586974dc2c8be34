"""A game at one version: who plays, who hunts whom, and how an event turns it into the next one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, NewType, Protocol

from killer.game import names

PlayerId = NewType("PlayerId", int)
Value = str | int | bool | None


class Status(StrEnum):
    """What has become of a player."""

    ALIVE = "alive"
    DEAD = "dead"
    GAVEUP = "gaveup"
    OUT = "out"


class State(StrEnum):
    """What has become of a game."""

    PREPARING = "preparing"
    RUNNING = "running"
    PAUSED = "paused"
    OVER = "over"


HUNTING = frozenset({State.RUNNING, State.PAUSED})  # the living have targets


class Visibility(StrEnum):
    """What players learn of a death: counts only, who fell, or also by whom."""

    DISCREET = "discreet"
    DEATHS = "deaths"
    OPEN = "open"


FALLEN = frozenset({Status.DEAD, Status.GAVEUP})
SMALLEST_GAME = 2


@dataclass(frozen=True, slots=True)
class Player:
    """One enrolled person; `target` is a wish of the roster until the game starts.

    `fell` is the version of the event that took the player out of the ring, so that sorting by it
    gives the order of elimination. `sessions` counts how often all sessions were ended.
    """

    id: PlayerId
    nickname: str
    year: str = ""
    challenge: str = ""
    photo: str = ""
    status: Status = Status.ALIVE
    target: PlayerId | None = None
    killed_by: PlayerId | None = None
    fell: int | None = None
    organiser: bool = False
    sessions: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """One field that an event moves from one value to another; no player means the game itself."""

    player: PlayerId | None
    field: str
    before: Value
    after: Value
    now: bool = False  # the value after is the version of the event itself
    newcomer: Player | None = None


Changes = tuple[Change, ...]


class Fact(Protocol):
    """What a game needs to know of an event."""

    @property
    def changes(self) -> Changes:
        """Everything that it moves."""


@dataclass(frozen=True, slots=True)
class Census:
    """What is counted over all players, carried on from version to version.

    Counting a thousand anew for each event would cost more than all that is told of it.
    """

    statuses: Mapping[Status, int] = field(default_factory=Counter)
    kills: Mapping[PlayerId, int] = field(default_factory=Counter)
    hunters: Mapping[PlayerId, PlayerId] = field(default_factory=dict)
    hunting: int = 0  # alive players with a target; before the start, two may wish for the same

    @property
    def alive(self) -> int:
        """Count who is still in play."""
        return self.statuses.get(Status.ALIVE, 0)

    @property
    def playing(self) -> int:
        """Count all but those who are out."""
        return sum(self.statuses.values()) - self.statuses.get(Status.OUT, 0)

    @property
    def clear(self) -> bool:
        """Tell whether each hunted player has one hunter, so that it can be carried on."""
        return len(self.hunters) == self.hunting

    def moved(self, gone: Iterable[Player], come: Iterable[Player]) -> Census:
        """Count some players no longer, then others, who may be the same a version later."""
        statuses, kills, hunters = Counter(self.statuses), Counter(self.kills), dict(self.hunters)
        hunting = self.hunting
        for players, sign in ((gone, -1), (come, 1)):
            for player in players:
                statuses[player.status] += sign
                if player.killed_by is not None and player.status is not Status.OUT:
                    kills[player.killed_by] += sign
                if player.target is not None and player.status is Status.ALIVE:
                    hunting += sign
                    if sign > 0:
                        hunters[player.target] = player.id
                    else:
                        del hunters[player.target]
        return Census(statuses, +kills, hunters, hunting)


@dataclass(frozen=True)
class Game:
    """A whole game at one version; immutable, so that every reader may keep it."""

    name: str = ""
    state: State = State.PREPARING
    visibility: Visibility = Visibility.DEATHS
    version: int = 0
    players: Mapping[PlayerId, Player] = field(default_factory=dict)

    def after(self, *events: Fact) -> Game:
        """Give the game that follows; each event makes it one version older."""
        players = dict(self.players)
        own: dict[str, Any] = {}
        touched: set[PlayerId] = set()
        for version, event in enumerate(events, start=self.version + 1):
            changes = event.changes
            _apply(changes, version, players, own)
            touched.update(c.player for c in changes if c.player is not None)
        version = self.version + len(events)
        following = replace(self, players=players, version=version, **own)
        _carry_on(self, following, touched)
        return following

    @cached_property
    def census(self) -> Census:
        """Count everybody."""
        return Census().moved((), self.players.values())

    @cached_property
    def alive(self) -> tuple[Player, ...]:
        """Everybody who is still in play, in the order of enrolment."""
        return tuple(p for p in self.players.values() if p.status is Status.ALIVE)

    @cached_property
    def playing(self) -> tuple[Player, ...]:
        """Everybody who plays or has played: all but those who are out."""
        return tuple(p for p in self.players.values() if p.status is not Status.OUT)

    @cached_property
    def fallen(self) -> tuple[Player, ...]:
        """Everybody who fell, first to last."""
        gone = (p for p in self.players.values() if p.status in FALLEN)
        return tuple(sorted(gone, key=lambda p: (p.fell or 0, p.id)))

    @cached_property
    def order(self) -> Mapping[PlayerId, int]:
        """Each fallen player's place in the order of elimination, from 1."""
        return {player.id: place for place, player in enumerate(self.fallen, start=1)}

    @property
    def kills(self) -> Mapping[PlayerId, int]:
        """How many players each one has killed; derived, so that no kill can count twice."""
        return self.census.kills

    @property
    def hunters(self) -> Mapping[PlayerId, PlayerId]:
        """Who hunts each target."""
        return self.census.hunters

    @cached_property
    def by_key(self) -> Mapping[str, PlayerId]:
        """Players by nickname as `names.key` compares it."""
        return {names.key(p.nickname): p.id for p in self.players.values()}

    def find(self, nickname: str) -> Player | None:
        """Give the player of that nickname, however it is written."""
        found = self.by_key.get(names.key(nickname))
        return None if found is None else self.players[found]

    def value(self, player: PlayerId | None, name: str) -> Value:
        """Give the present value of a field of a player, or of the game itself."""
        owner: object = self if player is None else self.players.get(player)
        value: Value = getattr(owner, name, None)
        return value


def _carry_on(before: Game, after: Game, touched: Iterable[PlayerId]) -> None:
    """Give a game what the one before has been asked for, moved on by who was touched.

    It is put where `cached_property` looks first.
    """
    gone, come = (
        [game.players[p] for p in touched if p in game.players] for game in (before, after)
    )
    known = vars(before)
    if "by_key" in known:
        vars(after)["by_key"] = _renamed(known["by_key"], gone, come)
    if "census" in known and known["census"].clear:
        moved = known["census"].moved(gone, come)
        if moved.clear:
            vars(after)["census"] = moved


def _renamed(
    keys: Mapping[str, PlayerId], gone: Sequence[Player], come: Sequence[Player]
) -> Mapping[str, PlayerId]:
    """Give the same again unless somebody is new or has another nickname."""
    if [p.nickname for p in gone] == [p.nickname for p in come]:
        return keys
    old = {names.key(p.nickname) for p in gone}
    kept = {key: player for key, player in keys.items() if key not in old} if old else dict(keys)
    return kept | {names.key(p.nickname): p.id for p in come}


_TYPES = {"status": Status, "state": State, "visibility": Visibility}


def _apply(
    changes: Iterable[Change],
    version: int,
    players: dict[PlayerId, Player],
    own: dict[str, Any],
) -> None:
    for change in changes:
        raw = version if change.now else change.after
        value = _TYPES[change.field](str(raw)) if change.field in _TYPES else raw
        if change.player is None:
            own[change.field] = value
        elif change.newcomer is not None:
            players[change.player] = change.newcomer
        else:
            moved: dict[str, Any] = {change.field: value}
            players[change.player] = replace(players[change.player], **moved)
