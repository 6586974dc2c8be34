"""A random game of 2 to 200 players in which anybody may try anything at any time."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from game.players import enrolments, nickname, round_table
from killer.game import commands as c
from killer.game import events as e
from killer.game.model import Game, PlayerId, Status, Visibility
from killer.game.refusals import Refusal
from killer.game.rules import decide

SIZES = st.one_of(st.integers(2, 5), st.integers(2, 40), st.integers(2, 200))
SOMEBODY = st.integers(0, 400)
SEEDS = st.integers(0, 2**32)
WORDS = st.sampled_from(["", "Zoé", "zoe\u0301", "ALICE", "Bob ", "nouveau", "x" * 501, "\u200b"])
FIELDS = st.sampled_from(["nickname", "year", "challenge", "photo"])
BEGINNINGS = st.sampled_from(["given", "drawn", "preparing"])

Step = tuple[Game, e.Event, Game]


class AnyGame(RuleBasedStateMachine):
    """Tries commands, right and wrong ones, and keeps the log; `steps` is what the last one did."""

    def __init__(self) -> None:
        super().__init__()
        self.game = Game()
        self.log: list[tuple[int, e.Event]] = []
        self.steps: list[Step] = []
        self.command: c.Command | None = None
        self.refusal: Refusal | None = None
        self.before = self.game

    def attempt(self, command: c.Command) -> Refusal | None:
        """Try one command; a refusal must leave the game as it was."""
        self.command, self.before, self.steps, self.refusal = command, self.game, [], None
        copy = replace(self.game, players=dict(self.game.players))
        try:
            happened = decide(self.game, command)
        except Refusal as refusal:
            happened, self.refusal = (), refusal
        assert self.game == copy
        for event in happened:
            after = self.game.after(event)
            self.steps.append((self.game, event, after))
            self.log.append((after.version, event))
            self.game = after
        return self.refusal

    def undoing(self, version: int) -> c.Undo:
        """Ask for an undo as play.py does: with what was recorded from that version on."""
        return c.Undo(version, tuple(self.log[version - 1 :] if version > 0 else ()))

    def somebody(self, pick: int) -> PlayerId:
        """Mostly a player of this game, seldom one who isn't there; early ones more often."""
        numbers = len(self.game.players)
        return PlayerId(pick % (numbers + 1) + 1 if pick > 8 else pick % numbers + 1)

    @initialize(size=SIZES, how=BEGINNINGS, visibility=st.sampled_from(Visibility), seed=SEEDS)
    def gather(self, size: int, how: str, visibility: Visibility, seed: int) -> None:
        for command in (*enrolments(size), c.SetVisibility(visibility)):
            self.attempt(command)
        if how == "given":
            self.attempt(round_table(*range(1, size + 1)))
        if how != "preparing":
            self.attempt(c.Start(seed))

    @rule(pick=SOMEBODY, fall=st.sampled_from([c.Die, c.Die, c.Kill, c.GiveUp, c.Remove]))
    def fall(self, pick: int, fall: type) -> None:
        self.attempt(fall(self.somebody(pick)))

    @rule(pick=SOMEBODY, count=st.integers(1, 40))
    def massacre(self, pick: int, count: int) -> None:
        """Let many fall in the same second, so that big games end too."""
        for i in range(count):
            self.attempt(c.Die(self.somebody(pick + i)))

    @rule(pick=SOMEBODY)
    def kill_without_credit(self, pick: int) -> None:
        self.attempt(c.Kill(self.somebody(pick), credited=False))

    @rule(pick=SOMEBODY, seed=SEEDS)
    def revive(self, pick: int, seed: int) -> None:
        self.attempt(c.Revive(self.somebody(pick), seed))

    @rule(pick=SOMEBODY, other=SOMEBODY)
    def redirect(self, pick: int, other: int) -> None:
        self.attempt(c.Redirect(self.somebody(pick), self.somebody(other)))

    @rule(pick=SOMEBODY, other=st.none() | SOMEBODY)
    def credit(self, pick: int, other: int | None) -> None:
        hunter = None if other is None else self.somebody(other)
        self.attempt(c.Credit(self.somebody(pick), hunter))

    @rule(
        word=WORDS,
        status=st.sampled_from([Status.ALIVE, Status.OUT]),
        boss=st.booleans(),
        seed=SEEDS,
    )
    def enrol(self, word: str, status: Status, seed: int, *, boss: bool) -> None:
        self.attempt(c.Enrol(word, status=status, organiser=boss, seed=seed))

    @rule(pick=SOMEBODY, fields=st.lists(st.tuples(FIELDS, WORDS), max_size=3), boss=st.booleans())
    def edit(self, pick: int, fields: list[tuple[str, str]], *, boss: bool) -> None:
        self.attempt(c.Edit(self.somebody(pick), (*fields, ("organiser", boss))))

    @rule(
        pick=SOMEBODY, command=st.sampled_from([c.EndSessions, partial(c.NoteContacts, fields=())])
    )
    def note(self, pick: int, command: partial[c.Command]) -> None:
        self.attempt(command(self.somebody(pick)))

    @rule(pairs=st.lists(st.tuples(SOMEBODY, SOMEBODY), max_size=4))
    def give_targets(self, pairs: list[tuple[int, int]]) -> None:
        named = tuple((nickname(a % 9 + 1), nickname(b % 9 + 1)) for a, b in pairs)
        self.attempt(c.GiveTargets(named))

    @rule(seed=SEEDS)
    def give_ring(self, seed: int) -> None:
        living = [p.nickname for p in self.game.alive]
        ring = zip(living, [*living[1:], *living[:1]], strict=True)
        self.attempt(c.GiveTargets(tuple(ring)))

    @rule(pick=SOMEBODY, by=st.one_of(st.none(), SOMEBODY), status=st.sampled_from(Status))
    def note_fall(self, pick: int, by: int | None, status: Status) -> None:
        killer = "" if by is None else nickname(by % 9 + 1)
        self.attempt(c.NoteFall(nickname(pick % 9 + 1), status, killer))

    @rule(command=st.sampled_from([c.Pause(), c.Resume(), c.Resume(), c.End()]))
    def turn(self, command: c.Command) -> None:
        self.attempt(command)

    @rule(seed=SEEDS, command=st.sampled_from([c.Start, c.Reshuffle]))
    def deal(self, seed: int, command: type) -> None:
        self.attempt(command(seed))

    @rule(visibility=st.sampled_from(Visibility))
    def set_visibility(self, visibility: Visibility) -> None:
        self.attempt(c.SetVisibility(visibility))

    @rule(back=st.one_of(st.integers(0, 6), st.integers(-1, 300)))
    def undo(self, back: int) -> None:
        self.attempt(self.undoing(len(self.log) - back))
