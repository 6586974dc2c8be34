"""One URL: what answers it, who may call it, how often, and what it takes and gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from flask.typing import ResponseReturnValue
from werkzeug.routing import BaseConverter

View = Callable[..., ResponseReturnValue]


class Nickname(BaseConverter):
    """A nickname in a path, whatever it is made of: slashes too, wherever they stand."""

    regex = ".+?"
    part_isolating = False
    weight = 200


class Number(BaseConverter):
    """A number in a path, as large as a database can count."""

    regex = "[0-9]{1,9}"

    def to_python(self, value: str) -> int:
        """Read it."""
        return int(value)


CONVERTERS = {"nickname": Nickname, "number": Number}


class Who(Enum):
    """Who may call a URL."""

    MACHINE = "machine"  # monitors, big screens, browsers fetching files: no session is looked at
    ANYBODY = "anybody"
    PLAYER = "player"
    ORGANISER = "organiser"


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table of URLs; `summary` comes from the view's docstring."""

    method: str
    rule: str
    view: View
    who: Who
    limit: str = ""  # for each viewer in each worker, as the library `limits` writes it
    takes: type | None = None
    gives: type | None = None
    status: int = 200
    largest: int = 64 * 1024  # bytes of a body
    etag: bool = False  # whoever has the answer already gets 304
    blind: bool = False  # answered by what was last known of who is asking, if nothing can be read

    @property
    def name(self) -> str:
        """Give the name under which metrics and limits know it."""
        return f"{self.method} {self.rule}"

    @property
    def summary(self) -> str:
        """Say in one sentence what it does."""
        return (self.view.__doc__ or "").strip().split("\n")[0]
