"""A throw-away PostgreSQL for the tests of one process, and a fresh database for each test."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import psycopg

from engines.processes import free_port, program, running, tied, wait_until_ready

#: Nothing of it outlives the tests, so that nothing needs to reach the disk.
SETTINGS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=200",
    "shared_buffers=64MB",
    "unix_socket_directories=",
    "listen_addresses=127.0.0.1",
)
FOLDERS = "killer-postgresql-"

_numbers = count(1)


def binaries() -> str:
    """Give the PATH with the newest server that Debian installed in front."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda bin_: int(bin_.parent.name)
    )
    return os.pathsep.join([*map(str, reversed(found)), os.environ.get("PATH", os.defpath)])


def owner() -> str:
    """Give the user who runs the server: root may not, so its own does; else whoever tests."""
    return "" if os.geteuid() else "postgres"


def new_folder() -> Path:
    """Make a folder that the server's user owns, outside pytest's, which it couldn't enter."""
    sweep()
    folder = Path(tempfile.mkdtemp(prefix=f"{FOLDERS}{os.getpid()}-", dir="/tmp"))
    if user := owner():
        shutil.chown(folder, user, user)
    return folder


def sweep() -> None:
    """Remove the folders of test runs that were killed."""
    for folder in Path("/tmp").glob(f"{FOLDERS}*"):
        maker = folder.name.removeprefix(FOLDERS).partition("-")[0]
        if not Path("/proc", maker).exists():
            shutil.rmtree(folder, ignore_errors=True)


def make_cluster(initdb: str, data: Path) -> None:
    command = (initdb, "-D", data, "-U", "app", "-A", "trust", "-E", "UTF8", "--no-sync")
    subprocess.run(
        tied("KILL", (*command, "--locale=C.UTF-8"), owner()),
        cwd=data.parent,
        check=True,
        capture_output=True,
    )


@contextmanager
def files() -> Iterator[Path]:
    """Make the files of a cluster while the block lasts; the server comes and goes with them."""
    initdb = program("initdb", package="postgresql", path=binaries())
    folder = new_folder()
    try:
        make_cluster(initdb, folder / "data")
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def serving(
    folder: Path, port: int, *more: str, stop: str = "INT"
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the server of a cluster while the block lasts; INT ends it at once but in order."""
    server = program("postgres", package="postgresql", path=binaries())
    settings = [word for each in (*SETTINGS, f"port={port}", *more) for word in ("-c", each)]
    command, log = (server, "-D", folder / "data", *settings), folder / "server.log"
    with running(command, log=log, user=owner(), stop=stop, cwd=folder) as process:
        wait_until_ready(process, lambda: answers(address_at(port)), log)
        yield process


def address_at(port: int) -> str:
    """Give a server's address, without a database's name."""
    return f"postgresql://app@127.0.0.1:{port}"


@contextmanager
def cluster() -> Iterator[str]:
    """Run a server while the block lasts and give its address, without a database's name."""
    port = free_port()
    with files() as folder, serving(folder, port):
        yield address_at(port)


def answers(address: str) -> bool:
    """Tell whether the server takes queries; for a moment it listens and doesn't."""
    try:
        psycopg.connect(f"{address}/postgres").close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def database(address: str) -> Iterator[str]:
    """Make an empty database while the block lasts and give its URL."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield f"{address}/{name}"
        with suppress(psycopg.errors.ObjectInUse):  # it goes with the cluster anyway
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
