"""Whose row it is: by the form's time and mail, by our column, or by a name; never its number."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

from killer.game import names
from killer.game.model import Game, PlayerId
from killer.game.names import clean
from killer.sheets.columns import Meaning, Sheet
from killer.sheets.roster import Entry, everybody
from killer.store.people import Contact

_MARK = re.compile(r"k\d+-[0-9a-f]{4}")

Way = Callable[[Entry], PlayerId | None]


def tag_of(created: int) -> str:
    """Give a short word for a game, so that a row of another game's sheet isn't taken for ours."""
    return f"{zlib.crc32(str(created).encode()) & 0xFFFF:04x}"


def mark_of(player: PlayerId, tag: str) -> str:
    """Write what our own column says of a player: letters, lest anybody calculates with it."""
    return f"k{player}-{tag}"


def everyone(sheet: Sheet) -> tuple[Entry, ...]:
    """Give the entries of all rows, those too whose name somebody has emptied."""
    named = {entry.row: entry for entry in everybody(sheet)}
    return tuple(
        named.get(row.number)
        or Entry(
            nickname="",
            email=clean(sheet.cell(row, Meaning.EMAIL)),
            stamp=clean(sheet.cell(row, Meaning.TIMESTAMP)),
            mark=clean(sheet.cell(row, Meaning.MARK)),
            row=row.number,
        )
        for row in sheet.rows
    )


def is_strange(mark: str, tag: str) -> bool:
    """Tell whether another game has marked a row, on a sheet that served before."""
    return bool(_MARK.fullmatch(mark)) and not mark.endswith(f"-{tag}")


def owners(
    game: Game, entries: Sequence[Entry], contacts: Mapping[PlayerId, Contact], tag: str = ""
) -> list[PlayerId | None]:
    """Find the player of every entry, none for newcomers and for a second row of the same player.

    The surest ways come first, so that whoever is found by one is never taken by a weaker one.
    """
    found: list[PlayerId | None] = [None] * len(entries)
    taken: set[PlayerId] = set()
    for way in _ways(game, entries, contacts, tag):
        for place, entry in enumerate(entries):
            player = None if found[place] else way(entry)
            if player and player in game.players and player not in taken:
                found[place] = player
                taken.add(player)
    return found


def _ways(
    game: Game, entries: Sequence[Entry], contacts: Mapping[PlayerId, Contact], tag: str
) -> tuple[Way, ...]:
    forms = _only((_form(c.said.stamp, c.email), i) for i, c in contacts.items() if c.said)
    given = Counter(_form(entry.stamp, entry.email) for entry in entries)
    marks = {mark_of(player, tag): player for player in game.players} if tag else {}
    marked = Counter(entry.mark for entry in entries)
    said = {
        names.key(c.said.nickname): i for i, c in contacts.items() if c.said and c.said.nickname
    }
    mails = _only((c.email.casefold(), i) for i, c in contacts.items())

    def by_form(entry: Entry) -> PlayerId | None:
        form = _form(entry.stamp, entry.email)
        return forms.get(form) if given[form] == 1 else None  # a copied row has the same one

    def by_mail(entry: Entry) -> PlayerId | None:
        return mails.get(entry.email.casefold()) if entry.email else None

    return (
        by_form,
        lambda entry: marks.get(entry.mark) if marked[entry.mark] == 1 else None,
        lambda entry: said.get(names.key(entry.nickname)),
        lambda entry: game.by_key.get(names.key(entry.nickname)),
        by_mail,
        lambda entry: marks.get(entry.mark),  # of a row and its copy, the upper one
    )


def _form(stamp: str, mail: str) -> tuple[str, str] | None:
    return (stamp, mail.casefold()) if stamp and mail else None


def _only(pairs: Iterable[tuple[Hashable, PlayerId]]) -> Mapping[Hashable, PlayerId]:
    """Keep what names exactly one player."""
    known = list(pairs)
    times = Counter(key for key, _player in known)
    return {key: player for key, player in known if key and times[key] == 1}
