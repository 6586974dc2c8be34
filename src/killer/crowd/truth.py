"""Whether the game is what everybody was told: pure functions over the organiser's table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

ALIVE, DEAD = "alive", "dead"


class Row(msgspec.Struct, frozen=True):
    """A line of the organiser's table, as far as it matters here."""

    nickname: str
    status: str
    target: str | None = None
    hunter: str | None = None
    kills: int = 0
    killed_by: str | None = None
    order: int | None = None


def lost(rows: Iterable[Row], acknowledged: Iterable[str]) -> int:
    """Count the deaths that were acknowledged and that the game doesn't know."""
    known = {row.nickname for row in rows if row.status == DEAD and row.killed_by}
    return len(set(acknowledged) - known)


def doubled(rows: Sequence[Row], tapped: Iterable[str], told: int) -> int:
    """Count what is there more than once: deaths that nobody declared, kills, deaths told."""
    dead = [row for row in rows if row.status == DEAD]
    undeclared = {row.nickname for row in dead} - set(tapped)
    earned = Counter(row.killed_by for row in dead)
    kills = sum(max(0, row.kills - earned[row.nickname]) for row in rows)
    return len(undeclared) + kills + max(0, told - len(dead))


def outside(rows: Sequence[Row]) -> int:
    """Count the alive who are not in the one cycle of targets, or whose hunter is another."""
    alive = {row.nickname: row for row in rows if row.status == ALIVE}
    if len(alive) < 2:  # noqa: PLR2004  # whoever is alone hunts nobody
        return 0
    hunters = {row.target: row.nickname for row in alive.values()}
    inside = max((_cycle(alive, start) for start in alive), key=len)
    agreed = {name for name in inside if alive[name].hunter == hunters.get(name)}
    return len(alive) - len(agreed)


def _cycle(alive: Mapping[str, Row], start: str) -> set[str]:
    """Give everybody on the way along the targets back to the start; nobody if it doesn't lead."""
    way: list[str] = []
    seen: set[str | None] = set()
    here: str | None = start
    while here in alive and here not in seen:
        seen.add(here)
        way.append(str(here))
        here = alive[str(here)].target
    return set(way) if here == start else set()


def fallen(rows: Iterable[Row], deaths: Mapping[int, bytes]) -> dict[str, int]:
    """Tell at which version each of the dead was told of: by name, or else by the order."""
    dead = sorted((r for r in rows if r.status == DEAD), key=lambda row: row.order or 0)
    named = {
        max(names, key=len): version
        for version, told in deaths.items()
        if (names := [r.nickname for r in dead if _quoted(r.nickname) in told])
    }
    if len(named) == len(dead):
        return named
    if len(deaths) != len(dead):
        return {}
    return {row.nickname: version for row, version in zip(dead, sorted(deaths), strict=True)}


def _quoted(nickname: str) -> bytes:
    """Write a nickname as it stands inside a frame's data."""
    return msgspec.json.encode(nickname)[1:-1]


def delays(
    taps: Mapping[str, float],
    versions: Mapping[str, int],
    notes: Mapping[int, Sequence[tuple[float, float]]],
) -> dict[str, list[float]]:
    """Give for each death the milliseconds to each phone whose stream was open at the tap."""
    return {
        nickname: [
            max(0.0, arrived - taps[nickname]) * 1000
            for arrived, opened in notes.get(version, ())
            if opened < taps[nickname]
        ]
        for nickname, version in versions.items()
        if nickname in taps
    }
