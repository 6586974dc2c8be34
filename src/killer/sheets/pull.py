"""What the sheet brings into the game: the whole roster before the start, corrections after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from killer.game import names
from killer.game.model import Game, PlayerId, State
from killer.game.refusals import Refusal
from killer.play import Play, Request
from killer.sheets import importer
from killer.sheets.cells import STATE, is_out
from killer.sheets.claims import Sorted, sort_out
from killer.sheets.columns import Meaning, meaning_of, recognise
from killer.sheets.compare import Row, rows_of
from killer.sheets.identity import is_strange, owners
from killer.sheets.importer import Plan
from killer.sheets.roster import Entry, Reading, everybody
from killer.sheets.tables import Problem, Table
from killer.sheets.tables import Row as TableRow
from killer.store import people
from killer.store.people import Contact, Said
from killer.store.sheets import Correction

T = TypeVar("T")


class Aside(Protocol):
    """Does what takes long without blocking others, and gives what came of it."""

    def __call__(self, work: Callable[[], T], /) -> T:
        """Do it and wait for it."""


WHY = Request(reason="sheet")  # who corrected it in the sheet, nobody can tell


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull did or would do, what editors must correct, and who is new in a begun game.

    The newcomers of a sheet that can't be read are None: nobody knows them.
    """

    plan: Plan | None = None
    corrections: tuple[Correction, ...] = ()
    newcomers: tuple[Entry, ...] | None = None


