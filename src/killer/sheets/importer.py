"""From a roster to commands: only what is new or different, and everything at once."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from killer import passwords
from killer.game import commands as c
from killer.game import names
from killer.game.model import FALLEN, Game, Player, PlayerId, State, Status, Value
from killer.game.refusals import Unknown
from killer.play import Play, Request
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


def plan(game: Game, reading: Reading, contacts: Mapping[PlayerId, Contact]) -> Plan:
    """Compare a roster with the game as it is."""
    commands: list[c.Command] = []
    new, changed, fresh = [], [], {}
    for entry in reading.entries:
        player = game.find(entry.nickname)
        known = (contacts.get(player.id) if player else None) or Contact()
        mine = _commands(game, entry, player)
        if (contact := _contact(entry, known)) != known:
            fresh[names.key(entry.nickname)] = contact
            if player:
                mine.append(c.NoteContacts(player.id, _different(known, contact)))
        if player is None:
            new.append(entry)
        elif mine:
            changed.append(entry)
        commands += mine
    if game.state is State.PREPARING:
        commands += _history(game, reading.entries)
    return Plan(
        commands=tuple(commands),
        new=tuple(new),
        changed=tuple(changed),
        unchanged=len(reading.entries) - len(new) - len(changed),
        organisers=sum(entry.organiser for entry in reading.entries),
        contacts=fresh,
        secrets={names.key(e.nickname): e.password for e in reading.entries if e.password},
    )


def carry_out(
    play: Play, number: int, wanted: Plan, request: Request, done: Callable[[], None]
) -> Imported:
    """Do everything that a plan says, or nothing; `done` is called for each password looked at.

    Raises:
        Refusal: the game has changed since the plan was made.
    """
    game = play.hub.feed(number).game
    hashes = _new_hashes(play, number, game, wanted.secrets, done)
    links: dict[str, str] = {}

    def keep_people(connection: Connection, after: Game) -> None:
        ids = _Ids(after.by_key)
        people.set_contacts(connection, number, {ids[k]: v for k, v in wanted.contacts.items()})
        people.set_hashes(connection, number, {ids[k]: v for k, v in hashes.items()})
        without = [ids[names.key(e.nickname)] for e in wanted.new if not e.password]
        for player, token in people.new_links(connection, number, without).items():
            links[after.players[player].nickname] = token

    outcome = play.perform(number, *wanted.commands, request=request, alongside=keep_people)
    return Imported(outcome.version, len(hashes), links)


class _Ids(dict[str, PlayerId]):
    """Players by nickname key; whoever was renamed since the plan was made is unknown."""

    def __missing__(self, key: str) -> PlayerId:
        raise Unknown("no_such_nickname", nickname=key)


def _commands(game: Game, entry: Entry, player: Player | None) -> list[c.Command]:
    if player is None:
        late = game.state is not State.PREPARING
        plays = entry.status == "alive" or (entry.status != "out" and not late)
        status = Status.ALIVE if plays else Status.OUT
        seed = secrets.randbits(63)
        return [c.Enrol(entry.nickname, entry.year, entry.challenge, status, entry.organiser, seed)]
    found: list[c.Command] = []
    if fields := _edits(entry, player):
        found.append(c.Edit(player.id, fields))
    if game.state is State.PREPARING:
        out = entry.status == "out"
        if out and player.status is Status.ALIVE:
            found.append(c.Remove(player.id))
        elif not out and player.status is Status.OUT:
            found.append(c.Revive(player.id, secrets.randbits(63)))
    return found


def _edits(entry: Entry, player: Player) -> tuple[tuple[str, Value], ...]:
    """Say which fields differ; an empty cell erases nothing, and nobody is demoted."""
    wanted: dict[str, Value] = {
        "nickname": entry.nickname,
        "year": entry.year or player.year,
        "challenge": entry.challenge or player.challenge,
        "organiser": entry.organiser or player.organiser,
    }
    return tuple((name, value) for name, value in wanted.items() if getattr(player, name) != value)


def _history(game: Game, entries: tuple[Entry, ...]) -> list[c.Command]:
    """Carry over a game that began elsewhere: targets, and falls in their order."""
    fallen = [e for e in entries if e.status in FALLEN and not _has_fallen(game, e)]
    fallen.sort(key=lambda e: e.order if e.order is not None else len(entries) + 1)
    falls: list[c.Command] = [c.NoteFall(e.nickname, Status(e.status), e.killed_by) for e in fallen]
    pairs = tuple((e.nickname, e.target) for e in entries if e.target)
    return [*falls, c.GiveTargets(pairs)] if pairs and _other_ring(game, pairs) else falls


def _other_ring(game: Game, pairs: tuple[tuple[str, str], ...]) -> bool:
    wanted = {names.key(hunter): names.key(target) for hunter, target in pairs}
    given = {p.id: p.target for p in game.players.values() if p.target is not None}
    ids = game.by_key
    return {ids.get(hunter): ids.get(target) for hunter, target in wanted.items()} != given


def _has_fallen(game: Game, entry: Entry) -> bool:
    player = game.find(entry.nickname)
    return player is not None and player.status in FALLEN


def _contact(entry: Entry, known: Contact) -> Contact:
    """Give the private details after the import; an empty cell, or no column, erases nothing."""
    return Contact(
        entry.email or known.email,
        entry.phone or known.phone,
        entry.gender or known.gender,
        entry.photo or known.photo_source,
        entry.answers or known.answers,
    )


def _different(before: Contact, after: Contact) -> tuple[str, ...]:
    names_of = ("email", "phone", "gender", "photo_source", "answers")
    return tuple(name for name in names_of if getattr(before, name) != getattr(after, name))


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
