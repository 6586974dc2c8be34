"""Fetching the photos that a form's links name: each once, a few at a time, at any time again."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace

from killer.game import commands as c
from killer.game import names
from killer.game.model import Game, PlayerId
from killer.media.aside import prepare_aside
from killer.media.links import file_ids
from killer.media.own import OWN, REMOVED
from killer.media.pictures import BadPhotoError, Photo
from killer.media.shelf import Shelf
from killer.play import Play, Request
from killer.store import people, photos
from killer.store.database import Connection
from killer.store.photos import DONE, Tried

File = Callable[[str], bytes]
Told = Callable[[int, int, int], None]
_Ended = tuple[str, str]  # a nickname, and DONE or why not

AT_ONCE = 3  # downloads
#: An error of `file` with such a code concerns that file alone; any other ends the fetch.
OF_ONE_FILE = {
    "file_not_shared": "not_shared",
    "file_too_large": "too_large",
    "refused": "not_downloaded",
}
OVERTAKEN = frozenset({OWN, REMOVED})
WHY = Request(reason="photos")


@dataclass(frozen=True, slots=True)
class Link:
    """Somebody whose cell of links is to be tried."""

    player: PlayerId
    nickname: str
    source: str
    last: Tried | None

    @property
    def failure(self) -> str:
        """Give the code why this cell led to nothing the last time; empty when it wasn't tried."""
        tried = self.last is not None and self.last.source.strip() == self.source
        return self.last.outcome if tried and self.last and self.last.outcome != DONE else ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Whose photo is to be fetched, whose is there already, and how many have given no link."""

    links: tuple[Link, ...]
    there: int
    without: int


@dataclass(frozen=True, slots=True)
class Report:
    """How a fetch went; `failed` are nicknames with a code `photo.<code>`.

    `left` were not tried, because somebody stopped it or because of `error`, which is what ended
    it early: an error of `file` that doesn't concern one file alone, of the shelf or of the store.
    """

    done: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]
    there: int
    without: int
    left: int = 0
    error: Exception | None = None

    @property
    def reasons(self) -> tuple[tuple[str, str], ...]:
        """Count the failures by reason, most frequent first, as an errand keeps them."""
        counted = Counter(code for _, code in self.failed)
        return tuple((code, str(count)) for code, count in counted.most_common())


def plan(play: Play, number: int, *, again: bool = False) -> Plan:
    """Find out whose photo is to be fetched; `again` also takes what was fetched well before."""
    game = play.hub.feed(number).game
    with play.database.read() as connection:
        contacts = people.read_contacts(connection, number)
        tried = photos.tried(connection, number)
    sources = {p: contact.photo_source.strip() for p, contact in contacts.items()}
    with_link = [p for p in game.players if sources.get(p)]
    wanted = [p for p in with_link if _wanted(game, p, sources[p], tried.get(p), again=again)]
    links = (Link(p, game.players[p].nickname, sources[p], tried.get(p)) for p in wanted)
    in_order = tuple(sorted(links, key=lambda link: names.alphabetical(link.nickname)))
    without = sum(not player.photo for p, player in game.players.items() if not sources.get(p))
    return Plan(in_order, len(with_link) - len(wanted), without)


def _wanted(game: Game, player: PlayerId, source: str, last: Tried | None, *, again: bool) -> bool:
    """Tell whether a cell is to be tried: it never replaces a photo that is newer than itself."""
    if last is None:
        return not game.players[player].photo
    if last.source.strip() != source:
        return True
    return last.outcome not in OVERTAKEN and (again or last.outcome != DONE)


def fetch(
    play: Play,
    number: int,
    shelf: Shelf,
    file: File,
    told: Told,
    stop: Callable[[], bool],
    *,
    request: Request = WHY,
    again: bool = False,
) -> Report:
    """Fetch the photos of a game; whatever interrupts it, the next call goes on where it was.

    Args:
        play: carries the changes out.
        number: the game.
        shelf: where the photos go.
        file: gives the bytes of a Drive file; its errors may have a `code`, see `OF_ONE_FILE`.
        told: is told how many are done, have failed, and there were to try in all.
        stop: is asked before each player whether to leave off.
        request: in whose name, and why.
        again: whether to fetch what was fetched well before, too.
    """
    planned = plan(play, number, again=again)
    total = len(planned.links)
    told(0, 0, total)
    work = _Work(play, number, shelf, file, stop, request)
    report = Report((), (), planned.there, planned.without, total)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            tries = [pool.submit(work.do, link) for link in planned.links]
            for each in as_completed(tries):
                report = _after(report, each, work)
                told(len(report.done), len(report.failed), total)
        except BaseException:
            work.over.set()  # Ctrl-C: what is under way is finished, nothing else is begun
            raise
    return replace(report, done=_in_order(report.done), failed=_failed_in_order(report.failed))


def _in_order(nicknames: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(nicknames, key=names.alphabetical))


def _failed_in_order(failed: Iterable[_Ended]) -> tuple[_Ended, ...]:
    return tuple(sorted(failed, key=lambda one: names.alphabetical(one[0])))


def _after(report: Report, tried: Future[_Ended | None], work: _Work) -> Report:
    error = tried.exception()
    if isinstance(error, Exception):
        work.over.set()
        return replace(report, error=report.error or error)
    ended = tried.result()
    if ended is None:
        return report
    report = replace(report, left=report.left - 1)
    nickname, outcome = ended
    if outcome == DONE:
        return replace(report, done=(*report.done, nickname))
    if outcome == OWN:
        return replace(report, there=report.there + 1)
    return replace(report, failed=(*report.failed, ended))


class _OvertakenError(Exception):
    """Somebody has set this player's photo since the fetch was planned."""


