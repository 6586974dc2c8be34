"""The API for programs: the same deeds and readings as the pages, as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TypeVar

import msgspec
from flask import Response, request

import killer
from killer.game import audience, standings
from killer.game import commands as c
from killer.game.model import Game, PlayerId
from killer.play import Outcome
from killer.web import board, deeds, entrance, shapes
from killer.web.answers import Encoded, encode, json, send
from killer.web.handover import HEAD, MOST_STREAMS, follow, place_of
from killer.web.openapi import document
from killer.web.problems import ProblemError
from killer.web.site import Viewer, site, viewer

Body = TypeVar("Body")

BUSY_SECONDS = 30


def body(kind: type[Body]) -> Body:
    """Read the request's JSON; no body at all means the defaults.

    Raises:
        ProblemError: 400, it is no such JSON.
    """
    data = request.get_data() or b"{}"
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProblemError(400, "bad_json") from error


def _version(outcome: Outcome) -> Response:
    return json(shapes.Version(outcome.version))


def login() -> Response:
    """Sign in with a nickname and its password, or with a link's token."""
    wanted = body(shapes.SignIn)
    if wanted.token:
        player = entrance.with_link(wanted.token)
    elif wanted.nickname:
        player = entrance.with_password(wanted.nickname, wanted.password, wanted.game)
    else:
        raise ProblemError(400, "bad_json")
    return json(shapes.SignedIn(player.nickname, player.organiser))


def logout() -> Response:
    """Sign out."""
    entrance.leave()
    return Response(status=204)


def _photo(name: str) -> str | None:
    return f"/photos/{name}" if name else None


def me() -> Response:
    """Give the own card."""
    return send(encoded_me(viewer()))


def encoded_me(asker: Viewer) -> Encoded:
    """Encode a player's own card, once for each version."""
    number = asker.player.id
    return asker.feed.once(("me", number), lambda game: _me(game, number))


def _me(game: Game, number: PlayerId) -> Encoded:
    player = game.players[number]
    prey = audience.prey(game, player)
    target = shapes.Target(prey.nickname, prey.challenge, _photo(prey.photo)) if prey else None
    mine = shapes.Self(player.nickname, player.status.value, game.kills.get(number, 0))
    counts = (len(game.alive), len(game.playing), game.version)
    return encode(shapes.Me(mine, target, shapes.GameNow(game.name, game.state.value, *counts)))


def death() -> Response:
    """Declare one's own death."""
    body(shapes.Why)
    return _version(deeds.die())


def giveup() -> Response:
    """Leave the game: the hunter inherits the target, no kill is counted."""
    body(shapes.Why)
    return _version(deeds.give_up())


def leaderboard() -> Response:
    """Give everybody by kills, then by nickname."""
    return send(encoded_leaderboard(viewer()))


def encoded_leaderboard(asker: Viewer) -> Encoded:
    """Encode the leaderboard, once for each version."""
    return asker.feed.once("leaderboard", _leaderboard)


def _leaderboard(game: Game) -> Encoded:
    told = standings.leaderboard(game)  # kills are public whatever the visibility
    lines = [shapes.Line(line.nickname, line.kills, line.year) for line in told]
    return encode(shapes.Leaderboard(game.version, len(game.alive), lines))


def players() -> Response:
    """Give the trombinoscope."""
    phones = board.organisers_phones()
    key = ("players", *sorted(phones.items()))
    return send(viewer().feed.once(key, lambda game: _players(game, phones)))


def _players(game: Game, phones: Mapping[PlayerId, str]) -> Encoded:
    faces = [shapes.Face(p.nickname, p.year, _photo(p.photo)) for p in game.playing]
    organisers = [
        shapes.Organiser(p.nickname, phones.get(p.id, ""))
        for p in game.players.values()
        if p.organiser
    ]
    return encode(shapes.Faces(faces, organisers))


def events() -> Response:
    """Follow the game live, from `Last-Event-ID` on."""
    if site().settings.worker_class == "sync":
        raise ProblemError(501, "no_streams")
    asker, broadcast = viewer(), site().broadcast
    if broadcast.streams[asker.feed.number, asker.player.id] >= MOST_STREAMS:
        raise ProblemError(429, "too_many_streams", retry_after=BUSY_SECONDS)
    last, since = request.headers.get("Last-Event-ID", ""), request.args.get("since", "")
    place = place_of(asker.feed, last, since)
    return Response(follow(broadcast, asker, place, request.environ), headers=HEAD)


def organiser_players() -> Response:
    """Give everything about all players."""
    return send(viewer().feed.once("table", _table))


def _table(game: Game) -> Encoded:
    rows = [shapes.Row(**asdict(audience.row(game, p))) for p in game.players.values()]
    return encode(shapes.Table(game.version, rows))


def organiser_game(verb: str) -> Response:
    """Start, pause, resume, end or reshuffle the game."""
    return _version(deeds.steer(verb, body(shapes.Why).reason))


def organiser_kill(nickname: str) -> Response:
    """Declare a player's death, credited to the hunter or not."""
    wanted = body(shapes.Killing)
    return _version(deeds.kill(nickname, credited=wanted.credited, reason=wanted.reason))


def organiser_revive(nickname: str) -> Response:
    """Bring a player back at a new place in the ring."""
    return _version(deeds.revive(nickname, body(shapes.Why).reason))


def organiser_remove(nickname: str) -> Response:
    """Take a player out of the game."""
    return _version(deeds.remove(nickname, body(shapes.Why).reason))


def organiser_signout(nickname: str) -> Response:
    """End all sessions of a player."""
    return _version(deeds.sign_out_everywhere(nickname, body(shapes.Why).reason))


def organiser_add() -> Response:
    """Add a player; in a running game at a place in the ring that tells nobody anything."""
    new = body(shapes.Newcomer)
    enrol = c.Enrol(new.nickname, new.year, new.challenge, seed=deeds.seed())
    return _version(deeds.add(enrol, new.password, new.reason))


def organiser_undo(version: int) -> Response:
    """Take one event back exactly, or say what stands in the way."""
    return _version(deeds.undo(version, body(shapes.Why).reason))


def openapi() -> Response:
    """Describe this API."""
    return json(document(site().routes, killer.__version__))
