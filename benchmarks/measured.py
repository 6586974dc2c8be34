"""The measured costs from which the arithmetic of a fleet begins."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks import cores
from benchmarks.book import Book

CROWD = "crowd-postgresql"  # the crowd that was measured on the database that shards have


@dataclass(frozen=True)
class Cost:
    """What was measured, and nothing else: no field has a default."""

    play: float  # ms of CPU of a phone in a second of play, on PostgreSQL
    idle: float  # ms of CPU in a second of what a core's processes do without any phone
    green: float  # phones for each core of the largest crowd that held every line
    rate: float  # requests of such a phone in a second
    p95: float  # ms of an answer, with that crowd
    delay: float  # ms, p95, from a death to its announcement, with that crowd
    sign_in: float  # ms of CPU by password
    link: float  # ms of CPU by link
    death: float  # ms of CPU
    delivery: float  # ms of CPU of a frame to one phone
    stream: float  # ms of CPU of opening a stream
    card: float  # ms of CPU of a look at one's card
    burst: float  # deaths that one server kept in a second, all at once
    start: float  # s from the start of a server until it is ready
    transfer: float  # s of importing a game of 1,000 players
    log: float  # MB of the database of such a game
    visit: float  # kB of a first visit
    base: float  # MB of memory without workers
    worker: float  # MB
    phone: float  # kB of memory


def costs(book: Book) -> Cost | None:
    """Read the costs; nothing when one of them wasn't measured."""
    general, crowd = cores.costs(book), book.sizes(CROWD)
    held = [n for n in crowd if book.value(CROWD, str(n), "tenu")]
    if general is None or len(crowd) < 2 or not held:
        return None
    here, most = book.parts[CROWD].machine.cores, str(max(held))
    size = book.columns("routes")[-1]
    streams = str(book.sizes("streams")[-1]) if book.sizes("streams") else ""
    at_play = line(book, crowd[0], crowd[-1])
    found = {
        "rate": book.value(CROWD, most, "débit"),
        "p95": book.value(CROWD, most, "p95"),
        "delay": book.value(CROWD, most, "annonce p95"),
        "death": book.value("routes", "POST /api/death", size),
        "delivery": book.value("streams", streams, "CPU par livraison"),
        "stream": book.value("routes", "GET /api/events", size),
        "card": book.value("routes", "GET /card", size),
        "kept": book.value("deaths", "ensemble", "gardées"),
        "burst": book.value("deaths", "ensemble", "durée"),
        "start": book.value("growth", "démarrage du serveur", "1000"),
        "transfer": book.value("growth", "import", "1000"),
        "log": book.value("growth", "base de données", "1000"),
        "visit": book.value("first_load", "en tout", "taille"),
    }
    known = {name: value for name, value in found.items() if value is not None}
    if at_play is None or len(known) < len(found):
        return None
    known["burst"] = known.pop("kept") / known["burst"]
    known["rate"] /= max(held)
    known["delivery"] /= 1000
    own = {name: getattr(general, name) for name in ("sign_in", "link", "base", "worker", "phone")}
    idle, play = at_play
    return Cost(play=play, idle=idle / here, green=max(held) / here, **own, **known)


def line(book: Book, few: int, many: int) -> tuple[float, float] | None:
    """Draw the line through two crowds: ms/s of CPU without phones, and for each phone."""
    each = [book.value(CROWD, str(n), "CPU par téléphone en jeu") for n in (few, many)]
    if None in each:
        return None
    low, high = ((value or 0.0) * n for value, n in zip(each, (few, many), strict=True))
    play = (high - low) / (many - few)
    return max(0.0, low - play * few), play
