"""Somebody who remembers every cell of a sheet, and sees when a foreign one was touched."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

from kept_sheet import Kept

from engines.google import Tab
from engines.google.grid import Mark, shown
from killer.game.model import Game, PlayerId

SEAL = "witness"
SAME = {"vivant": "alive", "mort": "dead", "hors jeu": "out"}  # words that needn't be put right
STATE = frozenset({"status", "killed_by", "order", "kills", "mark"})


class Witness:
    """Knows columns by seals that travel with them, and what the organiser left in each cell.

    `note` is called after each deed of the organiser; until the next one nothing foreign may move.
    A column that the keeper has added, or that was its own in the beginning, isn't foreign; in it
    the header is, and so are the rows of nobody, when all is quiet.
    """

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self._numbers = count(1)
        self._ours = {seal for seal in self._sealed() if self._is_marked(seal)}
        self.note()

    def _sealed(self) -> Mapping[str, int]:
        """Give the columns by their seals; a new one is sealed now."""
        found = {}
        for n, marks in enumerate(self.tab.marks):
            seal = next((m.value for m in marks if m.key == SEAL), None)
            if seal is None:
                number = next(self._numbers)
                seal = f"seal {number}"
                marks.append(Mark(-number, SEAL, seal))
            found[seal] = n
        return found

    def _is_marked(self, seal: str) -> bool:
        marks = next(marks for marks in self.tab.marks if any(m.value == seal for m in marks))
        return any(m.key == "killer" for m in marks)

    def _foreign(self) -> dict[str, list[str]]:
        with self.tab.lock:
            return {
                seal: [shown(row[n]) for row in self.tab.cells[: 1 if seal in self._ours else None]]
                for seal, n in self._sealed().items()
            }

    def note(self) -> None:
        """Remember what the organiser has left."""
        self._left = self._foreign()

    def check(self) -> None:
        """See that every foreign cell is as it was left."""
        fresh = set(self._sealed()) - set(self._left)
        self._ours |= {seal for seal in fresh if self._is_marked(seal)}
        now = self._foreign()
        touched = {seal for seal, cells in self._left.items() if now[seal] != cells}
        assert not touched, [
            (before[0], before[n], text)
            for seal in touched
            for before in [self._left[seal]]
            for n, text in enumerate(now[seal])
            if text != before[n]
        ]
        self._left = now

    def compare(self, kept: Kept) -> None:
        """See that every cell of the keeper's columns says what the game says, or nothing."""
        places = {m.value: n for n, ms in enumerate(self.tab.marks) for m in ms if m.key != SEAL}
        assert set(places) == STATE, self.tab.rows()[0]
        assert {seal for seal, n in self._sealed().items() if n in places.values()} <= self._ours
        for number in range(1, len(self.tab.rows())):
            badge = self.tab.cell(number, "Badge")
            cells = {key: self.tab.cell(number, place) for key, place in places.items()}
            player = PlayerId(int(badge[1:]) + 1) if badge.startswith("b") else None
            wanted = said(kept.game, player) if player else dict.fromkeys(places, "")
            marked = cells.pop("mark")
            assert marked.startswith(f"k{player}-") if player else not marked
            wanted.pop("mark", None)
            cells["status"] = SAME.get(cells["status"], cells["status"])
            assert cells == wanted, (self.tab.rows()[0], self.tab.rows()[number], wanted)


def said(game: Game, player: PlayerId) -> dict[str, str]:
    """Say what a row should hold, by other means than the keeper's."""
    one = game.players[player]
    killer = game.players[one.killed_by].nickname if one.killed_by else ""
    fell = [p.id for p in sorted(game.players.values(), key=lambda p: p.fell or 0) if p.fell]
    kills = sum(p.killed_by == player for p in game.players.values() if p.status != "out")
    order = str(fell.index(player) + 1) if player in fell else ""
    return {
        "status": str(one.status),
        "killed_by": killer,
        "order": order,
        "kills": str(kills),
    }
