"""`make bench ARGS=sheet`: what the Google Sheet costs, its outages too, against our own Google."""

from __future__ import annotations

import json
import math
import multiprocessing
import os
import random
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.managers import BaseManager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import servers, wire
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
MOST_CALLS = 20.0  # of a kind in any minute
SLOW = 1.0  # seconds: nobody but Google makes a request take longer
LEVEL_WITHIN, MENDED_WITHIN = 30.0, 60.0  # seconds
P95, RATIO = 500.0, 2.0
GRACE = 10.0  # milliseconds under which a ratio says nothing
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


# --- what the game is made of ---


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
        cookies = servers.links(folder, port)
        alive = [name for name in cookies if name != ORGANISER]
        random.Random(7).shuffle(alive)  # noqa: S311  # the same deaths in every run
        one = Party(desk, server, folder, rows, cookies, alive)
        start = wire.request("POST", "/api/organiser/game/start", cookies[ORGANISER], b"{}")
        status, body = patient(port, start)[0]
        assert status == 200, body
        until_right(one)
        yield one


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


# --- what is printed ---


@dataclass(frozen=True)
class Line:
    """A figure, and what it must not exceed; without that it is only told."""

    what: str
    figure: float
    unit: str = ""
    most: float = math.inf

    @property
    def held(self) -> bool:
        """Tell whether it is within its line."""
        return self.figure <= self.most


def verdict(title: str, lines: Sequence[Line]) -> bool:
    """Print the lines of a part, and tell whether all were held."""
    table = Table("what", "figure", "line", "held", title=title, title_justify="left")
    for line in lines:
        bound = "" if line.most == math.inf else f"≤ {line.most:g}"
        word = ("yes" if line.held else "NO") if bound else ""
        table.add_row(line.what, f"{line.figure:.4g} {line.unit}", bound, word)
    show(table)
    return all(line.held for line in lines)


def show(table: Table) -> None:
    """Print a table, as wide as it needs to be where nobody looks at a terminal."""
    Console(width=None if sys.stdout.isatty() else 150).print(table)


# --- part 1: a weekend's deaths in two minutes ---


def rush(place: Path, *, long: bool) -> bool:
    """Let 300 of 500 players die, then let Google be silent."""
    seconds = 600.0 if long else 120.0
    with town() as streets, party(place / "rush", streets.Desk(), 500, secrets=True) as one:
        since = time.monotonic()
        samples = play(one, seconds, 300)
        late = time.monotonic() - max(each.at for each in samples if each.kind == "death")
        level = late + until_right(one)
        lines = [
            *in_a_minute(one, "from the start of the game", since),
            *in_a_minute(one, "with the first reading", 0.0),
            Line("from the last death until the sheet is right", level, "s", LEVEL_WITHIN),
            *waits(f"300 deaths in {seconds:.0f} s", samples),
            *silence(one, "16 workers"),
        ]
    with town() as streets, party(place / "alone", streets.Desk(), 500, workers=1) as one:
        lines += silence(one, "1 worker, the keeper's")
    return verdict("1. 500 players, 300 deaths", lines)


def in_a_minute(one: Party, when: str, since: float) -> list[Line]:
    """Tell the calls of the worst minute."""
    return [
        Line(f"{kind}s in the worst minute, {when}", calls(one, kind, since), "", MOST_CALLS)
        for kind in ("read", "write")
    ]


def waits(when: str, samples: Sequence[Sample]) -> list[Line]:
    """Tell how long players waited."""
    every = times(samples)
    slow = sum(seconds > SLOW for seconds in every)
    return [
        Line(f"{when}: requests of players", len(every)),
        Line(f"{when}: p95", wire.share(every, 0.95), "ms", P95),
        Line(f"{when}: the slowest", wire.share(every, 1), "ms"),
        Line(f"{when}: requests slower than {SLOW:g} s", slow, "", 0),
    ]


