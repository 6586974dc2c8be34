"""The measurement runs, keeps what it finds, and its paper says nothing that wasn't measured."""

from __future__ import annotations

import re
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent.parent))

from benchmarks import (
    answers,
    bare,
    cores,
    deaths,
    figures,
    first_load,
    goals,
    held,
    load,
    paper,
    run,
    servers,
    streams,
    wire,
    worlds,
)
from benchmarks.bench import QUICK, Bench
from benchmarks.book import ABSENT, Book, number
from benchmarks.figures import Figure, Part, Rows
from benchmarks.phones import allow_files

ROOT = Path(__file__).parent.parent
TINY = replace(QUICK, deaths=6, streams=(12,), pairs=1, requests=10, seconds=0.2)
NUMBER = re.compile(r"(?<![\w.,\u202f-])\d[\d\u202f]*(?:,\d+)?")


def part(rows: dict[str, dict[str, float]], **changes) -> Part:
    told = Rows()
    for row, columns in rows.items():
        for column, value in columns.items():
            told.put(row, column, "ms", value)
    machine = replace_machine(figures.machine(), **changes)
    return Part("the command", machine, 1.0, False, {}, dict(told))


def replace_machine(machine: figures.Machine, **changes) -> figures.Machine:
    told = {name: getattr(machine, name) for name in machine.__struct_fields__}
    return figures.Machine(**told | changes)


def numbers(text: str) -> set[str]:
    """Give the numbers of a text, without what stands in commands and addresses."""
    return set(NUMBER.findall(re.sub(r"`[^`]*`|\([^() ]*\)", "", text)))


# --- the measurement ---


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(TINY, worlds.Worlds(tmp_path), tmp_path, lambda _: None)


def test_every_death_of_a_burst_is_found_again_in_the_figures(bench: Bench) -> None:
    for row in deaths.measure(bench).values():
        told = [row[name].value for name in ("déclarées", "acceptées", "gardées", "coups comptés")]
        assert told == [6, 6, 6, 6]
        assert row["hors de l'anneau"].value == 0


def test_streams_are_opened_told_of_a_death_and_closed(bench: Bench) -> None:
    row = streams.measure(bench)["12"]
    assert (row["ouverts"].value, row["atteints"].value, row["perdus"].value) == (12, 12, 0)
    assert row["le dernier"].value > 0


def test_the_first_load_counts_the_page_and_its_files(bench: Bench) -> None:
    rows = first_load.measure(bench)
    parts = [row["taille"].value for name, row in rows.items() if name != "en tout"]
    assert {"GET /", "site.css", "live.js"} <= rows.keys()
    assert rows["en tout"]["taille"].value == pytest.approx(sum(parts), rel=0.001)


def test_three_servers_give_the_same_bytes(bench: Bench, nginx: str) -> None:
    assert nginx
    folder = bench.worlds.fresh(12)
    files = bench.place / "files"
    files.mkdir()
    with servers.killer(folder) as ours:
        cookie = worlds.start(folder, ours)[0].cookie
        asked = [load.Reading(path, cookie) for path in ("/api/me", "/")]
        locations = answers.keep(ours, asked, files)
        kinds = [got(ours.port, each)[0] for each in asked]
        assert load.saturate(ours.port, asked[0], 2, 0.2).count > 0
        assert load.cost(ours, asked[0], 0.2) > 0
    wanted = [(kind, (files / str(n)).read_bytes()) for n, kind in enumerate(kinds)]
    assert b"Joueur" in wanted[0][1]
    theirs = [replace(each, cookie=bare.cookie()) for each in asked]
    with servers.bare(files / answers.INDEX) as yardstick:
        assert [got(yardstick.port, each) for each in theirs] == wanted
    with servers.nginx(files, locations) as limit:
        assert [got(limit.port, each) for each in theirs] == wanted


def got(port: int, reading: load.Reading) -> tuple[str, bytes]:
    with wire.connect(port) as connection:
        head, body = wire.exchange_all(connection, reading.bytes())
    return wire.header(head, "content-type"), body


def test_a_server_is_gone_after_its_block_even_when_that_fails(bench: Bench) -> None:
    folder = bench.worlds.fresh(12)
    with pytest.raises(ZeroDivisionError), servers.killer(folder) as server:
        raise ZeroDivisionError
    assert not server.process.is_running()
    with pytest.raises(OSError, match="refused"):
        wire.connect(server.port)


def test_a_machine_with_too_few_open_files_says_so() -> None:
    with pytest.raises(RuntimeError, match="ulimit"):
        allow_files(10**9)


def test_a_part_that_fails_or_takes_too_long_costs_only_itself() -> None:
    def sleep(_: Bench) -> Rows:
        time.sleep(30)
        return Rows()

    def fail(_: Bench) -> Rows:
        raise RuntimeError("no")

    def succeed(_: Bench) -> Rows:
        rows = Rows()
        rows.put("a", "b", "ms", 3, 1, 2)
        return rows

    plans = {
        "slow": run.Plan(sleep, {}, 0.2),
        "broken": run.Plan(fail, {}, 5),
        "good": run.Plan(succeed, {}, 5),
    }
    kept: list[list[str]] = []
    found = run.run(list(plans), TINY, {}, lambda parts: kept.append(list(parts)), plans)
    assert list(found) == ["good"]
    assert kept == [["good"]]
    assert found["good"].rows["a"]["b"] == Figure(2, "ms", 3, 1, 3)


