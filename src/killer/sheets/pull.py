"""What the sheet brings into the game: the whole roster before the start, corrections after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from killer.game.model import Game, PlayerId, State
from killer.game.refusals import Refusal
from killer.play import Play, Request
from killer.sheets import importer
from killer.sheets.cells import STATE
from killer.sheets.columns import Meaning, recognise
from killer.sheets.compare import Row, rows_of
from killer.sheets.identity import owners
from killer.sheets.importer import Plan
from killer.sheets.roster import Entry, Reading, everybody, read_roster
from killer.sheets.tables import Problem, Table
from killer.sheets.tables import Row as TableRow
from killer.store import people
from killer.store.people import Contact, Said
from killer.store.sheets import Correction

Aside = Callable[[Callable[[], Reading]], Reading]  # does what takes long without blocking others

WHY = Request(reason="sheet")  # who corrected it in the sheet, nobody can tell


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull did or would do, what editors must correct, and who is new in a begun game."""

    plan: Plan | None = None
    corrections: tuple[Correction, ...] = ()
    newcomers: tuple[Entry, ...] = ()


class Pull:
    """Takes rosters into one game; remembers the last one, because most looks find nothing new."""

    def __init__(self, play: Play, number: int, tag: str, aside: Aside) -> None:
        self._play, self._number, self._tag, self._aside = play, number, tag, aside
        self._taken: tuple[object, ...] = ()
        self._last = Pulled()
        self._passwords: dict[str, str] = {}

    def take(
        self,
        game: Game,
        players: Table,
        challenges: Table | None,
        contacts: Mapping[PlayerId, Contact],
        *,
        dry: bool = False,
        everything: bool = False,
    ) -> Pulled:
        """Take what is new in the sheet.

        With `everything`, passwords that the game had before are compared as well: 35 ms each.
        """
        frozen = self._frozen(game, players, contacts)
        same = (frozen, challenges, game.state, frozenset(game.by_key), everything)
        if same == self._taken and not dry:
            return replace(self._last, plan=None)
        reading = self._aside(lambda: read_roster(frozen, challenges))
        sound = reading.without_bad()
        corrections = tuple(_correction(p) for p in reading.problems if p.severity == "problem")
        if not sound.sound:  # what is wrong concerns the sheet as a whole
            return Pulled(None, corrections)
        rows = rows_of(game, sound.entries, contacts, self._tag)
        begun = game.state is not State.PREPARING
        newcomers = tuple(row.entry for row in rows if begun and row.player is None)
        rows = [row for row in rows if not begun or row.player]
        wanted = importer.plan_of(game, rows)
        if not everything:
            wanted = self._without_known_passwords(game, wanted)
        refused = () if dry else self._carry_out(rows, wanted)
        pulled = Pulled(wanted, (*corrections, *refused), newcomers)
        if not dry:
            self._taken, self._last = same, pulled
        return pulled

    def _frozen(self, game: Game, found: Table, contacts: Mapping[PlayerId, Contact]) -> Table:
        """Put back what the columns of the game said at the start: they no longer lead."""
        if game.state is State.PREPARING:
            return found
        sheet = recognise(found)
        entries = everybody(sheet)
        whose = owners(game, entries, contacts, self._tag)
        pairs = zip(entries, whose, strict=True)
        known = {entry.row: contacts.get(i, Contact()).said for entry, i in pairs if i}
        columns = [(n, m) for n, m in enumerate(sheet.meanings) if m and m in STATE]
        rows = tuple(_frozen_row(row, columns, known.get(row.number)) for row in found.rows)
        return replace(found, rows=rows)

    def _without_known_passwords(self, game: Game, wanted: Plan) -> Plan:
        """Leave only passwords that are new, or that have changed since the last look."""
        before, self._passwords = self._passwords, dict(wanted.secrets)
        with self._play.database.read() as connection:
            hashed = people.hashes(connection, self._number)
        fresh = {
            key: word
            for key, word in wanted.secrets.items()
            if game.by_key.get(key) not in hashed or before.get(key, word) != word
        }
        return replace(wanted, secrets=fresh)

    def _carry_out(self, rows: Sequence[Row], wanted: Plan) -> list[Correction]:
        """Take everything at once; or, if anything is refused, whatever can be taken row by row."""
        if not (wanted.commands or wanted.contacts or wanted.secrets):
            return []
        try:
            self._perform(wanted)
        except Refusal:
            return [fault for row in rows for fault in self._one(row)]
        return []

    def _one(self, row: Row) -> list[Correction]:
        game = self._play.hub.feed(self._number).game
        try:
            self._perform(importer.plan_of(game, [row], history=False))
        except Refusal as refusal:
            params = tuple((name, str(value)) for name, value in refusal.params.items())
            return [Correction(row.entry.row, "", f"refusal.{refusal.code}", params)]
        return []

    def _perform(self, wanted: Plan) -> None:
        importer.carry_out(self._play, self._number, wanted, WHY, lambda: None, links=False)


def _of_the_game(meaning: Meaning, said: Said | None) -> str:
    if said is None:
        return ""
    match meaning:
        case Meaning.STATUS:
            return said.status
        case Meaning.TARGET:
            return said.target
        case Meaning.KILLED_BY:
            return said.killed_by
        case Meaning.ORDER:
            return str(said.order or "")
        case _:
            return ""


def _frozen_row(
    row: TableRow, columns: Sequence[tuple[int, Meaning]], said: Said | None
) -> TableRow:
    cells = list(row.cells)
    for place, meaning in columns:
        cells[place] = _of_the_game(meaning, said)
    return TableRow(row.number, tuple(cells))


def _correction(problem: Problem) -> Correction:
    return Correction(problem.row, problem.column, f"roster.{problem.code}", problem.params)
