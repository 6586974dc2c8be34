"""What machines of other sizes hold, by plain arithmetic from the costs that were measured."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.book import Book
from killer.crowd.verdict import LIMITS

SIZES = (1, 2, 4, 8)
WORKERS = 4  # for each core
STORM = 20.0  # seconds in which everybody signs in


@dataclass(frozen=True)
class Costs:
    """What one phone and one worker cost."""

    play: float  # ms of CPU in a second of play
    sign_in: float  # ms of CPU by password
    link: float  # ms of CPU by link
    base: float  # MB of memory without workers
    worker: float  # MB
    phone: float  # kB


@dataclass(frozen=True)
class Machine:
    """What a number of cores holds."""

    cores: int
    playing: float  # phones at play
    storm: float  # phones that all sign in by password within the storm, and play
    links: float  # the same by link
    memory: float  # MB that the server takes with the phones at play
    advised: float  # MB of the machine, of which the server may take its share


def busiest(book: Book) -> tuple[str, str] | None:
    """Name the part and the row of the largest crowd whose cost at play is known."""
    found = [
        (n, part, str(n))
        for part in ("crowd-standard", "crowd-gevent-4", "crowd-most")
        for n in book.sizes(part)
        if book.value(part, str(n), "CPU par téléphone en jeu") is not None
    ]
    return max(found)[1:] if found else None


def costs(book: Book) -> Costs | None:
    """Read the costs; nothing when one of them wasn't measured."""
    crowd = busiest(book)
    phones = book.sizes("memory")[-1:]
    few, many = (book.value("memory", f"{n} processus", "mémoire") for n in (2, 8))
    size = next(iter(book.columns("routes")), "")
    told = (
        book.value(*crowd, "CPU par téléphone en jeu") if crowd else None,
        book.value("signins", "au plus vite", "CPU par connexion"),
        book.value("routes", "POST /api/login (lien)", size),
        book.value("memory", str(phones[0]), "par téléphone") if phones else None,
    )
    if None in told or few is None or many is None:
        return None
    play, sign_in, link, phone = (each or 0.0 for each in told)
    worker = (many - few) / 6
    return Costs(play, sign_in, link, few - 2 * worker, worker, max(0.0, phone))


def machine(cost: Costs, cores: int) -> Machine:
    """Work out what so many cores hold."""
    budget = LIMITS["cpu"] * 1000 * cores  # ms of CPU in a second
    playing = budget / cost.play
    memory = cost.base + cost.worker * WORKERS * cores + cost.phone * playing / 1000
    return Machine(
        cores=cores,
        playing=playing,
        storm=budget / (cost.play + cost.sign_in / STORM),
        links=budget / (cost.play + cost.link / STORM),
        memory=memory,
        advised=memory / LIMITS["memory"],
    )
