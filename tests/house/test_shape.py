"""Small functions, small files, one sentence at the head of each, names that say something."""

from __future__ import annotations

import ast
import re
from statistics import median

from house.source import functions, length, listed, place, sources, suite, tree

EMPTY_WORDS = {"Manager", "Helper", "Helpers", "Utils", "Util", "Service", "Base"}
IGNORE = re.compile(r"#\s*type:\s*ignore(?P<code>\[[\w, -]+\])?(?P<rest>.*)")


def lines(file) -> int:
    return len(file.read_text(encoding="utf-8").splitlines())


def test_no_function_is_longer_than_fifty_lines() -> None:
    long = [
        f"{place(file, each.lineno)} {each.name}: {length(each)} lines"
        for file in sources()
        for each in functions(file)
        if length(each) > 50
    ]
    assert not long, listed(long)


def test_half_of_the_functions_have_ten_lines_or_less() -> None:
    lengths = [length(each) for file in sources() for each in functions(file)]
    assert median(lengths) <= 10


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    long = [f"{place(file, 1)}: {lines(file)} lines" for file in sources() if lines(file) > 400]
    assert not long, listed(long)


def test_four_files_of_five_have_two_hundred_and_fifty_lines_or_less() -> None:
    long = [f"{place(file, 1)}: {lines(file)} lines" for file in sources() if lines(file) > 250]
    assert len(long) <= len(sources()) / 5, listed(long)


def test_every_file_begins_with_one_sentence() -> None:
    silent = [
        f"{place(file, 1)}: {head!r}"
        for file in sources()
        if not re.fullmatch(r"[^a-z\s].*[.?]", head := first_line(file))
    ]
    assert not silent, listed(silent)


def first_line(file) -> str:
    return (ast.get_docstring(tree(file)) or "").partition("\n")[0]


def test_no_class_has_an_empty_word_in_its_name() -> None:
    empty = [
        f"{place(file, node.lineno)} {node.name}"
        for file in sources()
        for node in ast.walk(tree(file))
        if isinstance(node, ast.ClassDef)
        and EMPTY_WORDS & set(re.findall(r"[A-Z][a-z]*", node.name))
    ]
    assert not empty, listed(empty)


def ignores() -> list[tuple[str, re.Match[str]]]:
    return [
        (place(file, number), found)
        for file in sources()
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if (found := IGNORE.search(line))
    ]


def test_the_type_checker_is_silenced_five_times_at_most() -> None:
    assert len(ignores()) <= 5, listed([where for where, _ in ignores()])


def test_whoever_silences_the_type_checker_names_the_rule_and_says_why() -> None:
    bare = [
        where
        for where, found in ignores()
        if not found["code"] or not re.match(r"\s*#\s*\w+", found["rest"])
    ]
    assert not bare, listed(bare)


def test_tests_replace_nothing_inside_the_code_that_they_test() -> None:
    replaced = [
        place(file, node.lineno)
        for file in suite()
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Attribute)
        and (name(node.value), node.attr) in {("mock", "patch"), ("monkeypatch", "setattr")}
    ]
    assert not replaced, f"ship a small fake with the code instead:{listed(replaced)}"


def test_tests_import_no_mocks() -> None:
    mocks = [
        place(file, node.lineno)
        for file in suite()
        for node in ast.walk(tree(file))
        if isinstance(node, ast.ImportFrom)
        and node.module in {"unittest", "unittest.mock"}
        and {"mock", "patch"} & {alias.name for alias in node.names}
    ]
    assert not mocks, listed(mocks)


def name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")
