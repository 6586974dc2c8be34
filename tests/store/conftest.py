"""What only the store's tests share; the game of eight comes from the root."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from store.processes import Mother


@pytest.fixture(scope="module")
def mother() -> Iterator[Mother]:
    """The process from which all others of a file are forked."""
    found = Mother()
    yield found
    found.end()
