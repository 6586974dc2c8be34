"""Every sentence that a person reads, in French or English, from the catalogues in `locales/`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import cast

from babel.messages.pofile import read_po

LANGUAGES = ("fr", "en")
LOCALES = Path(__file__).parent / "locales"

_UNIT = r"(?:(?:minute|seconde|heure|jour)s?|min|ms|s|h|[GMk]o|%%?)(?![\w'])"
_APART = re.compile(
    rf" (?=[;:!?»](?:\s|$))|(?<=«) |(?<=n°) |(?<=\d) (?={_UNIT})|(?<=\)s) (?={_UNIT})"
)
_ELIDED = re.compile(r"(?<=[^\W\d_])'(?=[^\W\d_])")

_current: ContextVar[str] = ContextVar("language", default=LANGUAGES[0])


@cache
def catalogue(language: str) -> Mapping[str, str | tuple[str, ...]]:
    """Read all sentences of a language by their keys; plural ones are (one, many)."""
    sentences: dict[str, str | tuple[str, ...]] = {}
    for path in sorted((LOCALES / language).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                key = message.id if isinstance(message.id, str) else message.id[0]
                if key and message.string:
                    sentences[key] = _text(message.string, _french if language == "fr" else str)
    return sentences


def _text(string: object, printed: Callable[[str], str]) -> str | tuple[str, ...]:
    if isinstance(string, str):
        return printed(string)
    return tuple(map(printed, cast("Iterable[str]", string)))


def _french(sentence: str) -> str:
    """Set a sentence as a printer would: apostrophes that bend, signs and units with their word.

    The catalogues are typed with the keys of a keyboard.
    """
    return _APART.sub("\u00a0", _ELIDED.sub("\u2019", sentence))


def current() -> str:
    """Give the language of whoever is being spoken to."""
    return _current.get()


def choose(language: str) -> None:
    """Speak this language from now on, in this request or program."""
    _current.set(language if language in LANGUAGES else LANGUAGES[0])


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak this language for a while."""
    token = _current.set(language if language in LANGUAGES else LANGUAGES[0])
    try:
        yield
    finally:
        _current.reset(token)


def say_kept(key: str, /, **params: object) -> str:
    """Give the sentence of a key that was kept, maybe by another release; empty if it isn't ours.

    While two releases serve, and after one has gone, each meets keys that only the other one says.
    """
    try:
        return say(key, **params)
    except KeyError:
        return ""


def say(key: str, /, **params: object) -> str:
    """Give the sentence of that key in the current language.

    A plural sentence chooses by its parameter `n`: French counts 0 and 1 as one, English only 1.

    Raises:
        KeyError: the catalogues know no such sentence.
    """
    sentence = catalogue(current())[key]
    if isinstance(sentence, tuple):
        n = int(str(params["n"]))
        sentence = sentence[n > 1 if current() == "fr" else n != 1]
    return sentence % params if params else sentence.replace("%%", "%")
