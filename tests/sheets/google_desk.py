"""An organiser's sheet at the emulated Google, and our client of it, for the tests of both."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from engines.google import Emulator, Tab
from killer.sheets.google import Google, GoogleError
from killer.sheets.pace import Pace

SHEET = "1aB-c_D"
PLAYERS = [["Surnom", "Équipe"], ["Zoé", "rouge"], ["Ada", "bleu"], ["Bob", "vert"]]
COLUMNS = {"status": "Statut", "kills": "Éliminations"}


@dataclasses.dataclass
class Desk:
    """An organiser's sheet at Google, and our client, whose waits take no time."""

    google: Emulator
    client: Google
    tab: Tab
    counts: Counter[tuple[str, str]]
    slept: list[float]

    def hasty(self, seconds: float) -> None:
        """Go on with a client that waits for so many seconds only."""
        self.client = a_client(self.google, self.client._key_file, self.slept, self.counts, seconds)

    def marks(self) -> dict[str, int]:
        return {each.key: each.mark for each in self.client.columns(SHEET)}

    def marked(self) -> dict[str, int]:
        """Add our columns behind the organiser's, and give their marks."""
        self.client.add_columns(SHEET, self.tab.id, 2, 0, COLUMNS)
        return self.marks()

    def error(self, what: str = "tabs", *args: Any) -> GoogleError:
        with pytest.raises(GoogleError) as caught:
            getattr(self.client, what)(*(args or (SHEET,)))
        return caught.value


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def desk(google: Emulator, tmp_path: Path, slept: list[float]) -> Desk:
    counts: Counter[tuple[str, str]] = Counter()
    tab = google.sheet(SHEET, {"L'été à Paris": PLAYERS, "Défis": []}, size=(12, 5))
    client = a_client(google, google.key_file(tmp_path), slept, counts)
    return Desk(google, client, tab["L'été à Paris"], counts, slept)


def a_client(
    google: Emulator,
    key: Path,
    slept: list[float],
    counts: Counter[tuple[str, str]],
    timeout: float = 20,
) -> Google:
    return Google(
        key,
        url=google.url,
        timeout=timeout,
        pace=Pace(read=6000, write=6000, sleep=slept.append, chance=lambda: 1.0),
        counted=lambda *call: counts.update([call]),
    )
