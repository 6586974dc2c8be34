"""What editors of the sheet want of a begun game, told apart from what is late or misplaced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from killer.game.model import Game, PlayerId, State
from killer.play import Play
from killer.sheets import edits
from killer.sheets.cells import STATE, Difference, Hand, Value, values, writable
from killer.sheets.columns import Meaning
from killer.sheets.pull import Pulled
from killer.sheets.seen import Seen
from killer.sheets.tables import Row
from killer.store import games, keeping, log, sheets
from killer.store.database import Connection
from killer.store.games import GameRow, now
from killer.store.people import Contact
from killer.store.sheets import Offer

READER = "sheet"

Text = tuple[Meaning, str]  # what may stand in a column of ours


class Noticed:
    """Makes offers of edits; knows when the sheet was last level and what was written since."""

    def __init__(self, play: Play, row: GameRow, hand: Hand) -> None:
        self._play, self._row, self._hand = play, row, hand
        self._level: Game | None = None  # when every cell was last seen to say what the game said
        self._places: Mapping[PlayerId, int] = {}  # of the rows when something was last written
        self._wrote: set[Text] = set()  # and not yet seen in its place
        self._others: set[Text] = set()  # what stood in rows of nobody before that

    # --- what was written ---

    def writing(
        self, seen: Seen, found: Sequence[Difference], places: Mapping[Meaning, int]
    ) -> None:
        """Remember what is about to be written, and where."""
        self._places = seen.places
        if not self._wrote:
            self._others = {(m, text) for _row, m, text in _of_nobody(seen, places)}
        self._wrote |= {(one.meaning, str(writable(one.meaning, one.wanted))) for one in found}

    def level(self, game: Game) -> None:
        """Remember that the sheet says all that the game says."""
        known, self._level = self._level, game
        self._wrote.clear()
        if known is None or known.version != game.version:
            with self._play.database.write() as connection:
                keeping.set_place(connection, READER, self._row.id, game.version)

    def strays(self, seen: Seen, places: Mapping[Meaning, int]) -> Iterator[Difference]:
        """Give what we wrote into rows of nobody, because rows moved under our hand."""
        for row, meaning, text in _of_nobody(seen, places) if self._moved(seen) else ():
            if text and (meaning, text) in self._wrote - self._others:
                yield Difference(None, row, meaning, text, "")

    def _moved(self, seen: Seen) -> bool:
        """Tell whether rows moved after we last looked where to write."""
        now = seen.places
        return any(now.get(player) != place for player, place in self._places.items())

    # --- what is asked ---

    def offers(self, seen: Seen, found: Sequence[Difference], pulled: Pulled) -> tuple[Offer, ...]:
        """Keep the offers that are new, forget those that have become pointless."""
        number, game = self._row.id, seen.game
        made, sure = self._made(seen, found, pulled)
        with self._play.database.read() as connection:
            kept = sheets.every_offer(connection, number)
        fresh, stale = edits.fresh(made, kept), edits.stale(game, kept, made, sure)
        if fresh or stale:
            with self._play.database.write() as connection:
                sheets.drop_offers(connection, number, stale)
                sheets.make_offers(connection, number, fresh)
        return tuple(fresh)

    def _made(
        self, seen: Seen, found: Sequence[Difference], pulled: Pulled
    ) -> tuple[list[Offer], set[str]]:
        """Make all offers of one look, and name the kinds of which none is left out."""
        game = seen.game
        if game.state is State.PREPARING:
            return [], set(edits.ROWS)
        sure: set[str] = set()
        made = edits.asked(game, self._edited(seen, found))
        known = [i for i, contact in seen.contacts.items() if contact.said]
        gone = edits.gone(game, known, seen.places)
        if gone is not None:
            made, sure = made + gone, sure | {"gone"}
        if pulled.newcomers is not None:
            made, sure = made + edits.newcomers(pulled.newcomers), sure | {"newcomer"}
        return made, sure

    def _edited(self, seen: Seen, found: Sequence[Difference]) -> tuple[Difference, ...]:
        """Pick what people wrote, not what is late or what a sort under our hand misplaced."""
        level = self._level or (self._replayed() if found else None)
        if level is None:
            return ()  # nobody knows what the sheet said before
        history = self._since(level)
        ours = self._perhaps_ours(seen, history)
        people_wrote = [one for one in found if (one.meaning, one.cell.strip()) not in ours]

        def told(game: Game, one: Difference) -> Value | None:
            if one.player is None or one.player not in game.players:
                return None
            return self._says(seen, game, one.player)[one.meaning]

        return edits.edited(people_wrote, history, told)

    def _says(self, seen: Seen, game: Game, player: PlayerId) -> Mapping[Meaning, Value]:
        return values(game, player, seen.contacts.get(player, Contact()), self._hand)

    def _perhaps_ours(self, seen: Seen, history: Sequence[Game]) -> set[Text]:
        """Give the texts that may stand in a wrong row although nobody but us wrote them."""
        if self._moved(seen):
            return self._wrote
        if self._level is None and len(history) > 1:
            return set(self._news(seen, history))  # an earlier keeper was perhaps just writing it
        return set()

    def _news(self, seen: Seen, history: Sequence[Game]) -> Iterator[Text]:
        before = history[0]
        for game in history[1:]:
            for player in game.players:
                said = self._says(seen, before, player) if player in before.players else {}
                for meaning, value in self._says(seen, game, player).items():
                    if meaning in STATE and said.get(meaning) != value:
                        yield meaning, str(writable(meaning, value))

    def _replayed(self) -> Game | None:
        """Give the game as it was when an earlier keeper last found the sheet level."""
        with self._play.database.read() as connection:
            place = keeping.place(connection, READER, self._row.id)
            records = log.since(connection, self._row.id, 0) if place else []
        if not records:
            return None
        return games.blank(self._row).after(*(r.event for r in records if r.version <= place))

    def _since(self, level: Game) -> list[Game]:
        with self._play.database.read() as connection:
            records = log.since(connection, self._row.id, level.version)
        history = [level]
        for record in records:
            history.append(history[-1].after(record.event))
        return history


def _of_nobody(seen: Seen, places: Mapping[Meaning, int]) -> Iterator[tuple[Row, Meaning, str]]:
    """Give the cells of our columns in rows that are no player's."""
    owned = set(seen.places.values())
    for row in seen.table.rows:
        for meaning, place in places.items() if row.number not in owned else ():
            yield row, meaning, row.cells[place].strip() if place < len(row.cells) else ""


def lag(connection: Connection, number: int, version: int) -> float:
    """Give the seconds since the first event that the sheet doesn't say yet; 0 when it is level."""
    place = keeping.place(connection, READER, number)
    if place >= version:
        return 0.0
    since = log.first_after(connection, number, place)
    return 0.0 if since is None else max(0, now() - since) / 1000
