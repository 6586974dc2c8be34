"""What a crowd is told before it begins: where to play, how, and with whose tickets."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryFile

import msgspec

from killer.language import say

#: Fewer can't lose one of them in the burst and still play.
FEWEST = 3
#: More don't fit into one rehearsal game.
MOST = 5000


class Hidden:
    """What no error and no log shows: there are tokens or passwords in it."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Give its kind only."""
        return f"{type(self).__name__}(…)"


class Plan(Hidden, msgspec.Struct, frozen=True, kw_only=True):
    """A whole load test, as the command line asks for it."""

    host: str  # address of the server, such as http://127.0.0.1:8080
    token: str  # an organiser's sign-in token on that server
    steps: tuple[int, ...]  # phones of each step
    hold: float  # seconds of play in each step
    folder: str  # where the reports go
    version: str  # of killer
    language: str = "fr"
    own_pid: int = 0  # the server's first process when it runs only for this test; 0: it doesn't
    settings: dict[str, str] = {}  # of that server
    metrics_token: str = ""
    insecure: bool = False  # any certificate will do
    workers: int = 0  # Locust workers; 0: this process plays all phones itself


class Ticket(Hidden, msgspec.Struct, frozen=True):
    """A seat in the game for one phone."""

    nickname: str
    token: str = ""  # signs in by link; empty: with the password
    password: str = ""


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What one process needs to seat its phones in a step."""

    host: str
    insecure: bool
    window: float  # seconds in which everybody signs in
    tickets: tuple[Ticket, ...]


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """Where a Locust worker finds its master."""

    master: str
    port: int
    language: str = "fr"


def window(phones: int) -> float:
    """Give the seconds in which so many sign in after the announcement."""
    return min(20.0, max(2.0, phones / 25))


def deadline(phones: int, hold: float) -> float:
    """Give the seconds after which a step is broken off, whatever happens."""
    return window(phones) + hold + 60.0


def deaths(phones: int, hold: float) -> tuple[int, int, int]:
    """Tell how many die in play, in the burst and during the reconnection: two always survive."""
    burst = max(1, phones // 20)
    left = phones - 2 - burst
    late = min(1, left)
    return min(left - late, phones // 10 + 1, int(hold / 2)), burst, late


def shares(tickets: tuple[Ticket, ...], processes: int) -> list[tuple[Ticket, ...]]:
    """Deal the tickets out to so many processes, as evenly as can be."""
    return [tickets[each::processes] for each in range(processes)]


def make_room(folder: Path) -> None:
    """Make the folder of the reports, and see that something can be put there: a test is long.

    Raises:
        OSError: the folder can't be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    TemporaryFile(dir=folder).close()


def unwritten(folder: Path, error: OSError) -> str:
    """Say that a folder can't be written to."""
    return say("crowd.no_folder", folder=folder, cause=error.strerror or "")


def read(line: bytes) -> Plan | Worker:
    """Read what was written on standard input.

    Raises:
        msgspec.DecodeError: it is neither.
    """
    try:
        return msgspec.json.decode(line, type=Plan)
    except msgspec.ValidationError:
        return msgspec.json.decode(line, type=Worker)
