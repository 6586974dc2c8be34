"""Cards to cut out, with a QR code that signs in: nicknames and links in, a PDF out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from killer.language import say
from killer.mail.addresses import plain

PATIENCE = 120.0  # seconds: three times what 5,000 cards take
DRAWING = (sys.executable, "-P", "-m", "killer.mail.drawing")


@dataclass(frozen=True, slots=True)
class Card:
    """Whose card it is, and the link in its QR code."""

    nickname: str
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Words:
    """What stands on every card, in one language."""

    game: str
    how: str
    warning: str


def words(game: str) -> Words:
    """Say it in the current language."""
    return Words(plain(game), say("mail.card.how"), say("mail.card.warning"))


def pdf(cards: Sequence[Card], texts: Words, patience: float = PATIENCE) -> bytes:
    """Draw cards in a process of its own: about 8 ms for each, and 20 MB that no server keeps.

    The links travel through a pipe, never through arguments that others on the machine could see.

    Raises:
        subprocess.SubprocessError: they can't be drawn, or not within so many seconds.
    """
    asked = msgspec.msgpack.encode((list(cards), texts))
    return subprocess.run(  # noqa: S603  # our own program
        DRAWING, input=asked, stdout=subprocess.PIPE, check=True, timeout=patience
    ).stdout
