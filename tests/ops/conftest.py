"""A played deployment on each of the two databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from killer.settings import Settings
from ops import deployments
from store.processes import Mother


@pytest.fixture(scope="module")
def mother() -> Iterator[Mother]:
    """The process from which the others of a file are forked."""
    found = Mother()
    yield found
    found.end()


@pytest.fixture
def empty(database_url: str, tmp_path: Path) -> Settings:
    """A deployment in which nothing is."""
    return deployments.settings_in(tmp_path / "data", database_url)


@pytest.fixture
def played(empty: Settings) -> Settings:
    """A deployment whose game of eight runs, three of them fallen."""
    deployments.begin(empty)
    return empty


@pytest.fixture
def embedded(tmp_path: Path) -> Settings:
    """A played deployment on SQLite, where the kind of database makes no difference."""
    found = deployments.settings_in(tmp_path / "data")
    deployments.begin(found)
    return found
