"""What the tests of the deployment ask for: rented servers, new, with a way to the registries."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.campus import ROOT, Campus, Checkout, Federation
from engines import postgresql, redis, vps
from engines.door import door

PYTHON = {"bookworm": "3.11", "trixie": "3.13"}
SUITE = "bookworm"


@pytest.fixture(scope="session")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[vps.Operator]:
    """Whoever operates the servers."""
    vps.needed()
    with vps.operator(tmp_path_factory.mktemp("operator")) as found:
        libraries_at_hand(found.folder, PYTHON[SUITE])
        (found.home / ".ssh").mkdir(parents=True, mode=0o700)
        shutil.copy(found.key, found.home / ".ssh" / "id_ed25519")
        yield found


@pytest.fixture(scope="session")
def campus(operator: vps.Operator) -> Iterator[Campus]:
    """A new server; the tests of the session deploy to it one after the other."""
    with vps.vps(operator, SUITE, "campus", 7) as server:
        server.online()
        with door(operator.name, server.address, 80) as port:
            yield Campus(server, port, Checkout.copied(operator.folder / "checkout"))


@pytest.fixture(scope="module")
def federation(
    operator: vps.Operator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Federation]:
    """Two new servers, the first in front of both, with a PostgreSQL and a Redis."""
    here, folder = f"{vps.NETWORK}.1", tmp_path_factory.mktemp("engines")
    with (
        postgresql.cluster() as database,
        postgresql.database(database) as url,
        redis.server(folder) as bell,
        door(operator.name, here, int(database.rpartition(":")[2]), "out"),
        door(operator.name, here, bell, "out"),
        vps.vps(operator, SUITE, "first", 11) as first,
        vps.vps(operator, SUITE, "second", 12) as second,
        door(operator.name, first.address, 80) as port,
    ):
        for server in (first, second):
            server.online()
        checkout = Checkout.copied(operator.folder / "federation")
        yield Federation(
            first,
            port,
            checkout,
            second=second,
            database=url.replace("127.0.0.1", here),
            bell=f"redis://{here}:{bell}/0",
        )


def libraries_at_hand(folder: Path, python: str) -> None:
    """Fill uv's cache out here: whoever operates the server sits where there is no way out."""
    for what in ("libraries", "package"):
        words = ("tools/install.py", what, folder / what, python, "x86_64-manylinux_2_28")
        subprocess.run([sys.executable, *map(str, words)], cwd=ROOT, check=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A copy of this checkout, to be changed."""
    return Checkout.copied(tmp_path / "checkout")
