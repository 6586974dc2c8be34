"""What the catalogues hold, and where Python and the templates ask for their sentences."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from babel.messages.catalog import Message
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

from house.source import PACKAGE, place, sources, tree

SAYS = {"say", "_"}
LOCALES = PACKAGE / "locales"
PLACEHOLDER = re.compile(r"%\((\w+)\)[a-z]")
ANYTHING = r"[\w.-]+"


@dataclass(frozen=True)
class Asked:
    """A place that asks for a sentence: a pattern of its key, and the parameters that it gives."""

    where: str
    pattern: str
    exact: bool
    given: frozenset[str] = frozenset()
    all_known: bool = True

    def __str__(self) -> str:
        """Show the place and the key, with … where it is computed."""
        return f"{self.where}: {self.key}"

    @property
    def key(self) -> str:
        """Give the key as it is written."""
        return re.sub(r"\\(.)", r"\1", self.pattern.replace(ANYTHING, "…"))


@cache
def messages(language: str) -> dict[str, Message]:
    """Give every sentence of a language by its key."""
    found = {}
    for path in sorted((LOCALES / language).glob("*.po")):
        with path.open("rb") as file:
            found |= {key(each): each for each in read_po(file, locale=language) if each.id}
    return found


def key(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def forms(message: Message) -> tuple[str, ...]:
    """Give the sentence, or its singular and plural."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)


def placeholders(message: Message) -> set[str]:
    return {name for form in forms(message) for name in PLACEHOLDER.findall(form)}


@cache
def asked() -> tuple[Asked, ...]:
    """Give every place in the package that asks for a sentence."""
    in_python = (each for file in sources() for each in python_calls(file))
    in_templates = (each for file in templates() for each in template_calls(file))
    return (*in_python, *in_templates)


def templates() -> list[Path]:
    return sorted(file for file in PACKAGE.rglob("templates/**/*") if file.is_file())


def python_calls(file: Path) -> Iterator[Asked]:
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Call) and called(node) in SAYS and node.args:
            for pattern, exact in python_patterns(node.args[0]):
                given = frozenset(each.arg for each in node.keywords if each.arg)
                known = all(each.arg for each in node.keywords)
                yield Asked(place(file, node.lineno), pattern, exact, given, known)


def called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def python_patterns(node: ast.expr) -> list[tuple[str, bool]]:
    """Give the keys that an expression can be; what is computed matches anything."""
    match node:
        case ast.Constant(value=str(text)):
            return [(re.escape(text), True)]
        case ast.IfExp(body=one, orelse=other):
            return python_patterns(one) + python_patterns(other)
        case ast.JoinedStr(values=parts):
            pieces = [
                re.escape(p.value) if isinstance(p, ast.Constant) else ANYTHING for p in parts
            ]
            return [("".join(pieces), False)]
    return []


def part(node: ast.expr) -> str:
    """Give one part of a key that an f-string puts together."""
    return re.escape(str(node.value)) if isinstance(node, ast.Constant) else ANYTHING


def template_calls(file: Path) -> Iterator[Asked]:
    parsed = Environment(autoescape=True).parse(file.read_text(encoding="utf-8"))
    for node in parsed.find_all(nodes.Call):
        if isinstance(node.node, nodes.Name) and node.node.name in SAYS and node.args:
            for pattern, exact in template_patterns(node.args[0]):
                given = frozenset(each.key for each in node.kwargs)
                yield Asked(
                    place(file, node.lineno), pattern, exact, given, node.dyn_kwargs is None
                )


def template_patterns(node: nodes.Expr) -> list[tuple[str, bool]]:
    match node:
        case nodes.Const(value=str(text)):
            return [(re.escape(text), True)]
        case nodes.CondExpr(expr1=one, expr2=other):
            return template_patterns(one) + (template_patterns(other) if other else [])
        case nodes.Concat(nodes=parts):
            return [("".join(map(piece, parts)), False)]
        case nodes.Add(left=left, right=right):
            return [(piece(left) + piece(right), False)]
    return []


def piece(node: nodes.Expr) -> str:
    """Give one part of a key that a template puts together."""
    known = template_patterns(node)
    return known[0][0] if len(known) == 1 else ANYTHING


@cache
def literals() -> dict[str, str]:
    """Give every string written in Python or in a template's expressions, and one place of it."""
    found = {
        node.value: place(file, node.lineno)
        for file in sources()
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    for file in templates():
        parsed = Environment(autoescape=True).parse(file.read_text(encoding="utf-8"))
        found |= {
            node.value: place(file, node.lineno)
            for node in parsed.find_all(nodes.Const)
            if isinstance(node.value, str)
        }
    return found


@cache
def built() -> tuple[str, ...]:
    """Give the pattern of every key that Python or a template puts together, wherever it does."""
    made = [
        pattern
        for file in sources()
        for node in ast.walk(tree(file))
        if isinstance(node, ast.JoinedStr)
        for pattern, _ in python_patterns(node)
    ]
    return tuple(p for p in (*made, *(each.pattern for each in asked())) if re.match(r"\w+\\\.", p))
