"""From a roster to commands: only what is new or different, and everything at once."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from killer import passwords
from killer.game import commands as c
from killer.game import names
from killer.game.model import FALLEN, Game, PlayerId, State, Status
from killer.game.refusals import Unknown
from killer.play import Play, Request
from killer.sheets.compare import Row, rows_of
from killer.sheets.roster import Entry, Reading
from killer.store import people
from killer.store.database import Connection
from killer.store.people import Contact


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do; players are counted, the commands do it."""

    commands: tuple[c.Command, ...]
    new: tuple[Entry, ...]
    changed: tuple[Entry, ...]
    unchanged: int
    organisers: int
    contacts: Mapping[str, Contact]  # by nickname key, only the different ones
    secrets: Mapping[str, str] = field(repr=False)  # passwords in clear, by nickname key


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: the version, the new passwords, the links of those without one."""

    version: int
    passwords: int
    links: Mapping[str, str] = field(repr=False)  # token by nickname


def plan(game: Game, reading: Reading, contacts: Mapping[PlayerId, Contact], tag: str = "") -> Plan:
    """Compare a roster with what the last import said: whatever else has changed since stays."""
    return plan_of(game, rows_of(game, reading.entries, contacts, tag, by_hand=True))


def plan_of(game: Game, rows: Sequence[Row], *, history: bool = True) -> Plan:
    """Say what the import of these rows would do, with or without their targets and falls."""
    commands = [command for row in rows for command in _commands(game, row)]
    touched = {row.entry.nickname for row in rows if row.player and _commands(game, row)}
    if history and game.state is State.PREPARING:
        told, moved = _history(game, rows)
        commands += told
        touched |= moved
    known = [row for row in rows if row.player]
    return Plan(
        commands=tuple(commands),
        new=tuple(row.entry for row in rows if not row.player),
        changed=tuple(row.entry for row in known if row.entry.nickname in touched),
        unchanged=sum(row.entry.nickname not in touched for row in known),
        organisers=sum(row.entry.organiser for row in rows),
        contacts={names.key(row.name): row.contact for row in rows if row.contact != row.known},
        secrets={names.key(row.name): row.entry.password for row in rows if row.entry.password},
    )


def carry_out(
    play: Play,
    number: int,
    wanted: Plan,
    request: Request,
    done: Callable[[], None],
    *,
    token: Callable[[str], str] | None = lambda _nickname: people.new_token(),
) -> Imported:
    """Do everything that a plan says, or nothing; `done` is called for each password looked at.

    Newcomers without a password get a sign-in link with the `token` that is drawn for their
    nickname, unless there is none because nobody is there to read it. A new
    password of somebody who was there before leaves its trace in the log, without itself.

    Raises:
        Refusal: the game has changed since the plan was made.
    """
    game = play.hub.feed(number).game
    hashes = _new_hashes(play, number, game, wanted.secrets, done)
    made: dict[str, str] = {}

    def keep_people(connection: Connection, after: Game) -> None:
        ids = _Ids(after.by_key)
        people.set_contacts(connection, number, {ids[k]: v for k, v in wanted.contacts.items()})
        people.set_hashes(connection, number, {ids[k]: v for k, v in hashes.items()})
        for entry in wanted.new:
            if token and not entry.password:
                made[entry.nickname] = token(entry.nickname)
                mine = {ids[names.key(entry.nickname)]: made[entry.nickname]}
                people.keep_links(connection, number, mine, once=entry.organiser)

    noted = [c.NoteContacts(game.by_key[k], ("password",)) for k in hashes if k in game.by_key]
    commands = (*noted, *wanted.commands)
    outcome = play.perform(number, *commands, request=request, alongside=keep_people)
    return Imported(outcome.version, len(hashes), made)


class _Ids(dict[str, PlayerId]):
    """Players by nickname key; whoever was renamed since the plan was made is unknown."""

    def __missing__(self, key: str) -> PlayerId:
        raise Unknown("no_such_nickname", nickname=key)


def _commands(game: Game, row: Row) -> list[c.Command]:
    if row.player is None:
        return [_enrol(game, row.entry)]
    found: list[c.Command] = []
    if fields := row.edits():
        found.append(c.Edit(row.player.id, fields))
    if fields_of_contact := row.contacts_changed():
        found.append(c.NoteContacts(row.player.id, fields_of_contact))
    if game.state is State.PREPARING and row.said.status != row.entry.status:
        if row.entry.status == "out" and row.player.status is not Status.OUT:
            found.append(c.Remove(row.player.id))
        elif row.entry.status != "out" and row.player.status is Status.OUT:
            found.append(c.Revive(row.player.id, secrets.randbits(63)))
    return found


def _enrol(game: Game, entry: Entry) -> c.Enrol:
    late = game.state is not State.PREPARING
    plays = entry.status == "alive" or (entry.status != "out" and not late)
    status = Status.ALIVE if plays else Status.OUT
    seed = secrets.randbits(63)
    return c.Enrol(entry.nickname, entry.year, entry.challenge, status, entry.organiser, seed)


def _history(game: Game, rows: Sequence[Row]) -> tuple[list[c.Command], set[str]]:
    """Carry over a game that began elsewhere, targets and falls; name whose rows have changed."""
    fell = {row.entry.nickname for row in rows if row.history_changed()}
    commands: list[c.Command] = _falls(rows) if fell else []
    called = _called(rows)
    aimed = {row.entry.nickname for row in rows if row.entry.target != row.said.target}
    hunting = (row for row in rows if row.entry.target)
    pairs = tuple((row.name, called[names.key(row.entry.target)]) for row in hunting)
    if pairs and aimed and _other_ring(game, pairs):
        commands.append(c.GiveTargets(pairs))
    return commands, fell | aimed


def _falls(rows: Sequence[Row]) -> list[c.Command]:
    """Note all falls anew, in their order, after taking the former ones back."""
    back: list[c.Command] = [
        c.Revive(row.player.id, 0)
        for row in rows
        if row.player and row.player.status in FALLEN and row.entry.status != "out"
    ]
    called = _called(rows)
    fallen = [row for row in rows if row.entry.status in FALLEN]
    fallen.sort(key=lambda row: len(rows) if row.entry.order is None else row.entry.order)
    return [*back, *(_fall(row, called) for row in fallen)]


def _fall(row: Row, called: Mapping[str, str]) -> c.NoteFall:
    killer = called.get(names.key(row.entry.killed_by), "")
    return c.NoteFall(row.name, Status(row.entry.status), killer)


def _called(rows: Sequence[Row]) -> dict[str, str]:
    """Give everybody's nickname after the import, by the key of the sheet's."""
    return {names.key(row.entry.nickname): row.name for row in rows}


def _other_ring(game: Game, pairs: tuple[tuple[str, str], ...]) -> bool:
    wanted = {names.key(hunter): names.key(target) for hunter, target in pairs}
    given = {p.id: p.target for p in game.players.values() if p.target is not None}
    ids = game.by_key
    return {ids.get(hunter): ids.get(target) for hunter, target in wanted.items()} != given


def _new_hashes(
    play: Play, number: int, game: Game, given: Mapping[str, str], done: Callable[[], None]
) -> dict[str, str]:
    """Hash the passwords that are new or changed; the others are only compared."""
    with play.database.read() as connection:
        kept = people.hashes(connection, number)
    known = {key: kept[i] for key, i in game.by_key.items() if key in given and i in kept}
    same = passwords.all_fit([(known[key], given[key]) for key in known], done)
    unchanged = {key for key, fits in zip(known, same, strict=True) if fits}
    fresh = [key for key in given if key not in unchanged]
    return dict(zip(fresh, passwords.hash_all([given[key] for key in fresh], done), strict=True))
