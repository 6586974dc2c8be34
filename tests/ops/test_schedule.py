"""A backup is due while a real game runs or moves, else once a day; another process makes it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from engines.processes import wait_for
from game.players import enrolments
from killer.game import commands as c
from killer.game.model import PlayerId
from killer.ops import schedule, shed
from killer.ops.schedule import MINUTE, Schedule
from killer.settings import Settings
from killer.store import games, keeping, migrations
from killer.store.database import Database
from ops.deployments import at, made, playing
from store.worlds import look_at


class Clock:
    """A time that only the test moves."""

    def __init__(self) -> None:
        self.now = games.now() / 1000

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def a_schedule(settings: Settings, clock: Clock, *command: str) -> Schedule:
    return Schedule(settings, Database(settings.database), clock, command or ("false",))


def says(code: int, out: str = "", err: str = "") -> tuple[str, ...]:
    """Give a command that says something and ends."""
    script = f"import sys; print({out!r}); print({err!r}, file=sys.stderr); sys.exit({code})"
    return (sys.executable, "-c", script)


def backed_up(settings: Settings) -> Path:
    """Make a backup whose name, which has seconds, is clearly after the last move."""
    now = int(games.now() / 1000)
    wait_for(lambda: games.now() / 1000 >= now + 1, 30, "the next second")
    return made(settings).path


def move(settings: Settings, command: c.Command) -> None:
    with playing(settings) as world:
        world.perform(command)


def test_the_first_one_is_due_at_once(played: Settings, clock: Clock) -> None:
    assert a_schedule(played, clock).is_due()


def test_none_is_due_before_anything_happened(empty: Settings, clock: Clock) -> None:
    database = Database(empty.database)
    migrations.migrate(database)
    with database.write() as connection:
        games.create(connection, "Une partie")
    database.close()
    assert not a_schedule(empty, clock).is_due()


def test_a_running_game_is_backed_up_every_ten_minutes_whether_it_moves_or_not(
    played: Settings, clock: Clock
) -> None:
    backed_up(played)
    plan = a_schedule(played, clock)
    clock.now += 5 * MINUTE
    assert not plan.is_due()
    clock.now += 6 * MINUTE
    assert plan.is_due()


def test_a_game_that_rests_is_backed_up_when_it_has_moved(played: Settings, clock: Clock) -> None:
    move(played, c.Pause())
    backed_up(played)
    plan = a_schedule(played, clock)
    clock.now += 11 * MINUTE
    assert not plan.is_due()
    move(played, c.Edit(PlayerId(4), (("challenge", "Chanter"),)))
    assert plan.is_due()


def test_a_move_while_the_last_one_was_made_is_not_forgotten(
    played: Settings, clock: Clock
) -> None:
    begun = shed.begun(backed_up(played))
    move(played, c.Pause())
    assert games.now() / 1000 >= begun
    clock.now += 11 * MINUTE
    assert a_schedule(played, clock).is_due()


def test_once_a_day_it_is_due_anyway(played: Settings, clock: Clock) -> None:
    move(played, c.End())
    backed_up(played)
    clock.now += shed.DAY + MINUTE
    assert a_schedule(played, clock).is_due()


def test_a_rehearsal_is_nobody_s_game(clock: Clock, played: Settings) -> None:
    move(played, c.Pause())
    backed_up(played)
    database = Database(played.database)
    with database.write() as connection:
        number = games.create(connection, "Répétition", rehearses=1)
    database.close()
    look_at(played.database, number).perform(*enrolments(3), c.Start(1))
    clock.now += 11 * MINUTE
    assert not a_schedule(played, clock).is_due()


def test_none_is_ever_due_when_nobody_wants_any(played: Settings, clock: Clock) -> None:
    assert not a_schedule(at(played, backup_minutes=0), clock).is_due()


def test_the_process_behind_makes_it(played: Settings, clock: Clock) -> None:
    with capture_logs() as told:
        a_schedule(played, clock, *schedule.COMMAND).tick()
    (path,) = shed.archives(played.backups)
    assert told == [
        {"event": "archive.made", "log_level": "info", "path": str(path), "warnings": ""}
    ]


def test_every_machine_hears_of_a_backup_and_of_none_that_failed(
    played: Settings, clock: Clock
) -> None:
    def known() -> float | None:
        with Database(played.database).read() as connection:
            return keeping.lapsed(connection, keeping.BACKUP)

    a_schedule(played, clock, *says(1)).tick()
    assert known() is None
    for _ in range(2):
        a_schedule(played, clock, *says(0, "/somewhere")).tick()
        assert known() is not None


def test_a_failure_is_logged_and_tried_again_later(played: Settings, clock: Clock) -> None:
    plan = a_schedule(played, clock, *says(1, err="Le disque est plein."))
    with capture_logs() as told:
        plan.tick()
        plan.tick()
        clock.now += schedule.PAUSE + 1
        plan.tick()
    assert [line["event"] for line in told] == ["archive.failed"] * 2
    assert told[0]["cause"] == "Le disque est plein."


def test_what_went_wrong_beside_is_logged(played: Settings, clock: Clock, tmp_path: Path) -> None:
    with capture_logs() as told:
        a_schedule(played, clock, *says(0, "/x/killer.tar.gz", "pas de copie")).tick()
    assert told[0]["path"] == "/x/killer.tar.gz"
    assert told[0]["warnings"] == "pas de copie"
