"""`docs/grappe.md`, written from what was measured on the cluster and from nothing else."""

from __future__ import annotations

from pathlib import Path

from benchmarks import figures, paper
from benchmarks.book import ABSENT, Book, amount, number, table, word
from benchmarks.cluster.bells import NAMES as BELLS
from benchmarks.cluster.faults import NAMES, ON_NODES, WHOLE, clean
from benchmarks.cluster.network import NODES
from benchmarks.cluster.nodes import SHARE
from benchmarks.cluster.standing import WORKERS
from benchmarks.cluster.windows import AFTER, OUTSIDE
from benchmarks.figures import Parts, Rows

TEMPLATE = "grappe.md.j2"
ALONE = Path(__file__).parent.parent.parent / "docs" / "capacite.json"
MOVED = 5.0  # seconds within which the phones of a lost node are on another one
HEARD = 1000.0  # ms until the last phone has heard
#: What a request costs each part, as the columns of `nodes` name them.
COSTS = ("nœuds", "nginx", "PostgreSQL")
KEPT = ("morts acquittées", "retours acquittés", "perdus", "en double", "trous dans les flux")
#: The load tests of one machine, in the order in which one stands beside the cluster.
SINGLE = ("crowd-standard", "crowd-postgresql", "crowd-gevent-4", "crowd-most")


def write(parts: Parts, path: Path) -> None:
    """Write the paper, beside the figures of one machine when there are some."""
    path.write_text(text(Book(parts), Book(figures.read(ALONE))), encoding="utf-8")


def text(book: Book, alone: Book) -> str:
    """Fill the template in."""
    told = {
        "book": book,
        "f": book.say,
        "number": number,
        "amount": amount,
        "lines": lines(book),
        "whole": lambda part: paper.whole(book, part),
        "turned": lambda part: turned(book, part),
        "costs": costs(book),
        "growth": growth(book),
        "beside": beside(book, alone),
        "count": number(len(NODES)),
        "workers": number(WORKERS),
        "share": number(SHARE),
        "after": amount(AFTER, "s"),
        "settings": settings(book),
        "quick": any(part.quick for part in book.parts.values()),
    }
    return paper.templates(Path(__file__).parent).get_template(TEMPLATE).render(told)


def settings(book: Book) -> str:
    """Write when, where and with what each part was measured."""
    rows = [
        [
            f"`{part.command}`",
            f"{part.machine.model}, {number(part.machine.cores)} cœurs",
            part.machine.at[:16].replace("T", " "),
            amount(round(part.seconds), "s"),
            " ; ".join(f"{name} : {value}" for name, value in part.settings.items()),
        ]
        for part in book.parts.values()
    ]
    return table(("commande", "machine", "le (UTC)", "durée", "avec quoi"), rows)


def lines(book: Book) -> str:
    """Write what must hold, whether it does, and what was measured."""
    rows = [
        [f"une mort → le dernier téléphone, p95, {name}", *heard(book, name)]
        for name in BELLS.values()
    ]
    rows += [[f"{NAMES[kind]} : les flux sont ailleurs", *moved(book, kind)] for kind in ON_NODES]
    for part, name in (("faults", "pannes l'une après l'autre"), ("random", "pannes au hasard")):
        rows.append([f"{name} : rien de perdu, rien en double, anneau entier", *kept(book, part)])
        rows.append([f"{name} : erreurs {OUTSIDE}", *outside(book, part)])
    part = book.parts.get("capacity")
    rows += [crowd(book, players) for players in (part.rows if part else [])]
    return table(("quoi", "limite", "tenue ?", "mesuré"), rows)


def crowd(book: Book, players: str) -> list[str]:
    """Tell whether the load test was green with so many, phones and cluster on the same cores."""
    answers, news = (book.say("capacity", players, name) for name in ("p95", "annonce p95"))
    green = book.value("capacity", players, "tenu") == 1
    what = f"`killer loadtest`, {number(float(players))} joueurs"
    told = f"réponses {answers}, une mort annoncée après {news} (p95)"
    return [what, "toutes ses lignes", word(green), told]


def heard(book: Book, bell: str) -> list[str]:
    """Tell of the last of the phones."""
    found = book.value("bells", bell, "le dernier, p95")
    p95, worst = (book.say("bells", bell, f"le dernier, {which}") for which in ("p95", "au pire"))
    told = f"{p95}, au pire {worst}"
    return [f"< {amount(HEARD, 'ms')}", *judged(found, HEARD, told)]


