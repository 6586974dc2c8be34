"""A machine on paper: it keeps files and links, and answers commands as it was told."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from killer.ops.failures import DeployError
from killer.ops.steps import Outcome
from killer.ops.target import ROOT, Answer, Target


@dataclass
class PaperMachine(Target):
    """Commands succeed in silence unless something else was arranged; the newest rule counts."""

    name: str = "root@campus"
    host: str = "campus"
    files: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # content, mode, owner
    links: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    rules: list[tuple[str, Callable[[], Answer]]] = field(default_factory=list)
    reachable: bool = True

    def on(self, pattern: str, out: str = "", code: int = 0, err: str = "") -> None:
        """Arrange what commands that match are answered."""
        self.rules.insert(0, (pattern, lambda: Answer(code, out, err)))

    def ask(self, command: str) -> Answer:
        """Answer a command."""
        self.said.append(command)
        for pattern, answer in self.rules:
            if re.search(pattern, command):
                return answer()
        return self._known(command)

    def _known(self, command: str) -> Answer:
        path = command.rpartition(" ")[2]
        if command.startswith("cat "):
            return Answer(0, self.files[path][0]) if path in self.files else Answer(1)
        if command.startswith("stat -c '%a %U' "):
            return Answer(0, " ".join(self.files[path][1:])) if path in self.files else Answer(1)
        if command.startswith("readlink"):
            return Answer(0, self.links.get(path, ""))
        return Answer(0)

    def show(self, command: str) -> int:
        """Remember a command that speaks for itself."""
        self.said.append(command)
        return 0

    def put(self, content: bytes | Path, path: str) -> None:
        """Is never asked: files are written whole."""
        raise AssertionError("no test asks for this")

    def spool(self) -> str:
        """Is never asked, either."""
        raise AssertionError("no test asks for this")

    def write(
        self, path: str, content: str | bytes | Path, mode: str = "644", owner: str = ROOT
    ) -> None:
        """Keep a file."""
        text = content if isinstance(content, str) else f"<{content!r}>"
        self.files[path] = (text, mode, owner)

    def link(self, path: str, to: str) -> None:
        """Keep where a link leads."""
        self.links[path] = to
        self.said.append(f"link {path} {to}")

    def again(self) -> None:
        """Be reached once more, or not."""
        if not self.reachable:
            raise DeployError("unreachable", host=self.name, cause="locked")

    def close(self) -> None:
        """Have nothing to leave behind."""


class Told(list[tuple[str, Outcome | None]]):
    """What was told of the steps."""

    def __call__(self, name: str, outcome: Outcome | None) -> None:
        """Hear it."""
        self.append((name, outcome))

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """Give what became of each step."""
        return {name: outcome for name, outcome in self if outcome}
