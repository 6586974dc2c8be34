"""Games to measure: imported once in a run, copied for whoever wants a fresh one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks import wire
from benchmarks.servers import Server

ORGANISER = "Orga"


@dataclass(frozen=True)
class Player:
    """How somebody comes in: a session's cookie, or a sign-in link's token."""

    cookie: str
    token: str


def roster(players: int, passwords: int) -> str:
    """Write an export of invented players, of whom the first have a password."""
    lines = ["Surnom,Année,Mot de passe,Défi ciblé,Admin,État"]
    lines += [
        f"Joueur {n},{n % 5 + 1}A,{password(n) if n < passwords else ''},Lui faire dire {n},FALSE,"
        for n in range(players)
    ]
    return "\n".join([*lines, f"{ORGANISER},,,,TRUE,admin"])


def password(number: int) -> str:
    """Give the password of a player who has one."""
    return f"pass-{number}"


def import_roster(folder: Path, players: int, passwords: int | None = None) -> float:
    """Make a game in a folder; everybody has a password if nothing else is said. Give the time."""
    folder.mkdir(parents=True, exist_ok=True)
    export = folder / "roster.csv"
    export.write_text(roster(players, players if passwords is None else passwords))
    begun = time.monotonic()
    killer(folder, "import", "--players", str(export))
    return time.monotonic() - begun


def check(folder: Path) -> None:
    """Let the server's own check look at the laws.

    Raises:
        subprocess.CalledProcessError: one is broken.
    """
    killer(folder, "check")


def organiser(folder: Path, **more: str) -> str:
    """Make an organiser with the settings of a deployment, and give the sign-in token."""
    return killer(folder, "organiser", "add", "Banc", **more).strip().rpartition("/")[2]


def killer(folder: Path, *words: str, **more: str) -> str:
    """Run a command on a deployment and give what it printed.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    done = subprocess.run(
        [sys.executable, "-m", "killer", *words],
        env=os.environ | {"DATA_DIR": str(folder), **more},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


class Worlds:
    """The games of a run, in a folder that goes with it."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._made: dict[tuple[int, int], float] = {}
        self._numbers = count()

    def fresh(self, players: int, passwords: int = 0) -> Path:
        """Give the folder of a game that nobody has played yet."""
        self.import_seconds(players, passwords)
        copy = self._place / f"game-{next(self._numbers)}"
        return Path(shutil.copytree(self._original(players, passwords), copy))

    def import_seconds(self, players: int, passwords: int = 0) -> float:
        """Give how long the import has taken."""
        kind = players, passwords
        if kind not in self._made:
            self._made[kind] = import_roster(self._original(*kind), *kind)
        return self._made[kind]

    def _original(self, players: int, passwords: int) -> Path:
        return self._place / f"roster-{players}-{passwords}"


def people(folder: Path, **more: str) -> dict[str, Player]:
    """Give everybody of a game by nickname."""
    script = Path(__file__).with_name("make_links.py")
    done = subprocess.run(
        [sys.executable, str(script), str(folder)],
        env=os.environ | more,
        check=True,
        capture_output=True,
        text=True,
    )
    told = (line.split("\t") for line in done.stdout.splitlines() if line.count("\t") == 2)
    return {nickname: Player(cookie, token) for nickname, cookie, token in told}


def start(folder: Path, server: Server) -> list[Player]:
    """Start the game and give its players in the order of the roster, the organiser last."""
    known = people(folder)
    wire.ask(
        server.port,
        wire.request("POST", "/api/organiser/game/start", known[ORGANISER].cookie, b"{}"),
    )
    return [*(player for name, player in known.items() if name != ORGANISER), known[ORGANISER]]


def table(server: Server, organiser: Player) -> list[dict[str, Any]]:
    """Give the players as the organiser sees them."""
    body = wire.ask(server.port, wire.request("GET", "/api/organiser/players", organiser.cookie))
    return list(json.loads(body)["players"])
