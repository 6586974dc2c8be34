"""`docs/capacite.md` and its plots, written from what was measured and from nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from benchmarks import cores, goals, held
from benchmarks.book import ABSENT, Book, amount, number, table, word
from benchmarks.crowd import SETUPS
from benchmarks.figures import Parts
from killer.crowd import plots
from killer.crowd.verdict import LIMITS
from killer.language import speaking

TEMPLATE = "capacite.md.j2"
NAMES = {
    "crowd-gevent-1": "gevent, un par cœur",
    "crowd-gevent-2": "gevent, deux par cœur",
    "crowd-gevent-4": "gevent, quatre par cœur",
    "crowd-sync": "sync",
    "crowd-postgresql": "PostgreSQL",
    "crowd-ttl-5": "feuille, TTL court",
    "crowd-ttl-30": "feuille, TTL long",
}
ADVICE = {
    100: "rien : les réglages par défaut",
    500: "`.env.production`, nginx devant, sur un VPS qui ne fait que cela",
    1000: "deux processus par cœur ; des liens (QR), pas de mots de passe ; ouvrir par vagues",
}
PLOTS = {
    "debit": "Débit",
    "p95": "Temps de réponse, p95",
    "cpu": "CPU du serveur",
    "memoire": "Mémoire du serveur",
    "croissance": "Coût selon la taille de la partie",
}
DARK = re.compile(r"@media[^{]*prefers-color-scheme: dark[^{]*\{(?:[^{}]*\{[^{}]*\})*\s*\}")
WHITE = "<style>.curve{--sheet:#fff;background:#fff}</style></svg>"


def write(parts: Parts, path: Path) -> None:
    """Write the paper, and its plots in the folder `images` beside it."""
    book, images = Book(parts), path.parent / "images"
    images.mkdir(parents=True, exist_ok=True)
    drawn = {}
    for name, picture in pictures(book).items():
        file = images / f"capacite-{name}.svg"
        file.write_text(picture, encoding="utf-8")
        drawn[name] = f"![{PLOTS[name]}](images/{file.name})"
    path.write_text(text(book, drawn), encoding="utf-8")


def templates(folder: Path) -> Environment:
    """Give the templates of a folder; a figure that isn't there is an error."""
    return Environment(  # noqa: S701  # Markdown, from our own figures
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def text(book: Book, drawn: dict[str, str]) -> str:
    """Fill the template in."""
    filled = templates(Path(__file__).parent)
    filled.filters["number"] = number
    cost = cores.costs(book)
    told = {
        "book": book,
        "f": book.say,
        "v": book.value,
        "number": number,
        "amount": amount,
        "drawn": drawn,
        "answer": answer(book),
        "sizes": sizes(book),
        "lines": lines(book),
        "obstacles": obstacles(book),
        "crowds": crowds(book),
        "whole": lambda part: whole(book, part),
        "cost": cost,
        "machines": [cores.machine(cost, n) for n in cores.SIZES] if cost else [],
        "busiest": cores.busiest(book),
        "table": table,
        "limits": LIMITS,
        "storm": cores.STORM,
        "workers": cores.WORKERS,
        "quick": any(part.quick for part in book.parts.values()),
        "seconds": sum(part.seconds for part in book.parts.values()),
        "machine": next((part.machine for part in book.parts.values()), None),
    }
    return filled.get_template(TEMPLATE).render(told)


def answer(book: Book) -> str:
    """Say yes or no."""
    green = book.value("crowd-standard", "100", "tenu")
    return ABSENT if green is None else "OUI" if green else "NON"


def where(book: Book, n: int) -> str:
    """Name the load test that has played so many phones with the settings that are advised."""
    order = ("crowd-standard", "crowd-gevent-4", "crowd-most")
    return next((part for part in order if str(n) in book.rows(part)), order[0])


def sizes(book: Book) -> str:
    """Write what to do for each number of people, and what was measured with it."""
    head = ("joueurs", "tout est vert ?", "p95", "CPU", "mémoire", "que faire")
    rows = []
    for n, advice in ADVICE.items():
        row, part = str(n), where(book, n)
        green = book.value(part, row, "tenu")
        told = [book.say(part, row, name) for name in ("p95", "CPU", "mémoire")]
        rows.append([number(n), word(None if green is None else green == 1), *told, advice])
    return table(head, rows)


def lines(book: Book) -> str:
    """Write the table of what must be held."""
    head = ("quoi", "limite", "tenue ?", "au mieux", "tenu ?", "mesuré", "commande")
    rows = []
    for goal in goals.GOALS:
        far = word(goal.stretched(book)) if goal.stretched else ""
        commands = "<br>".join(book.command(part) for part in goal.parts)
        near = word(goal.held(book))
        measured = goal.measured(book) if set(goal.parts) & set(book.parts) else ABSENT
        rows.append([goal.what, goal.line, near, goal.stretch, far, measured, commands])
    return table(head, rows)


def obstacles(book: Book) -> list[str]:
    """Say what stands in the way of the lines that aren't held, or not as far as hoped."""
    return [
        f"{goal.what} : {goal.limit(book)}."
        for goal in goals.GOALS
        if goal.limit
        and False in (goal.held(book), goal.stretched(book) if goal.stretched else None)
    ]


def crowds(book: Book) -> str:
    """Write every step of every load test."""
    columns = ("débit", "p50", "p95", "p99", "erreurs", "fautes", "CPU", "mémoire")
    head = ("réglages", "joueurs", "vert", *columns, "annonce p95")
    rows = []
    for name, setup in SETUPS.items():
        part = f"crowd-{name}"
        shown = ", ".join(f"{key} {value}" for key, value in setup.shown.items())
        for n in book.sizes(part):
            green = book.value(part, str(n), "tenu")
            told = [book.say(part, str(n), column) for column in (*columns, "annonce p95")]
            rows.append([shown, number(n), word(green == 1), *told])
    return table(head, rows) if rows else ABSENT


def whole(book: Book, part: str) -> str:
    """Write all figures of a part as a table."""
    columns = book.columns(part)
    if not columns:
        return f"({ABSENT})"
    rows = [
        [row, *(book.say(part, row, c) if book.figure(part, row, c) else "" for c in columns)]
        for row in book.rows(part)
    ]
    return table(["", *columns], rows)


def pictures(book: Book) -> dict[str, str]:
    """Draw every plot for which there are figures."""

    def crowd(column: str) -> plots.Series:
        return {name: points(book, part, column) for part, name in NAMES.items()}

    wanted = {
        "debit": ("joueurs", "requêtes par seconde", crowd("débit"), None),
        "p95": ("joueurs", "ms", crowd("p95"), LIMITS["p95"]),
        "cpu": ("joueurs", "% de la machine", crowd("CPU"), 100 * LIMITS["cpu"]),
        "memoire": ("téléphones ouverts", "Mo", memory(book), None),
        "croissance": ("joueurs", "ms de CPU", growth(book), None),
    }
    with speaking("fr"):
        return {
            name: whitened(plots.curve(PLOTS[name], x, y, series, line=at))
            for name, (x, y, series, at) in wanted.items()
            if any(series.values())
        }


def points(book: Book, part: str, column: str) -> list[tuple[float, float]]:
    """Give a column as points over the number of phones."""
    found = ((n, book.value(part, str(n), column)) for n in book.sizes(part))
    return [(n, value) for n, value in found if value is not None]


def memory(book: Book) -> dict[str, Sequence[tuple[float, float]]]:
    """Give the memory that was measured, and the line that it must stay under."""
    found = points(book, "memory", "mémoire")
    bound = [(n, held.BASE + held.EACH * n / 1000) for n, _ in found]
    return {"mesurée": found, "limite": bound}


def growth(book: Book) -> dict[str, Sequence[tuple[float, float]]]:
    """Give what grows with the players, in CPU time."""
    rows = [row for row in book.rows("growth") if row.startswith(("GET", "POST"))]
    sizes = [int(column) for column in book.columns("growth")]
    return {
        row: [(n, v) for n in sizes if (v := book.value("growth", row, str(n))) is not None]
        for row in rows
    }


def whitened(picture: str) -> str:
    """Give a picture a white page of its own: it stands in pages that bring none."""
    return DARK.sub("", picture).replace("</svg>", WHITE)
