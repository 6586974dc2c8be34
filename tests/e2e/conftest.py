"""What the end-to-end tests ask for: a deployment with its players, gone when the test is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from e2e.server import Server

Deploy = Callable[..., Server]


@pytest.fixture
def deploy(tmp_path: Path) -> Iterator[Deploy]:
    """Make a deployment in a folder of the test; nothing of it outlives the test."""
    with ExitStack() as stack:

        def make(**settings: str) -> Server:
            server = Server(tmp_path, **settings)
            stack.callback(server.end)
            return server

        yield make
