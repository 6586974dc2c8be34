"""What goes wrong on purpose, so many times or until it is cleared, and the log of every call."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any, Literal

#: reset: the connection is cut. half: the body stops in its middle. broken: the body is no JSON.
#: silence: no answer for so many seconds, then the end of the connection. drip: byte by byte.
Trouble = int | Literal["reset", "half", "broken", "silence", "drip"]
Kind = Literal["read", "write", "file", "token"]


@dataclass(frozen=True)
class Call:
    """A request as it came and was answered; status 0 when no answer was sent."""

    at: float
    kind: str
    path: str
    status: int
    account: str = ""
    body: Any = field(default=None, repr=False)


@dataclass
class Fault:
    """One trouble, of every kind of call but `token` unless `on` names one.

    `late` means that the request is carried out all the same; half, broken and drip always are.
    """

    trouble: Trouble
    times: int | None = 1
    on: Kind | None = None
    late: bool = False
    retry_after: float | None = None
    seconds: float = 60
    message: str = ""


class Faults:
    """The troubles to come, in order."""

    def __init__(self) -> None:
        self._list: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._list.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._list.clear()

    def next(self, kind: str) -> Fault | None:
        """Give the trouble that this call gets, and use it up."""
        with self._lock:
            for fault in self._list:
                if kind == fault.on or (fault.on is None and kind != "token"):
                    if fault.times is not None:
                        fault.times -= 1
                    if fault.times == 0:
                        self._list.remove(fault)
                    return fault
        return None
