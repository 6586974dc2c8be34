"""Part `signins`: many sign in by password while as many others play; and all of them at once."""

from __future__ import annotations

import os
import random
import statistics
import threading
import time
from collections.abc import Sequence

from benchmarks import servers, wire, worlds
from benchmarks.bench import Bench
from benchmarks.figures import Rows
from benchmarks.phones import Streams, allow_files
from benchmarks.routes import sign_in
from benchmarks.servers import Server
from benchmarks.worlds import Player
from killer import passwords

WORKERS = 4
PAUSE = 2.0  # seconds between two looks of somebody who plays
LOOKS = ("/api/me", "/api/me", "/api/me", "/api/leaderboard", "/", "/leaderboard", "/players")


def measure(bench: Bench) -> Rows:
    """Measure the announced storm with others at play, then the rush, then one hash alone."""
    rows, count = Rows(), bench.scale.signers
    allow_files(4 * count)
    folder = bench.worlds.fresh(2 * count, count)
    with servers.killer(folder, WORKERS) as server:
        people = worlds.start(folder, server)
        others = people[count : 2 * count]
        bench.say(f"{count} sign-ins in {bench.scale.storm:g} s while {count} others play")
        storm(bench, rows, server, others)
        bench.say(f"{count} sign-ins at once")
        before, begun = server.cpu(), time.monotonic()
        times = all_sign_in(server, count, 0)
        row = "au plus vite"
        rows.put(row, "durée", "s", time.monotonic() - begun)
        rows.put(row, "CPU par connexion", "ms", 1000 * (server.cpu() - before) / count)
        note(rows, row, times)
    hashes(rows, count)
    return rows


def storm(bench: Bench, rows: Rows, server: Server, others: Sequence[Player]) -> None:
    """Let the others play from before the first sign-in until after the last."""
    count, over = bench.scale.signers, threading.Event()
    phones = Streams(server.port)
    phones.open([each.cookie for each in others])
    looks: list[float] = []
    playing = threading.Thread(target=play, args=(server, others, over, looks), daemon=True)
    playing.start()
    time.sleep(PAUSE)
    looks.clear()
    before, begun = server.cpu(), time.monotonic()
    try:
        times = all_sign_in(server, count, bench.scale.storm)
    finally:
        cpu = (server.cpu() - before) / (time.monotonic() - begun) / (os.cpu_count() or 1)
        over.set()
        playing.join()
        phones.drain()
        still = len(phones)
        phones.close()
    note(rows, "connexions", times)
    note(rows, "les autres", sorted(looks))
    rows.put("connexions", "en", "s", bench.scale.storm)
    rows.put("connexions", "CPU du serveur", "%", 100 * cpu)
    rows.put("les autres", "flux encore ouverts", "", still)


def all_sign_in(server: Server, count: int, seconds: float) -> list[float]:
    """Let everybody sign in by password, spread over some seconds; give the times, sorted."""
    times: list[float] = []

    def one(n: int) -> None:
        time.sleep(seconds * n / count)
        asked = sign_in(nickname=f"joueur {n}", password=worlds.password(n))
        begun = time.monotonic()
        wire.ask(server.port, asked)
        times.append(time.monotonic() - begun)

    wire.at_once([lambda n=n: one(n) for n in range(count)])
    return sorted(times)


def play(
    server: Server, people: Sequence[Player], over: threading.Event, looks: list[float]
) -> None:
    """Let people look at something again and again until it is over."""

    def one(player: Player, chance: random.Random) -> None:
        over.wait(chance.uniform(0, PAUSE))
        connection = wire.connect(server.port)
        while not over.is_set():
            sent = wire.request("GET", chance.choice(LOOKS), player.cookie)
            begun = time.monotonic()
            try:
                status, _ = wire.exchange(connection, sent)
            except ConnectionError:  # an idle connection was closed: a phone opens another one
                connection.close()
                connection = wire.connect(server.port)
                status, _ = wire.exchange(connection, sent)
            assert status == 200, status
            looks.append(time.monotonic() - begun)
            over.wait(chance.uniform(0.5 * PAUSE, 1.5 * PAUSE))
        connection.close()

    chances = [random.Random(n) for n in range(len(people))]  # noqa: S311  # alike in every run
    wire.at_once([lambda p=p, c=c: one(p, c) for p, c in zip(people, chances, strict=True)])


def note(rows: Rows, row: str, times: Sequence[float]) -> None:
    """Note how long requests took."""
    rows.put(row, "nombre", "", len(times))
    for name, part in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("le plus lent", 1.0)):
        rows.put(row, name, "ms", wire.share(times, part))


def hashes(rows: Rows, count: int) -> None:
    """Measure one comparison with a hash alone, and how soon all would be done by all cores."""
    known, took = passwords.hash_password("x"), []
    for _ in range(10):
        begun = time.process_time()
        passwords.fits(known, "x")
        took.append(time.process_time() - begun)
    rows.put("argon2id", "CPU", "ms", *(1000 * each for each in took))
    least = statistics.median(took) * count / (os.cpu_count() or 1)
    rows.put("argon2id", "durée au moins", "s", least)
