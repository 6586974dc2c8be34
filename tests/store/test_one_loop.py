"""The laws when two hundred greenlets of one gevent worker change a game at the same time."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from game import laws
from store.processes import TESTS, environment
from store.worlds import World, a_world


def run(world: World) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "store.one_loop", world.database.url, str(world.number)],
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
    told = run(world)
    assert told["answers"] == {"kept": 450}
    assert told["stale"] == 0
    assert told["whole"] == [True] * 20
    assert world.faults() == []
    laws.check_all(world.game)
    assert world.kinds().count("died") == 200
    assert len(world.game.alive) == 60
    world.database.close()
