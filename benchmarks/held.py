"""Whether the lines of the design are held: every limit, and how it is looked at."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.book import Book

P95, P99, DELAY, DELAY_FAR, DELAY_FARTHEST = 500.0, 100.0, 1000.0, 200.0, 300.0  # ms
STORM, RUSH = 500, 5.0  # people; seconds
DEATHS = 200
ME, ME_FAR = 0.40, 1.25  # ms; times the bare program
BASE, EACH, EACH_FAR = 150.0, 25.0, 1.0  # MB; kB for each phone
CALLS, FIRST = 20.0, 60.0  # a minute; kB


#: Tells whether a line is held; `None` when what shows it wasn't measured.
Test = Callable[[Book], "bool | None"]


def all_green(part: str, most: int) -> Test:
    """Ask for every step of a load test that goes up to so many phones."""

    def held(book: Book) -> bool | None:
        sizes = book.sizes(part)
        if most not in sizes:
            return None
        return book.all((book.value(part, str(n), "tenu") for n in sizes), lambda green: green == 1)

    return held


def below(part: str, row: str, column: str, most: float) -> Test:
    """Ask for a figure below a limit."""
    return lambda book: book.all([book.value(part, row, column)], lambda found: found < most)


def signed_in(row: str, column: str, most: float) -> Test:
    """Ask for a figure below a limit when as many have signed in as the line says."""

    def held(book: Book) -> bool | None:
        if book.value("signins", row, "nombre") != STORM:
            return None
        return below("signins", row, column, most)(book)

    return held


def open_streams(count: int) -> Test:
    """Ask for so many streams, all accepted and none lost."""

    def held(book: Book) -> bool | None:
        row = str(count)
        found, lost = (book.value("streams", row, name) for name in ("ouverts", "perdus"))
        return book.all([found, lost], lambda _: found == count and lost == 0)

    return held


def heard(count: int, most: float) -> Test:
    """Ask for every phone reached, the last one in time even in the slowest of the deaths."""

    def held(book: Book) -> bool | None:
        reached = book.value("streams", str(count), "atteints")
        last = book.worst("streams", str(count), "le dernier")
        return book.all([reached, last], lambda _: reached == count and (last or 0) < most)

    return held


def kept(row: str) -> Test:
    """Ask for every death kept, every kill counted once, and one ring."""

    def held(book: Book) -> bool | None:
        names = ("déclarées", "acceptées", "gardées", "coups comptés", "hors de l'anneau")
        told = [book.value("deaths", row, name) for name in names]
        if told[0] != DEATHS:
            return None
        return book.all(told, lambda _: len(set(told[:4])) == 1 and told[4] == 0)

    return held


def light(each: float) -> Test:
    """Ask for memory below the base and so many kB for each phone."""
    return lambda book: book.all(
        (
            None if (found := book.value("memory", str(n), "mémoire")) is None
            else found - BASE - each * n / 1000
            for n in book.sizes("memory")
        ),
        lambda over: over < 0,
    )  # fmt: skip


def cheap(book: Book) -> bool | None:
    """Ask for a cheap /api/me whatever the number of players."""
    row = "GET /api/me"
    return book.all((book.value("routes", row, n) for n in ("100", "500")), lambda ms: ms < ME)


def few_calls(book: Book) -> bool | None:
    """Ask for few calls to Google in the worst minute of both load tests with a sheet."""
    return book.all(
        (
            book.value(part, "Google", kind)
            for part in ("crowd-ttl-5", "crowd-ttl-30")
            for kind in ("lectures par minute", "écritures par minute")
        ),
        lambda found: found <= CALLS,
    )
