"""What was seen of the server becomes green, orange or red, line by line, without flickering."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import IntEnum

import msgspec

MINUTE, HOUR = 60.0, 3600.0  # seconds
MEGABYTE = 1_000_000

FEW = 20  # answers in a minute, below which a percentile says nothing
SLOW = (0.4, 0.5)  # seconds for 95 of 100 answers: look at it, missed
MUTE = 3.0  # seconds after which a server that says nothing doesn't answer
BUSY = (0.65, 0.8)  # of all cores
HEAVY = (0.4, 0.5)  # of the memory, for the server alone
CROWDED = (0.8, 0.92)  # of the memory, for everything on the machine
REFUSED = (1, 10)  # answers 503 in a minute
LATE = (1, 10)  # answers after more than 15 s in a minute
CROWD = 10  # phones of which so many don't hang up by chance
TOLD_LATE = (0.5, 1.0)  # seconds from a death to the phones
SHEET_LATE = (30.0, 10 * MINUTE)  # seconds that the sheet is behind
DISK = (1000 * MEGABYTE, 200 * MEGABYTE)  # free bytes
SHEET_SILENT = 2 * MINUTE  # after a reading was due
BACKUP = (2.0, 6.0)  # age of the newest while people play, in times of how often one is made
ALONE = (1.0, MINUTE)  # seconds that nobody keeps the sheet and the errands
FRESH = 15.0  # seconds that a measurement counts as present
CALM = 0.9  # of a limit: what has crossed it must fall so far to be well again

Params = dict[str, float | str]


class Colour(IntEnum):
    """How bad it is; the whole is as bad as its worst line."""

    GREEN = 0
    ORANGE = 1
    RED = 2

    @property
    def word(self) -> str:
        """Give its name in small letters."""
        return self.name.lower()


class Sheet(msgspec.Struct, frozen=True):
    """How level the Google Sheet is; `trouble` is the key of a sentence that `details` fill.

    Seconds: `behind` the game, since the last reading (`read`, None: never), since the next one was
    due, with that trouble.
    """

    behind: float = 0.0
    read: float | None = None
    overdue: float = 0.0
    trouble: str = ""
    details: dict[str, str] = {}
    since: float = 0.0


class Pulse(msgspec.Struct, frozen=True):
    """What only the database knows.

    `state` is ok, silent (nothing can be read), locked or full (nothing can be written). The rest
    is None when it can't be known: whether people play, by how many faults the games break their
    laws, the seconds since somebody kept the sheet and the errands, the sheet if there is one, and
    the age of the newest backup when another machine that shares the database has made it.
    """

    state: str = "ok"
    playing: bool | None = None
    faults: int | None = None
    alone: float | None = None
    sheet: Sheet | None = None
    backed_up: float | None = None
    backed_up_on: str = ""


class Observation(msgspec.Struct, frozen=True):
    """Everything that was seen at one moment; shares are of the whole machine, times in seconds."""

    at: float  # seconds since 1970, UTC
    answers: int = 0  # in the last minute, without files and monitors
    p95: float | None = None  # of these
    alive: float | None = 0.0  # until the server said that it is there; None: it didn't
    cpu: float = 0.0
    machine_cpu: float = 0.0
    memory: float = 0.0
    machine_memory: float = 0.0
    refused: int = 0  # answers 503 in the last minute
    late: int = 0  # answers after more than 15 s in the last minute
    killed: int = 0  # workers that were replaced because they hung, in the last 5 minutes
    phones: int = 0
    phones_before: int = 0  # a minute ago
    delay: float | None = None  # p95 from a death to the phones, in the last 5 minutes
    disk_free: int = 10**12  # bytes
    backup: float | None = None  # age of the newest on this machine; None: there is none
    backup_every: float = 10 * MINUTE  # how often one is made by itself
    pulse: Pulse = Pulse()


class Line(msgspec.Struct, frozen=True):
    """One line: `weather.<name>.<code>` is the sentence that `params` fill.

    The params are named by what they are, so that whoever says them knows how: time, share, size,
    age, n; `figure` names the one that is shown in large.
    """

    name: str
    colour: Colour
    code: str
    params: Params = {}
    figure: str = ""


def judge(seen: Observation, before: Mapping[str, Colour]) -> tuple[Line, ...]:
    """Give all lines in their usual order; `before` has the colours of the last judgement."""
    held = {name: before.get(name, Colour.GREEN) for name in NAMES}
    return (
        _database(seen),
        _ring(seen),
        _answers(seen, held["answers"]),
        _refused(seen),
        _late(seen),
        _delay(seen, held["delay"]),
        _phones(seen),
        _cpu(seen, held["cpu"]),
        _memory(seen, held["memory"]),
        _disk(seen, held["disk"]),
        _backup(seen),
        _keeper(seen),
        *_sheet(seen),
    )


NAMES = (
    "database", "ring", "answers", "refused", "late", "delay", "phones", "cpu", "memory", "disk",
    "backup", "keeper", "sheet",
)  # fmt: skip


def worst(lines: tuple[Line, ...]) -> Colour:
    """Give the colour of the whole."""
    return max((line.colour for line in lines), default=Colour.RED)


def colours(lines: tuple[Line, ...]) -> dict[str, Colour]:
    """Give what the next judgement wants to know of this one."""
    return {line.name: line.colour for line in lines}


def aged(lines: tuple[Line, ...], age: float) -> tuple[Line, ...]:
    """Put before all others that the lines are from the past, when they are older than 15 s."""
    if age <= FRESH:
        return lines
    return (Line("measure", Colour.RED, "red", {"age": age}, "age"), *lines)


def _grade(value: float, limits: tuple[float, float], held: Colour = Colour.GREEN) -> Colour:
    """Grade what is better small; a colour once taken is kept until it is clearly better."""
    for colour, limit in ((Colour.RED, limits[1]), (Colour.ORANGE, limits[0])):
        if value >= (limit * CALM if held >= colour else limit):
            return colour
    return Colour.GREEN


def _line(name: str, colour: Colour, params: Params, figure: str = "", cause: str = "") -> Line:
    """Make a line whose sentence is named by its colour, and by its cause where there are many."""
    code = f"{colour.word}_{cause}" if cause else colour.word
    return Line(name, colour, code, params, figure)


def _unknown(name: str) -> Line:
    return Line(name, Colour.ORANGE, "unknown")


def _answers(seen: Observation, held: Colour) -> Line:
    if seen.alive is None or seen.alive >= MUTE:
        return Line("answers", Colour.RED, "mute")
    if seen.p95 is None or seen.answers < FEW:
        return Line("answers", Colour.GREEN, "few", {"time": seen.alive}, "time")
    colour = _grade(seen.p95, SLOW, held)
    return _line("answers", colour, {"time": seen.p95, "limit_time": SLOW[1]}, "time")


def _cpu(seen: Observation, held: Colour) -> Line:
    """Blame the game only for what it uses itself."""
    busiest = max(seen.cpu, seen.machine_cpu)
    params: Params = {"share": busiest, "own_share": seen.cpu, "limit_share": BUSY[1]}
    colour = _grade(busiest, BUSY, held)
    other = colour and seen.cpu < busiest / 2
    return _line("cpu", colour, params, "share", "other" if other else "")


def _memory(seen: Observation, held: Colour) -> Line:
    params: Params = {"share": seen.machine_memory, "own_share": seen.memory}
    own = _grade(seen.memory, HEAVY, held)
    whole = _grade(seen.machine_memory, CROWDED, held)
    if whole >= own:
        return _line("memory", whole, params, "share")
    return _line("memory", own, {**params, "limit_share": HEAVY[1]}, "own_share", "own")


def _refused(seen: Observation) -> Line:
    return _line("refused", _grade(seen.refused, REFUSED), {"n": seen.refused}, "n")


def _late(seen: Observation) -> Line:
    if seen.killed:
        return _line("late", Colour.RED, {"n": seen.killed}, "n", "killed")
    return _line("late", _grade(seen.late, LATE), {"n": seen.late}, "n")


def _phones(seen: Observation) -> Line:
    """Tell how many; half of a crowd that leaves within a minute has lost its network."""
    gone = seen.phones_before - seen.phones
    fled = gone >= CROWD and gone > seen.phones_before / 2
    params: Params = {"n": seen.phones, "before": seen.phones_before}
    return _line("phones", Colour.ORANGE if fled else Colour.GREEN, params, "n")


def _delay(seen: Observation, held: Colour) -> Line:
    if seen.delay is None:
        return Line("delay", Colour.GREEN, "none")
    params: Params = {"time": seen.delay, "limit_time": TOLD_LATE[1]}
    return _line("delay", _grade(seen.delay, TOLD_LATE, held), params, "time")


def _disk(seen: Observation, held: Colour) -> Line:
    """Grade how much less is left than should be."""
    orange, red = DISK
    lack = red / max(seen.disk_free, 1)
    colour = _grade(lack, (red / orange, 1.0), held)
    return _line("disk", colour, {"size": float(seen.disk_free)}, "size")


def _backup(seen: Observation) -> Line:
    playing = seen.pulse.playing
    ages = [age for age in (seen.backup, seen.pulse.backed_up) if age is not None]
    if not ages:
        colour = Colour.RED if playing else Colour.GREEN
        return _line("backup", colour, {}, cause="none")
    age = min(ages)
    colour = _grade(age / seen.backup_every, BACKUP) if playing else Colour.GREEN
    if colour is Colour.GREEN and age == seen.pulse.backed_up:
        where: Params = {"age": age, "machine": seen.pulse.backed_up_on}
        return _line("backup", colour, where, "age", cause="elsewhere")
    return _line("backup", colour, {"age": age}, "age")


def _ring(seen: Observation) -> Line:
    if seen.pulse.faults is None:
        return _unknown("ring")
    colour = Colour.RED if seen.pulse.faults else Colour.GREEN
    return _line("ring", colour, {"n": seen.pulse.faults})


def _database(seen: Observation) -> Line:
    state = seen.pulse.state
    if state == "ok":
        return Line("database", Colour.GREEN, "green")
    return Line("database", Colour.RED, f"red_{state}")


def _keeper(seen: Observation) -> Line:
    alone = seen.pulse.alone
    if alone is None:
        return _unknown("keeper")
    colour = _grade(alone, ALONE)
    return _line("keeper", colour, {"age": alone} if colour else {}, "age" if colour else "")


def _sheet(seen: Observation) -> Iterator[Line]:
    """Say how level the sheet is, if there is one; the game itself goes on without it."""
    sheet = seen.pulse.sheet
    if sheet is None:
        return
    if sheet.trouble:
        colour = max(Colour.ORANGE, _grade(sheet.since, (0.0, SHEET_LATE[1])))
        yield _line("sheet", colour, {"age": sheet.since}, "age", "cut")
    elif sheet.read is None:
        yield Line("sheet", Colour.ORANGE, "never")
    elif sheet.overdue > SHEET_SILENT:
        yield _line("sheet", Colour.ORANGE, {"age": sheet.read}, "age", "silent")
    else:
        colour = _grade(sheet.behind, SHEET_LATE)
        yield _line("sheet", colour, {"age": sheet.behind if colour else sheet.read}, "age")
