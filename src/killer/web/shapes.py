"""What the API takes and gives, as types: the answers and OpenAPI are both made from them."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

StatusWord = Literal["alive", "dead", "gaveup", "out"]
ColourWord = Literal["green", "orange", "red"]
StateWord = Literal["preparing", "running", "paused", "over"]


class SignIn(msgspec.Struct, forbid_unknown_fields=True):
    """A nickname with its password, or the token of a sign-in link."""

    nickname: str = ""
    password: str = ""
    token: str = ""
    game: str = ""


class SignedIn(msgspec.Struct):
    """Who is signed in now."""

    nickname: str
    organiser: bool


class Version(msgspec.Struct):
    """The game's version after the call."""

    version: int


class Problem(msgspec.Struct):
    """RFC 9457; `title` is in the reader's language, `instance` names the request in the logs."""

    type: str
    title: str
    status: int
    detail: str
    instance: str


class Self(msgspec.Struct):
    """The player who asks."""

    nickname: str
    status: StatusWord
    kills: int


class Target(msgspec.Struct):
    """The player to find; `photo` is an address or null."""

    nickname: str
    challenge: str
    photo: str | None


class GameNow(msgspec.Struct):
    """The game at its newest version."""

    name: str
    state: StateWord
    alive: int
    players: int
    version: int


class Me(msgspec.Struct):
    """The own card."""

    player: Self
    target: Target | None
    game: GameNow


class Line(msgspec.Struct):
    """One line of the leaderboard."""

    nickname: str
    kills: int
    year: str


class Leaderboard(msgspec.Struct):
    """Everybody by kills, then by nickname."""

    version: int
    alive: int
    players: list[Line]


class Face(msgspec.Struct):
    """One player of the trombinoscope."""

    nickname: str
    year: str
    photo: str | None


class Organiser(msgspec.Struct):
    """Whom to call."""

    nickname: str
    phone: str


class Faces(msgspec.Struct):
    """The trombinoscope."""

    players: list[Face]
    organisers: list[Organiser]


class Row(msgspec.Struct):
    """One player as organisers see it."""

    nickname: str
    status: StatusWord
    target: str | None
    hunter: str | None
    challenge: str
    kills: int
    killed_by: str | None
    order: int | None


class Table(msgspec.Struct):
    """All players as organisers see them."""

    version: int
    players: list[Row]


class Why(msgspec.Struct):
    """Why an organiser does it; kept in the log."""

    reason: str = ""


class Killing(msgspec.Struct):
    """Why, and whether the hunter is credited with the kill."""

    reason: str = ""
    credited: bool = True


class Newcomer(msgspec.Struct):
    """A player to add."""

    nickname: str
    year: str = ""
    challenge: str = ""
    password: str = ""
    reason: str = ""


class RehearsalWish(msgspec.Struct):
    """How many players a rehearsal is to have."""

    players: Annotated[int, msgspec.Meta(ge=1, le=5000)]


class Guest(msgspec.Struct):
    """Somebody of a rehearsal, with the token of a sign-in link that holds again and again."""

    nickname: str
    token: str


class Rehearsal(msgspec.Struct):
    """A rehearsal game; the password is the same for all its players."""

    number: int
    game: str
    password: str
    players: list[Guest]
    organiser: Guest


class Ready(msgspec.Struct):
    """Whether the server may get traffic, part by part.

    `bell` says what rings when another process changes a game, null when this one ends; `redis` is
    null where there is none.
    """

    ready: bool
    database: bool
    migrations: bool
    bell: Literal["redis", "postgresql", "look"] | None
    redis: bool | None
    sheet_lag: float | None


class WeatherLine(msgspec.Struct):
    """One line of the server's weather; `figures` are in seconds, bytes and shares of 1."""

    name: str
    colour: ColourWord
    title: str
    figure: str
    sentence: str
    figures: dict[str, float | str]


class Weather(msgspec.Struct):
    """How the server is; `age` is in seconds, null when nothing was ever measured."""

    colour: ColourWord
    verdict: str
    age: float | None
    lines: list[WeatherLine]
