"""The roster that one or two exported tables hold, with everything to correct or to know in it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, cast

from killer.game.names import clean, key
from killer.sheets.columns import (
    Meaning,
    Sheet,
    cell_problems,
    order_of,
    recognise,
    status_of,
    truth_of,
)
from killer.sheets.tables import Problem, Row, Table, shown, told_once

__all__ = ["LONGEST_NICKNAME", "Entry", "Problem", "Reading", "everybody", "read_roster"]

LONGEST_NICKNAME: Final = 60
"""Characters of the longest nickname."""

Status = Literal["alive", "dead", "gaveup", "out"]


# Hundreds of rows may deserve the same note: it is given once, with the first names.
_TOLD_ONCE = frozenset(
    {"no_password", "no_challenge", "formula", "idle_target", "challenge_without_target"}
)
# What is no longer true, or no longer matters, once the targets were dropped.
_ABOUT_THE_RING = frozenset({"several_rings", "some_targets"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One player as the sheet has him; texts are empty and `order` is None where it says nothing.

    `target` and `killed_by` are nicknames, written as those players' own rows write them.
    `challenge` is what will be done to this player. `row` is that of the spreadsheet, `stamp` when
    the form was sent, `mark` what our own column says: with the mail, they tell whose row it is.
    """

    nickname: str
    year: str = ""
    password: str = field(default="", repr=False)
    email: str = ""
    phone: str = ""
    photo: str = ""
    gender: str = ""
    challenge: str = ""
    target: str = ""
    status: Status = "alive"
    killed_by: str = ""
    order: int | None = None
    organiser: bool = False
    answers: tuple[tuple[str, str], ...] = ()
    stamp: str = ""
    mark: str = ""
    file: str = ""
    row: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read. When it is sound, either no entry has a target or the living form one ring."""

    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing must be corrected; there may be notes."""
        return all(found.severity == "note" for found in self.problems)

    def without_bad(self) -> "Reading":
        """The sound rows only. A problem of the whole file stays, and so does its refusal.

        When a target that was given is lost with its row, all given targets are dropped.
        """
        if self.sound:
            return self
        bad = {(p.file, p.row) for p in self.problems if p.severity == "problem" and p.row}
        kept = _resolved(tuple(e for e in self.entries if (e.file, e.row) not in bad))
        entries = _with_one_ring(kept)
        stay = [p for p in self.problems if p.severity == "note" or p.row is None]
        stay = [p for p in stay if p.code not in _ABOUT_THE_RING]
        return Reading(entries, (*stay, *_skipped(bad), *_losses(self.entries, entries)))


@dataclass(frozen=True, slots=True)
class _Given:
    """A challenge, and the nickname of the player to whom it will be done."""

    owner: str
    text: str
    sheet: Sheet
    row: Row
    column: Meaning


def read_roster(players: Table, challenges: Table | None = None) -> Reading:
    """The roster of the players' table, with the challenges of a second one where it is given.

    Both tables need file names of their own: problems point at rows by them. A challenge belongs
    to the player to whom it will be done: the row's own player, unless its header says what the
    hunter does (`Action à réaliser`, `Défi`) in a table that gives targets; then the row's target.
    """
    sheet = recognise(players)
    if not sheet.naming:
        return Reading((), (*sheet.problems, sheet.problem(None, None, "no_nickname_column")))
    written = everybody(sheet)
    if not written:
        nobody = sheet.problem(None, None, "no_players")
        return Reading((), (*sheet.problems, *_about_rows(sheet), nobody))
    resolved = _resolved(written)
    given = [*_challenges(sheet)]
    problems = [*sheet.problems, *_about_rows(sheet), *_about_people(sheet, written)]
    problems += _about_targets(sheet, written, resolved)
    if challenges:
        second = recognise(challenges)
        given += _challenges(second)
        problems += [*second.problems, *_about_second(second)]
    challenged, found = _challenged(sheet, resolved, given)
    problems = told_once([*problems, *found, *_without_challenge(sheet, challenged)], _TOLD_ONCE)
    problems.sort(key=lambda p: (p.file != players.file, p.row or 0))
    reading = Reading(challenged, tuple(problems))
    return replace(reading, entries=_with_one_ring(challenged)) if reading.sound else reading


