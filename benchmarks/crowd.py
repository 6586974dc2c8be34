"""Parts `crowd-…`: `killer loadtest` on one way of setting the server up after the other."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec

from benchmarks import party, servers, worlds
from benchmarks.bench import Bench, Measure
from benchmarks.figures import Rows
from benchmarks.phones import allow_files
from engines import postgresql
from killer.crowd import figures, verdict
from killer.crowd.figures import Report, Step
from killer.crowd.verdict import Size

CPUS = len(os.sched_getaffinity(0))
SHEET_PLAYERS = 500
TIDYING = 90.0  # seconds that an interrupted load test has to stop its own server


@dataclass(frozen=True)
class Setup:
    """A way of setting the server up, and which steps are played on it."""

    shown: dict[str, str]
    environment: dict[str, str] = field(default_factory=dict)
    steps: str = "steps"  # the name of a scale's steps
    postgresql: bool = False
    ttl: int = 0  # seconds between two readings of a Google Sheet; 0: there is none
    most: float = 420  # seconds


def gevent(times: int, steps: str = "steps", most: float = 420) -> Setup:
    """Set up so many gevent workers for each CPU, on SQLite."""
    workers = str(times * CPUS)
    shown = {"GUNICORN_WORKER_CLASS": "gevent", "GUNICORN_WORKERS": workers, "base": "SQLite"}
    return Setup(shown, {"GUNICORN_WORKERS": workers}, steps, most=most)


def with_sheet(ttl: int) -> Setup:
    """Set up a Google Sheet that is read every so many seconds."""
    shown = gevent(4).shown | {"PLAYERS_CACHE_TTL": str(ttl), "ACTIONS_CACHE_TTL": str(ttl)}
    return Setup(shown, {"GUNICORN_WORKERS": str(4 * CPUS)}, ttl=ttl)


SYNC = {"GUNICORN_WORKER_CLASS": "sync", "GUNICORN_WORKERS": "9"}
SETUPS: dict[str, Setup] = {
    "standard": gevent(4, "standard"),
    "gevent-1": gevent(1),
    "gevent-2": gevent(2),
    "gevent-4": gevent(4),
    "sync": Setup(SYNC | {"base": "SQLite"}, SYNC),
    "postgresql": Setup(
        gevent(4).shown | {"base": "PostgreSQL"},
        {"GUNICORN_WORKERS": str(4 * CPUS)},
        postgresql=True,
    ),
    "ttl-5": with_sheet(5),
    "ttl-30": with_sheet(30),
    "most": gevent(2, "most", most=300),
}


def measure(setup: Setup) -> Measure:
    """Give the measurement of a setup."""

    def part(bench: Bench) -> Rows:
        steps = getattr(bench.scale, setup.steps)
        bench.say(f"{steps} players")
        rows = Rows()
        with surroundings(setup, bench.place) as around:
            report = play(bench, setup, steps, around.words)
            for kind, calls in around.calls().items():
                rows.put("Google", f"{kind} par minute", "", calls)
        for step, judged in zip(report.steps, verdict.judge(report).steps, strict=True):
            note(rows, step, judged)
        rows.put("générateur", "CPU", "%", 100 * report.generator_cpu)
        return rows

    return part


def play(bench: Bench, setup: Setup, steps: str, words: Sequence[str]) -> Report:
    """Run the load test; a line that is missed is a figure, no report is an error.

    Raises:
        RuntimeError: there is no report.
    """
    return played(steps, bench.scale.hold, bench.place, words, setup.environment)


def played(
    steps: str, hold: float, place: Path, words: Sequence[str], environment: dict[str, str]
) -> Report:
    """Run the load test with a folder for its report.

    Raises:
        RuntimeError: there is no report.
    """
    allow_files(4 * max(map(int, steps.split(","))))
    out = Path(tempfile.mkdtemp(prefix="crowd-", dir=place))
    command = [sys.executable, "-m", "killer", "loadtest", "--steps", steps]
    command += ["--hold", f"{hold:g}", "--out", str(out), *words]
    process = subprocess.Popen(
        [*servers.TIED, *command],
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate()
    finally:
        servers.end(process, TIDYING)
    if not (out / "report.json").exists():
        raise RuntimeError(f"no report: {said.decode()[-1500:]}")
    return figures.read(out / "report.json")


@dataclass(frozen=True)
class Around:
    """What a load test needs besides itself: more words, and who counts the calls to Google."""

    words: Sequence[str] = ()
    calls: Callable[[], dict[str, int]] = dict


@contextmanager
def surroundings(setup: Setup, place: Path) -> Iterator[Around]:
    """Start a server with PostgreSQL or a sheet; the load test's own server has neither."""
    workers = int(setup.environment["GUNICORN_WORKERS"])
    with ExitStack() as stack:
        if setup.postgresql:
            address = stack.enter_context(postgresql.cluster())
            url = {"DATABASE_URL": stack.enter_context(postgresql.database(address))}
            folder = Path(tempfile.mkdtemp(prefix="postgresql-", dir=place))
            token = worlds.organiser(folder, **url)
            server = stack.enter_context(servers.killer(folder, workers, **url))
            yield Around(at(server, token))
        elif setup.ttl:
            desk = stack.enter_context(party.town()).Desk()
            folder = place / f"sheet-{setup.ttl}"
            game = party.party(folder, desk, SHEET_PLAYERS, workers=workers, ttl=setup.ttl)
            one = stack.enter_context(game)
            kinds = {"lectures": "read", "écritures": "write"}
            counted = partial(calls_since, one, kinds, time.monotonic())
            yield Around(at(one.server, one.token), counted)
        else:
            yield Around()


