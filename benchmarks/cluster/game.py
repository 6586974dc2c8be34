"""One game on the cluster: its players' cookies, and organisers enough to revive many at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import worlds

ORGANISERS = 6  # each may do twenty things a second


@dataclass
class Game:
    """Who plays; filled before the nodes are started."""

    players: int
    cookies: dict[str, str] = field(default_factory=dict)
    organisers: list[str] = field(default_factory=list)  # cookies
    token: str = ""  # signs an organiser in

    def prepare(self, folder: Path, environment: dict[str, str]) -> None:
        """Import the roster into the cluster's database, and sign everybody in."""
        export = folder / "roster.csv"
        more = [f"{worlds.ORGANISER} {n},,,,TRUE,admin" for n in range(2, ORGANISERS + 1)]
        export.write_text("\n".join([worlds.roster(self.players, 0), *more]))
        own = folder / "commands"
        own.mkdir()
        worlds.killer(own, "import", "--players", str(export), **environment)
        people = worlds.people(own, **environment)
        hosts = {name: one for name, one in people.items() if name.startswith(worlds.ORGANISER)}
        self.organisers = [one.cookie for one in hosts.values()]
        self.token = hosts[worlds.ORGANISER].token
        self.cookies = {name: one.cookie for name, one in people.items() if name not in hosts}
