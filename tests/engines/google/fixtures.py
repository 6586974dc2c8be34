"""The fixture `google`: import it in a conftest.py, and its tests may ask for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engines.google.emulator import Emulator


@pytest.fixture
def google() -> Iterator[Emulator]:
    """A Google that serves, with nothing in it yet."""
    with Emulator() as emulator:
        yield emulator
