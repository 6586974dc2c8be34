"""A server's weather as its organiser sees it, and how long it takes to change."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2e.phones import NoAnswerError, Phone
from e2e.rosters import Person
from e2e.server import Server
from engines.processes import wait_for

PATIENCE = 80  # seconds on a machine that others use too; the promise is 15, see what is printed


@dataclass
class Sky:
    """A deployment with a game of six, and its organiser's phone."""

    server: Server
    host: Phone

    def weather(self) -> dict[str, Any]:
        """Ask until some worker answers: the one that was asked may just have been killed."""
        for _ in range(100):
            try:
                return dict(self.host.ask("GET", "/api/organiser/weather").json)
            except NoAnswerError:
                time.sleep(0.1)
        raise AssertionError("nobody answers")

    def line(self, name: str) -> dict[str, Any]:
        """Give a line; an empty one when it isn't there."""
        found = (line for line in self.weather()["lines"] if line["name"] == name)
        return next(found, {"colour": "", "sentence": ""})

    def turns(self, name: str, colour: str, words: str = "") -> float:
        """Wait until a line has that colour and says that, and give the seconds it took."""
        began = time.monotonic()
        last: dict[str, Any] = {}

        def there() -> bool:
            last.update(self.line(name))
            return last["colour"] == colour and words in plain(last["sentence"])

        try:
            wait_for(there, PATIENCE, f"{name} {colour}")
        except AssertionError as error:
            raise AssertionError(f"{error}; last seen: {last}; {self.weather()}") from error
        took = time.monotonic() - began
        print(f"{name} {colour}: {took:.1f} s")
        return took

    def sampler(self) -> int:
        """Give the process that holds the register, as the kernel knows it."""
        inode = (self.server.folder / "data" / "weather").stat().st_ino
        locks = Path("/proc/locks").read_text().splitlines()
        found = [line.split() for line in locks if f":{inode} " in line and "FLOCK" in line]
        return int(found[0][4]) if found else 0


def plain(text: str) -> str:
    """Write the spaces that French keeps together as people type them."""
    return text.replace("\u00a0", " ")


def status(server: Server, *, red: bool) -> dict[str, Any]:
    """Ask in the terminal instead."""
    said: dict[str, Any] = json.loads(server.command("status", "--once", "--json", fails=red))
    return said


def once_red(server: Server) -> str:
    """Give what the terminal says as soon as it is red; nothing before."""
    try:
        return server.command("status", "--once", "--json", fails=True)
    except AssertionError:  # the game has just begun, and nobody has looked since
        return ""


def under(server: Server, *, running: bool = True) -> Sky:
    """Start a server with a game."""
    names = ("Ana", "Bo", "Cléo", "Dan", "Ève", "Flo")
    server.imports([Person(name, "Lui faire dire bonjour", f"mdp-{name}") for name in names])
    server.start()
    sky = Sky(server, server.organiser())
    if running:
        assert sky.host.ask("POST", "/api/organiser/game/start", {}).status == 200
    return sky
