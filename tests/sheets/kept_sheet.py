"""A game, its sheet at the emulated Google, and the keeper's hand between them, for the tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engines.google import Emulator, Tab
from killer.game import commands as c
from killer.game.model import Game, Player
from killer.play import Outcome
from killer.sheets.google import Google
from killer.sheets.pace import Pace
from killer.sheets.sync import Look, Sync, Wishes
from killer.store import sheets
from killer.store.sheets import Offer
from store.worlds import World, a_world

SHEET = "1kept-Sheet_id"
FORM = "Réponses au formulaire 1"
HEAD = ["Horodateur", "Surnom", "Année", "Téléphone", "Adresse e-mail", "Défi ciblé", "Badge"]
OLD_HEAD = [
    *("Nom", "Prénom", "Année", "Surnom du tueur", "Mot de passe"),
    *("Surnom de sa cible", "Action à réaliser", "État", "Kills"),
]
NAMES = ("Ada", "Bob", "Chloé", "Dov", "Élise", "Farid", "Gus", "Hana", "Ilan", "Jade")
OURS = ("État", "Tué par", "Ordre d'élimination", "Nombre de kills", "ID Killer")


def name(number: int) -> str:
    return NAMES[number % 10] + (f" {number // 10 + 1}" if number >= 10 else "")


def form(players: int) -> list[list[str]]:
    """Invent the answers to a form, with a badge by which the tests know each row."""
    return [HEAD, *(answer(number) for number in range(players))]


def answer(number: int, badge: str = "") -> list[str]:
    sent, mail = f"17/10/2026 08:{number // 60:02}:{number % 60:02}", f"j{number}@example.org"
    phone, dare = f"06.39.98.00.{number:02}", f"défi numéro {number}"
    return [sent, name(number), "2A", phone, mail, dare, badge or f"b{number}"]


def old_form(players: int) -> list[list[str]]:
    """Invent a sheet of the old format: what is to be done stands beside the target."""
    rows = [
        ["Martin", name(n), "1A", name(n), "", name((n + 1) % players), f"action {n}", "", ""]
        for n in range(players)
    ]
    return [OLD_HEAD, *rows]


@dataclass
class Kept:
    """What a test needs of a kept sheet: the organisers' side, the game's side, and looks."""

    google: Emulator
    world: World
    key: Path
    tab: Tab
    targets: bool = False
    sync: Sync = field(init=False)

    def __post_init__(self) -> None:
        self.take_over()

    def take_over(self) -> None:
        """Let another keeper begin, who knows what the database knows and nothing else."""
        row = next(g for g in self.world.hub.games() if g.id == self.world.number)
        pace = Pace(read=1e6, write=1e6, burst=100_000, sleep=lambda _: None)
        client = Google(self.key, url=self.google.url, timeout=5, pace=pace)
        self.sync = Sync(self.world.play, client, SHEET, row, self.targets)

    def look(self, **wishes: bool) -> Look:
        return self.sync.look(Wishes(**wishes))

    def level(self, most: int = 3) -> None:
        """Look until the sheet is level, which it must be after so many looks."""
        assert any(self.look().level for _ in range(most + 1)), "the sheet isn't level"

    def do(self, *commands: c.Command) -> Outcome:
        return self.world.perform(*commands)

    def start(self) -> None:
        """Enrol whoever is in the sheet, start the game, and write its state into the sheet."""
        self.level()
        self.do(c.Start(1))
        self.level()

    @property
    def game(self) -> Game:
        return self.world.game

    def player(self, nickname: str) -> Player:
        return self.world.player(nickname)

    def row(self, nickname: str) -> int:
        """Find the row of a name that stands in the sheet, counted from 0."""
        return next(n for n, row in enumerate(self.tab.rows()) if nickname in row[:4])

    def cell(self, nickname: str, header: str | int) -> str:
        return self.tab.cell(self.row(nickname), header)

    def put(self, nickname: str, header: str | int, text: str) -> None:
        self.tab.set(self.row(nickname), header, text)

    def column(self, header: str | int) -> list[str]:
        return [self.tab.cell(n, header) for n in range(1, len(self.tab.rows()))]

    def offers(self) -> list[Offer]:
        with self.world.database.read() as connection:
            return sheets.every_offer(connection, self.world.number)

    def asked(self) -> list[tuple[str, str, str]]:
        return [(one.kind, one.nickname, one.wanted) for one in self.offers()]


Keep = Callable[..., Kept]


@pytest.fixture
def keep(google: Emulator, sqlite_url: str, tmp_path: Path) -> Iterator[Keep]:
    """Make a sheet of these rows, and a game that nobody has joined yet."""
    made: list[World] = []

    def make(rows: Sequence[Sequence[str]] = (), *, targets: bool = False, **tabs: list) -> Kept:
        google.quota.for_account = google.quota.for_project = {"read": 10**6, "write": 10**6}
        size = (len(rows or ()) + 30, 30)
        tab = google.sheet(SHEET, {FORM: rows or form(6), **tabs}, size=size)[FORM]
        made.append(a_world(sqlite_url))
        return Kept(google, made[0], google.key_file(tmp_path), tab, targets)

    yield make
    for world in made:
        world.database.close()
