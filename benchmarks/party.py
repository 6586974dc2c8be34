"""A game kept in a Google Sheet, with players on their phones, for `sheet.py` to measure."""

from __future__ import annotations

import json
import math
import multiprocessing
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.managers import BaseManager
from pathlib import Path
from typing import Any

from benchmarks import servers, wire, worlds
from killer.store import sheets
from killer.store.database import Database

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from engines.google import Emulator  # the tests' own Google

SHEET, TAB, ORGANISER = "banc", "Réponses au formulaire 1", "Orga"
OURS = {
    "État": "status",
    "Tué par": "killed_by",
    "Ordre d'élimination": "order",
    "Nombre de kills": "kills",
}
MARK = "ID Killer"
PHONES, RATE = 20, 2.0  # phones that look at their card, and how often a second
PATIENCE = 180.0  # seconds until a wait is given up


class Desk(Emulator):
    """A Google in a process of its own, asked through its methods."""

    def lay(self, rows: list[list[str]], challenges: list[list[str]]) -> str:
        """Lay the two tabs of a game out, begin to serve, and tell where."""
        self.sheet(SHEET, {TAB: rows, "Défis": challenges})
        self.start()
        return self.url

    def shown(self) -> list[list[str]]:
        """Give the players' tab."""
        return self.tab(SHEET, TAB).rows()

    def asked(self) -> list[tuple[float, str, int]]:
        """Give the moment, kind and status of every call."""
        return [(call.at, call.kind, call.status) for call in self.calls]


class Town(BaseManager):
    """The process in which the desks stand."""


Town.register("Desk", Desk)


@contextmanager
def town() -> Iterator[Any]:
    """Run a process for desks until the block ends."""
    with Town(ctx=multiprocessing.get_context("spawn")) as one:
        yield one


@dataclass(frozen=True)
class Sample:
    """One answered request of a player: what, how long it took, when it was answered."""

    kind: str
    seconds: float
    at: float
    tries: int = 1


@dataclass
class Party:
    """A game under way: its Google, its server, its folder, and who is still to die."""

    desk: Any
    server: servers.Server
    folder: Path
    first: list[list[str]]
    cookies: dict[str, str]
    alive: list[str]
    token: str = ""  # the organiser's, to sign in
    samples: list[Sample] = field(default_factory=list)

    def told(self) -> list[dict[str, Any]]:
        """Give the game as its organiser sees it."""
        asked = wire.request("GET", "/api/organiser/players", self.cookies[ORGANISER])
        status, body = patient(self.server.port, asked)[0]
        assert status == 200, body
        return list(json.loads(body)["players"])

    def trouble(self) -> str:
        """Give the code that the organisers are shown now."""
        database = Database(f"sqlite:///{self.folder / 'killer.sqlite3'}")
        with database.read() as connection:
            state = sheets.state(connection, 1)
        database.close()
        return state.trouble if state else ""

    def keepers(self) -> list[int]:
        """Give the processes that have kept the sheet, the present one last."""
        log = (self.folder / "log").read_text()
        return [
            int(json.loads(line)["holder"].split(":")[-2])
            for line in log.splitlines()
            if '"keeper.begins"' in line and line.startswith("{")
        ]


def roster(players: int, *, passwords: bool) -> tuple[list[list[str]], list[list[str]]]:
    """Invent the answers to a form and the challenges' tab."""
    head = ["Horodateur", "Surnom (le VRAI, pour pouvoir vous identifier)", "Année", "Sexe"]
    head += ["Votre mot de passe (vous devrez vous en SOUVENIR pour jouer)"] * passwords
    head += ["Idées de défis", "Adresse e-mail", "Cible actuelle", *OURS, "Admin", "Téléphone"]

    def row(n: int) -> list[str]:
        said = [f"17/10/2026 {n // 60 % 24:02}:{n % 60:02}:00", f"Joueur {n}", f"{n % 5 + 1}A"]
        said += ["FH"[n % 2], *([f"mdp-{n}"] * passwords), "", f"joueur{n}@example.org"]
        target = f"Joueur {(n + 1) % players}"
        return [
            *said,
            target,
            "alive",
            "",
            "0",
            "0",
            "FALSE",
            f"06.39.98.{n // 100:02}.{n % 100:02}",
        ]

    chief = ["17/10/2026 07:00:00", ORGANISER, "", "", *(["orga"] * passwords), "", ""]
    rows = [head, *map(row, range(players)), [*chief, "", "admin", "", "-1", "0", "TRUE", ""]]
    deeds = [[f"Joueur {n}", f"Lui faire dire le mot numéro {n}"] for n in range(players)]
    return rows, [["Surnom", "Défi ciblé"], *deeds]


@contextmanager
def party(
    folder: Path,
    desk: Any,
    players: int,
    *,
    workers: int = 16,
    ttl: int = 30,
    secrets: bool = False,
) -> Iterator[Party]:
    """Start a server that knows nothing but its sheet, wait for the roster, begin the game."""
    folder.mkdir(parents=True)
    rows, challenges = roster(players, passwords=secrets)
    url, port = desk.lay(rows, challenges), servers.free_port()
    environment = {
        "DATA_DIR": str(folder),
        "PORT": str(port),
        "GUNICORN_WORKERS": str(workers),
        "SHEET_ID": SHEET,
        "SERVICE_ACCOUNT_FILE": str(desk.key_file(folder)),
        "GOOGLE_API_URL": url,
        "PLAYERS_CACHE_TTL": str(ttl),
        "ACTIONS_CACHE_TTL": str(ttl),
        "LOG": str(folder / "log"),
    }
    command = ["/bin/sh", "-c", 'exec "$0" -m killer serve 2>"$LOG"', sys.executable]
    with servers.started(command, environment, port) as server:
        if until(lambda: marked(desk.shown())) == math.inf:
            raise SystemExit(f"the roster was never taken: {(folder / 'log').read_text()[-2000:]}")
        one = begun(desk, server, folder, rows)
        until_right(one)
        yield one


