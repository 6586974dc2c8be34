"""The people of these tests, with names, challenges and passwords that look well in pictures."""

from __future__ import annotations

import secrets

from e2e.rosters import Person
from web.gallery import CHALLENGES, names


def cast(count: int) -> list[Person]:
    """Invent so many players who all play."""
    return [
        Person(name, CHALLENGES[i % len(CHALLENGES)], secrets.token_hex(6))
        for i, name in enumerate(names(count))
    ]
