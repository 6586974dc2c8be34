"""Hands that tap: deaths and revivals until they are acknowledged, and looks at one's own card."""

from __future__ import annotations

import http.client
import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import quote

from benchmarks.cluster.truth import Told
from benchmarks.cluster.windows import Trouble
from killer.crowd.client import PATIENCE

AGAIN = 0.3  # seconds until somebody taps again who was not told when
GIVE_UP = 90.0  # seconds after which somebody puts the phone away
HANDS = 64  # that tap at the same time
READERS, READ = 10, 0.5  # phones that look at their card, and every how many seconds


class Answer(NamedTuple):
    """What came back; status 0 is none, and `kind` says why."""

    asked: float
    answered: float
    status: int
    kind: str
    retry: str = ""  # Retry-After
    body: bytes = b""


def ask(place: tuple[str, int], method: str, path: str, cookie: str, key: str = "") -> Answer:
    """Ask once, on a connection of its own."""
    headers = {"Cookie": cookie, "Content-Type": "application/json", "Idempotency-Key": key}
    body = b"{}" if method == "POST" else None
    asked = time.monotonic()
    status, retry, told, kind = 0, "", b"", ""
    with closing(http.client.HTTPConnection(*place, timeout=PATIENCE)) as line:
        try:
            line.request(method, path, body, {n: v for n, v in headers.items() if v})
            response = line.getresponse()
            told = response.read()
            status, retry = response.status, response.headers.get("Retry-After", "")
        except TimeoutError:
            kind = "délai dépassé"
        except (OSError, http.client.HTTPException):
            kind = "connexion rompue"
    if status >= 400:
        kind = f"{status}" + (" avec Retry-After" if retry else "")
    return Answer(asked, time.monotonic(), status, kind, retry, told)


@dataclass
class Hands:
    """Everybody who taps, and what each was told."""

    place: tuple[str, int]
    cookies: dict[str, str]
    organisers: Sequence[str]
    deaths: list[Told] = field(default_factory=list)
    revivals: list[Told] = field(default_factory=list)
    given_up: dict[str, list[str]] = field(default_factory=dict)  # by the kind of event
    troubles: list[Trouble] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)  # seconds from each tap to its good answer
    reads: Counter[str] = field(default_factory=Counter)

    def burst(self, names: Sequence[str], seconds: float) -> None:
        """Let these die, evenly spread over so many seconds, each until it is acknowledged."""
        begin = time.monotonic()

        def one(number: int) -> None:
            due = begin + seconds * number / max(1, len(names))
            time.sleep(max(0.0, due - time.monotonic()))
            name = names[number]
            self._insist("died", name, "/api/death", self.cookies[name], self.deaths)

        self._all(one, len(names))

    def revive(self, names: Sequence[str]) -> None:
        """Let the organisers bring these back."""

        def one(number: int) -> None:
            name, host = names[number], self.organisers[number % len(self.organisers)]
            path = f"/api/organiser/players/{quote(name)}/revive"
            self._insist("revived", name, path, host, self.revivals)

        self._all(one, len(names), 2 * len(self.organisers))

    def _all(self, one: Callable[[int], None], count: int, most: int = HANDS) -> None:
        with ThreadPoolExecutor(most) as pool:
            list(pool.map(one, range(count)))

    def _insist(self, event: str, name: str, path: str, cookie: str, told: list[Told]) -> None:
        key, begin = secrets.token_hex(8), time.monotonic()
        while True:
            answer = ask(self.place, "POST", path, cookie, key)
            if answer.status == 200:
                told.append((int(json.loads(answer.body)["version"]), name))
                self.waits.append(answer.answered - begin)
                return
            self._note(answer)
            if answer.answered - begin > GIVE_UP:
                self.given_up.setdefault(event, []).append(name)
                return
            time.sleep(min(5.0, float(answer.retry or AGAIN)))

    def _note(self, answer: Answer) -> None:
        kind = answer.kind or f"{answer.status}"
        self.troubles.append(Trouble(answer.asked, answer.answered, kind))

    def read(self, over: threading.Event, number: int) -> None:
        """Look at one's own card again and again until it is over."""
        cookie = list(self.cookies.values())[number]
        while not over.wait(READ):
            answer = ask(self.place, "GET", "/api/me", cookie)
            self.reads["bonnes" if answer.status == 200 else "autres"] += 1
            if answer.status != 200:
                self._note(answer)

    def reading(self, over: threading.Event) -> list[threading.Thread]:
        """Let some look at their cards until it is over."""
        count = min(READERS, len(self.cookies))
        threads = [threading.Thread(target=self.read, args=(over, n)) for n in range(count)]
        for thread in threads:
            thread.daemon = True
            thread.start()
        return threads
