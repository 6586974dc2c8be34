"""What the tests of the deployment ask for: a rented server, new, with a way to the registries."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.campus import ROOT, Campus, Checkout
from engines import vps
from engines.door import door

PYTHON = {"bookworm": "3.11", "trixie": "3.13"}


@pytest.fixture(scope="session")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[vps.Operator]:
    """Whoever operates the servers."""
    vps.needed()
    with vps.operator(tmp_path_factory.mktemp("operator")) as found:
        yield found


@pytest.fixture(scope="session")
def campus(operator: vps.Operator) -> Iterator[Campus]:
    """A new server; the tests of the session deploy to it one after the other."""
    suite = "bookworm"
    libraries_at_hand(operator.folder, PYTHON[suite])
    home = operator.folder / "home"
    (home / ".ssh").mkdir(parents=True, mode=0o700)
    shutil.copy(operator.key, home / ".ssh" / "id_ed25519")
    with vps.vps(operator, suite, "campus", 7) as server:
        server.online()
        with door(operator.name, server.address, 80) as port:
            yield Campus(server, port, home, Checkout.copied(operator.folder / "checkout"))


def libraries_at_hand(folder: Path, python: str) -> None:
    """Fill uv's cache out here: whoever operates the server sits where there is no way out."""
    for what in ("libraries", "package"):
        words = ("tools/install.py", what, folder / what, python, "x86_64-manylinux_2_28")
        subprocess.run([sys.executable, *map(str, words)], cwd=ROOT, check=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A copy of this checkout, to be changed."""
    return Checkout.copied(tmp_path / "checkout")
