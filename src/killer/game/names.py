"""Nicknames as people type them: what is shown of one, and what makes two of them the same."""

import re
import unicodedata
from functools import lru_cache

_REMOVED = frozenset({"Cc", "Cf", "Cs"})

# Letters that draw nothing, and marks that only choose how an emoji is drawn.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0"
    "\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)


def clean(text: str) -> str:
    """The form to show: NFC, no control or zero-width character, single spaces, none outside."""
    return unicodedata.normalize("NFC", _tidied(text))


@lru_cache(maxsize=20_000)
def key(nickname: str) -> str:
    """The form to compare: two nicknames are one person's when their keys are equal.

    Case, accent form (NFC or NFD), zero-width characters and spacing don't count; accents do.
    The key of a key is itself; the key of a nickname that shows nothing is empty.
    """
    before = None
    while nickname != before:  # folding a case can undo a composition: go on until nothing moves
        before, nickname = nickname, _folded(nickname)
    return nickname


def _folded(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _tidied(_BLANK.sub("", unicodedata.normalize("NFKC", folded)))


def _tidied(text: str) -> str:
    if not text.isprintable():  # hardly ever: nicknames are compared far more often than written
        text = "".join(c for c in text if c.isspace() or unicodedata.category(c) not in _REMOVED)
    return " ".join(text.split())


@lru_cache(maxsize=20_000)
def alphabetical(nickname: str) -> str:
    """Give the form to sort by for people: Élise stands beside Elise, not behind Zoé."""
    letters = unicodedata.normalize("NFKD", key(nickname))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