@contextmanager
def without_sheet(folder: Path, players: int) -> Iterator[Party]:
    """Begin the same kind of game where no sheet is kept, to compare with."""
    worlds.import_roster(folder, players)
    with servers.killer(folder, workers=16) as server:
        yield begun(None, server, folder, [])


def begun(desk: Any, server: servers.Server, folder: Path, first: list[list[str]]) -> Party:
    """Start the game of a server that has its players."""
    people = worlds.people(folder)
    cookies = {name: player.cookie for name, player in people.items()}
    alive = [name for name in cookies if name != ORGANISER]
    random.Random(7).shuffle(alive)  # noqa: S311  # the same deaths in every run
    one = Party(desk, server, folder, first, cookies, alive, people[ORGANISER].token)
    start = wire.request("POST", "/api/organiser/game/start", cookies[ORGANISER], b"{}")
    status, body = patient(server.port, start)[0]
    assert status == 200, body
    return one


def marked(rows: list[list[str]]) -> bool:
    """Tell whether every row has its mark, which comes once the roster was taken."""
    return rows[0][-1] == MARK and all(row[-1] for row in rows)


def until(true: Callable[[], bool], patience: float = PATIENCE, nap: float = 0.5) -> float:
    """Wait until something is true, and give how long that took; infinity when it never was."""
    begun = time.monotonic()
    while not true():
        if time.monotonic() - begun > patience:
            return math.inf
        time.sleep(nap)
    return time.monotonic() - begun


def until_right(one: Party) -> float:
    """Give the seconds until every cell of the sheet says what the game says."""
    told = one.told()
    return until(lambda: not wrong(one, told))


def wrong(one: Party, told: Sequence[dict[str, Any]]) -> list[str]:
    """Name the cells that don't say what the game says, or that weren't ours to change."""
    head, *rows = one.desk.shown()
    now = {row[1]: dict(zip(head, row, strict=True)) for row in rows}
    playing = [each for each in told if each["status"] != "out"]
    want = {p["nickname"]: {h: str(p[key] or "") for h, key in OURS.items()} for p in playing}
    first = {row[1]: dict(zip(one.first[0], row, strict=True)) for row in one.first[1:]}
    return [
        f"{name}: {header}"
        for name, before in first.items()
        for header, wanted in (before | want.get(name, {})).items()
        if plain(header, now.get(name, {}).get(header, "")) != plain(header, wanted)
    ]


def plain(header: str, cell: str) -> str:
    """Give a cell as it counts: a place or a number of kills may be empty for 0."""
    return "" if header in OURS and cell == "0" else cell


# --- the players ---


def patient(port: int, sent: bytes) -> tuple[tuple[int, bytes], int]:
    """Ask on a new connection, again when it is cut, as a phone does; give the tries too."""
    for tries in range(1, 21):
        try:
            with wire.connect(port) as connection:
                return wire.exchange(connection, sent), tries
        except OSError:
            time.sleep(0.05)
    raise ConnectionError("twenty tries in vain")


def ask(one: Party, sent: bytes, kind: str) -> None:
    """Let a player ask, and keep how long it took."""
    begun = time.monotonic()
    (status, body), tries = patient(one.server.port, sent)
    assert status == 200, body
    now = time.monotonic()
    one.samples.append(Sample(kind, now - begun, now, tries))


def look(one: Party, cookie: str, first: float, until_: float) -> None:
    """Look at one's card again and again, at a steady rate."""
    sent, due = wire.request("GET", "/api/me", cookie), first
    while due < until_:
        time.sleep(max(0.0, due - time.monotonic()))
        ask(one, sent, "me")
        due = max(due + 1 / RATE, time.monotonic())


def die(one: Party, cookie: str, at: float) -> None:
    """Declare a death at its moment."""
    time.sleep(max(0.0, at - time.monotonic()))
    ask(one, wire.request("POST", "/api/death", cookie, b"{}"), "death")


def play(
    one: Party, seconds: float, deaths: int, aside: Callable[[], None] | None = None
) -> list[Sample]:
    """Let phones look and players die by chance for some seconds, doing something aside."""
    chance, begun = random.Random(len(one.alive)), time.monotonic() + 0.2  # noqa: S311
    one.samples = []
    dying = [one.alive.pop() for _ in range(deaths)]
    watching = [one.cookies[name] for name in one.alive[:PHONES]]
    moments = [begun + chance.uniform(0, seconds) for _ in dying]
    jobs = [
        partial(look, one, cookie, begun + n / PHONES / RATE, begun + seconds)
        for n, cookie in enumerate(watching)
    ]
    jobs += [
        partial(die, one, one.cookies[name], at) for name, at in zip(dying, moments, strict=True)
    ]
    wire.at_once([*jobs, *([aside] if aside else [])])
    return one.samples


def times(samples: Sequence[Sample], kind: str = "") -> list[float]:
    """Give the sorted seconds of one kind of request, or of all."""
    return sorted(sample.seconds for sample in samples if kind in {"", sample.kind})


# --- the calls to Google ---


def calls(one: Party, kind: str, since: float = 0.0) -> int:
    """Give how many calls of a kind came in the worst minute, those that failed too."""
    moments = sorted(at for at, what, _ in one.desk.asked() if what == kind and at >= since)
    return max((sum(a <= b < a + 60 for b in moments) for a in moments), default=0)
