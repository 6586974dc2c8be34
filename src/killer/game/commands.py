"""What somebody wants: imperatives that the rules answer with events or a refusal."""

from __future__ import annotations

from dataclasses import dataclass

from killer.game.events import Event
from killer.game.model import PlayerId, Status, Value, Visibility


@dataclass(frozen=True, slots=True)
class Enrol:
    """Make a player known; in a running game a living one joins the ring, the seed says where."""

    nickname: str
    year: str = ""
    challenge: str = ""
    status: Status = Status.ALIVE
    organiser: bool = False
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Edit:
    """Correct what may be corrected: nickname, year, challenge, photo, organiser."""

    player: PlayerId
    fields: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class NoteContacts:
    """Note that private details, kept outside the log, were changed."""

    player: PlayerId
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EndSessions:
    """Sign a player out everywhere."""

    player: PlayerId


@dataclass(frozen=True, slots=True)
class GiveTargets:
    """Keep the targets that the roster carries, as pairs of nicknames, hunter first."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class NoteFall:
    """Keep a fall from before this server took over; falls are noted in their order."""

    nickname: str
    status: Status
    killed_by: str = ""


@dataclass(frozen=True, slots=True)
class Start:
    """Close the ring: the roster's targets if they form one, else one drawn from the seed."""

    seed: int


@dataclass(frozen=True, slots=True)
class Die:
    """Declare one's own death."""

    player: PlayerId


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Leave the game."""

    player: PlayerId


@dataclass(frozen=True, slots=True)
class Kill:
    """Declare another's death, as an organiser; `credited` counts it for the hunter."""

    player: PlayerId
    credited: bool = True


@dataclass(frozen=True, slots=True)
class Revive:
    """Bring a player back at a new place in the ring, drawn from the seed."""

    player: PlayerId
    seed: int


@dataclass(frozen=True, slots=True)
class Remove:
    """Take a player out of the game."""

    player: PlayerId


@dataclass(frozen=True, slots=True)
class Dismiss:
    """Take an organiser's right away, and sign him out; the last one's only with `even_last`."""

    player: PlayerId
    even_last: bool = False


@dataclass(frozen=True, slots=True)
class Reshuffle:
    """Deal the living a new ring, drawn from the seed."""

    seed: int


@dataclass(frozen=True, slots=True)
class Redirect:
    """Give a hunter this target, who takes the place between the hunter and the present one."""

    player: PlayerId
    target: PlayerId


@dataclass(frozen=True, slots=True)
class Credit:
    """Say whose kill a death was; None for nobody's."""

    player: PlayerId
    hunter: PlayerId | None


@dataclass(frozen=True, slots=True)
class Pause:
    """Let the hunt stand still."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Let the hunt go on."""


@dataclass(frozen=True, slots=True)
class End:
    """End the game now."""


@dataclass(frozen=True, slots=True)
class SetVisibility:
    """Choose what players learn of a death."""

    visibility: Visibility


@dataclass(frozen=True, slots=True)
class Undo:
    """Take one event back; `log` is what was recorded from that event on, with versions."""

    version: int
    log: tuple[tuple[int, Event], ...] = ()


Command = (
    Enrol
    | Edit
    | NoteContacts
    | EndSessions
    | GiveTargets
    | NoteFall
    | Start
    | Die
    | GiveUp
    | Kill
    | Revive
    | Remove
    | Dismiss
    | Reshuffle
    | Redirect
    | Credit
    | Pause
    | Resume
    | End
    | SetVisibility
    | Undo
)