def moved(book: Book, kind: str) -> list[str]:
    """Tell how long the last stream has taken, in the worst of all cases."""
    column = "dernier flux ailleurs après"
    worst = [book.worst(part, NAMES[kind], column) for part in ("faults", "random")]
    known = [value for value in worst if value is not None]
    found = max(known) if known else None
    return [
        f"< {amount(MOVED, 's')}",
        *judged(found, MOVED, "" if found is None else f"au pire {amount(found, 's')}"),
    ]


def judged(found: float | None, limit: float, told: str) -> list[str]:
    """Say whether a figure is below its limit."""
    return [ABSENT, ""] if found is None else [word(found < limit), told]


def kept(book: Book, part: str) -> list[str]:
    """Tell whether everything that was acknowledged is there, once."""
    if part not in book.parts:
        return ["", ABSENT, ""]
    wrong = [name for name in clean(Rows(book.parts[part].rows)) if name != OUTSIDE]
    deaths, back, lost, twice, gaps = (book.say(part, WHOLE, column) for column in KEPT)
    told = f"{deaths} morts et {back} retours acquittés ; perdus : {lost}, en double : {twice}, "
    told += f"trous dans les flux : {gaps}"
    return ["0 écart", word(not wrong), told]


def outside(book: Book, part: str) -> list[str]:
    """Tell of errors that no fault explains."""
    found = book.value(part, OUTSIDE, "erreurs")
    return ["0", *judged(found, 0.5, book.say(part, OUTSIDE, "erreurs"))]


def turned(book: Book, part: str) -> str:
    """Write all figures of a part as a table, turned round: there are fewer rows than columns."""
    if part not in book.parts:
        return f"({ABSENT})"
    rows = book.rows(part)
    body = [
        [
            column,
            *(
                book.say(part, row, column) if book.figure(part, row, column) else ""
                for row in rows
            ),
        ]
        for column in book.columns(part)
    ]
    return table(["", *rows], body)


def costs(book: Book) -> str:
    """Write what a request costs each part, and how many a whole core of it would carry."""
    most = max(book.sizes("nodes"), default=0)
    rows = []
    for name in COSTS:
        each = book.value("nodes", str(most), f"CPU par requête, {name}")
        if each:
            rows.append([name, amount(each, "ms"), amount(round(1000 / each), "/s")])
    return (
        table(("part", "CPU par requête", "un cœur entier en porterait"), rows) if rows else ABSENT
    )


def growth(book: Book) -> list[str]:
    """Say what follows from the costs for real machines."""
    sizes = book.sizes("nodes")
    if not sizes or book.value("nodes", str(sizes[-1]), "débit") is None:
        return []
    first, last = (book.value("nodes", str(n), "débit") or 0 for n in (sizes[0], sizes[-1]))
    grown = number(round(last / first, 2))
    sizes_told = f"De {number(sizes[0])} à {number(sizes[-1])} nœuds"
    told = [f"{sizes_told}, le débit est multiplié par {grown}."]
    each = {name: book.value("nodes", str(sizes[-1]), f"CPU par requête, {name}") for name in COSTS}
    node, base = each["nœuds"], each["PostgreSQL"]
    if node and base and each["nginx"]:
        by_base, by_front = (number(round(node / part, 1)) for part in (base, each["nginx"]))
        told.append(
            f"Pour une requête, un nœud travaille {by_base} fois plus que PostgreSQL, {by_front} "
            "fois plus que nginx : un cœur de l'un ou de l'autre suit autant de cœurs de nœuds "
            "avant de devenir la limite."
        )
    return told


def beside(book: Book, alone: Book) -> str:
    """Write the cluster's steps, each below those of one machine."""
    columns = (
        "débit",
        "p50",
        "p95",
        "p99",
        "erreurs",
        "fautes",
        "CPU",
        "mémoire",
        "annonce p95",
        "dernier téléphone p95",
    )
    parts = ("CPU nœuds", "CPU nginx", "CPU PostgreSQL", "CPU Redis", "CPU des téléphones")
    rows = []
    for n in book.sizes("capacity"):
        for where, name, part in steps(book, alone, n):
            green = where.value(part, str(n), "tenu")
            told = [where.say(part, str(n), c) for c in columns]
            told += [where.say(part, str(n), c) if where is book else "" for c in parts]
            rows.append([number(n), name, word(green == 1), *told])
    return table(("joueurs", "où", "vert", *columns, *parts), rows) if rows else ABSENT


def steps(book: Book, alone: Book, n: int) -> list[tuple[Book, str, str]]:
    """Find who has played with so many phones."""
    single = [part for part in SINGLE if str(n) in alone.rows(part)]
    named = [
        (alone, f"une machine ({alone.parts[part].settings['base']})", part) for part in single
    ]
    return [(book, "grappe", "capacity"), *named[:2]]
