"""What the log gives back is what was put in, of every kind of event."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from killer.game import events as e
from killer.game.model import Status, Visibility
from killer.store import log
from killer.store.database import StoreUnavailableError
from store.worlds import World, a_world, recorded

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
SAFE = WORDS.map(lambda word: word.replace("\0", ""))
STATUS = st.sampled_from(Status)
CUSTOM = {"status": STATUS, "kind": st.sampled_from(sorted(e.KINDS))}


def resolved(event: type[e.Event]) -> st.SearchStrategy[e.Event]:
    """Build any event of that class from its type hints."""
    hints = {name: CUSTOM[name] for name in event.__dataclass_fields__ if name in CUSTOM}
    return st.builds(event, **hints)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return a_world(f"sqlite:///{tmp_path_factory.mktemp('log')}/killer.sqlite3")


@pytest.mark.parametrize("event", get_args(e.Event), ids=e._NAMES.get)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_kind_of_event_comes_back_as_it_was(
    world: World, event: type[e.Event], data: st.DataObject
) -> None:
    happened = data.draw(resolved(event))
    with world.database.write() as connection:
        log.append(connection, world.number, recorded(happened))
        [back] = log.since(connection, world.number, 0)
        connection.rollback()
        connection.begin()
    assert back.event == happened
    assert type(back.event) is event
    assert [type(change.after) for change in back.event.changes] == [
        type(change.after) for change in happened.changes
    ]


def test_an_event_s_words_survive_on_each_database(database_url: str) -> None:
    world = a_world(database_url)
    odd = "Zoé 🔪 \\ \" ' %s \x01 \u2028"
    happened = (
        e.Edited(1, (("challenge", None, odd), ("organiser", False, True))),
        e.VisibilitySet(Visibility.OPEN, Visibility.DISCREET),
    )
    with world.database.write() as connection:
        log.append(connection, world.number, recorded(*happened))
    assert tuple(record.event for record in world.log()) == happened
    world.database.close()


def test_the_log_is_read_from_any_place_on(database_url: str) -> None:
    world = a_world(database_url)
    events = [e.SessionsEnded(1, i) for i in range(12)]
    with world.database.write() as connection:
        log.append(connection, world.number, recorded(*events))
        log.append(connection, world.number, [])
    with world.database.read() as connection:
        assert [r.version for r in log.since(connection, world.number, 9)] == [10, 11, 12]
        assert log.since(connection, world.number, 12) == []
        assert log.since(connection, world.number + 1, 0) == []
    world.database.close()


def test_a_version_is_written_once(database_url: str) -> None:
    world = a_world(database_url)
    for expected in (1, 1):
        try:
            with world.database.write() as connection:
                log.append(connection, world.number, recorded(e.Paused()))
        except StoreUnavailableError:
            assert len(world.log()) == expected
    assert len(world.log()) == 1
    world.database.close()


def test_a_record_keeps_who_when_and_why(database_url: str) -> None:
    world = a_world(database_url)
    kept = log.Recorded(1, e.Paused(), 1_790_000_000_123, 7, "l'heure du déjeuner")
    with world.database.write() as connection:
        log.append(connection, world.number, [kept])
    assert world.log() == [kept]
    world.database.close()
