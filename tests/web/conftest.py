"""A server over a game for each test, copied from one that was prepared once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import FileSystemBytecodeCache

from killer import app as app_
from web.world import World, empty_world, populate, settings_in


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a game that hasn't begun; copying it costs less than making it."""
    folder = tmp_path_factory.mktemp("template")
    world = empty_world(settings_in(folder))
    populate(world)
    world.site.database.close()
    return folder


@pytest.fixture(scope="module")
def still(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A running game that the tests of a module share, because none of them changes it."""
    folder = tmp_path_factory.mktemp("still") / "data"
    yield from opened(template, folder, running=True)


@pytest.fixture
def gathered(template: Path, tmp_path: Path) -> Iterator[World]:
    """A server whose game hasn't begun: eight players and an organiser."""
    yield from opened(template, tmp_path / "data")


def opened(
    template: Path, folder: Path, *, running: bool = False, **settings: str
) -> Iterator[World]:
    shutil.copytree(template, folder)
    world = World(app_.create(settings_in(folder, **settings)), 1)
    world.app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(template))  # saves 0.1 s
    if running:
        world.start()
    yield world
    world.site.database.close()


@pytest.fixture
def world(gathered: World) -> World:
    """A server whose game is running."""
    gathered.start()
    return gathered
