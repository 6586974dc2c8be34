"""A deployment as a list of steps: each knows whether it is so already, and how to make it so."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from killer.ops.target import ROOT, Target


class Outcome(Enum):
    """What became of a step; the value is the end of its sentence's key."""

    ALREADY = "already"
    DONE = "done"
    WOULD = "would"


@dataclass(frozen=True, slots=True)
class Step:
    """One step, named by the end of its sentence's key. It may be done again after half of it."""

    name: str
    settled: Callable[[], bool]
    do: Callable[[], object]


Tell = Callable[[str, Outcome | None], None]


def walk(steps: Iterable[Step], tell: Tell, *, dry: bool = False) -> int:
    """Take the steps in their order and give how many changed something, or would.

    Args:
        steps: each is looked at when those before it are done.
        tell: hears a step's name when it begins, with None, and when it is over.
        dry: touch nothing.

    Raises:
        DeployError: a step can't be taken; those after it are not begun.
    """
    changed = 0
    for step in steps:
        tell(step.name, None)
        outcome = _take(step, dry=dry)
        changed += outcome is not Outcome.ALREADY
        tell(step.name, outcome)
    return changed


def _take(step: Step, *, dry: bool) -> Outcome:
    if step.settled():
        return Outcome.ALREADY
    if dry:
        return Outcome.WOULD
    step.do()
    return Outcome.DONE


@dataclass(frozen=True, slots=True)
class Paper:
    """A file that is to have exactly this content."""

    path: str
    content: str
    mode: str = "644"
    owner: str = ROOT

    def lies_on(self, target: Target) -> bool:
        """Tell whether it does, with its mode and owner."""
        shown = target.ask(f"stat -c '%a %U' {shlex.quote(self.path)}").out.strip()
        return shown == f"{self.mode} {self.owner}" and target.read(self.path) == self.content

    def lay(self, target: Target) -> None:
        """Write it."""
        target.write(self.path, self.content, self.mode, self.owner)


def papers(name: str, target: Target, files: Iterable[Paper], after: str = "true") -> Step:
    """Make a step of files, and a command that is run when one of them was written."""
    every = list(files)

    def lay() -> None:
        for each in every:
            each.lay(target)
        target.run(after)

    return Step(name, lambda: all(each.lies_on(target) for each in every), lay)


def condition(name: str, target: Target, so: str, deed: str, code: str = "command_failed") -> Step:
    """Make a step of a condition of the shell, and the command that makes it true."""
    return Step(name, lambda: target.holds(so), lambda: target.run(deed, code))
