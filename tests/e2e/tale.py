"""What must have happened in a game, worked out only from what its players were told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby


@dataclass
class Tale:
    """A ring of nicknames as a person would keep it on paper."""

    targets: dict[str, str]
    kills: Counter[str] = field(default_factory=Counter)
    killed_by: dict[str, str | None] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)

    def falls(self, nickname: str, *, gave_up: bool = False) -> None:
        """Take somebody out: the hunter inherits the target, and has one more kill or not."""
        hunter = next(h for h, prey in self.targets.items() if prey == nickname)
        self.targets[hunter] = self.targets.pop(nickname)
        self.order.append(nickname)
        self.killed_by[nickname] = None if gave_up else hunter
        if not gave_up:
            self.kills[hunter] += 1

    @property
    def one_ring(self) -> bool:
        """Tell whether the living hunt each other in one cycle."""
        first = next(iter(self.targets))
        here, seen = self.targets[first], 1
        while here != first and seen <= len(self.targets):
            here, seen = self.targets[here], seen + 1
        return seen == len(self.targets)

    def survivors(self) -> list[tuple[int, set[str]]]:
        """Give the podium of who lived longest: those who gave up never stand on it."""
        (winner,) = self.targets
        dead = [n for n in reversed(self.order) if self.killed_by[n] is not None]
        return [(1, {winner}), (2, {dead[0]}), (3, {dead[1]})]

    def killers(self) -> list[tuple[int, set[str]]]:
        """Give the podium of who killed most: equals share a step."""
        steps: list[tuple[int, set[str]]] = []
        place = 1
        for _, group in groupby(self.kills.most_common(), key=lambda pair: pair[1]):
            people = {nickname for nickname, _ in group}
            if place <= 3:
                steps.append((place, people))
            place += len(people)
        return steps
