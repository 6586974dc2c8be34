"""The ring of targets: how it is drawn, entered, and checked."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from killer.game.model import HUNTING, Game, PlayerId, State, Status
from killer.game.moves import Moves

SMALLEST_EXCHANGE = 3


def whole(targets: Mapping[PlayerId, PlayerId | None]) -> bool:
    """Tell whether these targets form exactly one cycle through all who have one."""
    if not targets:
        return True
    first = next(iter(targets))
    seen, here = 0, first
    while seen < len(targets):
        follower = targets.get(here)
        seen += 1
        if follower is None or follower not in targets:
            return False
        here = follower
        if here == first:
            break
    return here == first and seen == len(targets)


def draw(players: Sequence[PlayerId], seed: int) -> dict[PlayerId, PlayerId]:
    """Deal one ring through all players, the same for the same seed."""
    order = sorted(players)
    random.Random(seed).shuffle(order)  # noqa: S311  # a seed that arrives in the command decides, not secrecy
    return {hunter: order[(i + 1) % len(order)] for i, hunter in enumerate(order)}


def walk(targets: Mapping[PlayerId, PlayerId], first: PlayerId) -> list[PlayerId]:
    """Give the ring as a list, each one hunting the next."""
    order = [first]
    while (follower := targets[order[-1]]) != first:
        order.append(follower)
    return order


def enter(targets: Mapping[PlayerId, PlayerId], newcomer: PlayerId, seed: int) -> Moves:
    """Find a newcomer's place so that nobody can tell whom the newcomer hunts.

    A plain insertion would hand the hunter's old target to the newcomer, and the hunter would
    know it. So the ring is cut at three places and its parts A B C become A C B newcomer: three
    hunters get a new target, and the one who gets the newcomer never knew the newcomer's. With
    two players left there is nothing to hide behind.
    """
    chance = random.Random(seed)  # noqa: S311  # as above
    order = walk(targets, chance.choice(sorted(targets)))  # every place is as likely
    if len(order) < SMALLEST_EXCHANGE:
        hunter = chance.choice(order)
        return ((hunter, targets[hunter], newcomer), (newcomer, None, targets[hunter]))
    i, j, k = sorted(chance.sample(range(len(order)), 3))
    a, b, c = order[i], order[j], order[k]  # the last of each part
    first_a, first_b, first_c = targets[c], targets[a], targets[b]
    return (
        (a, first_b, first_c),
        (c, first_a, first_b),
        (b, first_c, newcomer),
        (newcomer, None, first_a),
    )


def faults(game: Game) -> list[str]:
    """Say in which way a game breaks the laws of the ring; an empty list is a sound game."""
    found = []
    targets = {p.id: p.target for p in game.alive}
    hunting = game.state in HUNTING
    if hunting and len(targets) > 1 and not whole(targets):
        found.append("the targets of the living are not one ring")
    if game.state is not State.PREPARING and any(
        p.target is not None for p in game.players.values() if p.status is not Status.ALIVE
    ):
        found.append("somebody who is not alive has a target")
    for player in game.players.values():
        if player.killed_by is not None and player.status is not Status.DEAD:
            found.append(f"player {player.id} is not dead but counts as a kill")
        if (player.fell is not None) != (player.status in {Status.DEAD, Status.GAVEUP}):
            found.append(f"player {player.id} has a wrong place in the order of elimination")
    return found
