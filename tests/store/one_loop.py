"""One gevent worker with two hundred greenlets that all change and read the same game."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402  # after the patch, like all below
import random  # noqa: E402
import sys  # noqa: E402
from collections import Counter  # noqa: E402

import gevent  # noqa: E402

from killer.game import commands as c  # noqa: E402
from killer.game.model import PlayerId  # noqa: E402
from killer.game.refusals import Refusal  # noqa: E402
from killer.live.stream import stream  # noqa: E402
from store.worlds import World, look_at  # noqa: E402

GREENLETS = 200


class Loop:
    """Counts what its greenlets were answered, and what they should not have been."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.answers: Counter[str] = Counter()
        self.stale = 0
        self.streamed: list[list[int]] = []

    def one(self, number: int) -> None:
        """Fall, then fall again by a second tap, come back sometimes, and look after each."""
        chance = random.Random(number)
        for wanted in (c.Die(PlayerId(number)), c.Die(PlayerId(number)), c.Revive(number, number)):
            gevent.sleep(chance.random() / 50)
            if isinstance(wanted, c.Revive) and number % 4:
                continue
            self.ask(wanted, f"{number} {wanted}"[:100])

    def ask(self, wanted: c.Command, key: str) -> None:
        try:
            version = self.world.perform(wanted, key=key).version
        except Refusal as refusal:
            self.answers[refusal.code] += 1
            return
        except Exception as error:  # noqa: BLE001  # the test says which
            self.answers[repr(error)] += 1
            return
        self.answers["kept"] += 1
        seen = self.world.feed.once("version", lambda game: game.version)
        self.stale += seen < version or self.world.game.version < version

    def follow(self, viewer: int, place: int) -> None:
        """Read a stream from a place on until it ends, and keep the numbers of its events."""
        ids: list[int] = []
        self.streamed.append(ids)
        hub, feed = self.world.hub, self.world.feed
        for block in stream(hub, feed, PlayerId(viewer), place):
            ids += [int(line[4:]) for line in block.split(b"\n") if line.startswith(b"id: ")]

    def hear_all(self, last: int) -> None:
        """Let every reader come to the last event, in half a minute at most."""
        with gevent.Timeout(30, False):
            while any(ids[-1:] != [last] for ids in self.streamed):
                gevent.sleep(0.01)


def main(url: str, number: str) -> None:
    world = look_at(url, int(number))
    loop = Loop(world)
    first = world.game.version
    readers = [gevent.spawn(loop.follow, viewer, first) for viewer in range(1, 21)]
    gevent.sleep(0.05)
    gevent.joinall([gevent.spawn(loop.one, i) for i in range(1, GREENLETS + 1)], raise_error=True)
    last = world.game.version
    loop.hear_all(last)
    world.hub.close()
    gevent.joinall(readers, timeout=30, raise_error=True)
    whole = [ids == list(range(first + 1, last + 1)) for ids in loop.streamed]
    print(json.dumps({"answers": loop.answers, "stale": loop.stale, "whole": whole}))


if __name__ == "__main__":
    main(*sys.argv[1:])
