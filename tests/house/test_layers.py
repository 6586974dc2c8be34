"""Imports only go downwards, and each outside library has its one room."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from house.source import PACKAGE, ROOT, Import, imports, listed, module, place, sources, tree

#: Which part of the package alone may import a library; a folder or a file below src/killer.
KEPT_IN = {
    "sqlalchemy": ("store/",),
    "alembic": ("store/",),
    "psycopg": ("store/",),
    "sqlite3": ("store/",),
    "gspread": ("sheets/google.py",),
    "google": ("sheets/google.py",),
    "redis": ("store/redis.py",),
    "flask": ("web/", "app.py"),
    "jinja2": ("web/", "app.py", "crowd/", "ops/render.py"),
    "werkzeug": ("web/", "app.py"),
    "prometheus_client": ("watch/metrics.py", "watch/totals.py", "ops/gunicorn.py"),
    "locust": ("crowd/",),
    "pygal": ("crowd/",),
    "fabric": ("ops/target.py",),
    "paramiko": ("ops/target.py",),
}


def all_imports() -> list[Import]:
    return [each for file in sources() for each in imports(file)]


def within(file: Path, *places: str) -> bool:
    name = str(file.relative_to(PACKAGE))
    return any(name.startswith(each) if each.endswith("/") else name == each for each in places)


def test_the_rooms_import_only_downwards() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_game_imports_the_standard_library_and_itself_only() -> None:
    allowed = (*sys.stdlib_module_names, "killer.game")
    strangers = [
        str(each)
        for each in all_imports()
        if within(each.file, "game/") and not each.brings(*allowed)
    ]
    assert not strangers, listed(strangers)


def test_the_game_knows_no_clock_no_chance_and_no_outside() -> None:
    outside = ("time", "secrets", "os", "io", "pathlib", "socket", "threading", "logging", "uuid")
    strangers = [
        str(each) for each in all_imports() if within(each.file, "game/") and each.brings(*outside)
    ]
    assert not strangers, listed(strangers)


@pytest.mark.parametrize("library", KEPT_IN)
def test_a_library_stays_in_its_room(library: str) -> None:
    astray = [
        str(each)
        for each in all_imports()
        if each.brings(library) and not within(each.file, *KEPT_IN[library])
    ]
    assert not astray, f"{library} belongs to {KEPT_IN[library]}:{listed(astray)}"


def test_the_load_test_imports_nothing_of_the_server() -> None:
    strangers = [
        str(each)
        for each in all_imports()
        if within(each.file, "crowd/")
        and each.brings("killer")
        and not each.brings("killer.crowd", "killer.language")
    ]
    assert not strangers, listed(strangers)


def test_only_the_settings_read_the_environment() -> None:
    readers = [
        place(file, node.lineno)
        for file in sources()
        if not within(file, "settings.py")
        for node in ast.walk(tree(file))
        if (
            isinstance(node, ast.Attribute)
            and node.attr in {"environ", "environb", "getenv"}
            and ast.unparse(node) != "request.environ"  # what WSGI calls a request
        )
        or (isinstance(node, ast.alias) and node.name in {"environ", "getenv"})
    ]
    assert not readers, listed(readers)


def test_no_import_hides_in_a_function() -> None:
    hidden = {
        place(file, node.lineno)
        for file in sources()
        for function in ast.walk(tree(file))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert not hidden, listed(hidden)


def test_no_modules_import_each_other_in_a_circle() -> None:
    modules = {module(file): file for file in sources()}
    graph = {
        name: {
            target
            for each in imports(file)
            if not each.for_types and (target := nearest(each.name, modules)) != name
        }
        for name, file in modules.items()
    }
    TopologicalSorter(graph).prepare()


def nearest(name: str, modules: dict[str, Path]) -> str:
    """Give the module that holds an imported name: itself, or the one above it."""
    return name if name in modules else name.rpartition(".")[0]
