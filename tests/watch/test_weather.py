"""Green, orange, red: what each figure means, and that nothing flickers."""

from __future__ import annotations

from typing import Any

import pytest

from killer.watch import weather
from killer.watch.weather import Colour, Sheet, aged, judge, worst
from watch.skies import LEVEL, judged, seen

GREEN, ORANGE, RED = Colour
MB = 1_000_000

#: What is seen, the line that it concerns, its colour and the code of its sentence.
CASES: list[tuple[dict[str, Any], str, Colour, str]] = [
    ({"p95": 0.39}, "answers", GREEN, "green"),
    ({"p95": 0.4}, "answers", ORANGE, "orange"),
    ({"p95": 0.499}, "answers", ORANGE, "orange"),
    ({"p95": 0.5}, "answers", RED, "red"),
    ({"p95": 2.0, "answers": 19}, "answers", GREEN, "few"),
    ({"p95": None, "answers": 0}, "answers", GREEN, "few"),
    ({"alive": None}, "answers", RED, "mute"),
    ({"alive": 3.0, "p95": 0.01}, "answers", RED, "mute"),
    ({"cpu": 0.3, "machine_cpu": 0.5}, "cpu", GREEN, "green"),
    ({"cpu": 0.6, "machine_cpu": 0.7}, "cpu", ORANGE, "orange"),
    ({"cpu": 0.8, "machine_cpu": 0.8}, "cpu", RED, "red"),
    ({"cpu": 0.1, "machine_cpu": 0.7}, "cpu", ORANGE, "orange_other"),
    ({"cpu": 0.39, "machine_cpu": 0.8}, "cpu", RED, "red_other"),
    ({"memory": 0.39, "machine_memory": 0.5}, "memory", GREEN, "green"),
    ({"memory": 0.41, "machine_memory": 0.5}, "memory", ORANGE, "orange_own"),
    ({"memory": 0.5, "machine_memory": 0.6}, "memory", RED, "red_own"),
    ({"memory": 0.1, "machine_memory": 0.85}, "memory", ORANGE, "orange"),
    ({"memory": 0.6, "machine_memory": 0.95}, "memory", RED, "red"),
    ({"refused": 0}, "refused", GREEN, "green"),
    ({"refused": 1}, "refused", ORANGE, "orange"),
    ({"refused": 10}, "refused", RED, "red"),
    ({"late": 1}, "late", ORANGE, "orange"),
    ({"late": 10}, "late", RED, "red"),
    ({"killed": 1}, "late", RED, "red_killed"),
    ({"delay": None}, "delay", GREEN, "none"),
    ({"delay": 0.2}, "delay", GREEN, "green"),
    ({"delay": 0.6}, "delay", ORANGE, "orange"),
    ({"delay": 1.0}, "delay", RED, "red"),
    ({"phones": 0, "phones_before": 9}, "phones", GREEN, "green"),
    ({"phones": 21, "phones_before": 40}, "phones", GREEN, "green"),
    ({"phones": 19, "phones_before": 40}, "phones", ORANGE, "orange"),
    ({"disk_free": 1001 * MB}, "disk", GREEN, "green"),
    ({"disk_free": 1000 * MB}, "disk", ORANGE, "orange"),
    ({"disk_free": 200 * MB}, "disk", RED, "red"),
    ({"disk_free": 0}, "disk", RED, "red"),
    ({"backup": None}, "backup", RED, "red_none"),
    ({"backup": None, "playing": False}, "backup", GREEN, "green_none"),
    ({"backup": None, "backed_up": 60.0}, "backup", GREEN, "green_elsewhere"),
    ({"backup": 7200.0, "backed_up": 60.0}, "backup", GREEN, "green_elsewhere"),
    ({"backup": 60.0, "backed_up": 7200.0}, "backup", GREEN, "green"),
    ({"backup": None, "backed_up": 7200.0}, "backup", RED, "red"),
    ({"backup": 86400.0, "playing": False}, "backup", GREEN, "green"),
    ({"backup": 1199.0}, "backup", GREEN, "green"),
    ({"backup": 1200.0}, "backup", ORANGE, "orange"),
    ({"backup": 3600.0}, "backup", RED, "red"),
    ({"backup": None, "playing": None}, "backup", GREEN, "green_none"),
    ({"backup": 3599.0, "backup_every": 1800.0}, "backup", GREEN, "green"),
    ({"backup": 3600.0, "backup_every": 1800.0}, "backup", ORANGE, "orange"),
    ({"faults": 0}, "ring", GREEN, "green"),
    ({"faults": 1}, "ring", RED, "red"),
    ({"faults": None}, "ring", ORANGE, "unknown"),
    ({"state": "silent"}, "database", RED, "red_silent"),
    ({"state": "locked"}, "database", RED, "red_locked"),
    ({"state": "full"}, "database", RED, "red_full"),
    ({"alone": 0.0}, "keeper", GREEN, "green"),
    ({"alone": 5.0}, "keeper", ORANGE, "orange"),
    ({"alone": 60.0}, "keeper", RED, "red"),
    ({"alone": None}, "keeper", ORANGE, "unknown"),
    ({"sheet": LEVEL}, "sheet", GREEN, "green"),
    ({"sheet": Sheet()}, "sheet", ORANGE, "never"),
    ({"sheet": Sheet(behind=40.0, read=5.0)}, "sheet", ORANGE, "orange"),
    ({"sheet": Sheet(behind=700.0, read=5.0)}, "sheet", RED, "red"),
    ({"sheet": Sheet(read=200.0, overdue=170.0)}, "sheet", ORANGE, "orange_silent"),
    ({"sheet": Sheet(read=5.0, trouble="google.quota", since=0.0)}, "sheet", ORANGE, "orange_cut"),
    ({"sheet": Sheet(trouble="google.quota", since=600.0)}, "sheet", RED, "red_cut"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "name", "colour", "code"), CASES, ids=str)
