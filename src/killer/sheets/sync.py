"""Keeping a game and its sheet level: look at the sheet, take what is new, write what has moved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from killer.game.model import Game, PlayerId, State
from killer.play import Play
from killer.sheets import edits, pull
from killer.sheets.cells import HEADERS, Difference, Hand, Value, differences, values, writable
from killer.sheets.columns import Meaning, recognise
from killer.sheets.google import Google, GoogleError, Tab
from killer.sheets.identity import owners, tag_of
from killer.sheets.importer import Plan
from killer.sheets.layout import Layout
from killer.sheets.roster import Entry, Reading, everybody
from killer.sheets.tables import Row, Table, UnreadableTable
from killer.sheets.tabs import Tabs, choose, table
from killer.store import keeping, log, people, sheets
from killer.store.games import GameRow
from killer.store.people import Contact
from killer.store.sheets import Correction, Offer

READER = "sheet"
SETTLING = 4  # times that one look may begin again because the sheet is being rebuilt


def _at_once(work: Callable[[], Reading]) -> Reading:
    return work()


@dataclass(frozen=True, slots=True)
class Wishes:
    """What one look is to do; `dry` changes nothing anywhere."""

    pull: bool = True
    push: bool = True
    challenges: bool = True
    dry: bool = False
    everything: bool = False  # passwords that were there before are compared too: slow


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the sheet found and did."""

    version: int
    plan: Plan | None = None
    corrections: tuple[Correction, ...] = ()
    offers: tuple[Offer, ...] = ()
    differences: tuple[Difference, ...] = ()  # cells that were written, or would be
    missing: tuple[Meaning, ...] = ()

    @property
    def level(self) -> bool:
        """Tell whether every cell of ours said what the game says."""
        return not self.differences and not self.missing


class LostLeaseError(Exception):
    """Another process keeps the sheet by now."""


@dataclass(slots=True)
class _Seen:
    """One reading: the players' tab as a table, whose each row is, and the game at that moment."""

    tab: Tab
    table: Table
    second: Table | None
    entries: tuple[Entry, ...]
    owners: list[PlayerId | None]
    contacts: dict[PlayerId, Contact]
    game: Game

    @property
    def rows(self) -> list[tuple[Row, PlayerId]]:
        """Give the rows of known players."""
        known = dict(zip((e.row for e in self.entries), self.owners, strict=True))
        return [(row, owner) for row in self.table.rows if (owner := known.get(row.number))]


@dataclass(slots=True)
class _Memory:
    """What was seen and written before; forgetting it costs calls, never correctness."""

    tabs: Tabs | None = None
    second: Table | None = None
    level: Game | None = None  # when every cell was last seen to say what the game said
    order: tuple[PlayerId, ...] = ()  # of the rows when something was last written
    wrote: frozenset[tuple[Meaning, str]] = frozenset()  # not yet seen in its place


