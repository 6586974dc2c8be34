"""Starting gunicorn with the settings in force, after the schema is up to date."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import typer

from killer import secret as secret_
from killer import settings as settings_
from killer.language import say
from killer.settings import Settings
from killer.store import games, migrations
from killer.store.database import Database
from killer.watch import metrics

PATIENCE = 30.0  # seconds for a server to answer
OLD_ONE = 5.0  # seconds for the server before to be gone, when somebody starts it again
CONFIGURATION = Path(__file__).parent / "ops" / "gunicorn.py"


def prepare(settings: Settings) -> None:
    """Make the folder, the secret and the schema, so that the workers find them."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    secret_.of(settings)
    database = Database(settings.database)
    migrations.migrate(database)
    with database.write() as connection:
        games.forget_answers(connection, games.now() - games.ANSWERS_KEPT)
    database.close()


def command() -> list[str]:
    """Give the command that starts gunicorn."""
    return [sys.executable, "-m", "gunicorn", "--config", str(CONFIGURATION)]


def environment(settings: Settings, base: Mapping[str, str]) -> dict[str, str]:
    """Give the server's environment: all settings, and a fresh folder for its figures."""
    folder = settings.figures
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    return {**base, **settings_.as_environment(settings), metrics.FOLDER: str(folder)}


def run(settings: Settings) -> None:
    """Become the server; this returns only when it can't be started.

    Raises:
        typer.Exit: another server listens there; nothing of it was touched.
    """
    base = settings_.inherited()
    if base.get("LISTEN_PID") != str(os.getpid()):  # else systemd has bound it for us
        check_port(settings, "cli.serve.port_taken", OLD_ONE)
    prepare(settings)
    os.execve(sys.executable, command(), environment(settings, base))  # noqa: S606  # no shell wanted


def check_port(
    settings: Settings, sentence: str = "cli.demo.no_server", patience: float = 0.0
) -> None:
    """Say at once, or after so many seconds, that somebody else would answer in our place."""
    deadline = time.monotonic() + patience
    while fault := _refusal(settings):
        if time.monotonic() >= deadline:
            typer.echo(say(sentence, port=settings.port), err=True)
            raise typer.Exit(1) from fault
        time.sleep(0.1)


def _refusal(settings: Settings) -> OSError | None:
    """Give why nobody can listen there now."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
            probe.listen()  # two may bind, one may listen
        except OSError as error:
            return error
    return None


@contextmanager
def beside(settings: Settings, *, apart: bool = False) -> Iterator[int]:
    """Run a server until the block ends, and give its first process.

    Apart means that a Ctrl-C in the terminal doesn't reach it: whoever runs it ends it.

    Raises:
        typer.Exit: it doesn't start; the sentence has been said.
    """
    server = subprocess.Popen(  # noqa: S603  # our own command
        command(), env=environment(settings, settings_.inherited()), start_new_session=apart
    )
    try:
        _wait(server, f"{replace(settings, public_url='').address}/health")
        yield server.pid
    finally:
        server.terminate()
        server.wait()


def _wait(server: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=1).close()  # noqa: S310  # our own address
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            if server.poll() is None:
                return
    typer.echo(say("cli.demo.no_server"), err=True)
    raise typer.Exit(1)
