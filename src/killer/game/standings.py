"""Who stands where: the leaderboard, the podiums, the order of elimination."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from killer.game import names
from killer.game.model import Game, Player, State, Status

STEPS = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the leaderboard."""

    nickname: str
    kills: int
    year: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a podium, shared by all who are equal."""

    place: int
    players: tuple[Player, ...]
    kills: int


def leaderboard(game: Game) -> tuple[Line, ...]:
    """Everybody who plays or played, by kills and then by nickname."""
    lines = (Line(p.nickname, game.kills.get(p.id, 0), p.year) for p in game.playing)
    return tuple(sorted(lines, key=lambda line: (-line.kills, names.key(line.nickname))))


def winner(game: Game) -> Player | None:
    """The last one alive of a game that is over, if there is exactly one."""
    last = game.alive if game.state is State.OVER else ()
    return last[0] if len(last) == 1 else None


def survivors(game: Game) -> tuple[Step, ...]:
    """The last three: the living share the first step, then who fell last.

    Who gave up never stands on it. The living of a step together have no one number of kills.
    """
    kills = game.kills.get(game.alive[0].id, 0) if len(game.alive) == 1 else 0
    steps = [Step(1, game.alive, kills)] if game.alive else []
    place = len(game.alive) + 1
    for player in reversed(game.fallen):
        if place > STEPS:
            break
        if player.status is Status.DEAD:
            steps.append(Step(place, (player,), game.kills.get(player.id, 0)))
            place += 1
    return tuple(steps)


def killers(game: Game) -> tuple[Step, ...]:
    """The three best numbers of kills; ties share a step and the next place counts them all."""
    ranked = sorted(
        (p for p in game.playing if game.kills.get(p.id, 0)),
        key=lambda p: (-game.kills[p.id], names.key(p.nickname)),
    )
    steps, place = [], 1
    for kills, group in groupby(ranked, key=lambda p: game.kills[p.id]):
        players = tuple(group)
        if place > STEPS:
            break
        steps.append(Step(place, players, kills))
        place += len(players)
    return tuple(steps)
