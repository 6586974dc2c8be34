"""Exports of a Google Form and of the organisers' sheet, like those that organisers import."""

from __future__ import annotations

import csv
import io
import random
import secrets
from dataclasses import dataclass

FIRST = ("Joli", "Vieux", "Zélé", "Fier", "Sage", "Rusé", "Vif", "Fou", "Discret", "Brave", "Noir")
LAST = ("Tatou", "Yack", "Raton", "Héron", "Ours", "Élan", "Zèbre", "Loup", "Tigre", "Bœuf")
HEADERS = (
    "Horodateur",
    "Surnom (le VRAI, pour pouvoir vous identifier)",
    "Année",
    "Sexe",
    "Votre mot de passe (vous devrez vous en SOUVENIR pour jouer)",
    "Une photo de vous (pour le jeu)",
    "Un petit mot pour les organisateurs",
    "Idées de défis",
    "Adresse e-mail",
    "Cible actuelle",
    "État",
    "Tué par",
    "Ordre d'élimination",
    "Nombre de kills",
    "Admin",
    "Téléphone",
)


@dataclass(frozen=True, slots=True)
class Person:
    """One row of the form; without a password the import prints a sign-in link."""

    nickname: str
    challenge: str
    password: str = ""
    target: str = ""
    organiser: bool = False

    def row(self, number: int) -> list[str]:
        """Give the cells as the form and the organisers left them."""
        state = "admin" if self.organiser else "alive" if self.target else ""
        counts = ["-1", "0"] if self.organiser else ["0", "0"] if self.target else ["", ""]
        admin = "TRUE" if self.organiser else "FALSE"
        phone = f"06.39.98.{number // 100:02}.{number % 100:02}"
        asked = [self.nickname, "2A", "F", self.password, "", "", "", f"j{number}@example.org"]
        kept = [self.target, state, "", *counts, admin, phone]
        return [f"17/10/2026 08:{number % 60:02}:00", *asked, *kept]


def people(count: int, *, passwords: bool = True, ring: bool = False) -> list[Person]:
    """Invent so many players, and two organisers who don't play."""
    names = [name(i) for i in range(count)]
    prey = dict(zip(names, order(names)[1], strict=True)) if ring else {}
    players = [
        Person(n, challenge(), password() if passwords else "", prey.get(n, "")) for n in names
    ]
    hosts = [Person(f"Orga {i}", "", password(), organiser=True) for i in (1, 2)]
    return [*players, *hosts]


def order(names: list[str]) -> tuple[list[str], list[str]]:
    """Give the names, and for each the next one of a ring that is not in the sheet's order."""
    shuffled = random.sample(names, len(names))
    following = dict(zip(shuffled, [*shuffled[1:], shuffled[0]], strict=True))
    return names, [following[n] for n in names]


def name(number: int) -> str:
    """Give the nickname of that number, different for each."""
    first, last = FIRST[number % len(FIRST)], LAST[number // len(FIRST) % len(LAST)]
    round_ = number // (len(FIRST) * len(LAST))
    return f"{first} {last}" + (f" {round_ + 1}" if round_ else "")


def challenge() -> str:
    """Give a challenge that nobody can guess, so that it can be looked for in any byte."""
    return f"Lui faire dire mot{secrets.token_hex(6)} trois fois"


def password() -> str:
    """Give a password like those that people choose."""
    return f"mdp-{secrets.token_hex(4)}"


def form(roster: list[Person]) -> bytes:
    """Write the players' tab as a CSV."""
    return written([list(HEADERS), *(p.row(i) for i, p in enumerate(roster))])


def challenges(roster: list[Person]) -> bytes:
    """Write the challenges' tab as a CSV."""
    rows = [[p.nickname, p.challenge] for p in roster if not p.organiser]
    return written([["Surnom", "Défi ciblé"], *rows])


def written(rows: list[list[str]]) -> bytes:
    """Write rows as Google does."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