@dataclass(frozen=True, slots=True)
class _Work:
    """One fetch, as its threads share it."""

    play: Play
    number: int
    shelf: Shelf
    file: File
    stop: Callable[[], bool]
    request: Request
    over: threading.Event = field(default_factory=threading.Event)

    def do(self, link: Link) -> _Ended | None:
        """Try one player's links; nothing, when no more is to be tried."""
        if self.over.is_set() or self.stop():
            self.over.set()
            return None
        photo, outcome = self._first_picture(link)
        try:
            self._settle(link, photo, outcome)
        except _OvertakenError:
            return link.nickname, OWN
        return link.nickname, outcome

    def _first_picture(self, link: Link) -> tuple[Photo | None, str]:
        """Give the first of the links' files that is a picture, or why the first one isn't."""
        why = ""
        for file_id in file_ids(link.source):
            try:
                return self._picture(file_id), DONE
            except BadPhotoError as error:
                why = why or error.code
        return None, why or "no_link"

    def _picture(self, file_id: str) -> Photo:
        data = self._download(file_id)  # no more than AT_ONCE of them are held
        return prepare_aside(lambda: data)

    def _download(self, file_id: str) -> bytes:
        try:
            return self.file(file_id)
        except Exception as error:
            code = OF_ONE_FILE.get(getattr(error, "code", ""))
            if code is None:
                raise
            raise BadPhotoError(code) from error

    def _settle(self, link: Link, photo: Photo | None, outcome: str) -> None:
        """Change the photo and note the outcome in one transaction, so that none is done twice."""

        def note(connection: Connection, _game: object) -> None:
            if photos.last(connection, self.number, link.player) != link.last:
                raise _OvertakenError
            photos.note(connection, self.number, link.player, Tried(link.source, outcome))

        if photo is None:
            with self.play.database.write() as connection:
                note(connection, None)
            return
        name = self.shelf.keep(self.number, photo)
        edit = c.Edit(link.player, (("photo", name),))
        self.play.perform(self.number, edit, request=self.request, alongside=note)
