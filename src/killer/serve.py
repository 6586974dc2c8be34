"""Starting gunicorn with the settings in force, after the schema is up to date."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import typer

from killer import settings as settings_
from killer.language import say
from killer.settings import Settings
from killer.store import games, migrations
from killer.store.database import Database
from killer.watch import metrics

ANSWERS_KEPT = 7 * 86_400_000  # milliseconds that a repeated request finds its first answer
CONFIGURATION = Path(__file__).parent / "ops" / "gunicorn.py"


def prepare(settings: Settings) -> None:
    """Make the folder, the secret and the schema, so that the workers find them."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    settings_.secret(settings)
    database = Database(settings.database)
    migrations.migrate(database)
    with database.write() as connection:
        games.forget_answers(connection, games.now() - ANSWERS_KEPT)
    database.close()


def command() -> list[str]:
    """Give the command that starts gunicorn."""
    return [sys.executable, "-m", "gunicorn", "--config", str(CONFIGURATION)]


def environment(settings: Settings, base: Mapping[str, str]) -> dict[str, str]:
    """Give the server's environment: all settings, and a fresh folder for its figures."""
    folder = settings.data_dir / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    return {**base, **settings_.as_environment(settings), metrics.FOLDER: str(folder.absolute())}


def run(settings: Settings) -> None:
    """Become the server; this returns only when it can't be started."""
    prepare(settings)
    for name in settings_.not_yet():
        typer.echo(say("settings.not_yet", name=name), err=True)
    os.execve(sys.executable, command(), environment(settings, settings_.inherited()))  # noqa: S606  # no shell wanted
