"""The laws hold in random games of 2 to 200 players, whatever anybody tries."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from game import laws
from game.any_game import AnyGame
from game.players import ageless
from killer.game import commands as c
from killer.game import events as e
from killer.game import ring
from killer.game.model import Game
from killer.game.rules import decide

AGAIN = c.NoteContacts | c.EndSessions | c.Enrol
"""What happens again when it is asked again, or is refused as taken."""


class LawfulGame(AnyGame):
    """Every law, after every step."""

    @invariant()
    def the_laws_hold(self) -> None:
        laws.check_all(self.game)
        assert ring.faults(self.game) == []

    @invariant()
    def versions_have_no_gaps_and_a_replay_gives_the_same_game(self) -> None:
        assert [version for version, _event in self.log] == list(range(1, len(self.log) + 1))
        assert self.game.version == len(self.log)
        assert Game().after(*(event for _version, event in self.log)) == self.game

    @invariant()
    def what_is_carried_on_is_what_would_be_counted(self) -> None:
        assert self.game.census == replace(self.game).census
        assert self.game.by_key == replace(self.game).by_key
        assert (self.game.census.alive, self.game.census.playing) == (
            len(self.game.alive),
            len(self.game.playing),
        )

    @invariant()
    def every_event_does_something(self) -> None:
        for before, event, after in self.steps:
            if not isinstance(event, e.ContactsChanged):
                assert ageless(before) != ageless(after)

    @invariant()
    def states_follow_one_another_as_they_should(self) -> None:
        turn = (self.before.state, self.game.state)
        assert turn[0] is turn[1] or turn in laws.TURNS or isinstance(self.command, c.Undo)

    @invariant()
    def a_second_tap_changes_nothing(self) -> None:
        if self.steps and not isinstance(self.command, AGAIN):
            again = self.command
            if isinstance(again, c.Undo):
                again = self.undoing(again.version)
            assert decide(self.game, again) == ()

    @invariant()
    def what_just_happened_can_be_taken_back_exactly(self) -> None:
        happened = [step for step in self.steps if not _automatic(step[1])]
        if happened and happened[-1][1].undoable and not _reopening(happened[-1][1]):
            before = happened[-1][0] if len(self.steps) < 2 else _start(self.steps)
            undone = decide(self.game, self.undoing(happened[-1][2].version))
            assert ageless(self.game.after(*undone)) == ageless(before)

    @rule(back=st.integers(0, 60))
    def insist_on_an_undo(self, back: int) -> None:
        """Whoever is told that a version is in the way gets there by undoing that one first."""
        wanted = [max(1, len(self.log) - back)]
        for _try in range(1000):
            refusal = self.attempt(self.undoing(wanted[-1]))
            if refusal is None or refusal.code not in {"undo_blocked", "undo_the_fall"}:
                assert len(wanted) == 1 or refusal or self.steps, "named a version in vain"
                wanted.pop()
                if not wanted or refusal:
                    return
            else:
                laws.check_all(self.game)
                assert refusal.code == "undo_the_fall" or refusal.params["version"] > wanted[-1]
                wanted.append(int(refusal.params["version"]))
        raise AssertionError(wanted)


def _automatic(event: e.Event) -> bool:
    return isinstance(event, e.Ended) and event.automatic


def _reopening(event: e.Event) -> bool:
    return isinstance(event, e.Undone) and event.kind == "ended"


def _start(steps: list) -> Game:
    """Give the game to which undoing the last of several events leads."""
    joined = isinstance(steps[-1][1], e.Joined)
    return steps[-1][0] if joined else steps[0][0]


LawfulGame.TestCase.settings = settings(max_examples=120, stateful_step_count=40)
TestRandomGames = LawfulGame.TestCase
