"""The lines that the server must hold, from the design, and what more is hoped for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import held, told
from benchmarks.book import Book
from benchmarks.held import Test

Words = Callable[[Book], str]


@dataclass(frozen=True)
class Goal:
    """One line of the table: what is asked, what more is hoped for, and how it is looked at."""

    what: str
    line: str
    held: Test
    measured: Words
    parts: tuple[str, ...]
    stretch: str = ""
    stretched: Test | None = None
    limit: Words | None = None  # what stands in the way where one of them isn't held


THOUSAND, MYRIAD = 1000, 10_000
GOALS = (
    Goal(
        "essai progressif, 5 à 100 joueurs",
        "0 erreur, p95 < 500 ms, CPU < 80 %, RAM < 50 %, aucun 503, aucun délai dépassé",
        held.all_green("crowd-standard", 100),
        lambda book: (
            f"{told.last_step(book, 'crowd-standard')} ; {told.last_step(book, 'crowd-most')}"
        ),
        ("crowd-standard", "crowd-most"),
        "de même à 1 000",
        held.all_green("crowd-most", THOUSAND),
        lambda book: told.missed(book, "crowd-most"),
    ),
    Goal(
        "flux ouverts sur une machine",
        "1 000",
        held.open_streams(THOUSAND),
        told.opened,
        ("streams",),
        "10 000",
        held.open_streams(MYRIAD),
        told.opened,
    ),
    Goal(
        "une mort déclarée → le dernier de 1 000 téléphones le sait",
        "p95 < 1 s",
        held.heard(THOUSAND, held.DELAY),
        told.delays,
        ("streams",),
        "< 200 ms, et < 300 ms pour 10 000",
        lambda book: book.all(
            [
                held.heard(THOUSAND, held.DELAY_FAR)(book),
                held.heard(MYRIAD, held.DELAY_FARTHEST)(book),
            ],
            bool,
        ),
        told.deliveries,
    ),
    Goal(
        "200 morts dans la même seconde",
        "toutes gardées, un seul anneau, chaque coup compté une fois",
        held.kept("ensemble"),
        told.deaths,
        ("deaths",),
        "de même si un processus est tué",
        held.kept("un processus tué"),
        told.deaths,
    ),
    Goal(
        "500 connexions par mot de passe en 20 s, 500 autres jouent",
        "p95 < 500 ms",
        held.signed_in("connexions", "p95", held.P95),
        told.storm,
        ("signins",),
        "toutes en 5 s",
        held.signed_in("au plus vite", "durée", held.RUSH),
        told.hashing,
    ),
    Goal(
        "CPU d'un GET /api/me, que l'on soit 100 ou 500",
        "< 0,40 ms",
        held.cheap,
        told.me,
        ("routes", "beside"),
        "≤ un WSGI nu + 25 %",
        held.below("beside", "GET /api/me", "killer / WSGI nu", held.ME_FAR),
        told.above_bare,
    ),
    Goal(
        "mémoire, 2 processus",
        "< 150 Mo + 25 ko par téléphone",
        held.light(held.EACH),
        told.memory,
        ("memory",),
        "< 150 Mo + 1 ko",
        held.light(held.EACH_FAR),
        told.footprint,
    ),
    Goal(
        "appels à Google dans la pire minute",
        "≤ 20 lectures et ≤ 20 écritures",
        held.few_calls,
        told.calls,
        ("crowd-ttl-5", "crowd-ttl-30"),
    ),
    Goal(
        "première visite, à froid, sans photos",
        "< 60 ko",
        held.below("first_load", "en tout", "taille", held.FIRST),
        lambda book: book.say("first_load", "en tout", "taille"),
        ("first_load",),
    ),
    Goal(
        "50 connexions keep-alive à saturation, /api/me",
        "p99 < 100 ms",
        held.below("fairness", "50 connexions, avec", "p99", held.P99),
        lambda book: f"p99 {book.say('fairness', '50 connexions, avec', 'p99')}",
        ("fairness",),
        limit=told.turns,
    ),
)
