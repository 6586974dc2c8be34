"""Everybody's sign-in link by mail: who gets one, and what became of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

from killer.game import names
from killer.game.model import Game, Player, PlayerId, Status
from killer.mail import addresses
from killer.mail.failures import MailError, Reach
from killer.mail.post import PATIENCE, Post
from killer.mail.round import LEASE, LEASE_SECONDS, Item, Pace, Round, Told
from killer.settings import Settings
from killer.store import games, keeping, mails, people
from killer.store.database import Connection, Database
from killer.store.mails import Mail
from killer.store.people import Contact

KIND = "credentials"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom a run is for: everybody who plays and hasn't got a mail yet, unless it says more.

    `only` narrows it down to some, organisers and uncertain ones included. `asked` narrows it down
    to those for whom an organiser has pressed the button.
    """

    again: bool = False  # those who have got one too
    again_uncertain: bool = False
    organisers: bool = False
    only: frozenset[PlayerId] = frozenset()
    asked: bool = False


ASKED_FOR = Wanted(asked=True)


@dataclass(frozen=True, slots=True)
class Plan:
    """Who gets a mail now, and who doesn't and why; each sorted by nickname."""

    due: tuple[Player, ...] = ()
    already: tuple[Player, ...] = ()
    uncertain: tuple[Player, ...] = ()
    without: tuple[Player, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did, by nickname; `failed` pairs each with its reason, as `Mail.detail` does.

    `stopped` is the code of what ended the run early (`mail.<code>` says it), with the server's own
    words in `said`; `left` counts who is still to get a mail then.
    """

    sent: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    uncertain: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    already: int = 0
    left: int = 0
    stopped: str = ""
    said: str = ""

    @property
    def complete(self) -> bool:
        """Tell whether everybody who has an address was reached."""
        return not (self.failed or self.uncertain or self.left or self.stopped)

    @property
    def reasons(self) -> tuple[tuple[str, str], ...]:
        """Count the failures by the code of their reason, and say what ended the run early.

        An errand's `detail`: pairs like ("recipient_refused", "2") and ("stopped", "quota").
        """
        codes = Counter(detail.partition(" ")[0] for _, detail in self.failed)
        codes["uncertain"] += len(self.uncertain)
        counted = tuple((code, str(n)) for code, n in codes.items() if n)
        return (*counted, ("stopped", self.stopped)) if self.stopped else counted


def plan(
    game: Game,
    contacts: Mapping[PlayerId, Contact],
    log: Mapping[PlayerId, Mail],
    wanted: Wanted,
) -> Plan:
    """Sort everybody who is meant into who gets a mail now and who doesn't."""
    sorted_in: dict[str, list[Player]] = {}
    for player in sorted(game.players.values(), key=lambda p: names.alphabetical(p.nickname)):
        row = log.get(player.id)
        if _is_meant(player, row, wanted):
            place = _place(player.id, contacts.get(player.id), row, wanted)
            sorted_in.setdefault(place, []).append(player)
    return Plan(**{place: tuple(found) for place, found in sorted_in.items()})


def _is_meant(player: Player, row: Mail | None, wanted: Wanted) -> bool:
    """Those who play, wherever they stand; organisers, who get links that hold once, if asked."""
    if wanted.asked:
        return row is not None and row.state == mails.ASKED
    if wanted.only:
        return player.id in wanted.only
    return wanted.organisers if player.organiser else player.status is not Status.OUT


def _place(player: PlayerId, contact: Contact | None, row: Mail | None, wanted: Wanted) -> str:
    state = "" if row is None else row.state
    if contact is None or not contact.email.strip():
        return "without"
    if state == mails.SENT and not wanted.again:
        return "already"
    if state == mails.HANDING and not (wanted.again_uncertain or player in wanted.only):
        return "uncertain"
    return "due"


def look(database: Database, number: int, wanted: Wanted) -> Plan:
    """Read a game and plan a run, without sending anything."""
    with database.read() as connection:
        return look_within(connection, number, wanted)


def look_within(connection: Connection, number: int, wanted: Wanted) -> Plan:
    """Plan a run within a transaction."""
    log = mails.sent(connection, number, KIND)
    contacts = people.read_contacts(connection, number)
    return plan(games.load(connection, number), contacts, log, wanted)


def card_holders(
    database: Database, number: int, wanted: Wanted, *, unreached: bool = False
) -> tuple[Player, ...]:
    """Give who gets a card; `unreached`: only who has no address or whose mail was refused."""
    with database.read() as connection:
        log = mails.sent(connection, number, KIND)
        contacts = people.read_contacts(connection, number)
        game = games.load(connection, number)
    meant = [p for p in game.players.values() if _is_meant(p, log.get(p.id), wanted)]
    if unreached:
        meant = [p for p in meant if _is_unreached(contacts.get(p.id), log.get(p.id))]
    return tuple(sorted(meant, key=lambda p: names.alphabetical(p.nickname)))


def _is_unreached(contact: Contact | None, row: Mail | None) -> bool:
    refused = row is not None and row.state == mails.FAILED
    return refused or contact is None or not addresses.sound(contact.email)


def keep_cards(
    connection: Connection, number: int, holders: Sequence[Player], tokens: Mapping[PlayerId, str]
) -> None:
    """Let cards sign in from now on; an organiser's once, whoever may find it later."""
    organisers = people.organisers(connection, number)
    for once in (False, True):
        mine = {p.id: tokens[p.id] for p in holders if (p.id in organisers) is once}
        people.keep_links(connection, number, mine, once=once)


def send(
    database: Database,
    settings: Settings,
    number: int,
    address: str,
    wanted: Wanted = ASKED_FOR,
    *,
    language: str = "fr",
    told: Told = lambda _sent, _failed, _total: None,
    stop: Callable[[], bool] = lambda: False,
    pace: Pace | None = None,
    patience: float = PATIENCE,
) -> Report:
    """Send a game's sign-in links, each player's exactly once, and say what became of them.

    A link is kept in the same transaction as the note that its mail is being handed over, right
    before the server gets the mail's final dot; see docs/decisions/0017-exactly-one-mail.md.

    Args:
        database: Where the game is.
        settings: The mail server and how many mails a minute it takes.
        number: The game.
        address: By which players reach this server, without a slash at the end.
        wanted: Who gets a mail; by default, whom an organiser has asked for.
        language: That of the mails; those asked for have their own.
        told: Called with (sent, failed, total) after each mail, the uncertain among the failed.
        stop: Asked before each mail and once a second of waiting; True ends the run.
        pace: The clock and the naps.
        patience: Seconds that the mail server has for each answer.

    Raises:
        StoreUnavailableError: the database can't be asked.
    """
    try:
        post = Post(settings, patience)
    except MailError as error:
        return _refused(database, number, wanted, error)
    with _alone(database) as holder:
        if not holder:
            return _refused(database, number, wanted, MailError("busy", Reach.ALL))
        paced = pace or Pace()
        run = Round(database, number, KIND, post, holder, settings.mail_rate, paced, told, stop)
        try:
            return _sent(run, address, wanted, language)
        finally:
            post.close()


def _refused(database: Database, number: int, wanted: Wanted, error: MailError) -> Report:
    left = len(look(database, number, wanted).due)
    return Report(left=left, stopped=error.code, said=error.said)


@contextmanager
def _alone(database: Database) -> Iterator[str]:
    """Be the only one who sends mails; gives no name when another process does."""
    holder = f"mails-{uuid4().hex}"
    if not keeping.take_lease(database, LEASE, holder, LEASE_SECONDS):
        yield ""
        return
    try:
        yield holder
    finally:
        keeping.leave_lease(database, LEASE, holder)


def _sent(run: Round, address: str, wanted: Wanted, language: str) -> Report:
    first = todo = look(run.database, run.number, wanted)
    while items := _items(run, todo, address, language):
        run.deliver(items)
        if run.stopped or not wanted.asked:
            break
        todo = look(run.database, run.number, wanted)  # what was asked for in the meantime
    return Report(
        sent=tuple(run.sent),
        failed=tuple(run.failed),
        uncertain=(*(p.nickname for p in first.uncertain), *run.uncertain),
        without=tuple(p.nickname for p in first.without),
        already=len(first.already),
        left=run.left,
        stopped=run.stopped.code if run.stopped else "",
        said=run.stopped.said if run.stopped else "",
    )


def _items(run: Round, todo: Plan, address: str, language: str) -> list[Item]:
    """Prepare the mails of those whom this run hasn't tried yet."""
    with run.database.read() as connection:
        contacts = people.read_contacts(connection, run.number)
        log = mails.sent(connection, run.number, KIND)
        name = games.load(connection, run.number).name
    return [
        Item(
            player=player,
            written=contacts[player.id].email.strip(),
            address=addresses.sound(contacts[player.id].email),
            before=(row := log.get(player.id)),
            game=name,
            site=address,
            language=row.detail if row and row.state == mails.ASKED else language,
            token=people.new_token(),
        )
        for player in todo.due
        if player.id not in run.tried
    ]