@dataclass
class Sync:
    """Keeps one game and one spreadsheet level; `fence` refuses when somebody else does by now."""

    play: Play
    google: Google
    spreadsheet: str
    row: GameRow
    targets: bool = False
    titles: tuple[str, str] = ("", "")
    fence: Callable[[], bool] = lambda: True
    aside: pull.Aside = _at_once
    _memory: _Memory = field(default_factory=_Memory)

    def __post_init__(self) -> None:
        self.hand = Hand(tag_of(self.row.created), self.targets)
        self.layout = Layout(self.google, self.spreadsheet)
        self._puller = pull.Pull(self.play, self.row.id, self.hand.tag, self.aside)

    def look(self, wishes: Wishes) -> Look:
        """Look at the sheet once: take what is new, then write what has moved.

        Raises:
            GoogleError: Google can't be used, or the sheet can't.
            UnreadableTable: the players' tab is no table.
            StoreUnavailableError: the database can't be asked.
            LostLeaseError: nothing was written, because it is no longer ours to do.
        """
        for _ in range(SETTLING):
            seen = self._see(wishes)
            if wishes.push and not self.layout.settled(seen.tab, seen.table):
                continue
            pulled = self._pull(seen, wishes)
            found = self._compare(seen)
            offers = self._offer(seen, found, pulled) if wishes.pull and not wishes.dry else ()
            missing = self.layout.missing(self._keys(seen)) if wishes.push else ()
            if wishes.push and not wishes.dry:
                self._own()
                if missing:
                    self.layout.arrange(seen.tab, seen.table, missing)
                    continue
                self._write(seen, found)
            return _told(seen, pulled, offers, found, missing)
        raise GoogleError("restless")

    def _pull(self, seen: _Seen, wishes: Wishes) -> pull.Pulled:
        if not wishes.pull:
            return pull.Pulled()
        pulled = self._puller.take(
            seen.game,
            seen.table,
            seen.second,
            seen.contacts,
            dry=wishes.dry,
            everything=wishes.everything,
        )
        fresh = self._known(seen.tab, seen.table)
        seen.game, seen.contacts, seen.owners = fresh.game, fresh.contacts, fresh.owners
        return pulled

    # --- seeing ---

    def _see(self, wishes: Wishes) -> _Seen:
        try:
            return self._read(wishes)
        except GoogleError as error:
            if error.code != "bad_range":
                raise
        self._memory.tabs = None  # a tab has another title by now
        return self._read(wishes)

    def _read(self, wishes: Wishes) -> _Seen:
        tabs = self._memory.tabs or self._discover()
        second = tabs.challenges if wishes.challenges or self._memory.second is None else None
        titles = [tab.title for tab in (tabs.players, second) if tab]
        cells = self.google.read(self.spreadsheet, titles)
        if second:
            self._memory.second = _readable(second, cells[1])
        return self._known(tabs.players, table(tabs.players, cells[0]))

    def _discover(self) -> Tabs:
        tabs = self.google.tabs(self.spreadsheet)
        cells = self.google.read(self.spreadsheet, [tab.title for tab in tabs])
        self._memory.tabs = choose(tabs, cells, *self.titles)
        self._memory.second = None
        return self._memory.tabs

    def _known(self, tab: Tab, found: Table) -> _Seen:
        number = self.row.id
        game = self.play.hub.feed(number).game
        with self.play.database.read() as connection:
            contacts = people.read_contacts(connection, number)
        entries = everybody(recognise(found))
        whose = owners(game, entries, contacts, self.hand.tag)
        return _Seen(tab, found, self._memory.second, entries, whose, contacts, game)

    def _keys(self, seen: _Seen) -> tuple[Meaning, ...]:
        """Name our columns: only the mark before the start, when the sheet still leads."""
        if seen.game.state is State.PREPARING:
            return (Meaning.MARK,)
        has_targets = Meaning.TARGET in recognise(seen.table).meanings
        return tuple(m for m in HEADERS if m is not Meaning.TARGET or self.targets or has_targets)

    def _compare(self, seen: _Seen) -> list[Difference]:
        places = self.layout.places(seen.table, self._keys(seen))
        return list(differences(seen.rows, places, seen.game, seen.contacts, self.hand))

    # --- what editors of the sheet want ---

    def _offer(
        self, seen: _Seen, found: Sequence[Difference], pulled: pull.Pulled
    ) -> tuple[Offer, ...]:
        number, game = self.row.id, seen.game
        made: list[Offer] = []
        if game.state is not State.PREPARING:
            made = [
                *edits.asked(game, self._edited(seen, found)),
                *edits.newcomers(pulled.newcomers),
                *edits.gone(
                    game, [i for i, c in seen.contacts.items() if c.said], self._here(seen)
                ),
            ]
        with self.play.database.read() as connection:
            kept = sheets.every_offer(connection, number)
        fresh, stale = edits.fresh(made, kept), edits.stale(game, kept, made)
        if fresh or stale:
            with self.play.database.write() as connection:
                sheets.drop_offers(connection, number, stale)
                sheets.make_offers(connection, number, fresh)
        return tuple(fresh)

    def _here(self, seen: _Seen) -> list[PlayerId]:
        return [owner for _row, owner in seen.rows]

    def _edited(self, seen: _Seen, found: Sequence[Difference]) -> tuple[Difference, ...]:
        """Pick what people wrote, not what is late or what a sort under our hand misplaced."""
        level = self._memory.level or self._replayed()
        if level is None:
            return ()  # nobody knows what the sheet said before
        moved = tuple(self._here(seen)) != self._memory.order
        ours = self._memory.wrote if moved else frozenset()
        history = self._since(level)
        people_wrote = [d for d in found if (d.meaning, d.cell.strip()) not in ours]

        def told(game: Game, one: Difference) -> Value | None:
            if one.player not in game.players:
                return None
            contact = seen.contacts.get(one.player, Contact())
            return values(game, one.player, contact, self.hand)[one.meaning]

        return edits.edited(people_wrote, history, told)

    def _replayed(self) -> Game | None:
        """Give the game as it was when an earlier keeper last found the sheet level."""
        with self.play.database.read() as connection:
            place = keeping.place(connection, READER, self.row.id)
            records = log.since(connection, self.row.id, 0) if place else []
        if not records:
            return None
        first = Game(name=self.row.name, visibility=self.row.first_visibility)
        return first.after(*(r.event for r in records if r.version <= place))

    def _since(self, level: Game) -> list[Game]:
        with self.play.database.read() as connection:
            records = log.since(connection, self.row.id, level.version)
        history = [level]
        for record in records:
            history.append(history[-1].after(record.event))
        return history

    # --- writing ---

    def _own(self) -> None:
        if not self.fence():
            raise LostLeaseError

    def _write(self, seen: _Seen, found: Sequence[Difference]) -> None:
        if not found:
            self._is_level(seen.game)
            return
        marks = self.layout.marks
        cells: dict[int, dict[int, Value]] = {}
        for one in found:
            column = cells.setdefault(marks[one.meaning], {})
            column[one.row.number - 1] = writable(one.meaning, one.wanted)
        memory = self._memory
        memory.order = tuple(self._here(seen))
        memory.wrote = frozenset((one.meaning, str(one.wanted)) for one in found)
        self.google.write(self.spreadsheet, cells)

    def _is_level(self, game: Game) -> None:
        """Remember that the sheet says all that the game says."""
        known, self._memory.level = self._memory.level, game
        self._memory.wrote = frozenset()
        if known is None or known.version != game.version:
            with self.play.database.write() as connection:
                keeping.set_place(connection, READER, self.row.id, game.version)


def _told(
    seen: _Seen,
    pulled: pull.Pulled,
    offers: tuple[Offer, ...],
    found: Sequence[Difference],
    missing: tuple[Meaning, ...],
) -> Look:
    return Look(
        version=seen.game.version,
        plan=pulled.plan,
        corrections=pulled.corrections,
        offers=offers,
        differences=tuple(found),
        missing=missing,
    )


def _readable(tab: Tab, cells: Sequence[Sequence[str]]) -> Table | None:
    try:
        return table(tab, cells)
    except UnreadableTable:
        return None  # an empty tab of challenges is no fault
