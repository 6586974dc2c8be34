"""Locks without addresses, files without this machine, and everything settable documented."""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer

from house.source import PACKAGE, ROOT, listed, place, sources, tracked, tree
from killer import cli
from killer.language import LANGUAGES, catalogue, speaking
from killer.settings import Settings
from killer.web.routes import ROUTES

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
ADDRESS = re.compile(r"(https?|file)://")
#: Folders that exist on the machine of whoever wrote it, not on the reader's.
HERE = re.compile(r"(?<![\w.}])/(work/main|work/shared|root/|Users/|opt/wheels|opt/pypi)")
REGISTRY = re.compile(
    r"pypi\.(org|python)|pythonhosted\.|registry\.(npmjs|yarnpkg)\.|deb\.debian\."
)
METRICS = {"Counter", "Gauge", "Histogram", "Summary", "Info", "Enum"}
FAMILIES = {"CounterMetricFamily", "GaugeMetricFamily", "HistogramMetricFamily"}
#: What of a line of the help is left for a command's sentence, 80 columns wide.
LINE = 58
PAPERS = (".env.production", "docs/reglages.md")


def texts() -> Iterator[tuple[Path, str]]:
    for file in tracked():
        content = file.read_bytes()
        if b"\0" not in content:
            yield file, content.decode("utf-8", errors="replace")


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{place(file, number)}: {line.strip()[:100]}"
        for file, text in texts()
        if pattern.search(text)
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line) and file != Path(__file__)
    ]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_names_no_address(lock: Path) -> None:
    assert not ADDRESS.search(lock.read_text())


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_version_in_a_lock_has_its_hash(lock: Path) -> None:
    blocks = re.split(r"\n(?=\S)", lock.read_text())
    bare = [block for block in blocks if "==" in block and "--hash=sha256:" not in block]
    assert not bare, listed(bare)


def test_what_runs_and_what_is_tested_have_the_same_versions() -> None:
    prod, dev = (versions(ROOT / "requirements" / f"{kind}.txt") for kind in ("prod", "dev"))
    assert prod <= dev, listed(prod - dev)


def versions(lock: Path) -> set[str]:
    return set(re.findall(r"^([\w.\[\]-]+==\S+)", lock.read_text(), re.MULTILINE))


def test_no_file_names_a_folder_of_this_machine() -> None:
    assert not (found := lines_with(HERE)), listed(found)


def test_no_file_names_a_registry() -> None:
    assert not (found := lines_with(REGISTRY)), listed(found)


@pytest.mark.parametrize("setting", dataclasses.fields(Settings), ids=lambda each: each.name)
def test_every_setting_has_a_sentence_and_a_line_in_the_papers(setting: dataclasses.Field) -> None:
    assert re.fullmatch(r"\S.*\.", setting.metadata["says"])
    written = "".join((ROOT / paper).read_text() for paper in PAPERS if (ROOT / paper).exists())
    absent = [each for each in setting.metadata["names"] if not re.search(rf"\b{each}\b", written)]
    assert not absent, f"neither {' nor '.join(PAPERS)} speaks of {absent}"


def test_every_metric_begins_with_killer_and_has_a_sentence() -> None:
    poor = [
        place(file, call.lineno)
        for file, call in metrics()
        if not re.match(r"killer_[a-z_]+$", text(call, 0))
        or not re.match(r"\S.*\.$", text(call, 1))
    ]
    assert not poor, listed(poor)


def test_every_metric_lives_in_one_file() -> None:
    strays = [
        place(file, c.lineno) for file, c in metrics() if file != PACKAGE / "watch/metrics.py"
    ]
    assert not strays, listed(strays)


def metrics() -> Iterator[tuple[Path, ast.Call]]:
    """Find every metric that the package makes; `Counter(items)` of collections is none."""
    for file in sources():
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                name, strings = node.func.id, text(node, 0)
                if name in FAMILIES or (name in METRICS and strings):
                    yield file, node


def text(call: ast.Call, position: int) -> str:
    """Give the argument at this position when it is written as a string."""
    if len(call.args) <= position or not isinstance(call.args[position], ast.Constant):
        return ""
    return str(call.args[position].value)


def test_every_route_has_a_summary() -> None:
    silent = [str(route) for route in ROUTES if not route.summary.strip()]
    assert ROUTES
    assert not silent, listed(silent)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_command_has_an_example(language: str) -> None:
    with speaking(language):
        poor = [words for words, c in commands() if not re.search(rf"\bkiller{words}\b", c.help)]
    assert not poor, f"no example in the help of:{listed(poor)}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_option_has_its_sentence_from_the_catalogue(language: str) -> None:
    with speaking(language):
        sentences = set(map(str, catalogue(language).values()))
        silent = [
            f"killer{words} {param.name}: {param.help}"
            for words, command in [("", root()), *commands()]
            for param in command.get_params(typer.Context(command))
            if param.help not in sentences
        ]
    assert not silent, listed(silent)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_command_has_one_line_in_the_list(language: str) -> None:
    with speaking(language):
        wrong = [
            f"killer{words}: {command.short_help}"
            for words, command in within(root(), "")
            if not 0 < len(command.short_help or "") <= LINE
        ]
    assert not wrong, listed(wrong)


def test_no_sentence_is_for_an_option_that_there_is_not() -> None:
    with speaking("fr"):
        known = {
            f"{key}{kind}.{param.name}"
            for words, command in commands()
            for param in command.get_params(typer.Context(command))
            for kind in [param.param_type_name]
            for key in ("cli.", f"cli.{words.strip().replace(' ', '.')}.")
        }
    meant = re.compile(r"cli\.(.+\.)?(option|argument)\.\w+")
    stray = [key for key in catalogue("fr") if meant.fullmatch(key) and key not in known]
    assert not stray, listed(stray)


def commands() -> list[tuple[str, click.Command]]:
    """Give every command of the command line with its words."""
    return [(words, each) for words, each in within(root(), "") if not hasattr(each, "commands")]


def root() -> click.Command:
    return typer.main.get_command(cli.build())


def within(command: click.Command, words: str) -> Iterator[tuple[str, click.Command]]:
    """Give everything below a command, groups too."""
    for name, each in getattr(command, "commands", {}).items():
        yield f"{words} {name}", each
        yield from within(each, f"{words} {name}")
