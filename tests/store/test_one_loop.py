"""What one gevent worker does: two hundred greenlets in the same game, and who has the turn."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from game import laws
from store.processes import TESTS, environment
from store.worlds import World, a_world


def run(program: str, world: World) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", f"store.{program}", world.database.url, str(world.number)],
        cwd=TESTS,
        env=environment(),
        capture_output=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b"", done.stderr.decode()
    return json.loads(done.stdout)


def test_two_hundred_greenlets_keep_the_laws(database_url: str) -> None:
    world = a_world(database_url, 210)
    told = run("one_loop", world)
    assert told["answers"] == {"kept": 450}
    assert told["stale"] == 0
    assert told["whole"] == [True] * 20
    assert world.faults() == []
    laws.check_all(world.game)
    assert world.kinds().count("died") == 200
    assert len(world.game.alive) == 60
    world.database.close()


def test_whoever_holds_a_game_gives_way_only_when_an_answer_is_long_in_coming(
    postgres_url: str,
) -> None:
    world = a_world(postgres_url, 8)
    reading, changing, reading_again, asleep = run("one_turn", world)
    assert min(reading, reading_again) >= 20, "a turn for the others with each statement"
    assert changing < 10, "a server that is busy may be late once or twice"
    assert asleep > 20
    world.database.close()
