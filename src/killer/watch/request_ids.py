"""A name for each request, by which a player's screen and the server's log speak of the same."""

from __future__ import annotations

import os
import re
import secrets
from itertools import count

KEY = "killer.request_id"  # in the WSGI environment
ROUTE = "killer.route"  # as above: the route's rule, which tells nothing about anybody
HEADER = "X-Request-Id"
SANE = re.compile(r"[A-Za-z0-9_-]{8,64}")


class RequestIds:
    """Counts on from a random beginning, anew in each process: a tenth of a random id's cost."""

    def __init__(self) -> None:
        self.begin()
        os.register_at_fork(after_in_child=self.begin)

    def begin(self) -> None:
        """Take a beginning that no other process has."""
        self._beginning = secrets.token_hex(4)
        self._numbers = count(1)

    def of(self, given: str | None) -> str:
        """Give a request's id: what a proxy gave it when that is sane, or else a new one."""
        if given and SANE.fullmatch(given):
            return given
        return f"{self._beginning}-{next(self._numbers):04x}"


REQUEST_IDS = RequestIds()
