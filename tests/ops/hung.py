"""A folder on a network disk that doesn't answer: whoever looks into it waits in the kernel."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gevent import monkey

from killer.settings import Settings

SECONDS = 3.0
_wait = monkey.get_original("time", "sleep")  # the thread itself, whatever gevent has patched


class HungFolder(type(Path())):  # type: ignore[misc]
    """Nobody learns what is in it before the disk is back."""

    def glob(self, pattern: str, **_: Any) -> Iterator[Path]:
        _wait(SECONDS)
        return iter(())


class HungSettings(Settings):
    """Settings whose backups lie there."""

    @property
    def backups(self) -> Path:
        return HungFolder("/mnt/away")


def ticking(gaps: list[float]) -> None:
    """Note again and again how long a short sleep has taken."""
    while True:
        began = time.monotonic()
        time.sleep(0.01)
        gaps.append(time.monotonic() - began)
