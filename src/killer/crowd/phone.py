"""One simulated phone: what a person does with it, and what the site's own scripts do then."""

from __future__ import annotations

import math
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import gevent
from gevent.event import Event
from gevent.pool import Group, Pool

from killer.crowd.client import WRONG, Answer, Client
from killer.crowd.ledger import Ledger
from killer.crowd.line import Frame, Line, counted, version_of
from killer.crowd.plan import Ticket

LOOK = 8.0  # seconds between two looks, on average
EVERYBODY = frozenset({"started", "paused", "resumed", "ended", "resync"})  # as in news.js
SPREAD = 1.5  # the least seconds over which news.js spreads the phones that heard the same
CARD, BOARD = 0.005, 0.02  # and seconds for each player, where that is more
POLL = 10.0  # seconds between two polls where streams don't get through
LOST = 0.2  # how many answers to "I'm dead" are lost on the way
AT_ONCE = 6  # connections that a browser opens to fetch a page's files
AGAIN = 3.0  # seconds until a person tries again what didn't work
UNAUTHORIZED, TOO_MANY, SERVER_ERROR, OK = 401, 429, 500, 200

_STATIC = re.compile(r'(?:href|src)="(/static/[^"]+)"')
_BODY = re.compile(r'<body[^>]* data-version="(\d+)"')
_CARD = re.compile(r'id="card"[^>]* data-version="(\d+)"')
_FIELD = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
_VERSION = re.compile(rb'"version":(\d+)')

#: Method, route, milliseconds, bytes, kind of error, moment in which it began.
Report = Callable[[str, str, float, int, str, str], None]


def form_of(page: str, action: str) -> dict[str, str]:
    """Give the hidden fields of the form with that action; none when there is no such form."""
    rest = page.partition(f'action="{action}"')[2].partition("</form>")[0]
    return dict(_FIELD.findall(rest))


def _number(pattern: re.Pattern[str], page: str) -> int:
    found = pattern.search(page)
    return int(found[1]) if found else -1


