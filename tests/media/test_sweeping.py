"""What nobody wears is thrown away a day later: in each folder, in the bucket, of every game."""

from __future__ import annotations

import os

import pytest

from killer.game import commands as c
from killer.media.pictures import prepare
from killer.media.shelf import FILE, GRACE, Shelf
from killer.media.sweeping import sweep
from media.darkroom import photograph
from media.depots import Cupboard
from store.worlds import World


@pytest.fixture
def depot() -> Cupboard:
    return Cupboard()


@pytest.fixture
def shelf(shelf: Shelf, depot: Cupboard) -> Shelf:
    return Shelf(shelf.folder, b"a secret of the server", depot)


def aged(shelf: Shelf, depot: Cupboard) -> None:
    """Let all files be older than a day."""
    for file in shelf.folder.rglob("*.webp"):
        os.utime(file, (0, file.stat().st_mtime - GRACE - 60))
    depot.held = {file: (data, put - GRACE - 60) for file, (data, put) in depot.held.items()}


def wear(world: World, nickname: str, name: str) -> None:
    world.perform(c.Edit(world.player(nickname).id, (("photo", name),)))


def photos_of(files: object) -> set[tuple[str, str]]:
    return {(found[1], found[2]) for file in files if (found := FILE.fullmatch(file))}


def test_what_is_worn_or_was_today_stays_and_the_rest_goes(
    world: World, shelf: Shelf, depot: Cupboard
) -> None:
    before, after, stray = (shelf.keep(world.number, prepare(photograph(n))) for n in range(3))
    shelf.keep(99, prepare(photograph(1)))
    wear(world, "Alice", before)
    wear(world, "Alice", after)
    assert sweep(world.database, shelf, depot=True) == 0, "nothing is a day old"
    aged(shelf, depot)
    assert sweep(world.database, shelf, depot=False) == 6
    left = {("1", before), ("1", after)}
    assert photos_of(shelf.copies()) == left
    assert ("1", stray) in photos_of(depot.held)
    assert sweep(world.database, shelf, depot=True) == 6
    assert photos_of(depot.held) == left


def test_a_removed_rehearsal_leaves_nothing(world: World, shelf: Shelf, depot: Cupboard) -> None:
    wear(world, "Alice", shelf.keep(world.number, prepare(photograph(1))))
    shelf.keep(12, prepare(photograph(1)))
    aged(shelf, depot)
    assert sweep(world.database, shelf, depot=True) == 6
    assert {file.split("/")[0] for file in (*shelf.copies(), *depot.held)} == {"1"}


def test_beside_a_new_database_nothing_is_thrown_away(
    world: World, shelf: Shelf, depot: Cupboard
) -> None:
    shelf.keep(world.number, prepare(photograph(1)))
    aged(shelf, depot)
    assert sweep(world.database, shelf, depot=True) == 0
