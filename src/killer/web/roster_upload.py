"""Importing a roster on the organisers' page: check first, then carry out."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

import msgspec
from cryptography.fernet import Fernet, InvalidToken
from flask import request
from flask.typing import ResponseReturnValue

from killer.game import events as e
from killer.game.model import PlayerId
from killer.language import say
from killer.sheets import importer, tables
from killer.sheets.claims import sort_out
from killer.sheets.identity import tag_of
from killer.sheets.roster import Problem, Reading
from killer.sheets.tables import UnreadableTable, read_table
from killer.store import log, people
from killer.store.people import Contact
from killer.threads import Threads
from killer.web import deeds, pages, render
from killer.web.lots import Lots
from killer.web.problems import ProblemError
from killer.web.site import asked, outer_address, site, viewer

LIFETIME = 3600  # seconds between the check and the import
#: Bytes of a body: both files as large as each may be, and a third more when they come back sealed.
LARGEST = 2 * tables.LARGEST * 4 // 3 + 512 * 1024

_THREAD = Threads(1, behind=True)  # thousands of rows are read and compared in tenths of a second

Files = list[tuple[str, bytes]]


def page() -> ResponseReturnValue:
    """Show the form to import a roster."""
    return render.page("organiser/import.html")


def upload() -> ResponseReturnValue:
    """Check the files of a roster, or import the ones that were checked."""
    if "upload" in request.form:
        return _import(_opened(request.form["upload"]))
    return _check(_given())


def _given() -> Files:
    """Take the uploaded files, under names of their own."""
    players, challenges = request.files.get("players"), request.files.get("challenges")
    if not players or not players.filename:
        raise ProblemError(400, "no_file")
    files = [(players.filename, players.read())]
    if challenges and challenges.filename:
        name = challenges.filename
        files.append((f"{name} (2)" if name == players.filename else name, challenges.read()))
    return files


def _seal() -> Fernet:
    key = hashlib.sha256(site().secret + b":upload").digest()
    return Fernet(urlsafe_b64encode(key))


def _sealed(files: Files) -> str:
    """Hand the files back to the browser, encrypted: their passwords are stored nowhere here."""
    seal = _seal()
    return _THREAD.do(lambda: seal.encrypt(msgspec.msgpack.encode(files)).decode())


def _opened(sealed: str) -> Files:
    try:
        data = _seal().decrypt(sealed.encode(), ttl=LIFETIME)
        return msgspec.msgpack.decode(data, type=list[tuple[str, bytes]])
    except (InvalidToken, msgspec.DecodeError) as error:  # or sealed by an older version of ours
        raise ProblemError(400, "upload_expired") from error


def _read(files: Files) -> Reading:
    game, contacts, tag = viewer().game, _contacts(), _tag()

    def read() -> Reading:
        players, *second = (read_table(name, data) for name, data in files)
        return sort_out(players, game, contacts, tag).read(*second)

    try:
        return _THREAD.do(read)
    except UnreadableTable as error:
        return Reading((), (error.problem,))


def _contacts() -> Mapping[PlayerId, Contact]:
    with site().database.read() as connection:
        return people.read_contacts(connection, viewer().feed.number)


def _tag() -> str:
    number = viewer().feed.number
    return next(tag_of(row.created) for row in site().hub.rows() if row.id == number)


def _plan(reading: Reading) -> importer.Plan:
    game, contacts, tag = viewer().game, _contacts(), _tag()
    return _THREAD.do(lambda: importer.plan(game, reading, contacts, tag))


def _check(files: Files) -> ResponseReturnValue:
    reading = _read(files)
    sound = _THREAD.do(reading.without_bad)
    wanted = _plan(sound)
    preview = pages.Preview(
        new=len(wanted.new),
        changed=len(wanted.changed),
        unchanged=wanted.unchanged,
        organisers=wanted.organisers,
        faults=_faults(reading, "problem"),
        notes=_faults(reading, "note"),
        blocked=not sound.sound,
        upload=_sealed(files) if sound.sound else "",
    )
    return render.page("organiser/import.html", preview=preview)


def _faults(reading: Reading, severity: str) -> tuple[pages.Fault, ...]:
    return tuple(_fault(p) for p in reading.problems if p.severity == severity)


def _fault(problem: Problem) -> pages.Fault:
    sentence = say(f"roster.{problem.code}", **dict[str, Any](problem.params))
    return pages.Fault(problem.file, problem.row, problem.column, sentence)


def _import(files: Files) -> ResponseReturnValue:
    reading = _read(files)
    if request.form.get("go") == "sound":
        reading = reading.without_bad()
    if not reading.sound:
        return _check(files)
    lots, version = Lots.drawn("import"), deeds.repeated()
    if version is None:
        why, number = asked(say("site.import.reason")), viewer().feed.number
        plan, play = _plan(reading), site().play
        done = importer.carry_out(play, number, plan, why, lambda: None, token=lots.token)
        version = done.version
    links = [(name, f"{outer_address()}/s/{token}") for name, token in _links(reading, lots)]
    return render.page("organiser/import.html", links=links, imported=_touched(version))


def _links(reading: Reading, lots: Lots) -> list[tuple[str, str]]:
    """Give the links that this import has made, the first time or now."""
    drawn = [(o.nickname, lots.token(o.nickname)) for o in reading.entries if not o.password]
    with site().database.read() as connection:
        return [(name, token) for name, token in drawn if people.who_has_link(connection, token)]


def _touched(version: int) -> int:
    """Count the players of whom the moves tell that were kept together up to a version."""
    with site().database.read() as connection:
        records = log.since(connection, viewer().feed.number, 0)[:version]
    touched: set[PlayerId | None] = set()
    for one in reversed(records):
        if (one.at, one.actor) != (records[-1].at, records[-1].actor):
            break
        moves = one.event.moves if isinstance(one.event, e.TargetsGiven) else ()
        touched |= {one.event.player, *(move[0] for move in moves)}
    return len(touched - {None})
