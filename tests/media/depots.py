"""A depot that is a dictionary: it counts what it is asked, and refuses what a test says."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from killer.media.shelf import ShelfError


@dataclass
class Cupboard:
    """Files with the time when they were put; `refused` are those that it doesn't give."""

    held: dict[str, tuple[bytes, float]] = field(default_factory=dict)
    refused: dict[str, ShelfError] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)

    def put(self, file: str, data: bytes) -> None:
        self.held[file] = data, time.time()

    def get(self, file: str) -> bytes | None:
        self.asked[file] += 1
        if file in self.refused:
            raise self.refused[file]
        return self.held[file][0] if file in self.held else None

    def files(self, folder: str) -> list[tuple[str, float]]:
        self.asked["files"] += 1
        return [(file, put) for file, (_, put) in self.held.items() if file.startswith(folder)]

    def remove(self, file: str) -> None:
        self.asked["remove"] += 1
        if file in self.refused:
            raise self.refused[file]
        del self.held[file]
