"""What a crowd is told: it survives the way to another process, and nobody's game ends."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from killer.crowd import plan as plans
from killer.crowd.client import Address, Client
from killer.crowd.host import Guest, Rehearsal
from killer.crowd.plan import Orders, Plan, Ticket, Worker

TEXT = st.text(max_size=20)


@given(
    st.builds(
        Plan,
        host=TEXT,
        token=TEXT,
        steps=st.lists(st.integers(3, 5000), max_size=5).map(tuple),
        hold=st.floats(1, 1000),
        folder=TEXT,
        version=TEXT,
        settings=st.dictionaries(TEXT, TEXT, max_size=3),
        insecure=st.booleans(),
        workers=st.integers(0, 8),
    )
)
def test_a_plan_survives_the_way_to_the_crowd(plan: Plan) -> None:
    assert plans.read(msgspec.json.encode(plan) + b"\n") == plan


def test_a_worker_is_told_apart_from_a_crowd() -> None:
    told = Worker(master="127.0.0.1", port=5557)
    assert plans.read(msgspec.json.encode(told) + b"\n") == told


def test_what_is_neither_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        plans.read(b"")


@given(st.integers(plans.FEWEST, plans.MOST), st.floats(1, 600))
def test_somebody_dies_in_every_burst_and_two_always_survive(phones: int, hold: float) -> None:
    played, burst, late = plans.deaths(phones, hold)
    assert burst >= max(1, phones // 20)
    assert min(played, late) >= 0
    assert phones - played - burst - late >= 2


@given(st.integers(plans.FEWEST, plans.MOST))
def test_everybody_arrives_within_20_seconds(phones: int) -> None:
    assert 2 <= plans.window(phones) <= 20
    assert plans.deadline(phones, 30) > plans.window(phones) + 30


@given(st.integers(1, 50), st.integers(1, 8))
def test_tickets_are_dealt_out_once_each(tickets: int, processes: int) -> None:
    every = tuple(Ticket(str(number)) for number in range(tickets))
    hands = plans.shares(every, processes)
    assert sorted(each.nickname for hand in hands for each in hand) == sorted(
        each.nickname for each in every
    )
    assert max(map(len, hands)) - min(map(len, hands)) <= 1


def test_no_error_shows_a_token_or_a_password() -> None:
    """Gevent prints what a greenlet was given when it fails."""
    guest = Guest("Ana", "hidden")
    plan = Plan(
        host="", token="hidden", steps=(), hold=1, folder="", version="", metrics_token="hidden"
    )
    tickets = (Ticket("Ana", token="hidden"), Ticket("Bo", password="hidden"))
    orders = Orders(host="", insecure=False, window=1, tickets=tickets)
    rehearsal = Rehearsal(1, "", "hidden", (guest,), guest)
    for one in (guest, plan, orders, rehearsal, Client(Address.of("http://h"), cookie="hidden")):
        assert "hidden" not in repr(one)
        assert type(one).__name__ in repr(one)
