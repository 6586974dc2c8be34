"""A deployment with a mail server and a Google, and whoever carries its errands out."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from engines.google import Emulator
from engines.google.fixtures import google
from engines.smtp import Box, mail_server
from killer import app as app_
from killer.chores import Chores
from killer.sheets.google import Google
from killer.sheets.pace import Pace
from killer.store import errands, people
from killer.store.errands import Errand
from killer.store.people import Contact
from mail.worlds import SITE, addresses_of, give_addresses, settings_for
from media.darkroom import photograph
from web.conftest import template
from web.world import BOSS, SECRET, World, submit

__all__ = ["google", "template"]

PHOTOS, MAILS = "/organiser/photos", "/organiser/mails"
LINK = "https://drive.google.com/open?id=1aaaaaaaaaaaaaaaaaaaaaaa{}"


@dataclass
class Clock:
    """Stands still, or goes on by so many seconds whenever somebody looks at it."""

    time: float = 1000.0
    step: float = 0.0

    def __call__(self) -> float:
        self.time += self.step
        return self.time


@dataclass
class Works:
    """A deployment with a mail server and a Google, and whoever runs its errands."""

    world: World
    box: Box
    google: Emulator
    client: Google
    clock: Clock
    stops: list[bool] = field(default_factory=list)
    boss: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.boss = self.world.phone(BOSS)

    def chores(self, client: Google | None = None) -> Chores:
        """Begin as a process does that has just taken over."""
        self.stops.clear()
        site = self.world.site
        stop, clock = (lambda: bool(self.stops)), self.clock
        return Chores(site.settings, site.play, client or self.client, stop, clock)

    def ask(self, page: str) -> None:
        assert submit(self.boss, page, page).status_code == 303

    def latest(self, kind: str = "mails") -> Errand:
        with self.world.site.database.read() as connection:
            found = errands.latest(connection, self.world.number, kind)
        assert found
        return found

    def note(self, errand: Errand) -> None:
        with self.world.site.database.write() as connection:
            errands.note(connection, errand)

    def page(self, path: str) -> str:
        return re.sub("[\xa0\u202f]", " ", unescape(self.boss.get(path).text))

    def give_links(self) -> None:
        """Let everybody have a link that leads to a photo."""
        playing = [p for p in self.world.game.players.values() if not p.organiser]
        mails = addresses_of(self.world)
        links = {p.id: Contact(mails[p.nickname], "", "", LINK.format(p.id)) for p in playing}
        with self.world.site.database.write() as connection:
            people.set_contacts(connection, self.world.number, links)
        for player in playing:
            file_id = LINK.format(player.id).partition("=")[2]
            self.google.put_file(file_id, photograph(player.id))

    def faces(self) -> int:
        return sum(bool(player.photo) for player in self.world.game.players.values())


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    """A mail server."""
    folder = tmp_path / "smtp"
    folder.mkdir()
    with mail_server(folder) as found:
        yield found


@pytest.fixture
def works(template: Path, tmp_path: Path, box: Box, google: Emulator) -> Iterator[Works]:
    """Eight players with addresses; nobody waits for Google's pace."""
    folder, key, clock = tmp_path / "data", google.key_file(tmp_path), Clock()
    shutil.copytree(template, folder)
    more = {"data_dir": folder, "secret_key": SECRET, "public_url": SITE, "key_file": key}
    world = World(app_.create(settings_for(box, **more)), 1)
    pace = Pace(clock=clock, sleep=lambda _: None)
    give_addresses(world)
    yield Works(world, box, google, Google(key, url=google.url, pace=pace), clock)
    world.site.database.close()