def calls_since(one: party.Party, kinds: dict[str, str], begun: float) -> dict[str, int]:
    """Count the calls to Google in the worst minute."""
    return {name: party.calls(one, kind, begun) for name, kind in kinds.items()}


def at(server: servers.Server, token: str) -> list[str]:
    """Tell the load test where to play."""
    return ["--host", f"http://127.0.0.1:{server.port}", "--token", token]


def note(rows: Rows, step: Step, judged: Size) -> None:
    """Note a step under the number of its phones."""
    row = str(step.phones)
    rows.put(row, "tenu", "", float(judged.passed))
    rows.put(row, "débit", "/s", step.rate)
    for name in ("p50", "p95", "p99"):
        rows.put_mean(row, name, "ms", getattr(step.times, name), step.times.count)
    rows.put(row, "erreurs", "", sum(step.errors.values()))
    rows.put(row, "fautes", "", sum(filter(None, msgspec.structs.astuple(step.faults))))
    rows.put(row, "morts", "", step.deaths)
    rows.put(row, "flux", "", step.streams)
    if step.delay.count:
        rows.put_mean(row, "annonce p95", "ms", step.delay.p95, step.delay.count)
        rows.put_mean(row, "dernier téléphone p95", "ms", step.last.p95, step.last.count)
    for name, found in (("CPU", step.cpu), ("CPU max", step.cpu_peak), ("mémoire", step.memory)):
        if found is not None:
            rows.put(row, name, "%", 100 * found)
    for line in judged.red:
        rows.put(row, f"manqué : {line.code}", "", 1)
    at_play(rows, row, step)


def at_play(rows: Rows, row: str, step: Step) -> None:
    """Note what a phone costs in a second of play, between the moments that break servers."""
    for moment in step.moments:
        if moment.name == "play":
            end = moment.began + moment.seconds
            cpu = [s.cpu for s in step.samples if moment.began < s.at <= end and s.cpu is not None]
            if cpu:
                each = 1000 * statistics.mean(cpu) * CPUS / step.phones
                rows.put_mean(row, "CPU par téléphone en jeu", "ms/s", each, len(cpu))
