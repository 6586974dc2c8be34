"""A deployment in a folder, with a game that was played a little and photos on the shelf."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from engines.processes import free_port, wait_for
from game.players import enrolments
from killer import secret as secret_
from killer.game import commands as c
from killer.game.model import PlayerId
from killer.media.pictures import SIZES
from killer.ops import backup
from killer.ops.backup import Made
from killer.settings import Settings
from killer.store import check, dump
from killer.store.database import Database
from store.processes import Mother
from store.worlds import World, a_migrated_game, look_at

KILLS = 10
LONGEST = 0.8  # seconds that a backup or its restoring takes here, about


def silent(_step: str) -> None:
    """Hear the steps and say nothing."""


def settings_in(folder: Path, url: str = "") -> Settings:
    """Give the settings of a deployment where nobody answers."""
    return Settings(data_dir=folder, database_url=url, port=free_port())


def begin(settings: Settings, players: int = 8, deaths: int = 3) -> None:
    """Migrate, keep a secret, and play a game in which some have fallen."""
    secret_.of(settings)
    world = a_migrated_game(settings.database)
    world.perform(*enrolments(players), c.Start(1))
    for player in range(1, deaths + 1):
        world.perform(c.Die(PlayerId(player)))
    world.database.close()


@contextmanager
def playing(settings: Settings, number: int = 1) -> Iterator[World]:
    """Look at a deployment's game as one of its processes does."""
    world = look_at(settings.database, number)
    yield world
    world.database.close()


def photo(text: str) -> str:
    """Give a photo's name."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def add_photo(settings: Settings, player: int, name: str, data: bytes = b"webp") -> None:
    """Put a photo on the shelf, three sizes of it, and show it."""
    for size in SIZES:
        file = settings.photos / "1" / f"{name}-{size}.webp"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data + size.encode())
    with playing(settings) as world:
        world.perform(c.Edit(PlayerId(player), (("photo", name),)))


def version(settings: Settings) -> int:
    """Give the version of the only game, or 0 when there is none."""
    database = Database(settings.database)
    with database.read() as connection:
        found = dump.scores(connection) if dump.content(connection) == "games" else ()
    database.close()
    return found[0].version if found else 0


def broken(settings: Settings) -> dict[str, list[str]]:
    """Give what `killer check` finds."""
    database = Database(settings.database)
    with database.read() as connection:
        found = check.broken(connection) if dump.content(connection) == "games" else {}
    database.close()
    return found


def everything(settings: Settings, folder: Path) -> dict[str, str]:
    """Give the hash of every table."""
    folder.mkdir(exist_ok=True)
    database = Database(settings.database)
    with database.read() as connection:
        found = dump.write(connection, folder)
    database.close()
    return {name: facts.sha256 for name, facts in found.items()}


def made(settings: Settings, **more: object) -> Made:
    """Make a backup without a word."""
    return backup.make(settings, silent, **more)  # type: ignore[arg-type]


def killed(mother: Mother, work: str, settings: Settings, file: Path | str = "") -> None:
    """Begin a backup, or the restoring of a file, and kill its process at a random moment."""
    words = (work, settings.database_url, settings.port, str(settings.data_dir), str(file))
    process = mother.start(words)[0]
    wait_for(process.lines, 30, "its beginning")
    time.sleep(random.uniform(0, LONGEST))
    with suppress(ProcessLookupError):  # it was faster
        process.kill()


def at(settings: Settings, **changes: object) -> Settings:
    """Give other settings of the same deployment."""
    return replace(settings, **changes)  # type: ignore[arg-type]
