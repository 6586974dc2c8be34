"""One process of many that play at the same time; what it was answered goes to its output."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from killer.game import commands as c
from killer.game.events import kind
from killer.game.model import Game, PlayerId
from killer.game.refusals import Refusal
from killer.ops import backup, restore
from killer.settings import Settings
from killer.store import migrations, schema
from killer.store.database import Database
from store.worlds import World, look_at

SLOT = 0.1  # seconds in which all processes send the same request with the same key
LAST = 12  # how far back an undo may reach
LEAST = 10  # requests of a storm, however slow the machine is


def tell(**facts: object) -> None:
    print(json.dumps(facts), flush=True)


class Hand:
    """Plays at random, says what was acknowledged and when, and looks whether it shows at once."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.chance = random.Random(name)
        self.asked = 0

    def storm(self, seconds: float) -> None:
        began = time.monotonic()
        slots: set[int] = set()
        while (now := time.monotonic() - began) < seconds or self.asked < LEAST:
            slot = int(now / SLOT)
            if slot not in slots:
                slots.add(slot)
                newcomer = c.Enrol(f"Retardataire {slot}", seed=slot)
                self.ask(newcomer, f"slot {slot}", about=newcomer.nickname)
            self.look()
            self.something()

    def something(self) -> None:
        """Ask for one thing at random; one request in five is sent again by a bad network."""
        self.asked += 1
        key, wanted = f"{self.name}-{self.asked}", self.wish(self.world.game)
        self.ask(wanted, key)
        if self.chance.random() < 0.2:
            self.ask(wanted, key)

    def wish(self, game: Game) -> c.Command:
        anybody = self.chance.choice(list(game.players))
        living = self.chance.choice(game.alive).id
        seed = self.chance.getrandbits(30)
        fallen = self.chance.choice(game.fallen).id if game.fallen else anybody
        back = max(1, game.version - self.chance.randrange(LAST))
        wishes = (c.Die(living), c.Kill(living), c.GiveUp(living), c.Die(anybody))
        if len(game.alive) < len(game.players) // 2:
            wishes = (c.Revive(fallen, seed), c.Revive(fallen, seed), c.Die(living))
        more = (c.Undo(back), c.Undo(back), c.Revive(fallen, seed), c.Remove(anybody))
        return self.chance.choice((*wishes, *wishes, *more))

    def ask(self, wanted: c.Command, key: str, about: str = "") -> None:
        try:
            outcome = self.world.perform(wanted, key=key, about=about)
        except Refusal as refusal:
            tell(key=key, refused=refusal.code)
            return
        kinds = [kind(event) for event in outcome.events]
        tell(key=key, version=outcome.version, at=time.monotonic(), kinds=kinds)

    def look(self) -> None:
        """Say what this process answers right now."""
        at = time.monotonic()
        tell(seen=self.world.game.version, at=at)

    def write(self, parent: int) -> None:
        """Fall and come back until somebody kills this process, or the one that it came from."""
        while os.getppid() == parent:
            player = self.chance.choice(list(self.world.game.players))
            for command in (c.Die(player), c.Revive(player, self.asked)):
                self.asked += 1
                self.ask(command, f"{self.name}-{self.asked}")

    def burst(self, first: int, end: int) -> None:
        """Declare one death after the other, as fast as the server answers."""
        for victim in range(first, end):
            self.ask(c.Die(PlayerId(victim)), f"death {victim}")


def migrate(url: str) -> None:
    """Bring a database to the newest schema."""
    database = Database(url)
    migrations.migrate(database)
    tell(current=schema.serves(database))
    database.close()


def accident(job: str, url: str, port: int, folder: str, file: str) -> None:
    """Make a backup or put one back, until somebody kills this process."""
    settings = Settings(data_dir=Path(folder), database_url=url, port=port)
    tell(begins=job)
    if job == "backup":
        backup.make(settings, lambda _step: None)
    else:
        restore.restore(settings, Path(file), lambda _step: None, instead=True)


def work(job: str, url: str, number: int = 0, name: str = "", *more: Any) -> None:
    if job in {"backup", "restore"}:
        accident(job, url, number, name, *more)
        return
    hand = Hand(look_at(url, number), name)
    match job:
        case "migrate":
            migrate(url)
        case "storm":
            hand.storm(*more)
        case "burst":
            hand.burst(*map(int, more))
        case "write":
            hand.write(os.getppid())


def child(file: str, *words: object) -> None:
    """Do one job and tell about it in a file; this process ends with it."""
    with open(file, "w") as out:  # noqa: PTH123  # it becomes the standard output
        sys.stdout = out
        try:
            work(*words)  # type: ignore[arg-type]  # as they came in JSON
            tell(done=True)
        except BaseException:  # noqa: BLE001  # whatever it is, the test says it
            tell(error=traceback.format_exc())
    os._exit(0)


def main() -> None:
    """Fork for each job of each line."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children
    for line in sys.stdin:
        pids = []
        for job in json.loads(line):
            pid = os.fork()
            if pid == 0:
                child(*job)
            pids.append(pid)
        tell(pids=pids)


if __name__ == "__main__":
    main()
