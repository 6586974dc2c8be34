"""A shelf, an album of links, and a Drive that is a dictionary."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from killer.media import fetch as fetch_
from killer.media.fetch import Report
from killer.media.shelf import Shelf
from killer.store import people, photos
from killer.store.people import Contact
from killer.store.photos import Tried
from store.worlds import World

LINK = "https://drive.google.com/open?id={}"


class DriveError(Exception):
    """What a callable for files raises: `code` says what is wrong, `retry` whether it passes."""

    def __init__(self, code: str, *, retry: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.retry = retry


@dataclass
class Drive:
    """Files by their identifiers; an error instead of bytes is raised."""

    files: dict[str, bytes | Exception] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def file(self, file_id: str) -> bytes:
        with self.lock:
            self.asked[file_id] += 1
        found = self.files.get(file_id, DriveError("file_not_shared"))
        if isinstance(found, Exception):
            raise found
        return found


@dataclass
class Album:
    """The photos of a game: its players' links, what was tried, and what is on the shelf."""

    world: World
    shelf: Shelf
    drive: Drive = field(default_factory=Drive)
    told: list[tuple[int, int, int]] = field(default_factory=list)

    def link(self, nickname: str, cell: str) -> None:
        player = self.world.player(nickname).id
        with self.world.database.write() as connection:
            fresh = {player: Contact(photo_source=cell)}
            people.set_contacts(connection, self.world.number, fresh)

    def fetch(self, *, again: bool = False, stop=lambda: False) -> Report:
        return fetch_.fetch(
            self.world.play,
            self.world.number,
            self.shelf,
            self.drive.file,
            lambda *counts: self.told.append(counts),
            stop,
            again=again,
        )

    def tried(self, nickname: str) -> Tried | None:
        with self.world.database.read() as connection:
            player = self.world.player(nickname).id
            return photos.last(connection, self.world.number, player)

    def photo(self, nickname: str) -> str:
        return self.world.player(nickname).photo

    def files(self) -> list[Path]:
        return sorted(each for each in self.shelf.folder.rglob("*") if each.is_file())


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "photos", b"a secret of the server")


@pytest.fixture
def album(world: World, shelf: Shelf) -> Album:
    return Album(world, shelf)
