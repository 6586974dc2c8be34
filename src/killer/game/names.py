"""Nicknames: how they are shown, and when two of them are the same."""

from __future__ import annotations

import unicodedata


def clean(text: str) -> str:
    """Give the form to show: NFC, without invisible characters, spaces collapsed."""
    visible = "".join(
        " " if ch.isspace() else ch
        for ch in unicodedata.normalize("NFC", text)
        if ch.isspace() or unicodedata.category(ch) not in {"Cf", "Cc", "Cn", "Co", "Cs"}
    )
    return " ".join(visible.split())


def key(nickname: str) -> str:
    """Give the form to compare: NFKC, casefolded, cleaned."""
    folded = unicodedata.normalize("NFKC", clean(nickname)).casefold()
    return clean(unicodedata.normalize("NFKC", folded))
