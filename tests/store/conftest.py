"""What the store's tests start from: a game of eight on each of the two databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from store.processes import Mother
from store.worlds import World, a_world, look_at


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """A running game of eight."""
    found = a_world(database_url, 8)
    yield found
    found.database.close()


@pytest.fixture
def elsewhere(world: World) -> Iterator[World]:
    """Another process's view of the same game."""
    found = look_at(world.database.url, world.number)
    yield found
    found.database.close()


@pytest.fixture(scope="module")
def mother() -> Iterator[Mother]:
    """The process from which all others of a file are forked."""
    found = Mother()
    yield found
    found.end()