def silence(one: Party, whose: str) -> list[Line]:
    """Let Google be silent for 40 s; who waited for it would wait for 10 s at least."""
    before = one.desk.count("read", 0) + one.desk.count("write", 0)
    one.desk.fail("silence", None, seconds=40)
    samples = play(one, 40, 20)
    unanswered = one.desk.count("read", 0) + one.desk.count("write", 0) - before
    one.desk.clear()
    mended = until_right(one)
    when = f"40 s of silence, {whose}"
    return [
        Line(f"{when}: calls that Google left unanswered", unanswered),
        *waits(when, samples),
        Line(f"{when}: until the sheet is right again", mended, "s", MENDED_WITHIN),
    ]


# --- part 2: outages ---


@dataclass(frozen=True)
class Outage:
    """Something that goes wrong for so long: what breaks, what mends, what organisers are told."""

    name: str
    trouble: str
    begin: Callable[[Party], None]
    end: Callable[[Party], None]
    seconds: float = 60.0


def fails(trouble: int | str, **how: Any) -> Callable[[Party], None]:
    """Let every call go wrong."""
    return lambda one: one.desk.fail(trouble, None, **how)


def mends(one: Party) -> None:
    """Let every call go well again."""
    one.desk.clear()


def kill(one: Party) -> None:
    """Kill the worker that keeps the sheet."""
    os.kill(one.keepers()[-1], signal.SIGKILL)


GONE = Outage(
    "unreachable", "google.unreachable", lambda one: one.desk.stop(), lambda one: one.desk.start()
)
OUTAGES = (
    GONE,
    Outage("429", "google.quota", fails(429), mends),
    Outage("429, Retry-After: 30", "google.quota", fails(429, retry_after=30), mends),
    Outage("403", "google.not_shared", fails(403), mends),
    Outage("40 s of silence", "google.silent", fails("silence", seconds=40), mends, 40.0),
    Outage("keeper killed", "", kill, kill),
)


@dataclass(frozen=True)
class Suffered:
    """What an outage did, with the quiet times before and after it."""

    outage: Outage
    quiet: list[Sample]
    sick: list[Sample]
    troubles: list[str]
    mended: float
    after: str
    reads: int
    writes: int

    def ratio(self, part: float, kind: str = "") -> float:
        """Compare the outage with the quiet time; where both are quick, nothing is to be said."""
        quiet, sick = (wire.share(times(s, kind), part) for s in (self.quiet, self.sick))
        return sick / quiet if quiet else math.nan

    @property
    def faults(self) -> list[str]:
        """Name the lines that weren't held."""
        sick = wire.share(times(self.sick), 0.95)
        found = {
            "p95": sick > P95,
            "ratio": self.ratio(0.95) > RATIO and sick > GRACE,
            "slow": any(sample.seconds > SLOW for sample in self.sick),
            "status": set(self.troubles) - {""} != set(filter(None, [self.outage.trouble])),
            "status after": self.after != "",
            "mended": self.mended > MENDED_WITHIN,
            "calls": max(self.reads, self.writes) > MOST_CALLS,
        }
        return [name for name, missed in found.items() if missed]


def outages(place: Path, *, long: bool) -> bool:
    """Compare players in each outage with quiet times before and after it, in one server's life."""
    chosen = (Outage("unreachable, 10 min", GONE.trouble, GONE.begin, GONE.end, 600.0),)
    with town() as streets, party(place / "outages", streets.Desk(), 1000) as one:
        found = []
        before = play(one, 30, 30)
        until_right(one)
        for outage in chosen if long else OUTAGES:
            suffered, before = suffer(one, outage, before)
            found.append(suffered)
    show(outage_table(found))
    return not any(each.faults for each in found)


def suffer(one: Party, outage: Outage, before: list[Sample]) -> tuple[Suffered, list[Sample]]:
    """Go through an outage; what was quiet after it is quiet before the next one."""
    troubles: list[str] = []
    since = time.monotonic()
    outage.begin(one)
    deaths = int(min(outage.seconds, 300))
    sick = play(one, outage.seconds, deaths, partial(watch, one, troubles, outage.seconds))
    outage.end(one)
    mended = until_right(one)
    until(lambda: not one.trouble(), MENDED_WITHIN)
    after = one.trouble()
    reads, writes = (calls(one, kind, since) for kind in ("read", "write"))
    quiet = play(one, 30, 30)
    until_right(one)
    every = [*before, *quiet]
    return Suffered(outage, every, sick, troubles, mended, after, reads, writes), quiet


