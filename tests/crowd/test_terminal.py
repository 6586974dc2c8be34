"""The terminal shows each step as it is played; a file gets plain lines; the end is an answer."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from crowd import samples
from killer.crowd.figures import Faults, Report, Times
from killer.crowd.terminal import Terminal
from killer.crowd.verdict import judge
from killer.language import LANGUAGES, say, speaking

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"
RED = "\x1b[1;31m"
COLOUR = re.compile(r"\x1b\[[\d;]*m")


def console(width: int = 80, *, terminal: bool) -> Console:
    return Console(
        file=io.StringIO(),
        width=width,
        height=50,
        force_terminal=terminal,
        color_system="standard" if terminal else None,
        _environ={},
    )


def written(on: Console) -> str:
    assert isinstance(on.file, io.StringIO)
    return on.file.getvalue().replace("\u00a0", " ").replace("\u202f", " ")


def played(report: Report, on: Console) -> str:
    with Terminal(on) as terminal:
        for step in report.steps:
            terminal.began(step.phones)
            terminal.moment("arrival")
            terminal.sample(samples.sample(phones=step.phones))
            terminal.ended(step)
    return written(on)


def last_look(report: Report, on: Console) -> str:
    """Give what remains on the screen: what was drawn after the last time it was wiped."""
    return played(report, on).rsplit("\x1b[2K", 1)[-1]


def concluded(report: Report, width: int = 80) -> str:
    on = console(width, terminal=False)
    Terminal(on).conclude(judge(report), Path("essai"))
    return written(on)


def test_a_file_gets_one_line_for_each_moment_and_step() -> None:
    lines = played(samples.report(samples.step(100)), console(terminal=False)).splitlines()
    assert lines[:2] == ["100 joueurs : l'étape commence.", "100 joueurs : arrivée de tous."]
    assert lines[2].startswith("100 joueurs : 70 req/s, p50 9,6 ms, p95 38 ms, p99 67 ms")
    assert "mort → dernier téléphone : 69 ms, CPU 36 %, RAM 7,2 %, 100 flux." in lines[2]
    assert len(lines) == 3


def test_a_file_gets_no_colour_and_no_moving_table() -> None:
    assert "\x1b" not in played(samples.slow(), console(terminal=False))


def test_a_file_is_told_every_red_line_and_every_kind_of_error() -> None:
    told = played(samples.slow(), console(terminal=False))
    assert "37 refus « trop occupé » (503), 4 réponses jamais venues" in told
    assert "50 joueurs : Temps de réponse (95 % des requêtes) : 812 ms" in told
    assert "100 joueurs : Morts perdues : 1" in told


def test_a_terminal_shows_a_line_for_each_step() -> None:
    shown = last_look(samples.report(), console(terminal=True))
    rows = [COLOUR.sub("", line).split() for line in shown.splitlines() if "%" in line]
    assert [row[0] for row in rows] == ["5", "10", "25", "50", "100"]
    assert " ".join(rows[-1]) == "100 70 9,6 38 67 0 0 0 0 69 36 % 7,2 % 100"


def test_what_is_missed_is_red() -> None:
    assert f"{RED}812" in last_look(samples.slow(), console(terminal=True)).replace(" ", "")
    assert RED not in last_look(samples.report(), console(terminal=True))


def test_a_step_that_runs_shows_what_was_just_seen_and_how_far_it_is() -> None:
    on = console(terminal=True)
    with Terminal(on) as terminal:
        terminal.began(100)
        terminal.moment("burst")
        terminal.sample(samples.sample(phones=77, cpu=0.91, errors=3))
        shown = written(on)
    assert "étape de 100 · rafale de morts" in shown
    assert f"{RED}3 erreurs" in shown
    assert f"{RED}91%" in shown.replace(" ", "")
    assert "77" in shown


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal(width: int, language: str) -> None:
    looks = {"force_terminal": True, "no_color": True, "_environ": {}}  # wherever the tests run
    on = Console(file=io.StringIO(), width=width, height=50, **looks)
    with speaking(language):
        large = samples.step(1000, times=Times(90_000, 1930, 12_930, 19_300, 30_000), rate=1234)
        shown = played(samples.report(large), on)
    rows = [row for row in shown.splitlines() if "\x1b" not in row and row.strip()]
    assert rows
    assert max(cell_len(row.rstrip()) for row in rows) <= width
    assert "…" not in shown


def test_a_wide_terminal_shows_more() -> None:
    assert "Fuites" not in played(samples.report(), console(80, terminal=True))
    assert "Fuites" in played(samples.report(), console(120, terminal=True))


def interrupted(on: Console) -> None:
    with Terminal(on) as terminal:
        terminal.began(5)
        raise KeyboardInterrupt


def test_the_cursor_comes_back_when_somebody_interrupts() -> None:
    on = console(terminal=True)
    with pytest.raises(KeyboardInterrupt):
        interrupted(on)
    assert HIDE in written(on)
    assert written(on).rindex(SHOW) > written(on).rindex(HIDE)


def test_what_is_unknown_is_a_dash() -> None:
    assert "%" not in last_look(samples.unknown(), console(terminal=True))
    untold = samples.report(samples.step(100, faults=Faults(leaked=None)))
    shown = last_look(untold, console(120, terminal=True))
    (row,) = (line for line in shown.splitlines() if "%" in line)
    assert COLOUR.sub("", row).split()[-2:] == [say("verdict.sign.unknown"), "0"]


def test_a_moment_that_nobody_knows_breaks_nothing() -> None:
    on = console(terminal=True)
    with Terminal(on) as terminal:
        terminal.began(5)
        terminal.moment("siesta")
    assert "siesta" in written(on)


def test_the_end_is_the_verdict_line_by_line_the_answer_and_the_place() -> None:
    told = concluded(samples.slow())
    assert "✗ Refus « trop occupé » (503) : 37, alors qu'il fallait 0." in told
    assert "✓ Mémoire du serveur : 7,2 % (il fallait moins de 50 %)." in told
    assert "100 personnes ? NON, mais 25 : OUI" in told
    assert told.rstrip().endswith("Rapports : essai")


def test_the_end_of_a_good_test_is_yes() -> None:
    assert "1 000 personnes ? OUI" in concluded(samples.large())


def test_the_end_says_what_was_not_measured() -> None:
    assert "Processeur du serveur : non mesuré." in concluded(samples.unknown())


@pytest.mark.parametrize("words", ["[red]boo[/red]", "[/x]", ":heart:"])
def test_a_server_cannot_colour_the_terminal(words: str) -> None:
    broken_off = samples.report(samples.step(5, broken_off=words))
    assert words in concluded(broken_off)
    assert words in played(broken_off, console(terminal=False))


def test_the_reports_may_lie_in_a_folder_of_any_name() -> None:
    on = console(terminal=False)
    Terminal(on).conclude(judge(samples.slow()), Path("[/x] :heart:"))
    assert written(on).rstrip().endswith("[/x] :heart:")
