"""Part `routes`: what one request of each route costs the server, in CPU time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

from benchmarks import servers, wire, worlds
from benchmarks.bench import Bench
from benchmarks.figures import Rows
from benchmarks.load import Reading, cost, warm
from benchmarks.phones import Streams, allow_files
from benchmarks.servers import Server
from benchmarks.worlds import Player

LOOKS = ("/health", "/api/me", "/api/leaderboard", "/api/players")
PAGES = ("/", "/card", "/leaderboard", "/players")
AT_ONCE = 8  # connections


def measure(bench: Bench) -> Rows:
    """Measure every route with each number of players."""
    rows = Rows()
    for players in bench.scale.sizes:
        passwords = min(players, bench.scale.requests, 100)
        folder = bench.worlds.fresh(players, passwords)
        with servers.killer(folder) as server:
            people = worlds.start(folder, server)
            reading(bench, rows, server, people)
            once(bench, rows, server, people, passwords)
    return rows


def reading(
    bench: Bench, rows: Rows, server: Server, people: Sequence[Player], only: Sequence[str] = ()
) -> None:
    """Measure what is only read, each route several times."""
    column = str(len(people) - 1)
    for name, asked in readings(server, people[0].cookie).items():
        if only and name not in only:
            continue
        bench.say(f"{name}, {column} players")
        warm(server, asked)
        costs = [cost(server, asked, bench.scale.seconds / 2) for _ in range(bench.scale.pairs)]
        rows.put(name, column, "ms", *costs)


def readings(server: Server, cookie: str) -> dict[str, Reading]:
    """Give every reading by the name that it has in the tables."""
    found = {f"GET {path}": Reading(path, cookie) for path in (*LOOKS, *PAGES)}
    with wire.connect(server.port) as connection:
        head, _ = wire.exchange_all(connection, found["GET /api/me"].bytes())
        _, page = wire.exchange(connection, wire.request("GET", "/", cookie))
    same = (f"If-None-Match: {wire.header(head, 'etag')}",)
    found["GET /api/me 304"] = Reading("/api/me", cookie, same)
    found["GET /static/site.css"] = Reading(statics(page, "site.css")[0])
    return found


def statics(page: bytes, name: str = "") -> list[str]:
    """Give the addresses of the static files that a page names."""
    pattern = rf'(?:href|src)="(/static/[^"]*{re.escape(name)})"'
    return list(dict.fromkeys(re.findall(pattern, page.decode())))


def once(
    bench: Bench, rows: Rows, server: Server, people: Sequence[Player], passwords: int
) -> None:
    """Measure what a phone does once: streams, sign-ins, deaths."""
    count = bench.scale.requests
    column = str(len(people) - 1)

    def note(name: str, count: int, work: Callable[[], object]) -> None:
        bench.say(f"{name}, {column} players")
        before = server.cpu()
        work()
        rows.put_mean(name, column, "ms", 1000 * (server.cpu() - before) / count, count)

    allow_files(2 * count)
    phones = Streams(server.port)
    everybody = [people[n % (len(people) - 1)] for n in range(count)]
    note("GET /api/events", count, lambda: phones.open([each.cookie for each in everybody]))
    phones.close()
    tokens = [sign_in(token=each.token) for each in everybody]
    note("POST /api/login (lien)", count, lambda: wire.each_once(server.port, tokens, AT_ONCE))
    known = [sign_in(nickname=f"Joueur {n}", password=worlds.password(n)) for n in range(passwords)]
    note(
        "POST /api/login (mot de passe)",
        passwords,
        lambda: wire.each_once(server.port, known, AT_ONCE),
    )
    dying = [dies(each) for each in people[: min(count, len(people) - 11)]]
    note("POST /api/death", len(dying), lambda: wire.each_once(server.port, dying, AT_ONCE))


def sign_in(**words: str) -> bytes:
    """Write a sign-in by link or by password."""
    return wire.request("POST", "/api/login", "", json.dumps(words).encode())


def dies(player: Player, key: str = "") -> bytes:
    """Write "I'm dead"."""
    keyed = (f"Idempotency-Key: {key}",) if key else ()
    return wire.request("POST", "/api/death", player.cookie, b"{}", keyed)
