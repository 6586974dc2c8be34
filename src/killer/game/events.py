"""What has happened: every event is a fact in the past tense that knows exactly what it changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from killer.game.model import Change, Changes, Player, PlayerId, State, Status, Value, Visibility
from killer.game.moves import Moves, left, moved


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A player is known to the game."""

    undoable: ClassVar[bool] = False
    player: PlayerId
    nickname: str
    year: str
    challenge: str
    status: Status
    organiser: bool

    @property
    def changes(self) -> Changes:
        """The whole player is new."""
        newcomer = Player(
            id=self.player,
            nickname=self.nickname,
            year=self.year,
            challenge=self.challenge,
            status=self.status,
            organiser=self.organiser,
        )
        return (Change(self.player, "", None, None, newcomer=newcomer),)


@dataclass(frozen=True, slots=True)
class Edited:
    """Something that a person may correct about a player was corrected."""

    undoable: ClassVar[bool] = True
    player: PlayerId
    fields: tuple[tuple[str, Value, Value], ...]  # name, before, after

    @property
    def changes(self) -> Changes:
        """Each corrected field."""
        return tuple(Change(self.player, name, old, new) for name, old, new in self.fields)


@dataclass(frozen=True, slots=True)
class ContactsChanged:
    """A player's private details changed; they are no part of the log, only their names are."""

    undoable: ClassVar[bool] = False
    player: PlayerId
    fields: tuple[str, ...]

    @property
    def changes(self) -> Changes:
        """Nothing that the rules know of."""
        return ()


@dataclass(frozen=True, slots=True)
class SessionsEnded:
    """A player was signed out of every device."""

    undoable: ClassVar[bool] = False
    player: PlayerId
    before: int

    @property
    def changes(self) -> Changes:
        """The count that every session carries."""
        return (Change(self.player, "sessions", self.before, self.before + 1),)


@dataclass(frozen=True, slots=True)
class TargetsGiven:
    """The roster says who shall hunt whom; a wish until the start."""

    undoable: ClassVar[bool] = True
    player: ClassVar[None] = None
    moves: Moves

    @property
    def changes(self) -> Changes:
        """Each wish."""
        return moved(self.moves)


@dataclass(frozen=True, slots=True)
class FellEarlier:
    """The roster says that a player had fallen before this server took over."""

    undoable: ClassVar[bool] = True
    player: PlayerId
    status: Status
    killed_by: PlayerId | None

    @property
    def changes(self) -> Changes:
        """The fall, without a ring to mend."""
        return (
            Change(self.player, "status", Status.ALIVE, self.status),
            Change(self.player, "killed_by", None, self.killed_by),
            Change(self.player, "fell", None, None, now=True),
        )


@dataclass(frozen=True, slots=True)
class Started:
    """The ring was closed and the hunt began."""

    undoable: ClassVar[bool] = True
    player: ClassVar[None] = None
    moves: Moves

    @property
    def changes(self) -> Changes:
        """Every living player's target, and the state."""
        return (Change(None, "state", State.PREPARING, State.RUNNING), *moved(self.moves))


@dataclass(frozen=True, slots=True)
class Died:
    """A player fell; the hunter inherits the target, and the kill when it is credited."""

    undoable: ClassVar[bool] = True
    player: PlayerId
    hunter: PlayerId
    prey: PlayerId
    credited: bool

    @property
    def changes(self) -> Changes:
        """The fall, the inheritance, the credit."""
        return (
            *left(self.player, Status.DEAD, self.hunter, self.prey),
            Change(self.player, "killed_by", None, self.hunter if self.credited else None),
            Change(self.player, "fell", None, None, now=True),
        )


@dataclass(frozen=True, slots=True)
class GaveUp:
    """A player left the game; the hunter inherits the target without a kill."""

    undoable: ClassVar[bool] = True
    player: PlayerId
    hunter: PlayerId
    prey: PlayerId

    @property
    def changes(self) -> Changes:
        """The fall and the inheritance."""
        return (
            *left(self.player, Status.GAVEUP, self.hunter, self.prey),
            Change(self.player, "fell", None, None, now=True),
        )


@dataclass(frozen=True, slots=True)
class Removed:
    """An organiser took a player out of the game, alive or fallen."""

    undoable: ClassVar[bool] = True
    player: PlayerId
    status: Status
    hunter: PlayerId | None
    prey: PlayerId | None
    killed_by: PlayerId | None
    fell: int | None

    @property
    def changes(self) -> Changes:
        """The place in the ring, or the place among the fallen."""
        if self.status is Status.ALIVE:
            return left(self.player, Status.OUT, self.hunter, self.prey)
        return (
            Change(self.player, "status", self.status, Status.OUT),
            Change(self.player, "killed_by", self.killed_by, None),
            Change(self.player, "fell", self.fell, None),
        )


