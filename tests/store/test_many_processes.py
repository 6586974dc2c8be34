"""The laws when eight processes play at random at the same time, on each database."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engines.postgresql import database
from engines.processes import wait_for
from game import laws
from killer.game import events as e
from store.processes import Line, Mother, Process
from store.worlds import World, a_world

Battles = Iterator[list["Battle"]]

HANDS = 8
KILLED = 10
SECONDS = 2.0


class Battle:
    """A game after many hands have played it, with everything that they were answered."""

    def __init__(self, world: World, lines: list[Line]) -> None:
        self.world = world
        self.lines = lines
        self.acknowledged = [line for line in lines if "version" in line]
        self.log = {record.version: record.event for record in world.log()}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def battles(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, mother: Mother
) -> Battles:
    """Let the processes play a storm, a massacre and power cuts on one of the databases."""
    if request.param == "sqlite":
        yield from fought(mother, f"sqlite:///{tmp_path_factory.mktemp('many')}/killer.sqlite3")
        return
    with database(request.getfixturevalue("postgres_cluster")) as url:
        yield from fought(mother, url)


def fought(mother: Mother, url: str) -> Battles:
    worlds = [a_world(url, n, f"Une partie à {n}") for n in (120, 201, 60)]
    fights = (storm, massacre, power_cuts)
    lines = [fight(mother, world) for fight, world in zip(fights, worlds, strict=True)]
    yield [Battle(world, told) for world, told in zip(worlds, lines, strict=True)]
    for world in worlds:
        world.database.close()


def together(
    mother: Mother, world: World, job: str, more: list[tuple[float, ...]]
) -> list[Process]:
    """Start the same job in many processes, each with numbers of its own."""
    url, number = world.database.url, world.number
    return mother.start(*((job, url, number, f"{job} {i}", *one) for i, one in enumerate(more)))


def storm(mother: Mother, world: World) -> list[Line]:
    """Everything at once in a game of 120 players."""
    hands = together(mother, world, "storm", [(SECONDS,)] * HANDS)
    return [line for hand in hands for line in hand.finish()]


def massacre(mother: Mother, world: World) -> list[Line]:
    """Two hundred deaths as fast as they can be declared."""
    share = 200 // HANDS
    shares = [(1 + i * share, 1 + (i + 1) * share) for i in range(HANDS)]
    hands = together(mother, world, "burst", shares)
    return [line for hand in hands for line in hand.finish()]


def power_cuts(mother: Mother, world: World) -> list[Line]:
    """Writers that are killed one after the other, each in the middle of whatever it does."""
    hands = together(mother, world, "write", [()] * KILLED)
    told: list[Line] = []
    for hand in hands:
        enough = len(hand.lines()) + 3
        wait_for(lambda: len(hand.lines()) >= enough, 60)  # noqa: B023  # called at once
        time.sleep(random.uniform(0, 0.05))
        told += hand.kill()
    return told


def check_laws(world: World) -> None:
    assert world.faults() == []
    laws.check_all(world.rows())
    assert world.rows() == world.game
    assert [r.version for r in world.log()] == list(range(1, world.game.version + 1))


@pytest.fixture(name="storm")
def after_the_storm(battles: list[Battle]) -> Battle:
    return battles[0]


@pytest.fixture
def massacred(battles: list[Battle]) -> Battle:
    return battles[1]


@pytest.fixture
def cut(battles: list[Battle]) -> Battle:
    return battles[2]


def test_the_laws_hold_after_the_storm(storm: Battle) -> None:
    assert len(storm.acknowledged) > 50, "too little happened"
    check_laws(storm.world)


def test_every_acknowledged_version_holds_what_was_acknowledged(storm: Battle) -> None:
    new = [line for line in storm.acknowledged if line["kinds"]]
    assert new
    for line in new:
        first = line["version"] - len(line["kinds"]) + 1
        kept = [storm.log[version] for version in range(first, line["version"] + 1)]
        assert [e.kind(event) for event in kept] == line["kinds"]


def test_no_two_requests_made_the_same_version(storm: Battle) -> None:
    made = [line["version"] for line in storm.acknowledged if line["kinds"]]
    assert len(made) == len(set(made))


def test_the_same_key_is_answered_the_same_whoever_asks(storm: Battle) -> None:
    answers: dict[str, set[int]] = {}
    times: dict[str, int] = {}
    for line in storm.acknowledged:
        answers.setdefault(line["key"], set()).add(line["version"])
        times[line["key"]] = times.get(line["key"], 0) + bool(line["kinds"])
    assert {key: found for key, found in answers.items() if len(found) != 1} == {}
    assert max(times.values()) == 1


def test_a_request_that_all_sent_at_once_is_never_refused_as_done(storm: Battle) -> None:
    slots = [line for line in storm.lines if line.get("key", "").startswith("slot")]
    assert len(slots) > HANDS
    assert [line for line in slots if "refused" in line] == []


def test_no_process_answers_from_before_what_any_process_has_acknowledged(storm: Battle) -> None:
    moments = [(line["at"], "seen" in line, line) for line in storm.lines if "at" in line]
    newest, looks = 0, 0
    for _at, seen, line in sorted(moments, key=lambda each: each[:2]):
        if seen:
            looks += 1
            assert line["seen"] >= newest
        else:
            newest = max(newest, line["version"])
    assert looks > 20


def test_two_hundred_deaths_at_once_are_all_kept_and_each_counts_once(massacred: Battle) -> None:
    world = massacred.world
    assert len(massacred.lines) == 200
    assert all("died" in line["kinds"] for line in massacred.lines)
    check_laws(world)
    assert sum(world.game.kills.values()) == 200
    assert world.kinds().count("died") == 200
    assert [p.nickname for p in world.game.alive] == ["Joueur 201"]


def test_a_writer_killed_at_any_moment_takes_nothing_acknowledged_with_it(cut: Battle) -> None:
    check_laws(cut.world)
    assert len(cut.acknowledged) > 20, "too little happened"
    for line in cut.acknowledged:
        if line["kinds"]:
            assert e.kind(cut.log[line["version"]]) == line["kinds"][-1]


def test_a_database_file_is_whole_after_ten_power_cuts(cut: Battle) -> None:
    if cut.world.database.embedded:
        assert integrity(cut.world) == [("ok",)]


def integrity(world: World) -> list[tuple[str]]:
    path = Path(world.database.url.removeprefix("sqlite:///"))
    connection = sqlite3.connect(path)
    found = connection.execute("PRAGMA integrity_check").fetchall()
    connection.close()
    return found
