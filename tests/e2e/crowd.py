"""Players who declare deaths without end, organisers who revive them, and what each was told."""

from __future__ import annotations

import random
import secrets
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from e2e.phones import Phone

PACE = 0.05  # seconds between two taps of a hand
LATE = 0.3  # how many deaths are repeated with their old key after the player is back


@dataclass(frozen=True, slots=True)
class Told:
    """An acknowledged change: whose, with which key, and the version that was answered."""

    nickname: str
    key: str
    version: int


@dataclass
class Crowd:
    """Hands that tap at the same time; every answer of a 200 is kept."""

    phones: dict[str, Phone]
    hosts: list[Phone]
    deaths: list[Told] = field(default_factory=list)
    revivals: list[Told] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    alive: deque[str] = field(default_factory=deque)
    dead: deque[Told] = field(default_factory=deque)
    over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.alive.extend(self.phones)

    @contextmanager
    def tapping(self, hands: int = 4) -> Iterator[None]:
        """Let everybody tap while the block lasts; whoever waits for an answer gets it first."""
        works = [self.one_dies] * hands + [self.reviver(host) for host in self.hosts]
        threads = [threading.Thread(target=self.repeat, args=(w,), daemon=True) for w in works]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.over.set()
            for thread in threads:
                thread.join(60)
        assert not any(thread.is_alive() for thread in threads)

    def repeat(self, work: Callable[[], None]) -> None:
        """Do it again and again; what goes wrong fails the test at its end."""
        try:
            while not self.over.wait(random.uniform(0, 2 * PACE)):
                work()
        except Exception as error:  # noqa: BLE001  # a thread's error would be lost otherwise
            self.wrong.append(repr(error))

    def one_dies(self) -> None:
        """Declare somebody's death, with one key until it is acknowledged."""
        if len(self.dead) > len(self.phones) / 3:
            return  # the game must not end while the organisers are behind
        try:
            nickname = self.alive.popleft()
        except IndexError:
            return
        key = secrets.token_hex(8)
        told = Told(nickname, key, self.phones[nickname].insist("/api/death", key).version)
        self.deaths.append(told)
        self.dead.append(told)

    def reviver(self, host: Phone) -> Callable[[], None]:
        """Give the work of one organiser: bring back whoever has died first."""

        def one_comes_back() -> None:
            try:
                death = self.dead.popleft()
            except IndexError:
                return
            key = secrets.token_hex(8)
            path = f"/api/organiser/players/{quoted(death.nickname)}/revive"
            told = Told(death.nickname, key, host.insist(path, key).version)
            self.revivals.append(told)
            self.repeat_late(death)
            self.alive.append(death.nickname)

        return one_comes_back

    def repeat_late(self, death: Told) -> None:
        """Let a request arrive once more that a bad network has kept: it must change nothing."""
        if random.random() < LATE:
            again = self.phones[death.nickname].insist("/api/death", death.key)
            if again.version != death.version:
                self.wrong.append(f"{death} was answered {again.version} later")


def quoted(nickname: str) -> str:
    """Write a nickname as a part of a path."""
    return "".join(
        chr(b) if chr(b).isalnum() and b < 128 else f"%{b:02X}" for b in nickname.encode()
    )
