"""How a person is shown: a photo, or initials drawn over rings, the same for the same nickname."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Literal
from urllib.parse import quote

from markupsafe import Markup

from killer.game import names

Size = Literal["small", "medium", "large"]

TONES = 8
RINGS = (12, 24, 36, 48, 60, 72)


def initials(nickname: str) -> str:
    """Give one or two letters: of the first two words, or the first two of a single word."""
    words = ["".join(ch for ch in word if ch.isalnum()) for word in nickname.split()]
    words = [word for word in words if word]
    if not words:
        return nickname.strip()[:1] or "?"
    letters = words[0][:2] if len(words) == 1 else words[0][0] + words[1][0]
    return letters.upper()[:2]


def tone(nickname: str) -> int:
    """Give the number of the colour class."""
    return _digest(nickname)[0] % TONES


def face(nickname: str) -> Markup:
    """Draw it; colours are classes, so that the page needs no style of its own."""
    digest = _digest(nickname)
    x, y = 8 + digest[1] % 65, 8 + digest[2] % 65
    rings = "".join(f"<circle cx='{x}' cy='{y}' r='{radius}'/>" for radius in RINGS)
    drawing = (
        "<svg class='face tone-{}' viewBox='0 0 80 80' aria-hidden='true' focusable='false'>"
        "<rect width='80' height='80'/><g>" + rings + "</g>"
        "<text x='40' y='52' text-anchor='middle'>{}</text></svg>"
    )
    return Markup(drawing).format(tone(nickname), initials(nickname))  # noqa: S704  # numbers only; format escapes


def _digest(nickname: str) -> bytes:
    return sha256(names.key(nickname).encode()).digest()


def photo_url(photo: str, size: Size) -> str:
    """Give the address of a photo, empty when there is none."""
    return f"/photos/{quote(photo)}?size={size}" if photo else ""


@dataclass(frozen=True, slots=True)
class Person:
    """Anybody as everybody may see them; `status` is empty while the game keeps it back."""

    nickname: str
    year: str = ""
    photo: str = ""
    status: str = ""
    phone: str = ""

    @property
    def face(self) -> Markup:
        """The drawn portrait."""
        return face(self.nickname)

    @property
    def key(self) -> str:
        """What a search compares with."""
        return names.key(f"{self.nickname} {self.year}")
