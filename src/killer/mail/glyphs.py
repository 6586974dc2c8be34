"""Any nickname, written with the letters that the cards' font has, and how wide that is."""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path

from fpdf import FPDF
from fpdf.fonts import TTFFont

NAME = "DejaVu"
FONT = Path(__file__).parent / "fonts" / "DejaVuSansCondensed-Bold.ttf"
DROPPED = {"Mn", "Me", "Cf", "Cc", "Sk"}  # accents, joiners, skin tones: nothing by themselves
FLAGS = range(0x1F1E6, 0x1F200)  # the letters that flags are made of


@cache
def _widths() -> dict[str, float]:
    """Give the width of each letter that the font can draw, in sizes of the font."""
    paper = FPDF()
    paper.add_font(NAME, fname=FONT)
    font = paper.fonts[NAME.lower()]
    assert isinstance(font, TTFFont)
    return {chr(code): font.cw[code] / 1000 for code in font.cmap}


def width(text: str) -> float:
    """Give how wide a text is, in sizes of the font; fpdf2 takes 20 times as long to say it."""
    widths = _widths()
    return sum(widths[letter] for letter in text)


def readable(text: str) -> str:
    """Write a text so that nothing of it is an empty box.

    What the font lacks becomes its plain form, then its name: a fox is "(fox face)", the syllable
    김 is "gim", and an ideograph its number, so that two nicknames still look different.
    """
    composed = unicodedata.normalize("NFC", text)
    return " ".join("".join(_drawn(letter) for letter in composed).split())


def _drawn(letter: str) -> str:
    if letter in _widths() and unicodedata.category(letter) not in {"Cf", "Cc"}:
        return letter
    if ord(letter) in FLAGS:
        return chr(ord("A") + ord(letter) - FLAGS.start)
    simpler = unicodedata.normalize("NFKC", letter)
    if simpler != letter and all(each in _widths() for each in simpler):
        return simpler
    return "" if unicodedata.category(letter) in DROPPED else _named(letter)


def _named(letter: str) -> str:
    name = unicodedata.name(letter, "")
    if unicodedata.category(letter).startswith("S") and name:
        return f" ({name.lower()}) "
    if " LETTER " in name or " SYLLABLE " in name:
        return name.rpartition(" ")[2].lower()
    return f" U+{ord(letter):04X} "
