"""A whole game on real phones: from the sheet to the podium, in bursts of deaths."""

from __future__ import annotations

import random
import re
from collections import Counter
from html import unescape

import pytest

from e2e import rosters
from e2e.conftest import Deploy
from e2e.party import Party, gather
from e2e.phones import together
from engines.processes import wait_for

STEP = re.compile(r'<li class="step step-\d">(.*?)</li>', re.DOTALL)
PLACE = re.compile(r'<span class="step-place">(\d+)</span>')
NAME = re.compile(r"<b>([^<]+)</b>")


@pytest.fixture
def party(deploy: Deploy) -> Party:
    roster = rosters.people(100)
    server = deploy()
    server.imports(roster)
    server.start()
    return gather(server, roster)


def test_a_hundred_phones_play_a_game_to_the_podium(party: Party) -> None:
    assert party.tale.one_ring
    first = party.host.me()["game"]["version"]
    while len(party.tale.targets) > 1:
        assert party.told() == party.tale.targets
        play_a_burst(party)
        assert "En cours" in party.server.check() or len(party.tale.targets) == 1
    check_every_phone(party)
    check_the_table(party)
    check_both_podiums(party)
    check_the_streams(party, first)
    assert party.server.stop() == 0


def play_a_burst(party: Party) -> None:
    living = sorted(party.tale.targets)
    leaving = random.sample(living, min(20, len(living) - 1))
    party.burst(leaving[3:], leaving[:3])


def check_every_phone(party: Party) -> None:
    cards = together(lambda phone: phone.me(), list(party.phones.values()))
    told = {card["player"]["nickname"]: card["player"]["kills"] for card in cards}
    assert told == {nickname: party.tale.kills[nickname] for nickname in party.phones}
    assert {card["game"]["state"] for card in cards} == {"over"}
    assert {card["target"] is None for card in cards} == {True}
    fallen = {n for n in party.phones if n in party.tale.killed_by}
    gone = {c["player"]["nickname"] for c in cards if c["player"]["status"] != "alive"}
    assert gone == fallen
    assert len(fallen) == 99


def check_the_table(party: Party) -> None:
    rows = party.host.ask("GET", "/api/organiser/players").json["players"]
    table = {row["nickname"]: row for row in rows if row["nickname"] in party.phones}
    order = {n: place for place, n in enumerate(party.tale.order, 1)}
    assert {n: row["order"] for n, row in table.items() if row["order"]} == order
    assert {n: table[n]["killed_by"] for n in order} == party.tale.killed_by
    lines = party.host.ask("GET", "/api/leaderboard").json["players"]
    kills = [line["kills"] for line in lines]
    assert kills == sorted(kills, reverse=True)
    assert Counter({n["nickname"]: n["kills"] for n in lines}) == party.tale.kills


def check_both_podiums(party: Party) -> None:
    page = party.host.ask("GET", "/podium").body.decode()
    survivors, killers = page.split("steps-survivors")[1].split("steps-killers")
    assert steps(survivors) == party.tale.survivors()
    for shown, (place, people) in zip(steps(killers), party.tale.killers(), strict=True):
        assert shown[0] == place
        assert shown[1] <= people
        assert len(shown[1]) == min(4, len(people))


def steps(part: str) -> list[tuple[int, set[str]]]:
    """Read a podium off the page: each step's place and the names on it."""
    found = []
    for step in STEP.findall(part):
        (place,) = PLACE.findall(step)
        found.append((int(place), {unescape(name) for name in NAME.findall(step)}))
    return found


def check_the_streams(party: Party, started: int) -> None:
    last = party.host.me()["game"]["version"]
    wait_for(lambda: all(s.place == last for s in party.streams), 60, "the last frames")
    for stream in party.streams:
        assert stream.versions == list(range(started, last + 1))
        kinds = Counter(frame.event for frame in stream.frames)
        assert kinds["died"] + kinds["gaveup"] == 99
        assert (kinds["started"], kinds["ended"], kinds["resync"]) == (1, 1, 0)
        assert stream.connections == 1


def test_a_roster_with_its_own_ring_keeps_exactly_that_ring(deploy: Deploy) -> None:
    roster = rosters.people(500, passwords=False, ring=True)
    server = deploy()
    links = server.imports(roster)
    server.start()
    host = server.organiser()
    assert host.ask("POST", "/api/organiser/game/start", {}).status == 200
    rows = host.ask("GET", "/api/organiser/players").json["players"]
    given = {p.nickname: p.target for p in roster if not p.organiser}
    assert {row["nickname"]: row["target"] for row in rows if row["target"]} == given
    for player in random.sample(roster[:500], 5):
        card = server.with_link(links[player.nickname]).me()
        prey = next(p for p in roster if p.nickname == player.target)
        assert card["target"]["nickname"] == prey.nickname
        assert card["target"]["challenge"] == prey.challenge
    assert "En cours" in server.check()
