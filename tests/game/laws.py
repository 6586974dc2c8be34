"""The laws of the game, written a second time so that a mistake in the rules can't hide itself."""

from __future__ import annotations

from collections.abc import Mapping

from killer.game import names
from killer.game.model import FALLEN, Game, State, Status

HUNTING = {State.RUNNING, State.PAUSED}
TURNS = {
    (State.PREPARING, State.RUNNING),
    (State.RUNNING, State.PAUSED),
    (State.PAUSED, State.RUNNING),
    (State.RUNNING, State.OVER),
    (State.PAUSED, State.OVER),
}


def one_ring(targets: Mapping[int, int | None]) -> bool:
    """Walk from one to the next until somebody is met twice: it must be the first, after all."""
    first = here = min(targets)
    met = []
    while here not in met and here is not None:
        met.append(here)
        here = targets.get(here)
    return here == first and sorted(met) == sorted(targets)


def check_ring(game: Game) -> None:
    targets = {p.id: p.target for p in game.players.values() if p.status is Status.ALIVE}
    if game.state in HUNTING:
        assert len(targets) >= 2
        assert one_ring(targets)
        assert all(hunter != prey for hunter, prey in targets.items())
    if game.state is not State.PREPARING:
        assert not [p for p in game.players.values() if p.target and p.status is not Status.ALIVE]


def check_kills(game: Game) -> None:
    credited = [p for p in game.players.values() if p.killed_by is not None]
    assert all(p.status is Status.DEAD for p in credited)
    assert sum(game.kills.values()) == len(credited)
    assert all(p.killed_by in game.players and p.killed_by != p.id for p in credited)


def check_order(game: Game) -> None:
    fallen = [p for p in game.players.values() if p.status in FALLEN]
    falls = [p.fell for p in fallen]
    assert None not in falls
    assert len(set(falls)) == len(falls)
    assert all(fell <= game.version for fell in falls)
    assert sorted(game.order.values()) == list(range(1, len(fallen) + 1))
    assert [p.id for p in game.fallen] == sorted(
        (p.id for p in fallen), key=lambda i: game.players[i].fell
    )


def check_people(game: Game) -> None:
    statuses = [p.status for p in game.players.values()]
    assert len(game.alive) == statuses.count(Status.ALIVE)
    assert len(game.playing) == len(statuses) - statuses.count(Status.OUT)
    assert len(game.alive) + len(game.fallen) == len(game.playing)
    keys = {names.key(p.nickname) for p in game.players.values()}
    assert len(keys) == len(game.players)
    assert "" not in keys


def check_all(game: Game) -> None:
    """Fail unless every law holds."""
    check_ring(game)
    check_kills(game)
    check_order(game)
    check_people(game)
