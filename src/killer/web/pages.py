"""What each page shows, as plain values: a game and a reader in, a view of the page out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from killer.game import audience, names, standings
from killer.game import events as e
from killer.game.model import Game, Player, PlayerId, State, Status, Visibility
from killer.language import say
from killer.web.faces import Person, Size, photo_url


@dataclass(frozen=True, slots=True)
class Notice:
    """What just happened, said once at the top of the page."""

    text: str
    kind: Literal["ok", "problem"] = "ok"


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the log as it was stored."""

    version: int
    at: datetime
    event: e.Event
    actor: str = ""
    reason: str = ""


def tells_falls(game: Game) -> bool:
    """Tell whether players may see who is still in play."""
    return game.state is State.OVER or game.visibility is not Visibility.DISCREET


def person(game: Game, player: Player, *, size: Size = "small", phone: str = "") -> Person:
    """Show a player to everybody."""
    status = str(player.status) if tells_falls(game) else ""
    return Person(player.nickname, player.year, photo_url(player.photo, size), status, phone)


# --- the player's card ---

Mood = Literal["preparing", "running", "paused", "dead", "gaveup", "over", "out"]

LONG_CHALLENGE, SHORT_CHALLENGE, LONG_NAME, SHORT_NAME = 160, 70, 24, 12


@dataclass(frozen=True, slots=True)
class Target:
    """The own target, as the dossier shows it."""

    person: Person
    challenge: str

    @property
    def fit(self) -> str:
        """Name the size in which the challenge is set."""
        return _fit(self.challenge, SHORT_CHALLENGE, LONG_CHALLENGE)

    @property
    def name_fit(self) -> str:
        """Name the size in which the nickname is set."""
        return _fit(self.person.nickname, SHORT_NAME, LONG_NAME)


def _fit(text: str, short: int, long: int) -> str:
    return "short" if len(text) <= short else "middle" if len(text) <= long else "long"


@dataclass(frozen=True, slots=True)
class Card:
    """A player's own page; `mood` is what it is mainly about."""

    mood: Mood
    me: Person
    kills: int
    victims: tuple[str, ...]
    alive: int
    players: int
    place: int | None
    target: Target | None
    podium: Podium | None
    version: int
    organiser: bool

    @property
    def won(self) -> bool:
        """Tell whether this player is the first of a finished game."""
        return self.mood == "over" and self.place == 1

    @property
    def equals(self) -> int:
        """Count those who share a first place with this player."""
        first = self.podium.survivors[0].people if self.won and self.podium else ()
        return max(0, len(first) - 1)


def card(game: Game, player: Player) -> Card:
    """Show a player what the own card holds: never who hunts them."""
    prey = audience.prey(game, player)
    victims = [p for p in game.fallen if p.killed_by == player.id]
    return Card(
        mood=mood(game, player),
        me=Person(player.nickname, player.year, photo_url(player.photo, "small"), player.status),
        kills=game.kills.get(player.id, 0),
        victims=tuple(victim.nickname for victim in victims),
        alive=len(game.alive),
        players=len(game.playing),
        place=place(game, player),
        target=_target(prey) if prey else None,
        podium=podium(game) if game.state is State.OVER else None,
        version=game.version,
        organiser=player.organiser,
    )


def _target(prey: audience.Prey) -> Target:
    shown = Person(prey.nickname, prey.year, photo_url(prey.photo, "large"))
    return Target(shown, prey.challenge)


def mood(game: Game, player: Player) -> Mood:
    if player.status is Status.OUT:
        return "out"
    if game.state is State.OVER:
        return "over"
    if player.status is Status.DEAD:
        return "dead"
    if player.status is Status.GAVEUP:
        return "gaveup"
    if game.state is State.PREPARING:
        return "preparing"
    return "paused" if game.state is State.PAUSED else "running"


def place(game: Game, player: Player) -> int | None:
    """Give the final place: known once fallen, or when the game is over."""
    if player.id in game.order:
        return len(game.playing) - game.order[player.id] + 1
    return 1 if game.state is State.OVER and player.status is Status.ALIVE else None


# --- the news ---


@dataclass(frozen=True, slots=True)
class FeedLine:
    """One piece of news."""

    version: int
    at: datetime
    kind: str
    text: str


# --- standings ---


@dataclass(frozen=True, slots=True)
class Rank:
    """One line of the leaderboard."""

    rank: int
    player: PlayerId
    person: Person
    kills: int


def leaderboard(game: Game) -> tuple[Rank, ...]:
    """Rank everybody by kills, ties sharing a rank; kills are public, falls not in every game."""
    ranks: list[Rank] = []
    for number, line in enumerate(standings.leaderboard(game), start=1):
        rank = ranks[-1].rank if ranks and ranks[-1].kills == line.kills else number
        player = game.find(line.nickname)
        assert player is not None  # the leaderboard is made of the game's players
        ranks.append(Rank(rank, player.id, person(game, player), line.kills))
    return tuple(ranks)


@dataclass(frozen=True, slots=True)
class PodiumStep:
    """One step, shared by all who are equal."""

    place: int
    kills: int
    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class Fall:
    """One line of the order of elimination."""

    order: int
    nickname: str
    gaveup: bool
    killer: str