def test_a_name_means_every_part_that_begins_with_it() -> None:
    assert "crowd-sync" in run.chosen(["crowd"], quick=False)
    assert run.chosen(["streams"], quick=False) == ["streams"]
    with pytest.raises(SystemExit, match="no such part: nothing"):
        run.chosen(["nothing"], quick=False)


def test_figures_are_read_as_they_were_written(tmp_path: Path) -> None:
    parts = {"streams": part({"1000": {"p95": 1.5}})}
    figures.write(parts, tmp_path / "f.json")
    assert figures.read(tmp_path / "f.json") == parts
    assert figures.read(tmp_path / "none.json") == {}


def test_what_another_machine_has_measured_is_measured_again() -> None:
    here, there = part({}), part({}, cores=97)
    assert list(figures.of_here({"here": here, "there": there})) == ["here"]


# --- the paper ---


def test_the_template_itself_holds_no_figure() -> None:
    template = (ROOT / "benchmarks" / paper.TEMPLATE).read_text()
    bare_text = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|<!--.*?-->", "", template, flags=re.DOTALL)
    assert not numbers(bare_text)


def test_without_figures_the_paper_has_no_number_but_the_lines_to_hold() -> None:
    said = paper.text(Book({}), {})
    asked = " ".join(f"{goal.what} {goal.line} {goal.stretch}" for goal in goals.GOALS)
    lines = {number(limit * (100 if limit < 1 else 1)) for limit in paper.LIMITS.values()}
    sizes = {number(n) for n in (*paper.ADVICE, 10_000)}
    assert ABSENT in said
    assert numbers(said) <= numbers(asked) | lines | sizes


def test_the_paper_tells_what_was_measured() -> None:
    parts = {"routes": part({"GET /api/me": {"100": 0.2468, "500": 1234.5}})}
    said = paper.text(Book(parts), {})
    assert "0,247\u00a0ms" in said
    assert "1\u202f230\u00a0ms" in said
    assert "0,247" not in paper.text(Book({"routes": part({"GET /api/me": {"100": 0.9}})}), {})


@pytest.mark.parametrize(("green", "word"), [(1, "OUI"), (0, "NON")])
def test_the_answer_is_what_the_load_test_has_found(green: float, word: str) -> None:
    book = Book({"crowd-standard": part({"100": {"tenu": green}})})
    assert f"**100 personnes ? {word}.**" in paper.text(book, {})


def test_a_stretch_that_is_missed_has_its_reason_told() -> None:
    rows = {
        "au plus vite": {"nombre": 500, "durée": 9.5},
        "argon2id": {"CPU": 31, "durée au moins": 7.75},
    }
    said = paper.text(Book({"signins": part(rows)}), {})
    assert "argon2id : 31\u00a0ms de CPU par mot de passe, donc 7,75\u00a0ms au moins" in said


def test_a_line_is_held_below_its_limit_and_unknown_without_a_figure() -> None:
    test = held.below("a", "row", "column", 500)
    assert test(Book({"a": part({"row": {"column": 499}})})) is True
    assert test(Book({"a": part({"row": {"column": 500}})})) is False
    assert test(Book({})) is None


@pytest.mark.parametrize(
    ("declared", "kept", "ring", "held_"),
    [
        (200, 200, 0, True),
        (200, 199, 0, False),
        (200, 201, 0, False),
        (200, 200, 1, False),
        (100, 100, 0, None),
    ],
)
def test_deaths_hold_their_line_when_all_are_kept_once_in_one_ring(
    declared: int, kept: int, ring: int, held_: object
) -> None:
    told = {"déclarées": declared, "acceptées": declared, "gardées": kept}
    told |= {"coups comptés": declared, "hors de l'anneau": ring}
    book = Book({"deaths": part({"ensemble": told})})
    assert held.kept("ensemble")(book) is held_


def test_a_small_measurement_holds_no_line() -> None:
    rows = {"connexions": {"nombre": 60, "p95": 10}}
    assert held.signed_in("connexions", "p95", 500)(Book({"signins": part(rows)})) is None
    crowd = Book({"crowd-standard": part({"5": {"tenu": 1}, "10": {"tenu": 1}})})
    assert held.all_green("crowd-standard", 100)(crowd) is None


def test_the_ring_is_counted_from_one_player_to_the_next() -> None:
    assert deaths.ring({"a": "b", "b": "c", "c": "a"}) == 3
    assert deaths.ring({"a": "b", "b": "a", "c": "c"}) == 2
    assert deaths.ring({"a": "b", "b": "b"}) == 0


def test_what_other_machines_hold_follows_from_the_costs() -> None:
    cost = cores.Costs(play=2, sign_in=40, link=2, base=100, worker=25, phone=10)
    found = cores.machine(cost, 2)
    assert found.playing == 800  # 80 % of 2,000 ms, 2 ms each
    assert found.storm == 400  # 40 ms in 20 s are another 2 ms a second
    assert found.memory == 100 + 25 * 8 + 10 * 800 / 1000
    assert found.advised == 2 * found.memory


def test_plots_are_drawn_from_figures_and_bring_nothing_that_runs(tmp_path: Path) -> None:
    parts = {"memory": part({"0": {"mémoire": 100}, "500": {"mémoire": 110}})}
    paper.write(parts, tmp_path / "capacite.md")
    drawn = [file.name for file in (tmp_path / "images").iterdir()]
    assert drawn == ["capacite-memoire.svg"]
    picture = (tmp_path / "images" / drawn[0]).read_text()
    assert "<script" not in picture
    assert "prefers-color-scheme" not in picture
    assert "](images/capacite-memoire.svg)" in (tmp_path / "capacite.md").read_text()
