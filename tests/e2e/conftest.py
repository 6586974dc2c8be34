"""What the end-to-end tests ask for: a deployment with its players, gone when the test is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from e2e.server import Server

Deploy = Callable[..., Server]


@contextmanager
def deploying(folder: Path) -> Iterator[Deploy]:
    """Make deployments in a folder while the block lasts."""
    with ExitStack() as stack:

        def make(**settings: str) -> Server:
            server = Server(folder, **settings)
            stack.callback(server.end)
            return server

        yield make


@pytest.fixture
def deploy(tmp_path: Path) -> Iterator[Deploy]:
    """Make a deployment in a folder of the test; nothing of it outlives the test."""
    with deploying(tmp_path) as make:
        yield make


@pytest.fixture(scope="module")
def deploy_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deploy]:
    """Make a deployment that the tests of a module share."""
    with deploying(tmp_path_factory.mktemp("shared")) as make:
        yield make
