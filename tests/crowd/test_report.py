"""The report answers on top, shows every line, asks for nothing outside, and fits a spreadsheet."""

from __future__ import annotations

import csv
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from crowd import samples
from killer.crowd import figures
from killer.crowd.figures import KINDS, Report, Times
from killer.crowd.report import lasting, page, plots, publish, said
from killer.crowd.verdict import CODES, judge
from killer.language import say, speaking

REPORTS = {
    "green": samples.report(),
    "slow": samples.slow(),
    "broken off": samples.broken_off(),
    "large": samples.large(),
    "unknown": samples.unknown(),
    "nothing": replace(samples.report(), steps=()),
}
#: Elements that never have an end.
VOID = {"meta", "link", "br", "img", "input", "hr"}


class Text(HTMLParser):
    """What a page says, its elements, and whether each one that begins also ends."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> ends another element"

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in {"style", "title"}:
            self.words.append(data)


def parsed(report: Report) -> Text:
    found = Text()
    found.feed(page(report, judge(report)))
    assert not found.open
    return found


def text(report: Report) -> str:
    return " ".join(" ".join(parsed(report).words).split())


def plain(sentence: str) -> str:
    return " ".join(sentence.split())


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_is_a_whole_page_that_asks_for_nothing_outside(name: str) -> None:
    html = page(REPORTS[name], judge(REPORTS[name]))
    told = html.replace(REPORTS[name].host or "-", "")
    addresses = set(re.findall(r"(?:\w+:)?//[^\"' <)]+", told))
    assert addresses <= {"http://www.w3.org/2000/svg"}
    found = parsed(REPORTS[name])
    assert {"script", "img", "iframe"}.isdisjoint(tag for tag, _ in found.seen)
    linked = {v for _, attrs in found.seen for k, v in attrs.items() if k in {"src", "href"}}
    assert linked == {"data:,"}


def test_the_answer_is_the_first_thing_that_is_read() -> None:
    assert "Killer Rapport de capacité 100 personnes ? OUI" in text(samples.report())
    assert "100 personnes ? NON, mais 25 : OUI" in text(samples.slow())


def test_the_page_speaks_english_to_whoever_does() -> None:
    with speaking("en"):
        found = parsed(samples.slow())
        assert ("html", {"lang": "en"}) in found.seen
        assert "100 people? NO, but 25: YES" in plain(" ".join(found.words))


def test_every_line_of_every_step_is_in_the_table_with_a_word_and_a_sign() -> None:
    found = parsed(samples.slow())
    cells = [a for tag, a in found.seen if tag == "td" and "cell" in (a.get("class") or "").split()]
    assert len(cells) == 5 * (len(CODES) + 1)
    words = plain(" ".join(found.words))
    assert "✗ 812 ms rouge" in words
    assert "✓ 78 % vert, de peu" in words
    assert "✗ 37 rouge" in words


def test_a_red_line_says_what_to_do() -> None:
    assert plain(say("verdict.cure.503")) in text(samples.slow())
    assert plain(say("verdict.cure.503")) not in text(samples.report())


@pytest.mark.parametrize("name", [n for n in REPORTS if n != "nothing"])
def test_an_organiser_reads_two_to_six_sentences(name: str) -> None:
    sentences = said(REPORTS[name], judge(REPORTS[name]))
    assert 3 <= len(sentences) <= 6
    assert all(each.endswith(".") for each in sentences)


def sentences_of(**changed: Any) -> str:
    report = samples.report(samples.step(100, **changed))
    return plain(" ".join(said(report, judge(report))))


def test_the_sentences_tell_how_quick_how_much_is_left_and_that_nothing_was_lost() -> None:
    told = sentences_of()
    assert "La moitié des réponses viennent en 9,6 ms, 95 % en moins de 38 ms" in told
    assert "36 % du processeur en moyenne et 7,2 % de la mémoire" in told
    assert "95 % des téléphones le savent en 44 ms, et le dernier en 69 ms" in told
    assert "Les 12 morts annoncées pendant l’essai ont toutes été comptées" in told


def test_a_server_near_its_limit_is_not_called_at_ease() -> None:
    assert "garde de la marge" in sentences_of(cpu=0.5)
    assert "de peu" in sentences_of(cpu=0.78)
    assert "de peu" in sentences_of(memory=0.45)


def test_what_was_not_measured_is_said_beside_the_answer() -> None:
    told = text(samples.unknown())
    assert "100 personnes ? OUI" in told
    assert "n’a pas pu mesurer : processeur du serveur, mémoire du serveur." in told


def test_the_sentences_of_a_failure_begin_with_the_step_that_failed() -> None:
    first, second, *_ = said(samples.slow(), judge(samples.slow()))
    assert plain(first).startswith("À 50 joueurs, temps de réponse (95 % des requêtes) : 812 ms")
    assert plain(second) == "Jusqu’à 25 joueurs, tout est vert."


def test_why_a_step_was_broken_off_is_told() -> None:
    assert "Le serveur ne répond plus depuis 30 s." in text(samples.broken_off())


def test_nothing_played_is_no() -> None:
    told = text(REPORTS["nothing"])
    assert "NON" in told
    assert "il n’y a rien à juger" in told


def test_who_shared_the_cores_is_told() -> None:
    assert "sur la même machine que le serveur et prenaient 31 % de ses cœurs" in text(
        samples.report()
    )
    assert "31 % des cœurs de la machine qui testait" in text(samples.large())


def test_moments_routes_settings_and_machine_are_told() -> None:
    told = text(samples.report())
    wanted = ("rafale de morts", "POST /api/login", "GUNICORN_WORKERS", "AMD EPYC", "0.1.0")
    assert [each for each in wanted if each not in told] == []
    assert "ouverture du flux en direct" in told
    assert "21 novembre 2026, 14:05 (UTC), en 4 min 10 s" in told


def test_what_a_server_says_is_never_read_as_markup() -> None:
    hostile = samples.report(machine="<script>alert(1)</script>", host="<b>x</b>")
    cut = replace(hostile, steps=(samples.step(5, broken_off="<script>x</script>"),))
    tags = {tag for tag, _ in parsed(cut).seen}
    assert "script" not in tags
    assert "<script>alert(1)</script>" in text(cut)


def test_there_is_a_plot_for_everything_that_was_asked_for() -> None:
    drawn = plots(samples.report())
    assert len(drawn) == 6
    limits = [say("verdict.plot.limit", value=value) for value in ("500", "1\u202f000", "80", "50")]
    assert all(any(limit in plot for plot in drawn) for limit in limits)


def test_an_unknown_processor_is_said_to_be_unknown_in_its_plot() -> None:
    assert sum("rien n’a été mesuré" in plot for plot in plots(samples.unknown())) == 4


def test_durations_are_written_as_people_say_them() -> None:
    assert [plain(lasting(each)) for each in (4.2, 59.9, 250)] == ["4,2 s", "59 s", "4 min 10 s"]


def table(report: Report, folder: Path) -> list[dict[str, str]]:
    publish(report, judge(report), folder)
    with (folder / "report.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def test_three_files_are_written_into_a_new_folder(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    publish(samples.report(), judge(samples.report()), folder)
    written = {each.name for each in folder.iterdir()}
    assert written == {"report.html", "report.json", "report.csv"}
    assert figures.read(folder / "report.json") == samples.report()
    assert (folder / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_the_table_has_one_line_for_each_step(tmp_path: Path) -> None:
    rows = table(samples.slow(), tmp_path)
    assert [row["players"] for row in rows] == ["5", "10", "25", "50", "100"]
    assert [row["passed"] for row in rows] == ["1", "1", "1", "0", "0"]
    assert (rows[4]["p95_ms"], rows[4]["errors_503"], rows[4]["lost"]) == ("812", "37", "1")
    assert rows[4]["cpu_percent"] == "93"
    assert {f"errors_{kind}" for kind in KINDS} <= rows[0].keys()


def test_no_spreadsheet_can_take_a_number_for_a_date(tmp_path: Path) -> None:
    rows = table(samples.slow(), tmp_path)
    numbers = [value for row in rows for name, value in row.items() if name != "broken_off"]
    assert [each for each in numbers if not re.fullmatch(r"\d+", each)] == []


def test_what_was_not_measured_is_an_empty_cell(tmp_path: Path) -> None:
    row = table(samples.unknown(), tmp_path)[0]
    assert (row["cpu_percent"], row["memory_percent"], row["memory_bytes"]) == ("", "", "")
    quiet = samples.report(samples.step(5, deaths=0, delay=Times(), last=Times()))
    assert table(quiet, tmp_path)[0]["death_to_phones_p95_ms"] == ""


def test_the_columns_are_the_same_in_every_language(tmp_path: Path) -> None:
    french = table(samples.report(), tmp_path)
    with speaking("en"):
        assert table(samples.report(), tmp_path) == french
