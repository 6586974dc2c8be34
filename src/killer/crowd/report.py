"""The report of a load test: a page to read and print, and its figures for programs and tables."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

from babel.dates import format_date, format_time
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from killer.crowd import figures
from killer.crowd.figures import KINDS, Report, Sample, Step
from killer.crowd.plots import curve
from killer.crowd.verdict import (
    LIMITS,
    NEARLY,
    Size,
    Verdict,
    inside,
    milliseconds,
    moment,
    number,
    share,
)
from killer.language import current, say

PAGE, FIGURES, TABLE = "report.html", "report.json", "report.csv"
MINUTE = 60
MOST_SENTENCES, MOST_MISSED = 5, 3
MEGABYTE = 1_000_000
BUSY = 0.8  # of the testing machine: beyond it, its own slowness is measured
TEMPLATES = Path(__file__).parent / "templates"


def publish(report: Report, verdict: Verdict, folder: Path) -> None:
    """Write report.html, report.json and report.csv into a folder, which is made if needed.

    Raises:
        OSError: the folder can't be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    figures.write(report, folder / FIGURES)
    (folder / PAGE).write_text(page(report, verdict), encoding="utf-8")
    _write_table(report, verdict, folder / TABLE)


def page(report: Report, verdict: Verdict) -> str:
    """Give the report as one page of HTML that asks for nothing outside itself."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.globals |= {"_": say, "language": current()}
    environment.filters |= {"ms": milliseconds, "share": share, "number": number}
    environment.filters |= {"time": lasting, "moment": moment}
    step = answering(report, verdict)
    return environment.get_template("report.html").render(
        report=report,
        verdict=verdict,
        said=said(report, verdict),
        step=step,
        plots=[Markup(plot) for plot in plots(report)],  # noqa: S704 - pygal escapes what it writes
        when=_when(report.at),
        megabyte=MEGABYTE,
        busy=BUSY,
    )


def answering(report: Report, verdict: Verdict) -> Step | None:
    """Give the largest step that holds; without one, the largest that was tried."""
    size = verdict.holds or verdict.asked
    return next((step for step in reversed(report.steps) if step.phones == size), None)


def said(report: Report, verdict: Verdict) -> list[str]:
    """Say in three to five sentences what an organiser wants to know."""
    step = answering(report, verdict)
    if step is None:
        return [say("verdict.said.nothing")]
    unknown = _unknown(verdict.size(step.phones))
    if verdict.passed:
        return [*_good(step), *unknown]
    held = []
    if verdict.holds:
        held = [say("verdict.said.holds", players=number(verdict.holds)), *_good(step)]
    return [*[*_missed(verdict), *held][:MOST_SENTENCES], *unknown]


def _missed(verdict: Verdict) -> list[str]:
    """Say what stopped the first step that failed; the table says the rest."""
    first = next(size for size in verdict.steps if not size.passed)
    sentences = [line.sentence for line in first.red[:MOST_MISSED]]
    players = number(first.phones)
    return [say("verdict.said.missed", players=players, missed=inside(each)) for each in sentences]


def _good(step: Step) -> list[str]:
    quick = say(
        "verdict.said.quick",
        p50=milliseconds(step.times.p50),
        p95=milliseconds(step.times.p95),
        limit=milliseconds(LIMITS["p95"]),
    )
    sentences = [quick]
    if step.cpu is not None and step.memory is not None:
        sentences.append(_reserve(step.cpu, step.memory))
    if step.delay.count:
        most, last = milliseconds(step.delay.p95), milliseconds(step.last.p95)
        sentences.append(say("verdict.said.spread", most=most, last=last))
    if step.deaths:
        sentences.append(say("verdict.said.kept", n=step.deaths, deaths=number(step.deaths)))
    return sentences


def _reserve(cpu: float, memory: float) -> str:
    near = cpu >= NEARLY * LIMITS["cpu"] or memory >= NEARLY * LIMITS["memory"]
    return say(
        "verdict.said.tight" if near else "verdict.said.reserve",
        cpu=share(cpu),
        memory=share(memory),
        cpu_limit=share(LIMITS["cpu"]),
        memory_limit=share(LIMITS["memory"]),
    )


def _unknown(size: Size) -> list[str]:
    lines = ", ".join(inside(line.name) for line in size.unknown)
    return [say("verdict.said.unknown", lines=lines)] if lines else []


def plots(report: Report) -> list[str]:
    """Draw what grows with the players, then what happened as time went by."""
    return [*_by_players(report.steps), *_by_time(report)]


def _by_players(steps: Sequence[Step]) -> list[str]:
    def points(value: Callable[[Step], float], *, told: bool = False) -> list[tuple[float, float]]:
        return [
            (step.phones, value(step))
            for step in steps
            if (step.delay if told else step.times).count
        ]

    players, ms = say("verdict.plot.players"), say("verdict.plot.ms")
    latency = {
        say("verdict.plot.half"): points(lambda step: step.times.p50),
        say("verdict.plot.most"): points(lambda step: step.times.p95),
        say("verdict.plot.nearly"): points(lambda step: step.times.p99),
    }
    spread = {
        say("verdict.plot.half_phones"): points(lambda step: step.delay.p50, told=True),
        say("verdict.plot.most_phones"): points(lambda step: step.delay.p95, told=True),
        say("verdict.plot.last_phone"): points(lambda step: step.last.p95, told=True),
    }
    return [
        curve(say("verdict.plot.latency"), players, ms, latency, line=LIMITS["p95"], even=True),
        curve(say("verdict.plot.spread"), players, ms, spread, line=LIMITS["delay"], even=True),
    ]


def _by_time(report: Report) -> list[str]:
    looks = [sample for step in report.steps for sample in step.samples]

    def points(value: Callable[[Sample], float | None]) -> list[tuple[float, float]]:
        return [(look.at, found) for look in looks if (found := value(look)) is not None]

    seconds, used = say("verdict.plot.seconds"), say("verdict.plot.used")
    traffic = {
        say("verdict.plot.phones"): points(lambda look: look.phones),
        say("verdict.plot.rate"): points(lambda look: look.rate),
    }
    latency = {
        say("verdict.plot.half"): points(lambda look: look.p50),
        say("verdict.plot.most"): points(lambda look: look.p95),
    }
    cpu = {used: [(at, value * 100) for at, value in points(lambda look: look.cpu)]}
    memory = {used: [(at, value * 100) for at, value in points(lambda look: look.memory)]}
    ms, percent = say("verdict.plot.ms"), say("verdict.plot.percent")
    return [
        curve(say("verdict.plot.traffic"), seconds, say("verdict.plot.count"), traffic),
        curve(say("verdict.plot.live"), seconds, ms, latency, line=LIMITS["p95"]),
        curve(say("verdict.plot.cpu"), seconds, percent, cpu, line=LIMITS["cpu"] * 100),
        curve(say("verdict.plot.memory"), seconds, percent, memory, line=LIMITS["memory"] * 100),
    ]


def lasting(seconds: float) -> str:
    """Write how long something took."""
    if seconds < MINUTE:
        return say("verdict.page.seconds", value=number(seconds))
    minutes, rest = divmod(int(seconds), MINUTE)
    return say("verdict.page.minutes", minutes=minutes, seconds=rest)


def _when(at: str) -> str:
    utc = dt.datetime.fromisoformat(at).astimezone(dt.UTC)
    day = format_date(utc, "long", locale=current())
    return f"{day}, {format_time(utc, 'HH:mm', locale=current())}"


def _write_table(report: Report, verdict: Verdict, path: Path) -> None:
    """Write one line for each step, for spreadsheets in French and English alike.

    Semicolons, because a French spreadsheet opens such a file in columns and an English one asks or
    guesses right; whole numbers only, because "12.5" would become the 12th of May in French and
    "12,5" two cells in English. The exact figures are in report.json.
    """
    rows = [_row(step, size) for step, size in zip(report.steps, verdict.steps, strict=True)]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.writer(file, delimiter=";")
        table.writerow(rows[0] if rows else ["players"])
        table.writerows(row.values() for row in rows)


def _row(step: Step, size: Size) -> dict[str, int | str]:
    """Give the cells of a step by their columns; what was not measured is empty."""
    row = {
        "players": step.phones,
        "passed": int(size.passed),
        "seconds": step.seconds,
        "requests": step.times.count,
        "requests_per_minute": step.rate * MINUTE,
        "p50_ms": step.times.p50,
        "p95_ms": step.times.p95,
        "p99_ms": step.times.p99,
        "worst_ms": step.times.worst,
        **{f"errors_{kind}": step.errors.get(kind, 0) for kind in KINDS},
        "deaths": step.deaths,
        "death_to_phones_p95_ms": step.delay.p95 if step.delay.count else None,
        "death_to_last_phone_p95_ms": step.last.p95 if step.last.count else None,
        "cpu_percent": _percent(step.cpu),
        "cpu_peak_percent": _percent(step.cpu_peak),
        "memory_percent": _percent(step.memory),
        "memory_bytes": step.memory_bytes,
        "streams": step.streams,
        "resyncs": step.resyncs,
    }
    faults = {name: getattr(step.faults, name) for name in step.faults.__struct_fields__}
    found = {name: "" if value is None else round(value) for name, value in (row | faults).items()}
    return {**found, "broken_off": step.broken_off}


def _percent(value: float | None) -> float | None:
    return None if value is None else value * 100
