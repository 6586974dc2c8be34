"""What players and organisers can do, for the pages and the API alike."""

from __future__ import annotations

import secrets

from killer import passwords
from killer.game import commands as c
from killer.game.model import Game, Player, PlayerId, State, Visibility
from killer.game.refusals import Invalid, Unknown
from killer.play import Outcome, Request
from killer.store import games, people
from killer.store.database import Connection
from killer.web.problems import ProblemError
from killer.web.site import asked, outer_address, site, viewer

TURNS: dict[str, type[c.Pause | c.Resume | c.End]] = {
    "pause": c.Pause,
    "resume": c.Resume,
    "end": c.End,
}


def seed() -> int:
    """Draw a seed; whoever knows it knows the ring, so it comes from the system."""
    return secrets.randbits(63)


def do(*commands: c.Command, reason: str = "") -> Outcome:
    """Carry commands out in the viewer's game, in the viewer's name."""
    return site().play.perform(viewer().feed.number, *commands, request=asked(reason))


def repeated() -> int | None:
    """Give the version that this very request was answered before; None when it is the first.

    Raises:
        Invalid: its key was used for something else.
    """
    if not asked().key:
        return None
    with site().database.read() as connection:
        return _answered(connection, asked())


def once(connection: Connection) -> bool:
    """Note that a request which is no move in the game was done; False when it was before.

    Raises:
        Invalid: its key was used for something else.
    """
    request, number = asked(), viewer().feed.number
    key = request.known_by
    if not key:
        return True
    version = games.version(connection, number, lock=True)  # two at once wait for each other
    if _answered(connection, request) is not None:
        return False
    games.remember(connection, number, {key: (request.about, version or 0)})
    return True


def _answered(connection: Connection, request: Request) -> int | None:
    key = request.known_by
    if not key:
        return None
    kept = games.remembered(connection, viewer().feed.number, {key}).get(key)
    return None if kept is None else request.answered(kept)


def die() -> Outcome:
    """Declare one's own death."""
    return do(c.Die(viewer().player.id))


def give_up() -> Outcome:
    """Leave the game."""
    return do(c.GiveUp(viewer().player.id))


def steer(verb: str, reason: str = "") -> Outcome:
    """Start, pause, resume, end or reshuffle the game.

    Raises:
        ProblemError: 404, there is no such verb.
    """
    if verb == "start":
        return do(c.Start(seed()), reason=reason)
    if verb == "reshuffle":
        return do(c.Reshuffle(seed()), reason=reason)
    if verb not in TURNS:
        raise ProblemError(404, "not_found")
    return do(TURNS[verb](), reason=reason)


def show(visibility: str, reason: str = "") -> Outcome:
    """Choose what players learn of a death.

    Raises:
        ProblemError: 400, there is no such visibility.
    """
    if visibility not in set(Visibility):
        raise ProblemError(400, "bad_request")
    return do(c.SetVisibility(Visibility(visibility)), reason=reason)


def player_named(nickname: str) -> Player:
    """Find a player of the viewer's game.

    Raises:
        Unknown: there is none of that nickname.
    """
    player = viewer().game.find(nickname)
    if player is None:
        raise Unknown("no_such_nickname", nickname=nickname)
    return player


def kill(nickname: str, *, credited: bool = True, reason: str = "") -> Outcome:
    """Declare another's death."""
    return do(c.Kill(player_named(nickname).id, credited), reason=reason)


def revive(nickname: str, reason: str = "") -> Outcome:
    """Bring a player back at a new place in the ring."""
    return do(c.Revive(player_named(nickname).id, seed()), reason=reason)


def remove(nickname: str, reason: str = "") -> Outcome:
    """Take a player out of the game; an organiser is none any more, unless it is the last one."""
    player = player_named(nickname)
    dismissed = c.Dismiss(player.id)
    if player.organiser and viewer().game.state is State.OVER:
        return do(dismissed, reason=reason)
    return do(c.Remove(player.id), dismissed, reason=reason)


def sign_out_everywhere(nickname: str, reason: str = "") -> Outcome:
    """End all sessions of a player; the sign-in links no longer hold either."""
    player, number = player_named(nickname), viewer().feed.number

    def forget_links(connection: Connection, _game: Game) -> None:
        people.revoke_links(connection, number, player.id)

    return site().play.perform(
        number, c.EndSessions(player.id), request=asked(reason), alongside=forget_links
    )


def edit(nickname: str, fields: dict[str, str], reason: str = "") -> Outcome:
    """Correct a player's nickname, year or challenge."""
    version = repeated()
    if version is not None:
        return Outcome(version)
    return do(c.Edit(player_named(nickname).id, tuple(fields.items())), reason=reason)


def undo(version: int, reason: str = "") -> Outcome:
    """Take one event back exactly."""
    return do(c.Undo(version), reason=reason)


def add(newcomer: c.Enrol, password: str = "", reason: str = "") -> Outcome:
    """Add a player, to the roster or to the running game.

    Raises:
        Invalid: the password is longer than one that is asked for can be.
    """
    word = passwords.typed(password)
    if len(word) > passwords.LONGEST:
        raise Invalid("password_too_long", most=passwords.LONGEST)
    hashed = passwords.hash_password(word) if word else ""

    def keep_password(connection: Connection, game: Game) -> None:
        player = game.find(newcomer.nickname)
        if hashed and player:
            people.set_hashes(connection, viewer().feed.number, {player.id: hashed})

    return site().play.perform(
        viewer().feed.number, newcomer, request=asked(reason), alongside=keep_password
    )


def new_link(nickname: str, reason: str = "") -> str:
    """Make a new sign-in link for a player; the older ones no longer hold.

    It is shown once and kept as a hash: a repeated request gets none, and changes nothing.
    """
    player, number = player_named(nickname), viewer().feed.number
    made: dict[PlayerId, str] = {}

    def replace_links(connection: Connection, _game: Game) -> None:
        people.revoke_links(connection, number, player.id)
        once = player.organiser  # whoever finds it in a history must not become an organiser
        made.update(people.new_links(connection, number, [player.id], once=once))

    noted = c.NoteContacts(player.id, ("link",))
    site().play.perform(number, noted, request=asked(reason), alongside=replace_links)
    return f"{outer_address()}/s/{made[player.id]}" if made else ""
