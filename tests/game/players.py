"""Builders of small games: Alice hunts Bob, Bob hunts Charlie, and so on round."""

from __future__ import annotations

from dataclasses import replace

import pytest

from killer.game import commands as c
from killer.game import events as e
from killer.game.model import Game, Player, PlayerId
from killer.game.refusals import Refusal
from killer.game.rules import decide

NAMES = ("Alice", "Bob", "Charlie", "Diane", "Émile", "Fatou", "Gaston", "Hélène")
ALICE, BOB, CHARLIE, DIANE, EMILE = (PlayerId(i) for i in range(1, 6))
NOBODY = PlayerId(9999)


def nickname(number: int) -> str:
    """Give the nickname of the first, second, third… player."""
    return NAMES[number - 1] if number <= len(NAMES) else f"Joueur {number}"


def enrolments(players: int) -> tuple[c.Enrol, ...]:
    """Enrol that many, each with a year and a challenge of their own."""
    return tuple(
        c.Enrol(nickname(i), year=f"promo {i % 3}", challenge=f"défi {i}")
        for i in range(1, players + 1)
    )


def round_table(*numbers: int) -> c.GiveTargets:
    """Ask for the ring in which each of these hunts the next, and the last the first."""
    names = [nickname(i) for i in numbers]
    return c.GiveTargets(tuple(zip(names, (*names[1:], names[0]), strict=True)))


def play(game: Game, *commands: c.Command) -> Game:
    """Carry out one command after the other."""
    for command in commands:
        game = game.after(*decide(game, command))
    return game


def a_game(players: int) -> Game:
    """Gather that many; nothing has begun."""
    return play(Game(), *enrolments(players))


def running(players: int) -> Game:
    """Begin with a known ring: Alice hunts Bob, who hunts Charlie…"""
    return play(a_game(players), round_table(*range(1, players + 1)), c.Start(1))


def paused(players: int) -> Game:
    """Pause a running game."""
    return play(running(players), c.Pause())


def over(players: int) -> Game:
    """Let an organiser end a running game."""
    return play(running(players), c.End())


def refused(game: Game, command: c.Command) -> str:
    """Give the code with which the rules refuse."""
    with pytest.raises(Refusal) as caught:
        decide(game, command)
    return caught.value.code


def targets(game: Game) -> dict[int, int | None]:
    """Give who hunts whom among the living."""
    return {p.id: p.target for p in game.alive}


def alice(game: Game) -> Player:
    """Give Alice as she is now."""
    return game.players[ALICE]


def bob(game: Game) -> Player:
    """Give Bob as he is now."""
    return game.players[BOB]


def ageless(game: Game) -> Game:
    """Give a game without its version, to compare what an undo restores."""
    return replace(game, version=0)


class Story:
    """A game that keeps its own log, as the store would."""

    def __init__(self, *commands: c.Command) -> None:
        self.game = Game()
        self.log: tuple[tuple[int, e.Event], ...] = ()
        self.play(*commands)

    def play(self, *commands: c.Command) -> tuple[e.Event, ...]:
        """Carry commands out and give the events of the last one."""
        happened: tuple[e.Event, ...] = ()
        for command in commands:
            happened = decide(self.game, command)
            numbered = enumerate(happened, start=self.game.version + 1)
            self.log += tuple(numbered)
            self.game = self.game.after(*happened)
        return happened

    def since(self, version: int) -> c.Undo:
        """Ask to undo a version, with what was recorded from there on."""
        return c.Undo(version, tuple(one for one in self.log if one[0] >= version))

    def undo(self, version: int) -> tuple[e.Event, ...]:
        """Undo a version."""
        return self.play(self.since(version))

    def refusal(self, version: int) -> Refusal:
        """Give the refusal to undo a version."""
        with pytest.raises(Refusal) as caught:
            decide(self.game, self.since(version))
        return caught.value

    def last(self, kind: str) -> int:
        """Give the newest version of a kind of event."""
        return max(version for version, event in self.log if e.kind(event) == kind)


def a_story(players: int) -> Story:
    """Begin a game with a known ring and keep its log."""
    everybody = range(1, players + 1)
    return Story(*enrolments(players), round_table(*everybody), c.Start(1))
