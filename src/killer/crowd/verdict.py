"""What a load test proves: each line held against what it found, and the crowd that is held."""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec
from babel.numbers import format_decimal

from killer.crowd.figures import KINDS, Report, Step
from killer.language import current, say

#: What has to stay below its limit: milliseconds, milliseconds, and shares of the machine.
LIMITS = {"p95": 500.0, "delay": 1000.0, "cpu": 0.80, "memory": 0.50}
#: What must not happen once, in the order in which it is told.
FAULTS = ("lost", "doubled", "ring", "signed_out", "gaps", "leaked")
#: What nobody can see while no stream is open.
ON_STREAMS = frozenset({"dropped", "gaps", "leaked"})
#: What nobody can see while nobody falls.
ON_DEATHS = frozenset({"lost", "doubled"})
#: Every line, in the order in which it is told.
CODES = ("played", *KINDS, *LIMITS, *FAULTS)
#: The parts of a step, in the order in which they are played.
MOMENTS = ("arrival", "start", "play", "burst", "reconnection", "quiet")
NEARLY = 0.8  # of a limit: still green, but worth a look
TENTHS_BELOW, HUNDREDTHS_BELOW = 10, 1


class Line(msgspec.Struct, frozen=True):
    """One criterion: `found` has to be below `wanted`, or not above it when that is 0."""

    code: str
    wanted: float
    found: float | None  # milliseconds, a share or a count; None: not measured
    passed: bool | None  # None: not measured, neither green nor red
    phones: int  # of the step that it speaks of
    why: str = ""  # the step was broken off

    @property
    def name(self) -> str:
        """Say what is judged."""
        return say(f"verdict.line.{self.code}")

    @property
    def aim(self) -> str:
        """Say what was wanted, with its unit."""
        if self.code == "played":
            return say("verdict.to_the_end")
        return f"<\u00a0{amount(self.code, self.wanted)}" if self.code in LIMITS else "0"

    @property
    def result(self) -> str:
        """Say what was found, with its unit."""
        if self.code == "played":
            return say("verdict.to_the_end" if self.passed else "verdict.not_to_the_end")
        return amount(self.code, self.found)

    @property
    def cure(self) -> str:
        """Say what to do next when this line is red."""
        return say(f"verdict.cure.{self.code}")

    @property
    def state(self) -> str:
        """Say in a word how it went: green, near (still green), red or unknown."""
        if self.passed is None:
            return "unknown"
        near = self.code in LIMITS and (self.found or 0) >= NEARLY * self.wanted
        return ("near" if near else "green") if self.passed else "red"

    @property
    def sentence(self) -> str:
        """Say it all, as a person would."""
        wanted = amount(self.code, self.wanted)
        if self.code in LIMITS:
            wanted = say("verdict.under", value=wanted)
        words = {"line": self.name, "found": self.result, "wanted": wanted}
        if self.passed is None:
            return say("verdict.unknown", line=self.name)
        if self.passed:
            return self.name if self.code == "played" else say("verdict.green", **words)
        what = say("verdict.broken") if self.code == "played" else say("verdict.red", **words)
        return " ".join(filter(None, (what, self.why, self.cure)))


class Size(msgspec.Struct, frozen=True):
    """The lines of one step, or the worst of all steps."""

    phones: int
    lines: tuple[Line, ...]

    @property
    def passed(self) -> bool:
        """Tell whether no line is red."""
        return not self.red

    @property
    def red(self) -> tuple[Line, ...]:
        """Give the lines that were missed."""
        return tuple(line for line in self.lines if line.passed is False)

    @property
    def unknown(self) -> tuple[Line, ...]:
        """Give the lines that nobody measured."""
        return tuple(line for line in self.lines if line.passed is None)


class Verdict(msgspec.Struct, frozen=True):
    """Every step with its lines, and the worst of each line over all of them."""

    steps: tuple[Size, ...]
    whole: Size
    asked: int  # the largest crowd that was asked for, even when the test never came to it

    @property
    def passed(self) -> bool:
        """Tell whether every step was played and passed."""
        return 0 < self.asked <= self.holds

    @property
    def holds(self) -> int:
        """Give the size of the largest step up to which no line of any step is red; 0: none."""
        held = 0
        for size in sorted({step.phones for step in self.steps}):
            if not all(step.passed for step in self.steps if step.phones == size):
                break
            held = size
        return held

    def size(self, phones: int) -> Size:
        """Give the step of that size; the last one, if it was played more than once."""
        return next(step for step in reversed(self.steps) if step.phones == phones)

    @property
    def rows(self) -> list[tuple[Line, tuple[Line, ...]]]:
        """Give each criterion: its worst line, and its line of every step."""
        columns = zip(*(step.lines for step in self.steps), strict=True)
        return list(zip(self.whole.lines, columns, strict=True))

    @property
    def question(self) -> str:
        """Ask what the organiser asks."""
        return say("verdict.question", n=self.asked, players=number(self.asked))

    @property
    def answer(self) -> str:
        """Answer it in a word, or with what holds instead."""
        if self.passed:
            return say("verdict.yes")
        return say("verdict.but", players=number(self.holds)) if self.holds else say("verdict.no")