def test_each_figure_has_its_colour(
    what: dict[str, Any], name: str, colour: Colour, code: str
) -> None:
    line = judged(seen(**what))[name]
    assert (line.colour, line.code) == (colour, code)
    assert not line.figure or line.figure in line.params


def test_on_a_good_day_all_is_green() -> None:
    lines = judge(seen(sheet=LEVEL), {})
    assert worst(lines) is GREEN
    assert tuple(line.name for line in lines) == weather.NAMES


def test_without_a_sheet_nothing_is_said_of_it() -> None:
    assert "sheet" not in judged(seen())


def test_the_whole_is_as_bad_as_its_worst_line() -> None:
    assert worst(judge(seen(refused=1), {})) is ORANGE
    assert worst(judge(seen(refused=1, faults=3), {})) is RED
    assert worst(()) is RED, "nothing measured is no good news"


@pytest.mark.parametrize(
    ("name", "bad", "nearly", "well"),
    [
        ("answers", {"p95": 0.51}, {"p95": 0.46}, {"p95": 0.44}),
        ("cpu", {"machine_cpu": 0.81}, {"machine_cpu": 0.73}, {"machine_cpu": 0.71}),
        ("memory", {"machine_memory": 0.93}, {"machine_memory": 0.84}, {"machine_memory": 0.82}),
        ("disk", {"disk_free": 199 * MB}, {"disk_free": 220 * MB}, {"disk_free": 230 * MB}),
        ("delay", {"delay": 1.1}, {"delay": 0.92}, {"delay": 0.88}),
    ],
)
def test_what_was_red_stays_red_until_it_is_clearly_better(
    name: str, bad: dict[str, Any], nearly: dict[str, Any], well: dict[str, Any]
) -> None:
    red = seen(**bad)
    assert judged(red)[name].colour is RED
    assert judged(seen(**nearly), before=red)[name].colour is RED
    assert judged(seen(**nearly))[name].colour is ORANGE, "nobody came from red"
    assert judged(seen(**well), before=red)[name].colour is ORANGE


def test_lines_from_the_past_say_so_first() -> None:
    lines = judge(seen(), {})
    assert aged(lines, 15.0) == lines
    first = aged(lines, 15.1)[0]
    assert (first.name, first.colour, first.params) == ("measure", RED, {"age": 15.1})
