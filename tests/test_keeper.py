"""One keeper of all processes holds the lease, and whoever comes after it goes on."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select, update

from engines.google import Emulator
from engines.google.fixtures import google
from engines.processes import wait_for
from killer.game import commands as c
from killer.keeper import LEASE, LEASE_SECONDS, RENEWAL, Keeper
from killer.media.pictures import prepare
from killer.media.shelf import Shelf
from killer.settings import Settings
from killer.store import games, keeping
from killer.store.tables import answers
from media.darkroom import photograph
from store.worlds import World, create_tables, look_at

__all__ = ["google"]

SHEET = "1keeper-Sheet"
ROWS = [["Horodateur", "Surnom", "Adresse e-mail"], ["17/10/2026", "Zoé", "zoe@example.org"]]


@dataclass
class Process:
    """What a process has of its own: its view of the database, its keeper, its end."""

    world: World
    settings: Settings
    over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        serving = lambda: not self.over.is_set()  # noqa: E731 -- as a worker says it
        self.keeper = Keeper(self.settings, self.world.play, serving)
        self.keeper.start()

    @property
    def keeps(self) -> bool:
        with self.world.database.read() as connection:
            return keeping.holds_lease(connection, LEASE, self.keeper._holder)


@pytest.fixture
def processes(google: Emulator, database_url: str, tmp_path: Path) -> Iterator[list[Process]]:
    """Two processes of one deployment with one sheet."""
    google.sheet(SHEET, {"Joueurs": ROWS})
    create_tables(database_url).close()
    settings = Settings(
        sheet_id=SHEET,
        key_file=google.key_file(tmp_path),
        google_url=google.url,
        players_ttl=5,
        backup_minutes=0,
    )
    found = [Process(look_at(database_url), settings) for _ in range(2)]
    yield found
    for one in found:
        one.over.set()


def keeper_of(processes: list[Process]) -> Process:
    wait_for(lambda: any(one.keeps for one in processes), 30, "a keeper")
    (found,) = [one for one in processes if one.keeps]
    return found


def test_one_of_two_keeps_the_sheet_and_the_other_goes_on_when_it_stops(
    processes: list[Process], google: Emulator
) -> None:
    first = keeper_of(processes)
    wait_for(lambda: google.count("write"), 30, "our column in the sheet")
    assert google.count("token") == 1  # the other one has asked Google for nothing
    assert [p.nickname for p in first.world.hub.feed(1).game.alive] == ["Zoé"]
    first.over.set()
    rest = [one for one in processes if one is not first]
    assert keeper_of(rest) is rest[0]
    wait_for(lambda: google.count("token") == 2, 30, "the other keeper's first look")


def test_a_dead_keeper_s_lease_ends_in_time_for_another_within_thirty_seconds() -> None:
    assert LEASE_SECONDS + RENEWAL < 30
    assert RENEWAL * 3 < LEASE_SECONDS  # one failed renewal doesn't cost the lease


def test_whoever_keeps_or_waits_throws_away_the_photos_of_its_machine(
    world: World, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path, backup_minutes=0)
    shelf = Shelf(settings.photos, b"")
    worn, stray = (shelf.keep(world.number, prepare(photograph(n))) for n in (1, 2))
    world.perform(c.Edit(world.player("Alice").id, (("photo", worn),)))
    for file in shelf.folder.rglob("*.webp"):
        os.utime(file, (0, 0))
    process = Process(world, settings)
    wait_for(lambda: shelf.read(world.number, stray, "large") is None, 30, "the sweep")
    assert shelf.read(world.number, worn, "large")
    process.over.set()


def test_whoever_keeps_forgets_old_answers(world: World, tmp_path: Path) -> None:
    world.perform(c.Enrol("Old"), key="old")
    with world.database.write() as connection:
        connection.execute(update(answers).values(at=games.now() - games.ANSWERS_KEPT - 1))
    world.perform(c.Enrol("New"), key="new")
    process = Process(world, Settings(data_dir=tmp_path, backup_minutes=0))

    def kept() -> list[str]:
        with world.database.read() as connection:
            return list(connection.execute(select(answers.c.key)).scalars())

    wait_for(lambda: kept() == ["new"], 30, "the old answer's end")
    process.over.set()
