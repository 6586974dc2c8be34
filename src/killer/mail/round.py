"""One run of mails: at its pace, over lines that break, each mail taken by the server once."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage

from killer.game.model import Player, PlayerId
from killer.mail.failures import MailError, Reach
from killer.mail.letter import Letter, message
from killer.mail.post import Post
from killer.store import keeping, mails, people
from killer.store.database import Connection, Database
from killer.store.mails import Mail

LEASE, LEASE_SECONDS, RENEWED = "mails", 90.0, 15.0
TRIES = 3  # of one mail whose line breaks: the first and two repetitions
BREAKS = 6  # of the line, one after another, before the run is given up
UNREACHED = 2  # the same while the server was never reached: more likely, it isn't there at all
LATER = (60.0, 300.0)  # seconds before those who were "not now" are tried again
LONGEST_NAP = 1.0  # seconds between two questions whether to stop

Told = Callable[[int, int, int], None]


@dataclass(frozen=True, slots=True)
class Pace:
    """The clock and the naps of a run; tests bring their own."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random


@dataclass(slots=True)
class Item:
    """One player's mail: the link's token is drawn once, and so its mail is always the same."""

    player: Player
    written: str  # the address as the roster has it
    address: str  # as the envelope wants it; empty when it is none
    before: Mail | None
    game: str
    site: str
    language: str
    token: str = field(repr=False)
    breaks: int = 0
    handed: bool = False  # in the present try: the link is kept, only the final dot is missing
    unknown: bool = False  # in a try before: the dot was sent and nobody heard an answer

    def message(self, sender: Address) -> EmailMessage:
        """Write it."""
        letter = Letter(
            nickname=self.player.nickname,
            address=self.address,
            url=f"{self.site}/s/{self.token}",
            game=self.game,
            sender=sender,
            language=self.language,
            once=self.player.organiser,
        )
        return message(letter, datetime.now(UTC))


class LostLeaseError(Exception):
    """Another process may be sending by now."""


class StoppedError(Exception):
    """Nothing more is to be sent."""