def judge(report: Report) -> Verdict:
    """Hold everything that was found against what is wanted."""
    steps = tuple(Size(step.phones, lines_of(step)) for step in report.steps)
    worst = (_worst(each.lines[i] for each in steps) for i in range(len(CODES)) if steps)
    largest = max((s.phones for s in steps), default=0)
    return Verdict(steps, Size(largest, tuple(worst)), max(largest, *report.asked, 0))


def lines_of(step: Step) -> tuple[Line, ...]:
    """Hold what a step found against what is wanted."""
    return tuple(_lines(step))


def _lines(step: Step) -> Iterable[Line]:
    ended = not step.broken_off and step.times.count > 0
    yield Line("played", 1, float(ended), ended, step.phones, step.broken_off)
    for code in CODES[1:]:
        found, wanted = _found(step, code), LIMITS.get(code, 0)
        passed = None if found is None else found < wanted or found == 0
        yield Line(code, wanted, found, passed, step.phones)


def _found(step: Step, code: str) -> float | None:
    """Give what was measured; None where nobody could have seen it."""
    if code in LIMITS:
        return _measured(step, code)
    if count := _count(step, code):
        return count
    unseen = (
        step.times.count == 0
        or (code in FAULTS and bool(step.broken_off))
        or (code in ON_STREAMS and step.streams == 0)
        or (code in ON_DEATHS and step.deaths == 0)
        or (code in FAULTS and getattr(step.faults, code) is None)
    )
    return None if unseen else 0


def _measured(step: Step, code: str) -> float | None:
    if code == "p95":
        return step.times.p95 if step.times.count else None
    if code == "delay":
        return _delay(step)
    return step.cpu if code == "cpu" else step.memory


def _delay(step: Step) -> float | None:
    """Give how long a death takes; for ever, when there were streams and none told of it."""
    if step.delay.count:
        return step.delay.p95
    return math.inf if step.deaths and step.streams and not step.broken_off else None


def _count(step: Step, code: str) -> int:
    if code in FAULTS:
        return int(getattr(step.faults, code) or 0)
    strange = sum(n for kind, n in step.errors.items() if kind not in KINDS)
    return step.errors.get(code, 0) + (strange if code == "http" else 0)


def _worst(lines: Iterable[Line]) -> Line:
    """Give the line that is reddest, or nearest to it; one that was measured, if there is one."""
    rank = {False: 2, True: 1, None: 0}
    return max(lines, key=lambda line: (rank[line.passed], line.found or 0))


def amount(code: str, value: float | None) -> str:
    """Write a figure of that line with its unit."""
    if value is None:
        return say("verdict.not_measured")
    if math.isinf(value):
        return say("verdict.never")
    if code in {"cpu", "memory"}:
        return share(value)
    return milliseconds(value) if code in {"p95", "delay"} else number(value)


def moment(name: str) -> str:
    """Say what a moment of a step is called."""
    return say(f"verdict.moment.{name}") if name in MOMENTS else name


def inside(words: str) -> str:
    """Give words as they are written inside a sentence."""
    return words[0].lower() + words[1:]


def milliseconds(value: float) -> str:
    """Write a duration in milliseconds."""
    return f"{number(value)}\u00a0ms"


def share(value: float | None) -> str:
    """Write a share between 0 and 1 in percent."""
    if value is None:
        return say("verdict.not_measured")
    return say("verdict.percent", value=number(value * 100))


def number(value: float) -> str:
    """Write a number as the reader's language does, shorter the larger it is.

    It is cut, not rounded: 499.7 of 500 allowed must not read as 500.
    """
    digits = 2 if value < HUNDREDTHS_BELOW else 1 if value < TENTHS_BELOW else 0
    cut = math.floor(round(value * 10**digits, 6)) / 10**digits
    return format_decimal(cut, locale=current(), decimal_quantization=False)