def everybody(sheet: Sheet) -> tuple[Entry, ...]:
    """The entries of all rows that name somebody, as they are written, sound or not."""
    return tuple(_entry(sheet, row) for row in sheet.rows if key(sheet.name(row)))


def _entry(sheet: Sheet, row: Row) -> Entry:
    def text(meaning: Meaning) -> str:
        return clean(sheet.cell(row, meaning))

    return Entry(
        nickname=clean(sheet.name(row)),
        year=text(Meaning.YEAR),
        password=sheet.cell(row, Meaning.PASSWORD),
        email=text(Meaning.EMAIL),
        phone=text(Meaning.PHONE),
        photo=text(Meaning.PHOTO),
        gender=text(Meaning.GENDER),
        target=text(Meaning.TARGET),
        status=_status(sheet, row),
        killed_by=text(Meaning.KILLED_BY),
        order=order_of(text(Meaning.ORDER)) or None,
        organiser=bool(truth_of(text(Meaning.ORGANISER))),
        answers=sheet.answers(row),
        stamp=text(Meaning.TIMESTAMP),
        mark=text(Meaning.MARK),
        file=sheet.file,
        row=row.number,
    )


def _status(sheet: Sheet, row: Row) -> Status:
    """What the row says; an organiser who says nothing plays only if he has a target."""
    word = sheet.cell(row, Meaning.STATUS)
    said = cast("Status", status_of(word) or "alive")
    if not truth_of(sheet.cell(row, Meaning.ORGANISER)) or (word and said != "out"):
        return said
    return "alive" if sheet.cell(row, Meaning.TARGET) else "out"


def _about_rows(sheet: Sheet) -> Iterator[Problem]:
    for row in sheet.rows:
        yield from _about_name(sheet, row)
        yield from cell_problems(sheet, row)


def _about_name(sheet: Sheet, row: Row) -> Iterator[Problem]:
    name = sheet.name(row)
    length = len(clean(name))
    if not name:
        yield sheet.problem(row.number, sheet.naming[0], "empty_nickname")
    elif not key(name):
        yield sheet.problem(row.number, sheet.naming[0], "invisible_nickname")
    elif length > LONGEST_NICKNAME:
        params = {"length": str(length), "limit": str(LONGEST_NICKNAME)}
        yield sheet.problem(row.number, sheet.naming[0], "nickname_too_long", **params)


def _about_people(sheet: Sheet, written: Sequence[Entry]) -> Iterator[Problem]:
    for entry, other in _twice(written, lambda e: key(e.nickname)):
        params = {"nickname": entry.nickname, "other": str(other.row)}
        yield sheet.problem(entry.row, sheet.naming[0], "nickname_twice", **params)
    for entry, other in _twice(written, lambda e: e.email.casefold()):
        params = {"nickname": entry.nickname, "other": other.nickname}
        yield sheet.note(entry.row, Meaning.EMAIL, "mail_twice", **params)
    for entry, other in _twice(written, lambda e: str(e.order or "")):
        params = {"order": str(entry.order), "other": str(other.row)}
        yield sheet.problem(entry.row, Meaning.ORDER, "order_twice", **params)
    for entry in written:
        if not entry.password:
            yield sheet.note(entry.row, Meaning.PASSWORD, "no_password", nickname=entry.nickname)
    yield from _about_killers(sheet, written)


def _twice(
    entries: Iterable[Entry], value: Callable[[Entry], str]
) -> Iterator[tuple[Entry, Entry]]:
    """Each entry whose value an earlier one has, with that one; empty values don't count."""
    first: dict[str, Entry] = {}
    for entry in entries:
        other = first.setdefault(value(entry), entry)
        if other is not entry and value(entry):
            yield entry, other


