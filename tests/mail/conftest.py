"""A game that hasn't begun, and a mail server for each module's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engines.smtp import Box, mail_server
from mail.worlds import give_addresses
from web.conftest import gathered, template  # noqa: F401  # fixtures
from web.world import World


@pytest.fixture
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """A mail server that wants STARTTLS and a password."""
    with mail_server(tmp_path_factory.mktemp("smtp")) as found:
        yield found


@pytest.fixture
def world(gathered: World) -> World:  # noqa: F811  # the fixture above
    """Eight players with addresses, `player1@party.example` and so on, and an organiser without."""
    give_addresses(gathered)
    return gathered