@dataclass
class Phone:
    """A phone in the hand of one player."""

    ticket: Ticket
    client: Client
    ledger: Ledger
    report: Report
    chance: random.Random = field(default_factory=random.Random)
    leaving: bool = False
    version: int = 0  # the newest that the phone knows of
    path: str = ""  # of the page that is shown
    line: Line | None = None

    def __post_init__(self) -> None:
        self.signed_in = False
        self._shown = -1  # the version of the card
        self._wanted = 0.0  # the version that the card must show at least
        self._card_at = math.inf  # when the next look at the card is due
        self._card_timer: gevent.Greenlet | None = None
        self._following = False
        self._players = 0  # as the last frame counted them
        self._kept: set[str] = set()  # static files, which never change under their names
        self._errands = Group()
        self._polling: gevent.Greenlet | None = None
        self._called = Event()
        self._doom: float | None = None
        self._etag = ""

    # --- the person ---

    def live(self, wait: float) -> None:
        """Come after so many seconds, look around until it is time to leave, die when told to."""
        gevent.sleep(wait)
        while not self.leaving:
            if not self.signed_in:
                if not self.arrive():
                    gevent.sleep(AGAIN)
            elif self._doom is not None:
                self._die(self._doom)
            elif not self._pause(self.chance.expovariate(1 / LOOK)):
                self._look()

    def arrive(self) -> bool:
        """Open the sign-in page, take a moment, and sign in by link or password."""
        token = self.ticket.token
        path, name = (f"/s/{token}", "/s/…") if token else ("/sign-in", "/sign-in")
        answer = self.ask("GET", path, name=name)
        page = "" if answer.kind else answer.text
        self._fetch(page)
        fields = form_of(page, path)
        if not fields:
            return False
        gevent.sleep(self.chance.uniform(0.4, 1.4))
        if not token:
            fields |= {"nickname": self.ticket.nickname, "password": self.ticket.password}
        if self.ask("POST", path, name=name, form=fields, expect=(303,)).kind:
            return False
        self.signed_in = True
        self.ledger.gauges.phones += 1
        return bool(self._open("/"))

    def die_at(self, moment: float) -> None:
        """Be told when to fall, in seconds since 1970."""
        self._doom = moment
        self._called.set()

    def leave(self) -> None:
        """Be told that it is over."""
        self.leaving = True
        self._called.set()
        self.close()

    def close(self) -> None:
        """Switch it off."""
        if self.signed_in:
            self.signed_in = False
            self.ledger.gauges.phones -= 1
        self._hang_up()
        self._drop_errands()

    def _pause(self, seconds: float) -> bool:
        """Wait; true when somebody has called meanwhile."""
        return bool(self._called.wait(seconds))

    def _look(self) -> None:
        deeds: tuple[Callable[[], object], ...] = (
            self._turn_page,
            self._wake,
            self._lose_network,
            self._sleep,
        )
        self.chance.choices(deeds, (60, 20, 10, 10))[0]()

    def _turn_page(self) -> None:
        self._open(self.chance.choices(("/", "/leaderboard", "/players"), (3, 2, 1))[0])

    def _lose_network(self) -> None:
        seconds = self.chance.uniform(2, 6)
        if self.line:
            self.line.cut(seconds)
        self._drop_errands()
        self._pause(seconds)
        if self._perhaps():  # else the phone doesn't notice, and only the stream resumes
            self._wake()

    def _sleep(self) -> None:
        self._hang_up()
        self._drop_errands()
        self._pause(self.chance.uniform(5, 10))
        if self._perhaps():
            self._wake()
        else:  # the browser has thrown the page away meanwhile
            self._open(self.path or "/")

    def _perhaps(self) -> bool:
        return self.chance.choice((True, False))

    def _die(self, moment: float) -> None:
        """Open the page, hold the button, and insist until there is an answer."""
        page = self._open("/death")
        fields = form_of(page, "/death") | {"sure": "yes"}
        if "csrf_token" not in fields:
            gevent.sleep(1)
            return
        self._doom = None
        self._called.clear()
        gevent.sleep(max(0.0, moment - time.time()))
        headers = {"HX-Request": "true", "Idempotency-Key": fields["idempotency_key"]}
        self.ledger.tap(self.ticket.nickname, time.time())
        if self.chance.random() < LOST:
            self.client.send_and_lose("/death", fields, headers, self.chance.uniform(1.5, 2.5))
        if self._insist(fields, headers):
            self.ledger.acknowledge(self.ticket.nickname)
        self._open("/")

    def _insist(self, fields: Mapping[str, str], headers: Mapping[str, str]) -> bool:
        """Send the tap until the server has answered, as pending.js does."""
        attempts = 0
        while not self.leaving:
            answer = self.ask(
                "POST",
                "/death",
                form=fields,
                headers=headers,
                check=lambda card: "mood-dead" in card,
            )
            if answer.status and answer.status < SERVER_ERROR and answer.status != TOO_MANY:
                return answer.status == OK
            attempts += 1
            asked = answer.header("Retry-After")
            usual = min(10, 2**attempts) * self.chance.uniform(0.75, 1.25)
            gevent.sleep(int(asked) if asked.isdigit() else usual)
        return False

    # --- the browser ---

    def ask(
        self,
        method: str,
        path: str,
        *,
        name: str = "",
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        expect: tuple[int, ...] = (OK,),
        check: Callable[[str], bool] | None = None,
    ) -> Answer:
        """Ask the server and report how it went; `check` looks whether the answer can be true."""
        moment = self.ledger.moment
        answer = self.client.ask(method, path, form=form, headers=headers, expect=expect)
        kind = answer.kind
        if not kind and check and answer.status == OK and not check(answer.text):
            kind = WRONG
        self.report(method, name or path, answer.took, len(answer.raw), kind, moment)
        return answer

    def _open(self, path: str) -> str:
        """Load a page and all that belongs to it; nothing when that didn't work."""
        known = self.version
        answer = self.ask(
            "GET",
            path,
            expect=(OK, UNAUTHORIZED),
            check=lambda page: _number(_BODY, page) >= known,  # never older than what was told
        )
        if answer.status == UNAUTHORIZED:
            self._thrown_out()
        if answer.status != OK:
            return ""
        page = answer.text
        self.path = path
        self.version = max(known, _number(_BODY, page))
        self._shown = _number(_CARD, page) if path == "/" else -1
        self._fetch(page)
        self._listen()
        return page

    def _thrown_out(self) -> None:
        self.ledger.page.signed_out += 1
        self.signed_in = False
        self.ledger.gauges.phones -= 1
        self._hang_up()

    def _fetch(self, page: str) -> None:
        """Fetch the files of a page that the browser doesn't have yet."""
        named = dict.fromkeys(_STATIC.findall(page.partition("</head>")[0]))
        fresh = [url for url in named if url not in self._kept]
        self._kept.update(fresh)
        Pool(AT_ONCE).map(self._fetch_one, fresh)

    def _fetch_one(self, url: str) -> None:
        if self.ask("GET", url, name="/static/…").kind:
            self._kept.discard(url)

    def _drop_errands(self) -> None:
        """Stop whatever the page's scripts were doing, as when the network is gone."""
        self._errands.kill()
        self._card_at, self._card_timer, self._following = math.inf, None, False
        self.client.close()

    def _hang_up(self) -> None:
        if self._polling:
            self._polling.kill(block=False)
            self._polling = None
        if self.line:
            self.line.close()
            self.line = None

    # --- live.js ---

    def _listen(self) -> None:
        """Open a stream from here on; the page's old one is gone."""
        self._hang_up()
        if not self.leaving:
            self.line = Line(self.client, self, self.version, self._tell_live)

    def _tell_live(self, took: float, kind: str) -> None:
        self.report("live", "live", took, 0, kind, self.ledger.moment)

    def _wake(self) -> None:
        """Look at everything again, as after unlocking."""
        self._listen()
        self._refresh_card(0.0)
        if self.path == "/":
            self._errands.spawn(self._fragment, "/feed")
        self._follow()

    def refused(self, status: int) -> None:  # noqa: ARG002  # whatever it was
        """Poll where streams don't get through."""
        self._polling = self._errands.spawn(self._poll)

    def _poll(self) -> None:
        while not self.leaving:
            headers = {"If-None-Match": self._etag} if self._etag else {}
            answer = self.ask("GET", "/api/me", headers=headers, expect=(OK, 304))
            if answer.status == OK:
                self._etag = answer.header("ETag")
                found = _VERSION.search(answer.body)
                if found and int(found[1]) != self.version:
                    self.version = max(self.version, int(found[1]))
                    self._refresh_card(0.0, self.version)
                    if self.path == "/":
                        self._errands.spawn(self._fragment, "/feed")
                    self._follow()
            gevent.sleep(POLL * self.chance.uniform(0.75, 1.25))

    def found(self, *, gaps: int = 0, resyncs: int = 0, streams: int = 0) -> None:
        """Count what the stream has found."""
        self.ledger.page.gaps += gaps
        self.ledger.page.resyncs += resyncs
        self.ledger.gauges.streams += streams

    # --- news.js ---

    def hear(self, frame: Frame, arrived: float, opened: float) -> None:
        """Take a frame: note deaths, and ask again for what it has changed."""
        if frame.version is not None:
            if frame.kind == "died":
                self.ledger.death(frame.version, frame.data, arrived, opened)
            if frame.version <= self.version:
                return
            self.version = frame.version
            self._players = counted(frame, self._players)
        elif frame.kind == "resync":
            self.version = max(self.version, version_of(frame, self.version))
            if self.path == "/":
                self._errands.spawn(self._fragment, "/feed")
        if frame.touches_card:
            self._refresh_card(0.0, self.version)
        elif frame.kind in EVERYBODY:
            self._refresh_card(self._spread(CARD), self.version)
        self._follow()

    def _spread(self, each: float) -> float:
        return self.chance.uniform(0, max(SPREAD, each * self._players))

    def _refresh_card(self, delay: float, version: float = math.inf) -> None:
        self._wanted = max(self._wanted, version)
        due = time.monotonic() + delay
        if due >= self._card_at:
            return
        self._card_at = due
        if self._card_timer:
            self._card_timer.kill(block=False)
        self._card_timer = gevent.spawn_later(delay, self._look_at_card)
        self._errands.add(self._card_timer)

    def _look_at_card(self) -> None:
        self._card_at, self._card_timer = math.inf, None
        wanted, self._wanted = self._wanted, 0.0
        if self.path != "/" or wanted <= self._shown:
            return
        known = self.version
        answer = self._fragment("/card", lambda card: _number(_CARD, card) >= known)
        if answer.status == OK:
            self._shown = max(self._shown, _number(_CARD, answer.text))
        else:
            self._refresh_card(3 + self._spread(CARD))

    def _follow(self) -> None:
        """Ask again for a page that everybody may have open, not more often than each second."""
        if self.path in {"/leaderboard", "/players"} and not self._following:
            self._following = True
            self._errands.add(gevent.spawn_later(1 + self._spread(BOARD), self._again))

    def _again(self) -> None:
        self._following = False
        if self.path in {"/leaderboard", "/players"}:
            self._fragment(self.path)

    def _fragment(self, path: str, check: Callable[[str], bool] | None = None) -> Answer:
        """Ask for a part of the page, as htmx does."""
        headers = {"HX-Request": "true", "HX-Current-URL": self.client.address.name}
        return self.ask("GET", path, headers=headers, check=check)
