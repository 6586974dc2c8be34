"""Whose row it is, and whether it is surely his: anybody may answer a form under any name."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

from killer.game import names
from killer.game.model import Game, PlayerId
from killer.game.names import clean
from killer.sheets import moments
from killer.sheets.columns import Meaning, Sheet
from killer.sheets.roster import Entry, everybody
from killer.store.people import Contact, Said

_MARK = re.compile(r"k\d+-[0-9a-f]{4}")

Way = Callable[[Entry], PlayerId | None]
Contacts = Mapping[PlayerId, Contact]


class Owner(NamedTuple):
    """Whose row it is; what it says is taken only when it is `surely` his."""

    player: PlayerId | None
    surely: bool


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
    game: Game,
    entries: Sequence[Entry],
    contacts: Contacts,
    tag: str = "",
    *,
    by_hand: bool = False,
) -> list[Owner]:
    """Find the player of every entry, none for newcomers and for a second row of the same player.

    The surest ways come first, so that whoever is found by one is never taken by a weaker one.
    A row that only bears a name may be written into, for want of another, but isn't believed.
    By hand, an organiser looks at it: it may be that of a player who was added here.
    """
    found: list[Owner] = [Owner(None, surely=False)] * len(entries)
    taken: set[PlayerId] = set()
    known = _Known(game, entries, contacts, tag)
    sure = [(way, True) for way in known.sure_ways(by_hand=by_hand)]
    for way, surely in [*sure, *((way, False) for way in known.weak_ways())]:
        for place, entry in enumerate(entries):
            player = None if found[place].player else way(entry)
            if player and player in game.players and player not in taken:
                found[place] = Owner(player, surely)
                taken.add(player)
    return found


class _Known:
    """What tells rows apart: the form's time and mail, our column, the names."""

    def __init__(self, game: Game, entries: Sequence[Entry], contacts: Contacts, tag: str) -> None:
        self.game, self.contacts = game, contacts
        self.forms = _only((_form(c.said.stamp, c.email), i) for i, c in contacts.items() if c.said)
        self.mails = _only((c.email.casefold(), i) for i, c in contacts.items())
        self.marks = {mark_of(player, tag): player for player in game.players} if tag else {}
        self.said = said_names(contacts)
        self.same_form = Counter(_form(entry.stamp, entry.email) for entry in entries)
        self.same_mark = Counter(entry.mark for entry in entries)
        self.same_row = Counter((e.mark, names.key(e.nickname)) for e in entries)
        self.namesakes: dict[str, list[Entry]] = {}
        for entry in entries:
            self.namesakes.setdefault(names.key(entry.nickname), []).append(entry)

    def sure_ways(self, *, by_hand: bool) -> tuple[Way, ...]:
        """Give the ways that nobody can go who only answers a form."""
        return (
            self.by_form,
            lambda entry: self.by_mark(entry) if self.same_mark[entry.mark] == 1 else None,
            lambda entry: self.answered(entry, self.by_said(entry)),
            lambda entry: self.answered(entry, self.by_name(entry)),
            lambda entry: self.written(entry, self.by_said(entry)),
            lambda entry: self.written(entry, self.by_name(entry), by_hand=by_hand),
            lambda entry: None if entry.stamp else self.by_mail(entry),
            self.by_copied_mark,
        )

    def weak_ways(self) -> tuple[Way, ...]:
        return (self.by_said, self.by_name, self.by_mark)

    def by_form(self, entry: Entry) -> PlayerId | None:
        form = _form(entry.stamp, entry.email)  # a copied row has the same one
        return self.forms.get(form) if self.same_form[form] == 1 else None

    def by_mark(self, entry: Entry) -> PlayerId | None:
        return self.marks.get(entry.mark)

    def by_said(self, entry: Entry) -> PlayerId | None:
        return self.said.get(names.key(entry.nickname))

    def by_name(self, entry: Entry) -> PlayerId | None:
        return self.game.by_key.get(names.key(entry.nickname))

    def by_mail(self, entry: Entry) -> PlayerId | None:
        return self.mails.get(entry.email.casefold()) if entry.email else None

    def by_copied_mark(self, entry: Entry) -> PlayerId | None:
        """Take the upper one of a row and its copy, unless both say that they are the same."""
        player = self.by_mark(entry)
        said = self._said(player)
        alone = self.same_row[entry.mark, names.key(entry.nickname)] == 1
        same = not entry.stamp or (said is not None and said.stamp == entry.stamp)
        return player if alone and same else None

    def answered(self, entry: Entry, player: PlayerId | None) -> PlayerId | None:
        """Take the answer that the player's row was when it was first read."""
        said = self._said(player)
        return player if said and moments.same(entry.stamp, said.stamp) else None

    def written(
        self, entry: Entry, player: PlayerId | None, *, by_hand: bool = False
    ) -> PlayerId | None:
        """Take the one row of a name that no form has written: an editor has.

        A newcomer whom an organiser has let in by name brings the answer that came first.
        """
        said = self._said(player)
        if player is None or (said is None and not self._may_connect(player, by_hand=by_hand)):
            return None
        namesakes = self.namesakes[names.key(entry.nickname)]
        written = sum(not one.stamp for one in namesakes)
        if said is None or _only_named(said):
            return player if written <= 1 and entry is moments.first(namesakes) else None
        return player if written == 1 and not entry.stamp else None

    def _may_connect(self, player: PlayerId, *, by_hand: bool) -> bool:
        return by_hand and not self.game.players[player].organiser

    def _said(self, player: PlayerId | None) -> Said | None:
        return self.contacts.get(player, Contact()).said if player else None


def said_names(contacts: Contacts) -> Mapping[str, PlayerId]:
    """Give who bears which name in the sheet, by the key of the name."""
    pairs = ((c.said.nickname, i) for i, c in contacts.items() if c.said)
    return {names.key(nickname): i for nickname, i in pairs if nickname}


def _only_named(said: Said) -> bool:
    """Tell whether no row was read yet, but an organiser has let the name in."""
    return said == Said(nickname=said.nickname)


def _form(stamp: str, mail: str) -> tuple[str, str] | None:
    return (stamp, mail.casefold()) if stamp and mail else None


def _only(pairs: Iterable[tuple[Hashable, PlayerId]]) -> Mapping[Hashable, PlayerId]:
    """Keep what names exactly one player."""
    known = list(pairs)
    times = Counter(key for key, _player in known)
    return {key: player for key, player in known if key and times[key] == 1}
