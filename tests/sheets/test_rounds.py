"""When the sheet is looked at, and what organisers are told when it can't be."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from kept_sheet import SHEET, Keep, Kept, form

from killer.game import commands as c
from killer.settings import Settings
from killer.sheets.google import Google
from killer.sheets.pace import Pace
from killer.sheets.rounds import Rounds
from killer.store import games, sheets
from killer.store.sheets import SheetState


@dataclass
class Watch:
    """A keeper's rounds whose time passes when the test says so."""

    kept: Kept
    ttl: int
    now: float = 0.0
    rounds: Rounds = field(init=False)

    def __post_init__(self) -> None:
        settings = Settings(sheet_id=SHEET, players_ttl=self.ttl, actions_ttl=self.ttl)
        pace = Pace(read=1e6, write=1e6, burst=10**5, sleep=lambda _: None, clock=self.time)
        client = Google(self.kept.key, url=self.kept.google.url, timeout=5, pace=pace)
        self.rounds = Rounds(
            settings, self.kept.world.play, client, lambda: True, lambda work: work(), self.time
        )

    def time(self) -> float:
        return self.now

    def wait(self, seconds: float) -> dict[str, int]:
        """Let time pass as the keeper does; count what Google was asked meanwhile."""
        before = {kind: self.kept.google.count(kind) for kind in ("read", "write")}
        for _ in range(int(seconds * 2)):
            self.now += 0.5
            self.rounds.tick()
        return {kind: self.kept.google.count(kind) - n for kind, n in before.items()}

    @property
    def state(self) -> SheetState:
        with self.kept.world.database.read() as connection:
            found = sheets.state(connection, self.kept.world.number)
        assert found
        return found


@pytest.fixture
def watch(keep: Keep) -> Watch:
    """Rounds over the level sheet of a running game, every thirty seconds."""
    return watching(keep(form(4)), 30)


def watching(kept: Kept, ttl: int) -> Watch:
    kept.start()
    found = Watch(kept, ttl)
    found.wait(10)
    return found


@pytest.mark.parametrize(("ttl", "reads"), [(5, 24), (30, 4)])
def test_a_quiet_sheet_is_read_as_often_as_the_settings_say(
    keep: Keep, ttl: int, reads: int
) -> None:
    watch = watching(keep(form(4)), ttl)
    assert watch.wait(120) == {"read": reads, "write": 0}


def test_a_burst_of_deaths_is_one_write_and_two_readings(watch: Watch) -> None:
    watch.wait(30)
    watch.kept.do(*(c.Die(p.id) for p in watch.kept.game.alive[:2]))
    assert watch.wait(20) == {"read": 2, "write": 1}


def test_a_game_that_never_rests_is_written_every_five_seconds_at_most(watch: Watch) -> None:
    total = {"read": 0, "write": 0}
    for n in range(60):
        watch.kept.do(c.Edit(1, (("nickname", f"Ada {n}"),)), c.Die(2), c.Revive(2, n))
        for kind, number in watch.wait(1).items():
            total[kind] += number
    assert total["write"] <= 13
    assert total["read"] <= 20


def test_a_trouble_is_told_and_gone_afterwards(watch: Watch) -> None:
    watch.kept.google.unshare(SHEET)
    watch.wait(40)
    assert watch.state.trouble == "google.not_shared"
    assert watch.state.since
    read = watch.state.read_at
    watch.kept.google.share(SHEET)
    watch.wait(60)
    assert (watch.state.trouble, watch.state.since) == ("", None)
    assert watch.state.read_at
    assert watch.state.read_at >= (read or 0)


def test_that_google_is_given_a_rest_does_not_hide_the_cause(watch: Watch) -> None:
    watch.kept.google.fail(503, times=None)
    since = set()
    for _ in range(20):
        watch.kept.do(c.Edit(1, (("year", f"{watch.now}"),)))
        watch.wait(10)
        assert watch.state.trouble == "google.google_down"
        since.add(watch.state.since)
    assert len(since) == 1
    watch.kept.google.clear()
    watch.wait(60)
    assert watch.state.trouble == ""


def test_a_sheet_that_is_no_table_is_a_trouble_too(watch: Watch) -> None:
    rows = [list(row) for row in watch.kept.tab.cells]
    watch.kept.tab.cells[:] = [[""] * watch.kept.tab.width for _ in rows]
    watch.wait(40)
    assert watch.state.trouble == "roster.unreadable_no_header"
    watch.kept.tab.cells[:] = rows
    watch.wait(40)
    assert watch.state.trouble == ""


def test_cells_that_were_put_right_are_counted(watch: Watch) -> None:
    watch.kept.put("Bob", "Nombre de kills", "7")
    watch.wait(30)
    assert watch.kept.cell("Bob", "Nombre de kills") == "0"
    assert watch.state.wrote_at


def test_challenges_that_could_not_be_read_are_read_at_the_next_occasion(watch: Watch) -> None:
    watch.kept.google.fail(503, times=3, on="read")
    watch.wait(31)
    assert watch.state.trouble
    reads = watch.kept.google.count("read")
    watch.wait(31)
    assert watch.kept.google.count("read") > reads
    assert watch.state.trouble == ""


def test_a_newer_game_takes_the_sheet_over(watch: Watch, tmp_path: Path) -> None:
    with watch.kept.world.database.write() as connection:
        number = games.create(connection, "La suite")
    watch.wait(60)
    world = watch.kept.world
    assert [p.nickname for p in world.hub.feed(number).game.alive] == ["Ada", "Bob", "Chloé", "Dov"]
    marks = set(watch.kept.column("ID Killer"))
    assert len(marks) == 4
    watch.kept.world.play.perform(number, c.Start(2), c.Die(2))
    watch.wait(60)
    assert watch.kept.cell("Bob", "État") == "dead"
    assert watch.kept.offers() == []


def test_a_cell_that_takes_nothing_is_named_and_not_written_every_five_seconds(
    watch: Watch,
) -> None:
    row, header = watch.kept.row("Ada"), "Nombre de kills"
    stubborn = "30/12/1899"

    def minute() -> int:
        writes = watch.kept.google.count("write")
        for _ in range(60):
            watch.kept.tab.set(row, header, stubborn)
            watch.wait(1)
        return watch.kept.google.count("write") - writes

    minute()
    assert minute() <= 3
    told = {(one.code, one.row, one.column) for one in watch.state.problems}
    assert told == {("sheet.stubborn", row + 1, header)}
    watch.wait(60)
    assert not watch.state.problems