def watch(one: Party, troubles: list[str], seconds: float) -> None:
    """Note what the organisers are told, whenever it changes."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if [now := one.trouble()] != troubles[-1:]:
            troubles.append(now)
        time.sleep(1)


def outage_table(found: Sequence[Suffered]) -> Table:
    """Show every outage beside its quiet times."""
    head = ("outage", "s", "request", "quiet p50/95/99 ms", "during, ms", "ratio", "slowest ms")
    more = ("tries again", "shown to organisers", "right after s", "reads/writes", "held")
    table = Table(*head, *more, title="2. Outages", title_justify="left")
    for each in found:
        for kind in ("me", "death"):
            table.add_row(*outage_row(each, kind))
    return table


def outage_row(each: Suffered, kind: str) -> list[str]:
    """Give the row of an outage and a kind of request; what concerns both stands in the first."""
    quiet, sick = times(each.quiet, kind), times(each.sick, kind)
    again = sum(s.tries - 1 for s in each.sick if s.kind == kind)
    row = [kind, quantiles(quiet), quantiles(sick)]
    row += ["/".join(f"{each.ratio(part, kind):.2f}" for part in (0.5, 0.95, 0.99))]
    row += [f"{wire.share(sick, 1):.0f}", str(again)]
    if kind != "me":
        return ["", "", *row]
    row += [" ".join(each.troubles) or "nothing", f"{each.mended:.0f}"]
    row += [f"{each.reads}/{each.writes}", ", ".join(each.faults) or "yes"]
    return [each.outage.name, f"{each.outage.seconds:.0f}", *row]


def quantiles(seconds: Sequence[float]) -> str:
    """Give the three quantiles of sorted times."""
    return " / ".join(f"{wire.share(seconds, part):.1f}" for part in (0.5, 0.95, 0.99))


# --- part 3: how often Google is asked ---


def habits(place: Path) -> bool:
    """Count the calls of four servers at once: two TTL, two numbers of workers."""
    kinds = [(ttl, workers) for ttl in (5, 30) for workers in (1, 16)]
    lines: list[Line] = []
    with ExitStack() as stack:
        streets = stack.enter_context(town())
        parties = [
            stack.enter_context(
                party(place / f"{ttl}-{workers}", streets.Desk(), 200, workers=workers, ttl=ttl)
            )
            for ttl, workers in kinds
        ]
        for when, deaths in (("idle", 0), ("a death every 2 s", 32)):
            since = time.monotonic()
            wire.at_once([partial(play, one, 65, deaths) for one in parties])
            for (ttl, workers), one in zip(kinds, parties, strict=True):
                what = f"TTL {ttl} s, {workers} worker{'s' * (workers > 1)}, {when}"
                lines += in_a_minute(one, what, since)
    lines += [
        Line(f"computed: reads a minute of {workers} workers that each read two tabs every {ttl} s",
             workers * 2 * 60 / ttl)
        for ttl, workers in kinds
    ]  # fmt: skip
    lines.append(Line("computed: writes a minute of 30 deaths written one by one, 5 each", 150))
    return verdict("3. Calls to Google", lines)


def main(wanted: Sequence[str]) -> None:
    """Measure the parts that are named (rush, outages, habits), or all of them."""
    long = "--long" in wanted
    chosen = re.findall(r"rush|outages|habits", " ".join(wanted)) or ["rush", "outages", "habits"]
    parts: dict[str, Callable[[Path], bool]] = {
        "rush": partial(rush, long=long),
        "outages": partial(outages, long=long),
        "habits": habits,
    }
    with tempfile.TemporaryDirectory(prefix="killer-sheet-") as place:
        held = [parts[name](Path(place)) for name in chosen]
    sys.exit(0 if all(held) else 1)
