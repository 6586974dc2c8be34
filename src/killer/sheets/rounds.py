"""When to look at the sheet, and what the organisers are told of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

import structlog

from killer.play import Play
from killer.settings import Settings
from killer.sheets.cells import HEADERS, Difference
from killer.sheets.google import Google, GoogleError
from killer.sheets.pull import Aside
from killer.sheets.sync import Look, Sync, Wishes
from killer.sheets.tables import UnreadableTable
from killer.store import games, sheets
from killer.store.games import GameRow
from killer.store.sheets import Correction, Pairs, SheetState

WRITING = 5.0  # seconds between two looks at least, while something is to be written
STUBBORN = 3  # writings in a row after which a cell isn't going to change
LONGEST_REST = 30.0  # seconds after which even a Google that refuses everything is asked again

_log = structlog.get_logger()


class Rounds:
    """Looks at the spreadsheet of the settings for the newest game, when it is time to."""

    def __init__(
        self,
        settings: Settings,
        play: Play,
        google: Google,
        fence: Callable[[], bool],
        aside: Aside,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._play, self._google = settings, play, google
        self._fence, self._aside, self._clock = fence, aside, clock
        self._sync: Sync | None = None
        self._level: int | None = None  # the version that the sheet was last seen to say
        self._last: tuple[Difference, ...] = ()  # what the last look wrote
        self._tries = 0
        self._read = self._read_challenges = self._not_before = float("-inf")

    def tick(self) -> bool:
        """Look at the sheet if it is due, and tell whether it was.

        Raises:
            StoreUnavailableError: the database can't be asked.
            LostLeaseError: another process keeps the sheet by now.
        """
        sync = self._sync_of(self._game())
        moment, version = self._clock(), self._play.hub.feed(sync.row.id).game.version
        behind = version != self._level and moment >= self._read + WRITING
        due = moment >= self._read + max(1, self._settings.players_ttl)
        if moment < self._not_before or not (behind or due):
            return False
        challenges = moment >= self._read_challenges + max(1, self._settings.actions_ttl)
        self._read = moment
        if self._look(sync, Wishes(challenges=challenges)) and challenges:
            self._read_challenges = moment
        return True

    def _game(self) -> GameRow:
        known = self._play.hub.games()
        if not known:
            with self._play.database.write() as connection:
                games.create(connection, games.FIRST_NAME)
            known = self._play.hub.games()
        return known[0]

    def _sync_of(self, row: GameRow) -> Sync:
        if self._sync is None or self._sync.row.id != row.id:
            self._sync = sync_of(self._settings, self._play, self._google, row)
            self._sync.fence, self._sync.aside = self._fence, self._aside
            self._level = None
        return self._sync

    def _look(self, sync: Sync, wishes: Wishes) -> bool:
        """Look, and tell whether nothing stood in the way."""
        try:
            found = sync.look(wishes)
        except GoogleError as error:
            rest = min(error.retry_after or WRITING, LONGEST_REST)
            self._not_before = self._clock() + rest
            self._trouble(sync, f"google.{error.code}", tuple(error.params.items()))
        except UnreadableTable as error:
            params = (("file", error.file), *error.params)
            self._trouble(sync, f"roster.{error.code}", params)
        else:
            late, self._level = self._level, found.version if found.level else None
            self._note(sync, found, 0 if late != found.version else len(found.differences))
            return True
        return False

    def _stubborn(self, found: Look) -> tuple[Correction, ...]:
        """Name the cells that never take what is written; there is no hurry to try them again."""
        same = found.differences == self._last
        self._last, self._tries = found.differences, self._tries + 1 if same else 1
        if not found.differences or self._tries < STUBBORN:
            return ()
        self._level = found.version
        return stubborn(found.differences)

    def _note(self, sync: Sync, found: Look, mended: int) -> None:
        number = sync.row.id
        with self._play.database.read() as connection:
            before = sheets.state(connection, number) or SheetState()
        wrote = bool(found.differences)
        after = SheetState(
            read_at=games.now(),
            wrote_at=games.now() if wrote else before.wrote_at,
            problems=(*found.corrections, *self._stubborn(found)),
            mended=mended,
        )
        with self._play.database.write() as connection:
            sheets.set_state(connection, number, after)
        if wrote or found.offers:
            _log.info("keeper.wrote", cells=len(found.differences), offers=len(found.offers))

    def _trouble(self, sync: Sync, key: str, details: Pairs) -> None:
        """Keep the first word for a trouble: that Google is given a rest explains nothing."""
        number = sync.row.id
        with self._play.database.read() as connection:
            before = sheets.state(connection, number) or SheetState()
        if key == "google.resting" and before.trouble:
            return
        since = before.since if before.trouble == key else games.now()
        after = replace(before, trouble=key, details=details, since=since)
        with self._play.database.write() as connection:
            sheets.set_state(connection, number, after)
        if before.trouble != key:
            _log.warning("keeper.trouble", code=key)


def stubborn(cells: Iterable[Difference]) -> tuple[Correction, ...]:
    """Ask editors to free cells that don't take what is written."""
    return tuple(
        Correction(one.row.number, HEADERS[one.meaning], "sheet.stubborn", (("cell", one.cell),))
        for one in cells
    )


def sync_of(settings: Settings, play: Play, google: Google, row: GameRow) -> Sync:
    """Tie a game to the spreadsheet of the settings."""
    titles = (settings.players_tab, settings.actions_tab)
    return Sync(play, google, settings.spreadsheet, row, settings.sheet_targets, titles)
