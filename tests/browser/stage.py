"""A deployment with its players: who hunts whom, who falls, and whose phone is opened."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from e2e.crowd import quoted
from e2e.phones import Phone
from e2e.rosters import Person
from e2e.server import LINK, Server


@dataclass
class Stage:
    """A server, its players by nickname, and the phone of its organiser."""

    server: Server
    people: dict[str, Person]
    host: Phone

    @property
    def origin(self) -> str:
        """Give the address that a browser types."""
        return f"http://127.0.0.1:{self.server.port}"

    def phone(self, nickname: str) -> Phone:
        """Give another phone of a player, signed in, for what is asked without a browser."""
        phone = Phone(self.server.port, nickname)
        assert phone.sign_in(self.people[nickname].password).status == 200
        return phone

    def cookie(self, nickname: str) -> str:
        """Give the cookie of a player who has signed in."""
        return self.phone(nickname).cookie

    def table(self) -> list[dict[str, Any]]:
        """Give what the organisers see."""
        return list(self.host.ask("GET", "/api/organiser/players").json["players"])

    def ring(self) -> list[str]:
        """Give everybody alive, each before the own target."""
        targets = {row["nickname"]: row["target"] for row in self.table() if row["target"]}
        ring = [next(iter(targets))]
        while targets[ring[-1]] != ring[0]:
            ring.append(targets[ring[-1]])
        return ring

    def falls(self, nickname: str) -> int:
        """Let a player declare the own death, on another phone; give the version."""
        return self.phone(nickname).ask("POST", "/api/death", {}).version

    def command(self, verb: str, nickname: str = "", **words: Any) -> int:
        """Let the organiser do something to the game or to a player."""
        place = f"players/{quoted(nickname)}" if nickname else "game"
        return self.host.ask("POST", f"/api/organiser/{place}/{verb}", words).version

    def link(self, name: str) -> str:
        """Make an organiser and give the path of the sign-in link that was printed."""
        printed = self.server.command("organiser", "add", name)
        return f"/s/{LINK.findall(printed)[0][1]}"


def raised(server: Server, roster: list[Person], *, start: bool = True) -> Stage:
    """Import a roster, start the server and, if wanted, the game."""
    if roster:
        server.imports(roster)
    said = server.command("organiser", "add", "Chef")
    server.start()
    host = server.with_link(LINK.findall(said)[0][1], "Chef")
    stage = Stage(server, {person.nickname: person for person in roster}, host)
    if start:
        stage.command("start")
    return stage


def exactly(text: str) -> re.Pattern[str]:
    """Match the whole text of an element, spaces around it apart."""
    return re.compile(rf"^\s*{re.escape(text)}\s*$")
