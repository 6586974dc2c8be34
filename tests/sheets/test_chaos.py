"""Organisers do everything to a sheet in the midst of a game, and no wrong cell is ever written."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from contextlib import suppress

import pytest
from kept_sheet import Keep, Kept, answer, form
from witness import Witness

from killer.game import commands as c
from killer.game.events import kind
from killer.game.model import PlayerId, State, Status
from killer.game.refusals import Refusal
from killer.sheets.columns import status_of
from killer.sheets.google import GoogleError
from killer.store.sheets import Offer

PLAYERS, STEPS = 32, 40
SEEDS = range(int(os.environ.get("KILLER_TEST_CHAOS", "6")))
WORDS = ("dead", "vivant", "gaveup", "mort", "hors jeu", "3", "n'importe quoi", "Bob", "Élise")
FOREIGN = ("Notes", "", "Payé", "Vu", "Notes")  # a column with a header of ours would be ours


class Organiser:
    """Somebody who does anything to the sheet, and remembers what the game may be asked."""

    def __init__(self, kept: Kept, chance: random.Random) -> None:
        self.kept, self.chance, self.tab = kept, chance, kept.tab
        self.caused: set[tuple[str, PlayerId | None, str]] = set()
        self.arrived = 0
        self.deeds: list[Callable[[], None]] = [
            *[self.sort] * 3,
            *[self.write_state] * 3,
            *(self.insert_column, self.move_column, self.delete_column, self.rename_column),
            *(self.insert_row, self.delete_row, self.newcomer, self.empty_cell),
            *(self.correct, self.rename_tab, self.write_in_own_column),
        ]

    def act(self) -> None:
        self.chance.choice(self.deeds)()

    def columns(self, *, own: bool) -> list[int]:
        """Give the columns that the keeper has marked, or those that it hasn't."""
        marked = [any(m.key == "killer" for m in marks) for marks in self.tab.marks]
        return [n for n, ours in enumerate(marked[: len(self.tab.rows()[0])]) if ours is not own]

    def filled(self) -> list[int]:
        """Give the rows of players, by their badges."""
        badge = self.tab.index("Badge")
        return [n for n in range(1, len(self.tab.rows())) if self.tab.cell(n, badge)]

    def who(self, row: int) -> PlayerId | None:
        badge = self.tab.cell(row, "Badge")
        return PlayerId(int(badge[1:]) + 1) if badge.startswith("b") else None

    def sort(self) -> None:
        columns = range(len(self.tab.rows()[0]))
        self.tab.sort(self.chance.choice(columns), reverse=self.chance.random() < 0.5)

    def write_state(self) -> None:
        players = [n for n in self.filled() if self.who(n)]
        row, column = self.chance.choice(players), self.chance.choice(self.columns(own=False))
        word = self.chance.choice(WORDS)
        self.tab.set(row, column, word)
        player, meant = self.who(row), {m.value for m in self.tab.marks[column]}
        if "status" in meant:
            self.caused.add(("status", player, status_of(word) or ""))
        self.caused |= {(key, player, "") for key in meant}

    def insert_column(self) -> None:
        at = self.chance.randrange(len(self.tab.rows()[0]) + 1)
        self.tab.insert_column(at, self.chance.choice(FOREIGN))

    def move_column(self) -> None:
        width = len(self.tab.rows()[0])
        self.tab.move_column(self.chance.randrange(width), self.chance.randrange(width))

    def delete_column(self) -> None:
        foreign = [n for n in self.columns(own=True) if self.tab.cell(0, n) in FOREIGN]
        self.tab.delete_column(self.chance.choice([*foreign, *self.columns(own=False)]))

    def rename_column(self) -> None:
        foreign = [n for n in self.columns(own=True) if self.tab.cell(0, n) in FOREIGN]
        column = self.chance.choice([*foreign, *self.columns(own=False)])
        self.tab.set(0, column, self.chance.choice(["Situation", "Vu", "Notes", "x", "Payé"]))

    def insert_row(self) -> None:
        self.tab.insert_row(self.chance.randrange(1, len(self.tab.rows()) + 1))

    def delete_row(self) -> None:
        rows = self.filled()
        if len(rows) > 24:
            row = self.chance.choice(rows)
            self.caused.add(("gone", self.who(row), "out"))
            self.tab.delete_row(row)

    def newcomer(self) -> None:
        self.arrived += 1
        row = dict(zip(form(0)[0], answer(200 + self.arrived, "new"), strict=True))
        header = self.tab.rows()[0]
        self.caused.add(("newcomer", None, row["Surnom"]))
        self.tab.append([row.pop(head, "") for head in header])

    def empty_cell(self) -> None:
        chosen = [self.tab.index(head) for head in ("Surnom", "Année", "Téléphone", "Horodateur")]
        column = self.chance.choice([*chosen, *self.columns(own=False)])
        self.tab.set(self.chance.choice(self.filled()), column, "")

    def correct(self) -> None:
        row = self.chance.choice(self.filled())
        head = self.chance.choice(["Surnom", "Année", "Téléphone", "Défi ciblé"])
        self.tab.set(row, head, f"corrigé {self.chance.randrange(1000)}")
        if head == "Surnom" and self.who(row) is None:  # an unknown one has another name now
            self.caused.add(("newcomer", None, self.tab.cell(row, head)))

    def rename_tab(self) -> None:
        self.tab.rename(f"Joueurs {self.chance.randrange(1000)}")

    def write_in_own_column(self) -> None:
        notes = [n for n in self.columns(own=True) if self.tab.cell(0, n) in {"Notes", "Payé"}]
        for column in notes[:1]:
            self.tab.set(self.chance.choice(self.filled()), column, self.chance.choice(WORDS))

    def caused_it(self, one: Offer) -> bool:
        if one.kind == "newcomer":
            return ("newcomer", None, one.wanted) in self.caused
        wanted = one.wanted if one.kind in {"status", "gone"} else ""
        return (one.kind, one.player, wanted) in self.caused


