"""Signing in and out: by password or by link, limited, and the same for unknown and wrong."""

from __future__ import annotations

import hashlib
import time
from functools import cache

from flask import g, session
from limits import RateLimitItem, parse
from limits.strategies import FixedWindowRateLimiter

from killer import passwords
from killer.game import names
from killer.game.model import Player, PlayerId
from killer.store import people
from killer.store.database import Connection
from killer.threads import FullError, Places
from killer.watch import metrics
from killer.web.problems import ProblemError
from killer.web.site import address, site

BY_NICKNAME = parse("8/5 minutes")
BY_ADDRESS = parse("3000/5 minutes")  # a whole campus shares one; counted by each worker
HASHES = 600  # that a core makes while a phone waits: 15 s, about 25 ms each
CROWDED_SECONDS = 5
LONGEST = 300
ANSWER_KEPT = 60_000  # milliseconds
MOST_GAMES = 3  # in which one nickname's password is tried, the newest first
NOBODY = people.Account(0, PlayerId(0), None)
EASY = 3  # a sign-in after so few tries leaves its count to expire


@cache
def hashing(workers: int) -> Places:
    """Bound the sign-ins that wait for a hash in one of so many processes, by address.

    All of them together are done while a phone waits: 1,200 on two cores, 150 in each of the eight
    workers that these have by default. From one address no more than four fifths: 500 people of a
    campus who sign in at once have room, and a flood from there leaves some for others.
    """
    most = max(10, HASHES * passwords.CPUS // workers)
    return Places(most, each=most * 4 // 5)


def with_password(nickname: str, password: str, game: str = "") -> Player:
    """Sign in by nickname and password.

    Raises:
        ProblemError: 401, the same for unknown and wrong; 429 after too many tries; 503 while too
            many others wait.
    """
    _count(site().local_limits, BY_ADDRESS, "address", address())
    try:
        with hashing(site().settings.worker_count).taken(address()):
            return _with_password(names.key(nickname[:LONGEST]), password, game)
    except FullError as full:
        metrics.SIGN_INS.labels("crowded").inc()
        raise ProblemError(503, "sign_in_crowded", retry_after=CROWDED_SECONDS) from full


def _with_password(key: str, password: str, game: str) -> Player:
    _count(site().shared_limits, BY_NICKNAME, "nickname", key)
    given = passwords.typed(password)[: passwords.LONGEST + 1]  # what is longer fits nobody
    for account in _accounts(key, game) or [NOBODY]:
        if passwords.fits(account.password_hash, given):
            _forget_tries(key)
            return enter(account.game, account.player)
    metrics.SIGN_INS.labels("wrong").inc()
    raise ProblemError(401, "wrong_password")


def with_link(token: str) -> Player:
    """Sign in by a link's token.

    Raises:
        ProblemError: 401, whether it is unknown, used, expired or revoked; 429.
    """
    _count(site().local_limits, BY_ADDRESS, "address", address())
    with site().database.read() as connection:
        account = people.who_has_lasting_link(connection, token)
        if account is None and (again := _again(token)):
            account = people.who_has_lasting_link(connection, again)
    if account is None:
        with site().database.write() as connection:
            account = _use_link(connection, token)
    if account is None:
        metrics.SIGN_INS.labels("link_refused").inc()
        raise ProblemError(401, "bad_link")
    return enter(account.game, account.player)


def _use_link(connection: Connection, token: str) -> people.Account | None:
    """Take a link; one that is used up holds for a minute for the key with which it was used."""
    account = people.use_link(connection, token)
    if account and (again := _again(token)):
        kept = {account.player: again}
        people.keep_links(connection, account.game, kept, lasting=ANSWER_KEPT)
    return account


def _again(token: str) -> str:
    """Name what the same request holds when its answer was lost; nothing, when it has no key."""
    key = g.get("idempotency_key", "")
    return hashlib.sha256(f"{token} {key}".encode()).hexdigest() if key else ""


def enter(game: int, number: PlayerId) -> Player:
    """Begin a fresh session for a player."""
    player = site().hub.feed(game).game.players[number]
    language = session.get("lang")
    session.clear()
    session["game"], session["player"], session["sessions"] = game, number, player.sessions
    if language:
        session["lang"] = language
    metrics.SIGN_INS.labels("ok").inc()
    return player


def leave() -> None:
    """End this session."""
    session.clear()


def _accounts(key: str, game: str) -> list[people.Account]:
    with site().database.read() as connection:
        found = people.accounts(connection, key)
    rows = {row.id: row for row in site().hub.rows()}
    wanted = [a for a in found if a.game in rows and game in {"", rows[a.game].name}]
    real = [a for a in wanted if rows[a.game].rehearses is None]
    return (real or wanted)[:MOST_GAMES]  # no rehearsal stands in a real player's way


def _count(limits: FixedWindowRateLimiter, limit: RateLimitItem, kind: str, whom: str) -> None:
    counted = _counted(kind, whom)
    if limits.test(limit, *counted) and limits.hit(limit, *counted):  # what is refused only reads
        return
    metrics.SIGN_INS.labels("limited").inc()
    reset, _ = limits.get_window_stats(limit, *counted)
    wait = max(1, round(reset - time.time()))
    raise ProblemError(429, "too_many_tries", retry_after=wait, minutes=max(1, round(wait / 60)))


def _forget_tries(key: str) -> None:
    limits, counted = site().shared_limits, _counted("nickname", key)
    _, left = limits.get_window_stats(BY_NICKNAME, *counted)
    if BY_NICKNAME.amount - left > EASY:
        limits.clear(BY_NICKNAME, *counted)


def _counted(kind: str, whom: str) -> tuple[str, str, str]:
    """Name a count; of a fixed length, because a nickname's key may be longer than a column."""
    return ("sign-in", kind, hashlib.sha256(whom.encode()).hexdigest())
