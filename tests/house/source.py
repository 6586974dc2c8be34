"""The project's files as the rules of the house look at them: text, syntax trees, imports."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SRC = ROOT / "src"
PACKAGE = SRC / "killer"

#: What make and the tools leave behind.
BUILT = {
    ".venv",
    "__pycache__",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
    "data",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Import:
    """One imported name: where it is written, the dotted name, and whether only types need it."""

    file: Path
    line: int
    name: str
    for_types: bool = False

    def __str__(self) -> str:
        """Show it as a place to click on."""
        return f"{place(self.file, self.line)}: {self.name}"

    def brings(self, *packages: str) -> bool:
        """Tell whether it comes from one of these packages."""
        return any(self.name == each or self.name.startswith(f"{each}.") for each in packages)


def place(file: Path, line: int) -> str:
    return f"{file.relative_to(ROOT)}:{line}"


@cache
def tracked() -> tuple[Path, ...]:
    """Give every file that a commit would hold; without git, every file but what is built."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        files = [each for each in ROOT.rglob("*") if not BUILT & set(each.relative_to(ROOT).parts)]
    else:
        files = [ROOT / name for name in done.stdout.split("\0") if name]
    return tuple(sorted(file for file in files if file.is_file()))


@cache
def sources() -> tuple[Path, ...]:
    """Give every Python file of the package."""
    return tuple(sorted(PACKAGE.rglob("*.py")))


@cache
def suite() -> tuple[Path, ...]:
    """Give every Python file of the tests."""
    return tuple(sorted((ROOT / "tests").rglob("*.py")))


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def functions(file: Path) -> Iterator[Function]:
    for node in ast.walk(tree(file)):
        if isinstance(node, Function):
            yield node


def length(function: Function) -> int:
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


def module(file: Path) -> str:
    """Give the dotted name of a file of the package."""
    parts = file.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports(file: Path) -> tuple[Import, ...]:
    """Give what a file imports, wherever in the file."""
    never_run = {id(node) for node in under_type_checking(file)}
    return tuple(
        Import(file, node.lineno, name, id(node) in never_run)
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in names(node, file)
    )


def under_type_checking(file: Path) -> Iterator[ast.stmt]:
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            yield from node.body


def names(node: ast.Import | ast.ImportFrom, file: Path) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    start = node.module or ""
    if node.level:
        here = [*file.relative_to(SRC).parent.parts]
        start = ".".join([*here[: len(here) - node.level + 1], *filter(None, [node.module])])
    return [f"{start}.{alias.name}" for alias in node.names]


def listed(problems: list[str] | set[str]) -> str:
    """Show problems one under the other, as the message of an assertion."""
    return "\n  ".join(["", *sorted(problems)])