@dataclass
class Round:
    """What a run works with, and what it has done so far."""

    database: Database
    number: int
    kind: str
    post: Post
    holder: str
    rate: int  # mails a minute; 0 for no limit
    pace: Pace
    told: Told
    stop: Callable[[], bool]
    sent: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    uncertain: list[str] = field(default_factory=list)
    tried: set[PlayerId] = field(default_factory=set)
    stopped: MailError | None = None
    _breaks: int = 0
    _next: float = 0.0  # when the next mail may begin
    _renewed: float = 0.0  # when the lease was

    @property
    def left(self) -> int:
        """Count those of whom nothing is known yet."""
        return len(self.tried) - self._settled

    @property
    def _settled(self) -> int:
        return len(self.sent) + len(self.failed) + len(self.uncertain)

    def deliver(self, items: Sequence[Item]) -> None:
        """Send mails; those that are refused for now are tried again at the end."""
        self._renewed = self.pace.now()
        self.tried |= {item.player.id for item in items}
        self._tell()
        try:
            waiting = self._once(items)
            for seconds in LATER:
                if not waiting:
                    return
                self._nap(seconds)
                waiting = self._once([item for item, _ in waiting])
            for item, error in waiting:
                self._fail(item, error)
        except StoppedError:
            pass

    def _once(self, items: Sequence[Item]) -> list[tuple[Item, MailError]]:
        """Try each, and give those that are to be tried later."""
        later = []
        for item in items:
            try:
                self._settle(item)
            except MailError as error:
                if error.reach is not Reach.LATER:
                    self.stopped = error
                    raise StoppedError from error
                later.append((item, error))
        return later

    def _settle(self, item: Item) -> None:
        """Try one until something is known, or too much has broken.

        Raises:
            MailError: later, or nothing more at all.
        """
        if not item.address:
            self._fail(item, MailError("address", Reach.ONE))
            return
        try:
            while not self._is_known(item):
                pass
        except StoppedError:
            if item.unknown:
                self._leave_uncertain(item)
            raise

    def _is_known(self, item: Item) -> bool:
        """Try one once; False when it is to be tried again at once."""
        self._wait_for_turn()
        try:
            self._hand(item)
        except MailError as error:
            return self._is_settled(item, error)
        self._breaks = 0
        return True

    def _hand(self, item: Item) -> None:
        item.handed = False
        try:
            self.post.hand(item.message(self.post.sender), lambda: self._keep(item))
        except LostLeaseError as error:
            self._renewed = -math.inf  # it is asked for before anything else
            raise MailError("broken", Reach.LINE) from error
        with self.database.write() as connection:
            self._note(connection, item, mails.SENT)
        self.sent.append(item.player.nickname)
        self._tell()

    def _is_settled(self, item: Item, error: MailError) -> bool:
        """Deal with a failure; False when the same mail is to be tried at once."""
        if error.reach is Reach.LINE:
            return self._is_given_up(item, error)
        self._breaks = 0
        if item.unknown:
            self._leave_uncertain(item)
        elif error.reach is Reach.ONE:
            self._fail(item, error)
        elif item.handed:
            self._take_back(item)
        if error.reach is Reach.ALL or (error.reach is Reach.LATER and not item.unknown):
            raise error
        return True

    def _is_given_up(self, item: Item, error: MailError) -> bool:
        self._breaks += 1
        item.unknown = item.unknown or item.handed
        item.breaks += error.code == "broken"
        enough = self._breaks >= (BREAKS if self.post.was_reached else UNREACHED)
        if item.breaks >= TRIES or (item.unknown and enough):
            if item.unknown:
                self._leave_uncertain(item)
            else:
                self._fail(item, error)
        if enough:
            raise MailError(error.code, Reach.ALL, error.said) from error
        if item.breaks >= TRIES:
            return True
        self._nap(2**self._breaks * (0.5 + self.pace.chance() / 2))
        return False

    # --- what is kept ---

    def _keep(self, item: Item) -> None:
        """Keep the link and that its mail is being handed over, if nobody else sends."""
        with self.database.write() as connection:
            if not keeping.holds_lease(connection, LEASE, self.holder):
                raise LostLeaseError
            tokens = {item.player.id: item.token}
            once = item.player.id in people.organisers(connection, self.number)
            people.keep_links(connection, self.number, tokens, once=once)
            self._note(connection, item, mails.HANDING)
        item.handed = True

    def _take_back(self, item: Item) -> None:
        """Make it as if the mail had never been handed over, because the server said no."""
        with self.database.write() as connection:
            people.drop_link(connection, item.token)
            if item.before:
                mails.note(connection, self.number, item.player.id, self.kind, item.before)
            else:
                mails.forget(connection, self.number, item.player.id, self.kind)

    def _fail(self, item: Item, error: MailError) -> None:
        detail = error.detail(item.address)
        with self.database.write() as connection:
            people.drop_link(connection, item.token)
            self._note(connection, item, mails.FAILED, detail)
        self.failed.append((item.player.nickname, detail))
        self._tell()

    def _leave_uncertain(self, item: Item) -> None:
        """Leave link and note: the mail may have arrived in the try that nobody answered."""
        self.uncertain.append(item.player.nickname)
        self._tell()

    def _note(self, connection: Connection, item: Item, state: str, detail: str = "") -> None:
        kept = Mail(item.written, state, detail)
        mails.note(connection, self.number, item.player.id, self.kind, kept)

    def _tell(self) -> None:
        self.told(len(self.sent), self._settled - len(self.sent), len(self.tried))

    # --- its pace ---

    def _wait_for_turn(self) -> None:
        self._nap(self._next - self.pace.now())
        if self.rate:
            self._next = self.pace.now() + 60 / self.rate

    def _nap(self, seconds: float) -> None:
        """Wait, and end the run when it is to stop or another process has taken over."""
        end = self.pace.now() + seconds
        while True:
            self._go_on()
            left = end - self.pace.now()
            if left <= 0:
                return
            self.pace.sleep(min(left, LONGEST_NAP))

    def _go_on(self) -> None:
        if self.stop():
            self.stopped = MailError("stopped", Reach.ALL)
            raise StoppedError
        if self.pace.now() - self._renewed < RENEWED:
            return
        if not keeping.take_lease(self.database, LEASE, self.holder, LEASE_SECONDS):
            self.stopped = MailError("busy", Reach.ALL)
            raise StoppedError
        self._renewed = self.pace.now()
