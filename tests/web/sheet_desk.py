"""A deployment with a Google Sheet that nobody reads: tests write what the keeper would note."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from killer import app as app_
from killer.game import commands as c
from killer.game.model import Status
from killer.store import check, games, keeping, sheets
from killer.store.games import now
from killer.store.log import Recorded, since
from killer.store.sheets import Offer, SheetState
from killer.store.tables import events
from web.world import BOSS, World, settings_in, submit, without_tokens

PAGE = "/organiser/sheet"
ADDRESS = "https://docs.google.com/spreadsheets/d/1aB-c_D/edit#gid=0"
ENGLISH = {"Accept-Language": "en"}
MINUTE, HOUR = 60_000, 3_600_000


def opened(template: Path, folder: Path, **more: Any) -> Iterator[World]:
    shutil.copytree(template, folder)
    settings = settings_in(folder, sheet_id=ADDRESS, key_file=Path("key.json"), **more)
    found = World(app_.create(settings), 1)
    found.start()
    yield found
    found.site.database.close()


@pytest.fixture
def world(template: Path, tmp_path: Path) -> Iterator[World]:
    """A running game with a sheet."""
    yield from opened(template, tmp_path / "data")


@pytest.fixture
def boss(world: World) -> FlaskClient:
    return world.phone(BOSS)


def note(world: World, **fields: Any) -> None:
    """Keep what the keeper found at its last look."""
    with world.site.database.write() as connection:
        sheets.set_state(connection, world.number, SheetState(**fields))


def said(world: World, version: int | None = None) -> None:
    """Keep up to where the sheet says what the game says: everything, unless told otherwise."""
    place = world.game.version if version is None else version
    with world.site.database.write() as connection:
        keeping.set_place(connection, "sheet", world.number, place)


def long_ago(world: World, milliseconds: int) -> None:
    """Let all that has happened be so long ago."""
    with world.site.database.write() as connection:
        mine = update(events).where(events.c.game == world.number)
        connection.execute(mine.values(at=now() - milliseconds))


def offer(world: World, kind: str, nickname: str, before: str = "", wanted: str = "out") -> int:
    """Offer something, as after an edit of the sheet; give its number."""
    known = world.game.find(nickname)
    made = Offer(known.id if known else None, kind, nickname, before, wanted)
    with world.site.database.write() as connection:
        sheets.make_offers(connection, world.number, [made])
    return offers(world)[-1].id


def offers(world: World) -> list[Offer]:
    with world.site.database.read() as connection:
        return sheets.every_offer(connection, world.number)


def text(client: FlaskClient, path: str = PAGE, **headers: str) -> str:
    return plain(without_tokens(client.get(path, headers=headers).text))


def plain(html: str) -> str:
    """Give a page's words without entities and without French typography's own spaces."""
    return re.sub("[\xa0\u202f]", " ", unescape(html))


def decide(client: FlaskClient, number: int, verb: str = "apply", **fields: str) -> Any:
    return submit(client, f"{PAGE}/{number}/{verb}", PAGE, **fields)


def last(world: World) -> Recorded:
    with world.site.database.read() as connection:
        return since(connection, world.number, world.game.version - 1)[-1]


def faults(world: World) -> list[str]:
    """Look whether a law is broken."""
    with world.site.database.read() as connection:
        row = next(g for g in games.every(connection) if g.id == world.number)
        return list(check.faults(connection, row))


def another_organiser(world: World, nickname: str = "Cheffe") -> FlaskClient:
    world.do(c.Enrol(nickname, status=Status.OUT, organiser=True))
    return world.phone(nickname)


def elsewhere(world: World) -> World:
    """Begin another game, which is the newest one from then on, with an organiser."""
    with world.site.database.write() as connection:
        number = games.create(connection, "Rentrée")
    found = World(world.app, number)
    found.do(c.Enrol("Zoé", status=Status.OUT, organiser=True))
    return found