def _about_killers(sheet: Sheet, written: Sequence[Entry]) -> Iterator[Problem]:
    known = {key(entry.nickname) for entry in written}
    for entry in written:
        params = {"nickname": entry.nickname, "killer": entry.killed_by}
        killer = key(entry.killed_by)
        if killer and killer not in known:
            yield sheet.problem(entry.row, Meaning.KILLED_BY, "unknown_killer", **params)
        elif killer and killer == key(entry.nickname):
            yield sheet.problem(entry.row, Meaning.KILLED_BY, "killed_by_self", **params)
        elif killer and entry.status == "alive":
            yield sheet.problem(entry.row, Meaning.KILLED_BY, "alive_but_killed", **params)


def _resolved(written: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The entries with the names of others as those others write them, unknown ones left out."""
    known = {key(entry.nickname): entry.nickname for entry in written}
    return tuple(
        replace(
            entry,
            target=known.get(key(entry.target), ""),
            killed_by=known.get(key(entry.killed_by), ""),
        )
        for entry in written
    )


def _about_targets(
    sheet: Sheet, written: Sequence[Entry], resolved: Sequence[Entry]
) -> Iterator[Problem]:
    hunters = [entry for entry in written if entry.target and entry.status == "alive"]
    living = [entry for entry in resolved if entry.status == "alive"]
    wrong = [*_wrong_targets(sheet, hunters, resolved)]
    rings = _rings(living)
    yield from wrong
    if len(rings) > 1 and not wrong:
        members = ", ".join(f"{ring[0]} ({len(ring)})" for ring in rings)
        number = str(len(rings))
        yield sheet.problem(None, Meaning.TARGET, "several_rings", rings=number, members=members)
    if hunters and len(hunters) < len(living):
        params = {"given": str(len(hunters)), "living": str(len(living))}
        yield sheet.note(None, Meaning.TARGET, "some_targets", **params)
    for entry in written:
        if entry.target and entry.status != "alive":
            yield sheet.note(entry.row, Meaning.TARGET, "idle_target", nickname=entry.nickname)


def _wrong_targets(
    sheet: Sheet, hunters: Sequence[Entry], resolved: Sequence[Entry]
) -> Iterator[Problem]:
    people = {key(entry.nickname): entry for entry in resolved}
    alone = sum(entry.status == "alive" for entry in resolved) == 1
    taken = {entry.row: other.row for entry, other in _twice(hunters, lambda e: key(e.target))}
    for entry in hunters:
        prey = people.get(key(entry.target))
        params = {"nickname": entry.nickname, "target": entry.target}
        if prey is None:
            yield sheet.problem(entry.row, Meaning.TARGET, "unknown_target", **params)
        elif prey.row == entry.row and not alone:
            yield sheet.problem(entry.row, Meaning.TARGET, "own_target", **params)
        elif prey.status != "alive":
            yield sheet.problem(entry.row, Meaning.TARGET, "target_not_playing", **params)
        elif entry.row in taken:
            params["other"] = str(taken[entry.row])
            yield sheet.problem(entry.row, Meaning.TARGET, "target_taken", **params)


def _rings(living: Iterable[Entry]) -> list[list[str]]:
    """The rings that the living form by their targets; none unless each is one hunter's target."""
    prey = {entry.nickname: entry.target for entry in living}
    if set(prey) != set(prey.values()):
        return []
    rings = []
    while prey:
        ring = [next(iter(prey))]
        while ring[-1] in prey:
            ring.append(prey.pop(ring[-1]))
        rings.append(ring[:-1])
    return rings


def _with_one_ring(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The entries with targets for the living only, and for nobody unless they form one ring."""
    whole = len(_rings(entry for entry in entries if entry.status == "alive")) == 1
    return tuple(
        entry if whole and entry.status == "alive" else replace(entry, target="")
        for entry in entries
    )


def _about_second(sheet: Sheet) -> Iterator[Problem]:
    if not sheet.naming and not sheet.fills(Meaning.TARGET):
        yield sheet.problem(None, None, "no_nickname_column")
    if not {Meaning.CHALLENGE, Meaning.ACTION} & set(sheet.meanings):
        yield sheet.problem(None, None, "no_challenge_column")
    for row in sheet.rows:
        yield from cell_problems(sheet, row)


def _challenges(sheet: Sheet) -> Iterator[_Given]:
    targets = sheet.fills(Meaning.TARGET)
    if not sheet.naming and not targets:
        return
    for column in (Meaning.CHALLENGE, Meaning.ACTION):
        by_target = targets and (column is Meaning.ACTION or not sheet.naming)
        for row in sheet.rows:
            owner = sheet.cell(row, Meaning.TARGET) if by_target else sheet.name(row)
            if text := sheet.cell(row, column):
                yield _Given(clean(owner), text, sheet, row, column)


def _challenged(
    players: Sheet, entries: Sequence[Entry], given: Iterable[_Given]
) -> tuple[tuple[Entry, ...], list[Problem]]:
    """The entries with their challenges, and what is wrong with those that were given."""
    known = {key(entry.nickname) for entry in entries}
    kept: dict[str, _Given] = {}
    found: list[Problem] = []
    for one in given:
        owner = key(one.owner)
        if owner in known:
            found += _about_second_one(one, kept.setdefault(owner, one))
        else:
            found += _about_stray(one, players)
    texts = {owner: one.text for owner, one in kept.items()}
    return tuple(replace(e, challenge=texts.get(key(e.nickname), "")) for e in entries), found


def _about_second_one(one: _Given, first: _Given) -> Iterator[Problem]:
    if one is first:
        return
    other = {"nickname": one.owner, "file": first.sheet.file, "other": str(first.row.number)}
    if one.text == first.text:
        yield one.sheet.note(one.row.number, one.column, "challenge_twice", **other)
    else:
        yield one.sheet.problem(one.row.number, one.column, "two_challenges", **other)


def _about_stray(one: _Given, players: Sheet) -> Iterator[Problem]:
    row, sheet = one.row.number, one.sheet
    if sheet is not players and not key(one.owner):
        yield sheet.problem(row, (*sheet.naming, Meaning.TARGET)[0], "empty_nickname")
    elif sheet is not players:
        yield sheet.problem(row, one.column, "challenge_for_nobody", nickname=one.owner)
    elif not one.owner and (nickname := clean(sheet.name(one.row))):
        # an unknown target is told of with the targets, a missing nickname with the rows
        yield sheet.note(row, one.column, "challenge_without_target", nickname=nickname)


def _without_challenge(sheet: Sheet, entries: Iterable[Entry]) -> Iterator[Problem]:
    for entry in entries:
        if not entry.challenge and entry.status == "alive":
            yield sheet.note(entry.row, None, "no_challenge", nickname=entry.nickname)


def _skipped(bad: Iterable[tuple[str, int]]) -> Iterator[Problem]:
    by_file: dict[str, list[int]] = {}
    for file, row in sorted(bad):
        by_file.setdefault(file, []).append(row)
    for file, rows in by_file.items():
        params = (("n", str(len(rows))), ("rows", ", ".join(map(str, rows))))
        yield Problem(file, None, "", "skipped", params, "note")


def _losses(before: Sequence[Entry], after: Sequence[Entry]) -> Iterator[Problem]:
    if not before:
        return
    file = before[0].file
    killers = {entry.row: entry.killed_by for entry in before}
    orphans = [e.nickname for e in after if e.killed_by != killers[e.row]]
    if any(e.target and e.status == "alive" for e in before) and not any(e.target for e in after):
        yield Problem(file, None, "", "targets_dropped", severity="note")
    if orphans:
        params = (("n", str(len(orphans))), ("names", shown(orphans)))
        yield Problem(file, None, "", "killers_lost", params, "note")
    if not after:
        yield Problem(file, None, "", "no_players")