class Pull:
    """Takes rosters into one game; remembers the last one, because most looks find nothing new."""

    def __init__(self, play: Play, number: int, tag: str, aside: Aside) -> None:
        self._play, self._number, self._tag, self._aside = play, number, tag, aside
        self._taken: tuple[object, ...] = ()
        self._last = Pulled()
        self._passwords: Mapping[str, str] = {}

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

        With `everything`, passwords that the game had before are compared as well: 30 ms each.
        """
        found = self._aside(lambda: self._sorted(game, players, contacts, by_hand=everything))
        frozen = found.table
        same = (found, challenges, game.state, frozenset(game.by_key), everything)
        if same == self._taken and not dry:
            return replace(self._last, plan=None)
        begun = game.state is not State.PREPARING
        reading = self._aside(lambda: found.read(challenges))
        reading = _of_editors(reading, frozen) if begun else reading
        sound = reading.without_bad()
        corrections = tuple(_correction(p) for p in reading.problems if p.severity == "problem")
        if not sound.sound:  # what is wrong concerns the sheet as a whole
            return Pulled(None, corrections)
        rows = rows_of(game, sound.entries, contacts, self._tag, by_hand=everything)
        newcomers = tuple(row.entry for row in rows if begun and row.player is None)
        aims, given = _aims(frozen), _aims(players)
        rows = [_aiming(row, aims, given, begun=begun) for row in rows]
        rows = [row for row in rows if not begun or row.player]
        wanted = importer.plan_of(game, rows)
        words = wanted.secrets
        if not everything:
            wanted = self._without_known_passwords(game, wanted)
        refused = () if dry else self._carry_out(rows, wanted)
        pulled = Pulled(wanted, (*corrections, *refused), newcomers)
        if not dry:  # only now: a database that failed us is given the same again
            self._taken, self._last, self._passwords = same, pulled, words
        return pulled

    def _sorted(
        self, game: Game, found: Table, contacts: Mapping[PlayerId, Contact], *, by_hand: bool
    ) -> Sorted:
        frozen = self._frozen(game, found, contacts)
        return sort_out(frozen, game, contacts, self._tag, by_hand=by_hand)

    def _frozen(self, game: Game, found: Table, contacts: Mapping[PlayerId, Contact]) -> Table:
        """Put back what the columns of the game said at the start: they no longer lead."""
        sheet = recognise(found)
        entries = everybody(sheet)
        if game.state is State.PREPARING:
            return _without_earlier_games(found, entries, self._tag)
        whose = owners(game, entries, contacts, self._tag)
        pairs = [(e, one.player) for e, one in zip(entries, whose, strict=True) if one.player]
        known = {entry.row: contacts.get(i, Contact()).said for entry, i in pairs}
        called = _called(game, pairs, contacts)
        meant = [(n, meaning_of(header)) for n, header in enumerate(found.header)]
        columns = [(n, m) for n, m in meant if m in STATE]  # also those that rival with ours
        rows = tuple(_frozen_row(row, columns, known.get(row.number), called) for row in found.rows)
        return replace(found, rows=rows)

    def _without_known_passwords(self, game: Game, wanted: Plan) -> Plan:
        """Leave only passwords that are new, or that have changed since the last look."""
        before = self._passwords
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
            return [fault for row in rows for fault in self._one(row, wanted)]
        return []

    def _one(self, row: Row, whole: Plan) -> list[Correction]:
        game = self._play.hub.feed(self._number).game
        wanted = importer.plan_of(game, [row], history=False)
        words = {key: word for key, word in wanted.secrets.items() if key in whole.secrets}
        wanted = replace(wanted, secrets=words)
        if not (wanted.commands or wanted.contacts or wanted.secrets):
            return []
        try:
            self._perform(wanted)
        except Refusal as refusal:
            params = tuple((name, str(value)) for name, value in refusal.params.items())
            return [Correction(row.entry.row, "", f"refusal.{refusal.code}", params)]
        return []

    def _perform(self, wanted: Plan) -> None:
        importer.carry_out(self._play, self._number, wanted, WHY, lambda: None, token=None)


def _without_earlier_games(found: Table, entries: Sequence[Entry], tag: str) -> Table:
    """Leave out the deaths and targets of an earlier game on the same sheet."""
    strange = {entry.row for entry in entries if is_strange(entry.mark, tag)}
    meant = [(n, meaning_of(header)) for n, header in enumerate(found.header)]
    state = [(n, meaning) for n, meaning in meant if meaning in STATE]

    def cleared(row: TableRow) -> TableRow:
        cells = list(row.cells)
        for n, meaning in state:
            cells[n] = cells[n] if is_out(meaning, cells[n]) else ""
        return TableRow(row.number, tuple(cells))

    rows = (cleared(row) if row.number in strange else row for row in found.rows)
    return replace(found, rows=tuple(rows)) if strange else found


def _called(
    game: Game, rows: Sequence[tuple[Entry, PlayerId]], contacts: Mapping[PlayerId, Contact]
) -> Mapping[str, str]:
    """Give the names that rows bear now by those that they bore, for cells that name others."""
    found = {}
    for entry, player in rows:
        said = contacts.get(player, Contact()).said
        for name in (game.players[player].nickname, said.nickname if said else ""):
            found[names.key(name)] = entry.nickname
    return found


def _aims(found: Table) -> Mapping[int, str]:
    """Give what the cells of the targets say, by row."""
    return {entry.row: entry.target for entry in everybody(recognise(found))}


def _aiming(row: Row, aims: Mapping[int, str], given: Mapping[int, str], *, begun: bool) -> Row:
    """Keep what the target's cell said before the start, or else when it was first seen."""
    number = row.entry.row
    if not begun:
        return replace(row, aim=given[number])
    seen = given[number] if row.said.aim is None else row.said.aim
    return replace(row, entry=replace(row.entry, target=aims[number]), aim=seen)


def _of_editors(reading: Reading, found: Table) -> Reading:
    """Leave out what is said of the columns that are no longer the editors' to correct."""
    ours = {header for header in found.header if meaning_of(header) in STATE}
    theirs = tuple(one for one in reading.problems if one.column not in ours)
    return replace(reading, problems=theirs)


def _of_the_game(meaning: Meaning | None, said: Said | None, called: Mapping[str, str]) -> str:
    if said is None:
        return ""
    match meaning:
        case Meaning.STATUS:
            return said.status
        case Meaning.TARGET:
            named = said.target or said.aim or ""
            return called.get(names.key(named), named)
        case Meaning.KILLED_BY:
            return called.get(names.key(said.killed_by), said.killed_by)
        case Meaning.ORDER:
            return str(said.order or "")
        case _:
            return ""


def _frozen_row(
    row: TableRow,
    columns: Sequence[tuple[int, Meaning | None]],
    said: Said | None,
    called: Mapping[str, str],
) -> TableRow:
    cells = list(row.cells)
    for place, meaning in columns:
        cells[place] = _of_the_game(meaning, said, called)
    return TableRow(row.number, tuple(cells))


def _correction(problem: Problem) -> Correction:
    return Correction(problem.row, problem.column, f"roster.{problem.code}", problem.params)