@dataclass(frozen=True, slots=True)
class Joined:
    """A player entered the ring of a running game for the first time."""

    undoable: ClassVar[bool] = True
    player: PlayerId
    moves: Moves

    @property
    def changes(self) -> Changes:
        """The newcomer and the hunters whose target moved."""
        return (Change(self.player, "status", Status.OUT, Status.ALIVE), *moved(self.moves))


@dataclass(frozen=True, slots=True)
class Revived:
    """A player came back to life at a new place in the ring; the earlier fall no longer counts."""

    undoable: ClassVar[bool] = True
    player: PlayerId
    status: Status
    killed_by: PlayerId | None
    fell: int | None
    moves: Moves

    @property
    def changes(self) -> Changes:
        """The fall taken back and the hunters whose target moved."""
        return (
            Change(self.player, "status", self.status, Status.ALIVE),
            Change(self.player, "killed_by", self.killed_by, None),
            Change(self.player, "fell", self.fell, None),
            *moved(self.moves),
        )


@dataclass(frozen=True, slots=True)
class Reshuffled:
    """The living were dealt a new ring."""

    undoable: ClassVar[bool] = True
    player: ClassVar[None] = None
    moves: Moves

    @property
    def changes(self) -> Changes:
        """Every target that moved."""
        return moved(self.moves)


@dataclass(frozen=True, slots=True)
class Redirected:
    """An organiser gave a hunter another target, who moved to that place in the ring."""

    undoable: ClassVar[bool] = True
    player: PlayerId
    moves: Moves

    @property
    def changes(self) -> Changes:
        """The three targets that moved."""
        return moved(self.moves)


@dataclass(frozen=True, slots=True)
class Credited:
    """An organiser decided whose kill a death was, or nobody's."""

    undoable: ClassVar[bool] = True
    player: PlayerId
    before: PlayerId | None
    after: PlayerId | None

    @property
    def changes(self) -> Changes:
        """The credit."""
        return (Change(self.player, "killed_by", self.before, self.after),)


@dataclass(frozen=True, slots=True)
class Paused:
    """The hunt stands still."""

    undoable: ClassVar[bool] = True
    player: ClassVar[None] = None

    @property
    def changes(self) -> Changes:
        """The state."""
        return (Change(None, "state", State.RUNNING, State.PAUSED),)


@dataclass(frozen=True, slots=True)
class Resumed:
    """The hunt goes on."""

    undoable: ClassVar[bool] = True
    player: ClassVar[None] = None

    @property
    def changes(self) -> Changes:
        """The state."""
        return (Change(None, "state", State.PAUSED, State.RUNNING),)


@dataclass(frozen=True, slots=True)
class Ended:
    """The game is over: by itself when one player is left, or by an organiser."""

    undoable: ClassVar[bool] = True
    player: ClassVar[None] = None
    before: State
    automatic: bool

    @property
    def changes(self) -> Changes:
        """The state."""
        return (Change(None, "state", self.before, State.OVER),)


@dataclass(frozen=True, slots=True)
class VisibilitySet:
    """An organiser chose what players learn of a death."""

    undoable: ClassVar[bool] = True
    player: ClassVar[None] = None
    before: Visibility
    after: Visibility

    @property
    def changes(self) -> Changes:
        """The setting."""
        return (Change(None, "visibility", self.before, self.after),)


@dataclass(frozen=True, slots=True)
class Undone:
    """One earlier event was taken back exactly."""

    undoable: ClassVar[bool] = True
    player: PlayerId | None
    version: int
    kind: str
    taken_back: tuple[tuple[PlayerId | None, str, Value, Value], ...]

    @property
    def changes(self) -> Changes:
        """The undone event's changes, the other way round."""
        return tuple(Change(*one) for one in self.taken_back)


Event = (
    Enrolled
    | Edited
    | ContactsChanged
    | SessionsEnded
    | TargetsGiven
    | FellEarlier
    | Started
    | Died
    | GaveUp
    | Removed
    | Joined
    | Revived
    | Reshuffled
    | Redirected
    | Credited
    | Paused
    | Resumed
    | Ended
    | VisibilitySet
    | Undone
)

KINDS: dict[str, type[Event]] = {
    "enrolled": Enrolled,
    "edited": Edited,
    "contacts": ContactsChanged,
    "sessions-ended": SessionsEnded,
    "targets": TargetsGiven,
    "fell-earlier": FellEarlier,
    "started": Started,
    "died": Died,
    "gaveup": GaveUp,
    "removed": Removed,
    "joined": Joined,
    "revived": Revived,
    "reshuffled": Reshuffled,
    "redirected": Redirected,
    "credited": Credited,
    "paused": Paused,
    "resumed": Resumed,
    "ended": Ended,
    "visibility": VisibilitySet,
    "undone": Undone,
}
_NAMES = {event: kind for kind, event in KINDS.items()}


def kind(event: Event) -> str:
    """Give the word by which the log and the stream know this kind of event."""
    return _NAMES[type(event)]