def happens(kept: Kept, chance: random.Random) -> None:
    """Let something happen in the game itself."""
    alive, fallen = kept.game.alive, kept.game.fallen
    someone = chance.choice(alive).id
    other = chance.choice(alive).id
    wishes: list[c.Command] = [
        *[c.Die(someone)] * 3,
        *(c.GiveUp(someone), c.Redirect(someone, other), c.Kill(someone, credited=False)),
        c.Edit(someone, (("nickname", f"Alias {chance.randrange(1000)}"),)),
        *(c.Revive(p.id, chance.randrange(99)) for p in fallen[:2]),
        *(c.Undo(r.version) for r in kept.world.log()[-2:] if kind(r.event) != "started"),
    ]
    with suppress(Refusal):
        if len(alive) > 8:
            kept.do(chance.choice(wishes))


def ring(kept: Kept) -> dict[PlayerId, tuple[Status, PlayerId | None, PlayerId | None]]:
    return {p.id: (p.status, p.target, p.killed_by) for p in kept.game.players.values()}


class Chaos:
    """The keeper's looks between the organiser's deeds, each one watched."""

    def __init__(self, kept: Kept, seed: int) -> None:
        self.kept, self.chance = kept, random.Random(seed)
        self.organiser = Organiser(kept, self.chance)
        self.witness = Witness(kept.tab)
        self.unsure = False  # somebody was at the sheet between a reading and its writing

    def deed(self) -> None:
        self.witness.check()
        self.organiser.act()
        self.witness.note()

    def under_the_hand(self) -> None:
        self.unsure = True
        self.deed()

    def look(self) -> bool:
        """Look once; nothing foreign is touched, the game doesn't obey, no offer is invented."""
        before = ring(self.kept)
        level = False
        try:
            found = self.kept.look()
        except GoogleError as error:
            if error.code != "bad_range":
                raise
        else:
            level = found.level
            assert not [one for one in found.offers if not self.organiser.caused_it(one)]
        self.witness.check()
        assert {p: before[p] for p in ring(self.kept)} == ring(self.kept)
        return level

    def step(self) -> None:
        for _ in range(self.chance.randrange(3)):
            happens(self.kept, self.chance)
        for _ in range(self.chance.randrange(3)):
            self.deed()
        if self.chance.random() < 0.4:
            self.kept.google.before_write = self.under_the_hand
        if self.chance.random() < 0.1:
            trouble = self.chance.choice([503, "reset", 429])
            self.kept.google.fail(trouble, late=self.chance.random() < 0.5)
        self.look()

    def quiet(self) -> None:
        """Look until everything is right, which takes three looks at most."""
        self.kept.google.before_write = None
        self.kept.google.clear()
        assert self.look() or self.look() or self.look() or self.look()
        self.witness.compare(self.kept)
        self.unsure = False


@pytest.mark.parametrize("seed", SEEDS)
def test_no_wrong_cell_whatever_organisers_do(keep: Keep, seed: int) -> None:
    kept = keep(form(PLAYERS))
    kept.start()
    chaos = Chaos(kept, seed)
    for _ in range(STEPS):
        chaos.step()
        if chaos.chance.random() < 0.5:
            chaos.quiet()
        if chaos.chance.random() < 0.1 and not chaos.unsure:
            kept.take_over()
    chaos.quiet()
    assert kept.game.state is State.RUNNING
    assert kept.world.faults() == []
