"""A load test as its terminal shows it: a table that grows, then the verdict in large letters."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from killer.crowd.figures import KINDS, Sample, Step
from killer.crowd.verdict import (
    LIMITS,
    MOMENTS,
    NEARLY,
    Verdict,
    inside,
    lines_of,
    milliseconds,
    moment,
    number,
    share,
)
from killer.language import say

COLOURS = {"green": "green", "near": "yellow", "red": "bold red", "unknown": "bright_black"}
#: What is seen on a narrow terminal too, with the widest that a column gets.
COLUMNS = (
    ("players", 7),
    ("rate", 6),
    ("p50", 5),
    ("p95", 5),
    ("p99", 5),
    ("503", 3),
    ("late", 5),
    ("cut", 5),
    ("other", 5),
    ("death", 5),
    ("cpu", 5),
    ("memory", 5),
    ("streams", 5),
)
#: What a wide terminal has room for besides.
MORE = (("worst", 7), ("peak", 7), ("leaked", 7), ("lost", 7))
WIDE = 110
PLAIN = {"p50", "p95", "p99", "503"}  # written alike in every language
APART = ("503", "timeout", "dropped")  # errors with a column of their own


class Terminal:
    """What people see while a crowd plays; plain lines where nobody can see a table move."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console()
        self._live = Live(console=self._console, auto_refresh=False, transient=False)
        self._ended: list[Step] = []
        self._phones = 0
        self._moment = ""
        self._sample: Sample | None = None

    def __enter__(self) -> Self:
        """Take the terminal; a file or a pipe gets plain lines instead."""
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the terminal back as it was, however the test ended."""
        self._phones = 0
        self._show()
        self._live.stop()

    def began(self, phones: int) -> None:
        """Show that a step of that many players begins."""
        self._phones, self._moment, self._sample = phones, "", None
        self._show(say("verdict.term.begins", players=number(phones)))

    def moment(self, name: str) -> None:
        """Show which part of the step has begun: arrival, start, play."""
        self._moment = name
        players = number(self._phones)
        self._show(say("verdict.term.moment", players=players, moment=moment(name)))

    def sample(self, sample: Sample) -> None:
        """Show what was just seen; a file is spared these."""
        self._sample = sample
        self._show()

    def ended(self, step: Step) -> None:
        """Show what a step has found."""
        self._ended.append(step)
        self._phones, self._sample = 0, None
        self._show(_in_words(step))

    def conclude(self, verdict: Verdict, folder: Path) -> None:
        """Print the verdict line by line, the answer, and where the reports are."""
        self._live.stop()
        judged = Table.grid(padding=(0, 1, 0, 0))
        for line in verdict.whole.lines:
            sign = say(f"verdict.sign.{line.state}")
            judged.add_row(_cell(sign, line.state), Text(line.sentence))
        colour = "green" if verdict.passed else "red"
        answer = Text(f"{verdict.question} {verdict.answer}", f"bold {colour}")
        framed = Panel.fit(answer, box=box.HEAVY, border_style=colour, padding=(1, 4))
        self._console.print("", judged, "", framed, sep="\n")
        where = Text(say("verdict.term.reports", folder=folder))
        self._console.print(where, soft_wrap=True)

    def _show(self, plain: str = "") -> None:
        """Draw everything again, or say it in a line."""
        if self._live.is_started:
            self._live.update(self._drawn(), refresh=True)
        elif plain and not self._console.is_terminal:
            self._console.print(Text(plain), soft_wrap=True)

    def _drawn(self) -> Group:
        wide = self._console.width >= WIDE
        table = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)
        for name, width in (*COLUMNS, *(MORE if wide else ())):
            heading = name if name in PLAIN else say(f"verdict.term.{name}")
            table.add_column(heading, justify="right", min_width=width, no_wrap=True)
        for step in self._ended:
            table.add_row(*_finished(step, wide=wide))
        if not self._phones:
            return Group(table)
        if self._sample:
            table.add_row(*_running(self._sample))
        key = Text(say("verdict.term.key"), "dim")
        return Group(table, Text(), self._progress(), Text(), key)

    def _progress(self) -> Table:
        """Draw how far the present step is: by its moments, each as long as the others."""
        done = MOMENTS.index(self._moment) + 0.5 if self._moment in MOMENTS else 0
        if self._moment == MOMENTS[0] and self._sample:
            done = self._sample.phones / max(self._phones, 1)
        where = say("verdict.term.where", players=number(self._phones), moment=moment(self._moment))
        count = self._sample.errors if self._sample else 0
        errors = _cell(say("verdict.term.errors", n=count), "red" if count else "green")
        grid = Table.grid(padding=(0, 2, 0, 0))
        bar = ProgressBar(len(MOMENTS), done, width=24, complete_style="green")
        grid.add_row(bar, Text(where), errors)
        return grid


def _finished(step: Step, *, wide: bool) -> list[Text]:
    """Give the cells of a step that was played, each in the colour of its line."""
    states = {line.code: line.state for line in lines_of(step)}
    other = sum(n for kind, n in step.errors.items() if kind not in APART)
    worst = "red" if "red" in states.values() else "green"
    cells = [
        _cell(number(step.phones), worst),
        _cell(number(step.rate)),
        _cell(number(step.times.p50)),
        _cell(number(step.times.p95), states["p95"]),
        _cell(number(step.times.p99)),
        *[_cell(number(step.errors.get(kind, 0)), states[kind]) for kind in APART],
        _cell(number(other), "red" if other else "green"),
        _cell(_when(step), states["delay"]),
        _cell(_percent(step.cpu), states["cpu"]),
        _cell(_percent(step.memory), states["memory"]),
        _cell(number(step.streams)),
    ]
    if wide:
        lost = step.faults.lost + step.faults.doubled
        cells += [
            _cell(number(step.times.worst)),
            _cell(_percent(step.cpu_peak)),
            _cell(_count(step.faults.leaked), states["leaked"]),
            _cell(number(lost), "red" if lost else states["lost"]),
        ]
    return cells


def _running(sample: Sample) -> list[Text]:
    """Give the cells of a step that is being played."""
    blank = _cell("")
    return [
        _cell(number(sample.phones)),
        _cell(number(sample.rate)),
        _cell(number(sample.p50)),
        _cell(number(sample.p95), _state("p95", sample.p95)),
        *[blank] * 6,  # what the end of the step tells: p99, each kind of error, the deaths
        _cell(_percent(sample.cpu), _state("cpu", sample.cpu)),
        _cell(_percent(sample.memory), _state("memory", sample.memory)),
        _cell(number(sample.streams)),
    ]


def _state(code: str, value: float | None) -> str:
    if value is None:
        return "unknown"
    if value >= LIMITS[code]:
        return "red"
    return "near" if value >= NEARLY * LIMITS[code] else "green"


def _cell(words: str, state: str = "") -> Text:
    return Text(words, COLOURS.get(state, ""))


def _when(step: Step) -> str:
    return number(step.last.p95) if step.last.count else say("verdict.sign.unknown")


def _count(value: int | None) -> str:
    return say("verdict.sign.unknown") if value is None else number(value)


def _percent(value: float | None) -> str:
    return say("verdict.sign.unknown") if value is None else share(value)


def _in_words(step: Step) -> str:
    """Say in one line what a step has found, and why it failed if it did."""
    kinds = [
        f"{number(step.errors[kind])} {inside(say(f'verdict.line.{kind}'))}"
        for kind in KINDS
        if step.errors.get(kind)
    ]
    players = number(step.phones)
    found = say(
        "verdict.term.ended",
        players=players,
        rate=number(step.rate),
        p50=milliseconds(step.times.p50),
        p95=milliseconds(step.times.p95),
        p99=milliseconds(step.times.p99),
        errors=", ".join(kinds) or "0",
        last=milliseconds(step.last.p95) if step.last.count else say("verdict.not_measured"),
        cpu=_percent(step.cpu),
        memory=_percent(step.memory),
        streams=number(step.streams),
    )
    missed = [
        say("verdict.term.missed", players=players, sentence=line.sentence)
        for line in lines_of(step)
        if line.passed is False
    ]
    return "\n".join([found, *missed])
