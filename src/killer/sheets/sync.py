"""Keeping a game and its sheet level: look at the sheet, take what is new, write what has moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from killer.game.model import Game, PlayerId, State
from killer.play import Play
from killer.sheets import pull
from killer.sheets.cells import (
    HEADERS,
    Difference,
    Hand,
    Value,
    differences,
    forgotten,
    writable,
)
from killer.sheets.columns import Meaning, recognise
from killer.sheets.google import Google, GoogleError, Tab
from killer.sheets.identity import everyone, owners, tag_of
from killer.sheets.importer import Plan
from killer.sheets.layout import Layout
from killer.sheets.noticed import READER, Noticed
from killer.sheets.seen import Reading, Seen
from killer.sheets.tables import Table, UnreadableTable
from killer.sheets.tabs import Tabs, choose, table
from killer.store import people
from killer.store.games import GameRow
from killer.store.people import Contact
from killer.store.sheets import Correction, Offer

__all__ = ["READER", "Look", "LostLeaseError", "Sync", "Wishes"]

SETTLING = 6  # times that one look may begin again because the sheet is being rebuilt


def _at_once(work: Callable[[], pull.T], /) -> pull.T:
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
class _Memory:
    """What was seen before; forgetting it costs calls, never correctness."""

    tabs: Tabs | None = None
    header: tuple[str, ...] | None = None  # of the players' tab
    challenges: Table | None = None
    seen: Seen | None = None  # what was understood last, and of what
    seen_of: tuple[object, ...] = ()


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
    _took: Plan | None = None  # what this look has taken, before it had to begin again

    def __post_init__(self) -> None:
        self.hand = Hand(tag_of(self.row.created), self.targets)
        self.layout = Layout(self.google, self.spreadsheet)
        self.noticed = Noticed(self.play, self.row, self.hand)
        self._puller = pull.Pull(self.play, self.row.id, self.hand.tag, self._beside)

    def _beside(self, work: Callable[[], pull.T], /) -> pull.T:
        return self.aside(work)  # looked up each time: it may be set after this was made

    def look(self, wishes: Wishes) -> Look:
        """Look at the sheet once: take what is new, then write what has moved.

        Raises:
            GoogleError: Google can't be used, or the sheet can't.
            UnreadableTable: the players' tab is no table.
            StoreUnavailableError: the database can't be asked.
            LostLeaseError: nothing was written, because it is no longer ours to do.
        """
        trouble: GoogleError | None = None
        self._took = None
        for _ in range(SETTLING):
            try:
                done = self._try(wishes)
            except GoogleError as error:
                if error.code != "bad_range" or trouble:
                    raise
                trouble = error  # a tab or a column of which we knew is gone, or called otherwise
                self._memory.tabs = None
                self.layout.forget()
            else:
                if done:
                    return done
        raise GoogleError("restless")

    def _try(self, wishes: Wishes) -> Look | None:
        """Look once; None when the sheet has changed so much that it must be read again."""
        reading = self._read(wishes)
        if not self.layout.settled(reading.tab, reading.table):
            return None
        if not wishes.dry and not self.fence():
            raise LostLeaseError
        seen = self._known(reading)
        pulled = self._pull(seen, reading, wishes)
        self._took = _fuller(self._took, pulled.plan)
        keys = self._keys(seen)
        places = self.layout.places(seen.table, keys)
        ours = places
        if seen.game.state is State.PREPARING:
            ours = {m: n for m, n in places.items() if m is Meaning.MARK}
        found = self.aside(lambda: list(self._differences(seen, ours)))
        offers = () if wishes.dry else self.noticed.offers(seen, found, pulled)
        found += self.noticed.strays(seen, places)
        if seen.game.state is State.PREPARING:
            found += forgotten(seen.strangers(self.hand.tag), places)
        missing = self.layout.missing(keys) if wishes.push else ()
        if wishes.push and not wishes.dry:
            if missing:
                self._memory.header = None  # for once, it is we who change it
                self.layout.arrange(reading.tab, reading.table, missing)
                return None
            self._write(seen, found, places)
        return _told(seen, replace(pulled, plan=self._took), offers, found, missing)

    def _pull(self, seen: Seen, reading: Reading, wishes: Wishes) -> pull.Pulled:
        if not wishes.pull:
            return pull.Pulled()
        pulled = self._puller.take(
            seen.game,
            seen.table,
            reading.challenges,
            seen.contacts,
            dry=wishes.dry,
            everything=wishes.everything,
        )
        fresh = self._known(reading)
        seen.game, seen.contacts, seen.owners = fresh.game, fresh.contacts, fresh.owners
        return pulled

    # --- seeing ---

    def _read(self, wishes: Wishes) -> Reading:
        """Read both tabs; when the headers are others than before, make sure it is the same tab."""
        memory = self._memory
        known = memory.tabs and memory.header
        reading = self._read_tabs(memory.tabs, wishes) if memory.tabs else self._discover()
        if known and reading.table.header != memory.header:
            reading = self._discover()
        memory.header = reading.table.header
        return reading

    def _read_tabs(self, tabs: Tabs, wishes: Wishes) -> Reading:
        memory = self._memory
        second = tabs.challenges if wishes.challenges or memory.challenges is None else None
        titles = [tab.title for tab in (tabs.players, second) if tab]
        cells = self.google.read(self.spreadsheet, titles)
        if second:
            memory.challenges = _readable(second, cells[1])
        return Reading(tabs.players, table(tabs.players, cells[0]), memory.challenges)

    def _discover(self) -> Reading:
        """Read every tab, to find out which are ours."""
        tabs, memory = self.google.tabs(self.spreadsheet), self._memory
        cells = self.google.read(self.spreadsheet, [tab.title for tab in tabs])
        memory.tabs = choose(tabs, cells, *self.titles)
        rows = {tab.id: rows for tab, rows in zip(tabs, cells, strict=True)}
        players, second = memory.tabs.players, memory.tabs.challenges
        memory.challenges = _readable(second, rows[second.id]) if second else None
        return Reading(players, table(players, rows[players.id]), memory.challenges)

    def _known(self, reading: Reading) -> Seen:
        number = self.row.id
        game = self.play.hub.feed(number).game
        with self.play.database.read() as connection:
            contacts = people.read_contacts(connection, number)
        memory, of = self._memory, (reading.table, self.layout.known, game.version, contacts)
        if memory.seen is None or memory.seen_of != of:
            memory.seen = self.aside(lambda: self._understood(reading, game, contacts))
            memory.seen_of = of
        return replace(memory.seen)

    def _understood(self, reading: Reading, game: Game, contacts: dict[PlayerId, Contact]) -> Seen:
        found = self.layout.named(reading.table)
        entries = everyone(recognise(found))
        whose = owners(game, entries, contacts, self.hand.tag)
        return Seen(found, entries, whose, contacts, game)

    def _differences(self, seen: Seen, places: Mapping[Meaning, int]) -> Iterator[Difference]:
        """Give the cells to write; a mark would vouch for a row that only bears a name."""
        sure = seen.sure
        for one in differences(seen.rows, places, seen.game, seen.contacts, self.hand):
            if one.meaning is not Meaning.MARK or one.player in sure:
                yield one

    def _keys(self, seen: Seen) -> tuple[Meaning, ...]:
        """Name our columns: only the mark before the start, when the sheet still leads.

        Rows that an earlier game has marked are the exception: what it wrote there is cleared.
        """
        there = recognise(seen.table).meanings
        if seen.game.state is State.PREPARING:
            old = any(seen.strangers(self.hand.tag))
            return tuple(m for m in HEADERS if m is Meaning.MARK or (old and m in there))
        has_targets = Meaning.TARGET in there
        return tuple(m for m in HEADERS if m is not Meaning.TARGET or self.targets or has_targets)

    # --- writing ---

    def _write(
        self, seen: Seen, found: Sequence[Difference], places: Mapping[Meaning, int]
    ) -> None:
        if not found:
            self.noticed.level(seen.game)
            return
        marks = self.layout.marks
        cells: dict[int, dict[int, Value]] = {}
        for one in found:
            column = cells.setdefault(marks[one.meaning], {})
            column[one.row.number - 1] = writable(one.meaning, one.wanted)
        self.noticed.writing(seen, found, places)
        self.google.write(self.spreadsheet, cells)


def _fuller(before: Plan | None, now: Plan | None) -> Plan | None:
    """Give what was taken: a look that began again finds it there already."""
    nothing_new = now is None or not (now.new or now.changed)
    return before if before and nothing_new else now


def _told(
    seen: Seen,
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