@dataclass(frozen=True, slots=True)
class Podium:
    """Both podiums and who fell when, last first."""

    over: bool
    survivors: tuple[PodiumStep, ...]
    killers: tuple[PodiumStep, ...]
    falls: tuple[Fall, ...]


def podium(game: Game) -> Podium:
    """Show the podiums as far as the game's visibility allows; survivors only at the end."""
    over = game.state is State.OVER
    survivors = standings.survivors(game) if over else ()
    killers = standings.killers(game)
    fallen = game.fallen if tells_falls(game) else ()
    falls = [_fall(game, player) for player in reversed(fallen)]
    return Podium(over, _steps(game, survivors), _steps(game, killers), tuple(falls))


def _steps(game: Game, steps: Iterable[standings.Step]) -> tuple[PodiumStep, ...]:
    return tuple(
        PodiumStep(step.place, step.kills, tuple(person(game, p) for p in step.players))
        for step in steps
    )


def _fall(game: Game, player: Player) -> Fall:
    known = player.killed_by is not None and game.visibility is Visibility.OPEN
    killer = nickname(game, player.killed_by) if known else ""
    return Fall(game.order[player.id], player.nickname, player.status is Status.GAVEUP, killer)


def nickname(game: Game, player: PlayerId | None) -> str:
    """Name a player, with nothing for nobody."""
    return "" if player is None else game.players[player].nickname


@dataclass(frozen=True, slots=True)
class Gallery:
    """The trombinoscope: organisers first, then everybody who plays."""

    organisers: tuple[Person, ...]
    people: tuple[Person, ...]
    years: tuple[str, ...]


def gallery(game: Game, phones: Mapping[PlayerId, str]) -> Gallery:
    """Show all faces; only organisers show a phone number."""
    everybody = sorted(game.players.values(), key=lambda p: names.alphabetical(p.nickname))
    organisers = [p for p in everybody if p.organiser]
    playing = [p for p in everybody if p.status is not Status.OUT]
    return Gallery(
        tuple(person(game, p, size="medium", phone=phones.get(p.id, "")) for p in organisers),
        tuple(person(game, p, size="medium") for p in playing),
        tuple(sorted({p.year for p in playing if p.year}, key=names.key)),
    )


# --- the organisers' pages ---


def table(game: Game) -> tuple[audience.Row, ...]:
    """Show the organisers everything, by nickname."""
    everybody = sorted(game.players.values(), key=lambda p: names.alphabetical(p.nickname))
    return tuple(audience.row(game, player) for player in everybody)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the audit; `undoable` when a button makes sense."""

    version: int
    at: datetime
    actor: str
    text: str
    reason: str
    undone: bool
    undoable: bool


def log(game: Game, records: Iterable[Record], undone: Collection[int]) -> tuple[LogLine, ...]:
    """Tell organisers what happened, in the order given; `undone` are versions taken back."""
    return tuple(
        LogLine(
            version=record.version,
            at=record.at,
            actor=record.actor or say("site.log.nobody"),
            text=log_text(game, record.event),
            reason=record.reason,
            undone=record.version in undone,
            undoable=record.event.undoable and record.version not in undone,
        )
        for record in records
    )


def log_text(game: Game, event: e.Event) -> str:
    """Say an event as organisers may know it, without anybody's target."""
    kind = e.kind(event)
    who = nickname(game, event.player)
    match event:
        case e.Died():
            key = "credited" if event.credited else "uncredited"
            return say(f"site.log.died.{key}", who=who, by=nickname(game, event.hunter))
        case e.FellEarlier():
            return say(f"site.log.fell-earlier.{event.status}", who=who)
        case e.Edited() | e.ContactsChanged():
            named = (f if isinstance(f, str) else f[0] for f in event.fields)
            fields = ", ".join(say(f"site.field.{name}") for name in named)
            return say(f"site.log.{kind}", who=who, fields=fields)
        case e.Ended():
            return say(f"site.log.ended.{'automatic' if event.automatic else 'decided'}")
        case e.VisibilitySet():
            return say("site.log.visibility", after=say(f"site.visibility.{event.after}"))
        case e.Undone():
            return say("site.log.undone", version=event.version)
        case _:
            return say(f"site.log.{kind}", who=who)


@dataclass(frozen=True, slots=True)
class PlayerFile:
    """All about one player, for organisers."""

    row: audience.Row
    person: Person
    organiser: bool
    place: int | None
    log: tuple[LogLine, ...]


def player_file(
    game: Game, player: Player, records: Iterable[Record], undone: Collection[int]
) -> PlayerFile:
    """Show organisers one player; `records` are those that concern the player."""
    shown = Person(player.nickname, player.year, photo_url(player.photo, "large"), player.status)
    return PlayerFile(
        audience.row(game, player),
        shown,
        player.organiser,
        place(game, player),
        log(game, records, undone),
    )


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one cell of an imported file."""

    file: str
    row: int | None
    column: str
    text: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do; `upload` holds the files for the second step.

    Notes stand in nobody's way; `blocked` means that the faults concern the files as a whole.
    """

    new: int
    changed: int
    unchanged: int
    organisers: int
    faults: tuple[Fault, ...]
    upload: str
    notes: tuple[Fault, ...] = ()
    blocked: bool = False
