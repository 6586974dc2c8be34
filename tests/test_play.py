"""Carrying commands out: together or not at all, once for each key, seen at once by everybody."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import event

from engines.processes import wait_for
from killer.game import commands as c
from killer.game import events as e
from killer.game.model import Game, PlayerId, State, Status
from killer.game.refusals import NotNow, Refusal
from killer.live.hub import Feed, Hub, UnknownGameError
from killer.play import Play, Request
from killer.store import games, people
from killer.store.database import Connection, Database, StoreUnavailableError
from store.worlds import World, a_world, look_at

ALICE, BOB, CHARLIE, DIANE = (PlayerId(i) for i in range(1, 5))


def refused(world: World, *commands: c.Command, key: str = "", about: str = "") -> str:
    with pytest.raises(Refusal) as caught:
        world.perform(*commands, key=key, about=about)
    return caught.value.code


def test_commands_are_carried_out_together_in_their_order(world: World) -> None:
    before = world.game.version
    outcome = world.perform(c.Die(BOB), c.Die(CHARLIE), c.Pause())
    assert [e.kind(event) for event in outcome.events] == ["died", "died", "paused"]
    assert outcome.version == world.game.version == before + 3
    assert world.game.kills[ALICE] == 2


def test_of_several_commands_with_one_refused_none_is_carried_out(world: World) -> None:
    before = world.game
    assert refused(world, c.Die(BOB), c.Enrol("Zoé"), c.Die(PlayerId(99))) == "no_such_player"
    assert world.game is before
    assert world.rows() == before


def test_nothing_asked_is_nothing_done(world: World) -> None:
    assert world.perform().version == world.game.version == 10


def test_a_second_tap_is_answered_and_changes_nothing(world: World) -> None:
    first = world.perform(c.Die(BOB))
    second = world.perform(c.Die(BOB))
    assert second.version == first.version
    assert second.events == ()


def test_a_repeated_key_gets_the_same_answer_even_much_later(world: World) -> None:
    first = world.perform(c.Enrol("Zoé"), key="k", about="enrol")
    world.perform(c.Die(BOB))
    again = world.perform(c.Enrol("Zoé"), key="k", about="enrol")
    assert (again.version, again.events) == (first.version, ())
    assert world.kinds().count("joined") == 1


def test_a_key_that_asked_for_something_else_is_refused(world: World) -> None:
    world.perform(c.Die(BOB), key="k", about="a death")
    assert refused(world, c.GiveUp(CHARLIE), key="k", about="leaving") == "key_reused"
    assert world.player("Charlie").status is Status.ALIVE


def test_a_key_belongs_to_one_person(world: World) -> None:
    for number in (BOB, CHARLIE):
        asked = Request(actor=number, key="k", about="a death")
        assert world.play.perform(world.number, c.Die(number), request=asked).events


def test_a_refused_request_does_not_use_its_key_up(world: World) -> None:
    world.perform(c.Pause())
    assert refused(world, c.Die(BOB), key="k") == "game_paused"
    world.perform(c.Resume())
    assert world.perform(c.Die(BOB), key="k").events


def test_a_key_sent_twice_at_the_same_time_is_answered_twice_the_same(
    world: World, elsewhere: World
) -> None:
    """The second one is decided while the first is still on its way into the database."""
    begun, versions = threading.Event(), []
    assert elsewhere.game.version == 10

    def slowly(_connection: Connection, _game: Game) -> None:
        begun.set()
        time.sleep(0.2)

    def ask(view: World, alongside: object) -> None:
        asked = Request(key="k", about="enrol")
        newcomer = c.Enrol("Zoé")
        outcome = view.play.perform(view.number, newcomer, request=asked, alongside=alongside)
        versions.append(outcome.version)

    first = threading.Thread(target=ask, args=(world, slowly))
    first.start()
    assert begun.wait(30)
    ask(elsewhere, None)
    first.join()
    assert versions == [12, 12]


def test_what_one_process_acknowledges_every_other_one_answers(
    world: World, elsewhere: World
) -> None:
    for victim in (BOB, CHARLIE, DIANE):
        version = world.perform(c.Die(victim)).version
        assert elsewhere.game.version == version
        assert elsewhere.game.players[victim].status is Status.DEAD
        assert elsewhere.feed.once("kills", lambda game: dict(game.kills)) == {ALICE: victim - 1}
        world, elsewhere = elsewhere, world


def test_a_change_is_decided_on_what_others_have_just_changed(
    world: World, elsewhere: World
) -> None:
    assert elsewhere.game.version == 10
    world.perform(c.Die(BOB))
    [died] = elsewhere.perform(c.Die(CHARLIE)).events
    assert isinstance(died, e.Died)
    assert died.hunter == ALICE


class Ahead(Hub):
    """Believes once in a future that never came, as after a restored backup."""

    believed = False

    def feed(self, number: int) -> Feed:
        feed = super().feed(number)
        if self.believed:
            return feed
        self.believed = True
        return Feed(number, feed.game.after(e.SessionsEnded(BOB, 0)))


def test_a_game_that_moved_meanwhile_is_read_again(world: World) -> None:
    ahead = Play(world.database, Ahead(world.database))
    assert ahead.perform(world.number, c.Die(BOB)).version == 11
    assert world.faults() == []


def test_an_event_is_taken_back(world: World) -> None:
    version = world.perform(c.Die(BOB)).version
    [undone] = world.perform(c.Undo(version)).events
    assert isinstance(undone, e.Undone)
    assert world.player("Bob").status is Status.ALIVE
    assert world.perform(c.Undo(version)).events == ()
    assert world.faults() == []


def test_a_death_and_the_end_that_it_brought_are_taken_back_together(world: World) -> None:
    deaths = [world.perform(c.Die(PlayerId(i))).version for i in range(2, 9)]
    assert world.game.state is State.OVER
    assert refused(world, c.Undo(deaths[0])) == "undo_blocked"
    world.perform(c.Undo(deaths[-1] - 1))
    assert world.game.state is State.RUNNING
    assert world.faults() == []


@pytest.mark.parametrize("version", [0, -1, 11, 10**9, 2**31, 2**63, 10**30])
def test_a_version_that_is_not_in_the_log_cannot_be_taken_back(world: World, version: int) -> None:
    assert refused(world, c.Undo(version)) == "no_such_version"


def test_what_is_written_alongside_is_kept_with_the_change(world: World) -> None:
    def keep(connection: Connection, game: Game) -> None:
        people.set_hashes(connection, world.number, {game.by_key["zoé"]: "hash"})

    world.play.perform(world.number, c.Enrol("Zoé"), alongside=keep)
    with world.database.read() as connection:
        assert people.hashes(connection, world.number) == {world.player("zoé").id: "hash"}


@pytest.mark.parametrize("error", [RuntimeError, NotNow])
def test_what_fails_alongside_takes_the_change_with_it(
    world: World, error: type[Exception]
) -> None:
    def fail(connection: Connection, _game: Game) -> None:
        people.set_hashes(connection, world.number, {BOB: "hash"})
        raise error("no")

    asked = Request(key="k")
    with pytest.raises(error):
        world.play.perform(world.number, c.Die(BOB), request=asked, alongside=fail)
    assert world.game.version == world.rows().version == 10
    with world.database.read() as connection:
        assert people.hashes(connection, world.number) == {}
        assert games.remembered(connection, world.number, [(0, "k")]) == {}
    assert world.perform(c.Die(BOB), key="k").events, "the same request may try again"


def share_a_transaction(world: World, *asks: tuple[c.Command, Request]) -> list[int | str]:
    """Ask for all of them while another request has the turn; give versions and refusals."""
    waiting = world.play._queue[world.number]

    def hold(_connection: Connection, _game: Game) -> None:
        held.set()
        wait_for(lambda: len(waiting) == len(asks), 10, "all of them")

    def ask(wish: c.Command, request: Request) -> int | str:
        try:
            return world.play.perform(world.number, wish, request=request).version
        except Refusal as refusal:
            return refusal.code

    held = threading.Event()
    with ThreadPoolExecutor(len(asks) + 1) as pool:
        first = pool.submit(world.play.perform, world.number, alongside=hold)
        assert held.wait(10)
        answers = [pool.submit(ask, *one) for one in asks]
        first.result(10)
        return [answer.result(10) for answer in answers]


def test_one_bad_request_does_not_spoil_those_that_share_its_transaction(world: World) -> None:
    wishes: list[c.Command] = [c.Die(PlayerId(i)) for i in (2, 4, 6)]
    wishes += [c.Die(PlayerId(99)), c.Undo(10**20), c.Edit(BOB, (("nickname", "Alice"),))]
    answers = share_a_transaction(world, *((wish, Request()) for wish in wishes))
    codes = {"no_such_player", "no_such_version", "nickname_taken"}
    assert set(answers) == {11, 12, 13} | codes
    assert world.faults() == []


def test_the_keys_of_those_who_share_a_transaction_are_each_one_s_own(world: World) -> None:
    def asks(number: int, key: str, about: str = "death") -> tuple[c.Command, Request]:
        return c.Die(PlayerId(number)), Request(actor=PlayerId(number), key=key, about=about)

    world.play.perform(world.number, asks(4, "a")[0], request=asks(4, "a")[1])  # version 11
    wishes = (asks(2, "a"), asks(2, "a"), asks(6, "b"), asks(6, "b", "exit"), asks(4, "a"))
    bob, again, six, other, four = share_a_transaction(world, *wishes)
    assert bob == again
    assert {bob, six, other} == {12, 13, "key_reused"}
    assert four == 11
    assert world.kinds().count("died") == 3


def test_those_who_share_a_transaction_share_its_statements(world: World) -> None:
    said: list[str] = []
    event.listen(world.database.engine, "before_cursor_execute", lambda *told: said.append(told[2]))
    told = []
    for numbers in ((1, 2), (3, 4, 5, 6)):
        said.clear()
        deaths = [(c.Die(PlayerId(i)), Request(PlayerId(i), key="k")) for i in numbers]
        share_a_transaction(world, *deaths)
        told.append([statement.split()[0] for statement in said].count("INSERT"))
    assert told[0] == told[1]


def test_words_that_no_database_keeps_are_left_out(world: World) -> None:
    asked = Request(actor=ALICE, reason="par \0erreur \ud800", key="k\0\ud800")
    for _ in range(2):
        outcome = world.play.perform(world.number, c.Pause(), request=asked)
    assert outcome.version == 11
    assert world.log()[-1].reason == "par erreur "


def test_who_asked_and_why_is_in_the_log(world: World) -> None:
    asked = Request(actor=ALICE, reason="une erreur")
    world.play.perform(world.number, c.Kill(BOB), request=asked)
    world.perform(c.Die(CHARLIE))
    assert [(r.actor, r.reason) for r in world.log()[-2:]] == [(ALICE, "une erreur"), (None, "")]


def test_a_game_that_does_not_exist_is_said_not_to(world: World) -> None:
    with pytest.raises(UnknownGameError):
        world.play.perform(99, c.Die(BOB))
    assert world.perform(c.Die(BOB)).events


class LostSince(Hub):
    """A hub whose database goes away as soon as the change is kept."""

    def ring(self, number: int) -> None:
        raise StoreUnavailableError(OSError(f"game {number} can't be read"))


def test_what_was_kept_is_acknowledged_even_when_it_cannot_be_read_again(world: World) -> None:
    play = Play(world.database, LostSince(world.database))
    assert play.perform(world.number, c.Die(BOB)).version == 11
    assert world.rows().version == 11


def test_an_unavailable_database_is_said_to_be_so(sqlite_url: str) -> None:
    world = a_world(sqlite_url, 3)
    hasty = Database(sqlite_url, patience=0.05)
    with look_at(sqlite_url).database.write(), pytest.raises(StoreUnavailableError):
        Play(hasty, Hub(hasty)).perform(1, c.Die(BOB))
    assert world.perform(c.Die(BOB)).events


def test_a_repeated_key_writes_nothing_alongside_a_second_time(world: World) -> None:
    written: list[int] = []
    asked = Request(actor=ALICE, key="k", about="x")

    def note(_connection: object, game: Game) -> None:
        written.append(game.version)

    for _ in range(2):
        world.play.perform(world.number, c.EndSessions(BOB), request=asked, alongside=note)
    assert len(written) == 1


def test_what_happened_and_what_was_refused_is_counted_once(world: World) -> None:
    def count(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0.0

    died = count("killer_events_total", kind="died")
    no = count("killer_refusals_total", code="no_such_player")
    world.perform(c.Die(BOB))
    world.perform(c.Die(BOB))
    assert refused(world, c.Die(PlayerId(99))) == "no_such_player"
    assert count("killer_events_total", kind="died") == died + 1
    assert count("killer_refusals_total", code="no_such_player") == no + 1
