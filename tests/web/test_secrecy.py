"""No byte that a player receives tells who hunts whom, beside the own target."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from html import unescape
from random import Random

import pytest
from flask.testing import FlaskClient

from killer.game import commands as c
from killer.game.model import Player, Visibility
from killer.web import routes
from killer.web.route import Who
from killer.web.sessions import COOKIE
from web.world import BOSS, World

PEOPLE = 24
#: Where everybody is named, in an order that the ring has no part in.
EVERYBODY = {"/players", "/leaderboard", "/podium", "/api/players", "/api/leaderboard", "/feed"}


def name(number: int) -> str:
    """Give a nickname that no other text holds, not even a token by chance."""
    return f"Zq{number:02}xwkj"


@pytest.fixture(params=[1, 2])
def party(gathered: World, request: pytest.FixtureRequest) -> World:
    """A game of its own names and challenges, with a history drawn at random."""
    chance, world = Random(request.param), gathered
    world.do(*(c.Remove(p.id) for p in world.game.alive))
    world.do(*(c.Enrol(name(n), f"{n}A", f"Défi-{n:02}-{chance.random()}") for n in range(PEOPLE)))
    world.do(c.SetVisibility(chance.choice(list(Visibility))), c.Start(chance.getrandbits(60)))
    for _ in range(6):
        victim = chance.choice(world.game.alive).id
        world.do(chance.choice((c.Die, c.GiveUp, c.Kill))(victim))
    fallen = chance.choice(world.game.fallen)
    world.do(c.Revive(fallen.id, chance.getrandbits(60)), c.Enrol("Zq99xwkj", "9A", "Défi-99"))
    world.do(c.Edit(world.who("Zq99xwkj").id, (("challenge", "Défi-98"),)))
    return world


def readable(who: Who) -> list[str]:
    """List every address that a player may read, but the endless one."""
    rules = (r.rule for r in routes.ROUTES if r.method == "GET" and r.who is who)
    return [rule for rule in rules if rule != "/api/events" and "<" not in rule]


def stream(client: FlaskClient) -> str:
    """Read everything that a stream tells from the first event on."""
    answer = client.get("/api/events", headers={"Last-Event-ID": "0"})
    frames = answer.iter_encoded()
    told = next(frames) + next(frames)
    answer.close()
    return told.decode()


def received(world: World, player: Player) -> Iterator[tuple[str, str]]:
    """Give every address with what it tells a player: headers, cookies and body."""
    client = world.phone(player.nickname)
    organisers = [
        r.rule.replace("<verb>", "start") for r in routes.ROUTES if r.who is Who.ORGANISER
    ]
    for url in [*readable(Who.PLAYER), *readable(Who.ANYBODY), *organisers, "/nope", "/api/nope"]:
        for headers in ({}, {"HX-Request": "true"}, {"Accept-Language": "en"}):
            answer = client.get(url, headers=headers)
            session = world.app.session_interface.parse(client.get_cookie(COOKIE).value)
            yield url, unescape(f"{answer.headers}\n{session}\n{answer.text}")
    yield "/api/events", stream(client)


def sample(world: World) -> list[Player]:
    fallen = [*world.game.fallen][:2]
    return [*world.game.alive[::3], *fallen, world.who(BOSS)]


def test_nobody_reads_a_challenge_but_that_of_the_own_target(party: World) -> None:
    challenges = {p.id: p.challenge for p in party.game.players.values() if p.challenge}
    for player in sample(party):
        if player.organiser:
            continue
        for url, told in received(party, player):
            seen = {number for number, text in challenges.items() if text in told}
            allowed = {player.target} if player.target in party.game.players else set()
            assert seen <= allowed, (url, player.nickname)


def test_a_living_player_reads_the_own_challenge_on_the_card(party: World) -> None:
    for player in party.game.alive[::4]:
        client, prey = party.phone(player.nickname), party.prey(player.nickname)
        for url in ("/", "/card", "/api/me"):
            assert unescape(client.get(url).text).count(prey.challenge) == 1


def test_the_own_hunter_is_never_named_on_the_own_card(party: World) -> None:
    for player in party.game.alive:
        hunter = party.hunter(player.nickname).nickname
        client = party.phone(player.nickname)
        for url in ("/card", "/api/me", "/death", "/giveup"):
            assert hunter not in client.get(url).text, url


def test_the_card_names_nobody_but_oneself_the_target_and_the_victims(party: World) -> None:
    for player in party.game.alive[::2]:
        victims = {p.nickname for p in party.game.fallen if p.killed_by == player.id}
        known = {player.nickname, party.prey(player.nickname).nickname} | victims
        page = party.phone(player.nickname).get("/card").text
        assert set(re.findall(r"Zq\d\dxwkj", page)) <= known


def test_no_page_pairs_two_players_as_hunter_and_target(party: World) -> None:
    """Two names side by side tell nothing where all are listed; elsewhere they would."""
    ring = {(p.nickname, party.prey(p.nickname).nickname) for p in party.game.alive}
    for player in sample(party):
        if player.organiser:
            continue
        mine = {pair for pair in ring if player.nickname in pair}
        for url, told in received(party, player):
            if url not in EVERYBODY | {"/", "/api/events"}:
                names = re.findall(r"Zq\d\dxwkj", told)
                pairs = set(itertools.pairwise(names))
                assert not (pairs | {(b, a) for a, b in pairs}) & (ring - mine), url


def test_lists_of_everybody_are_the_same_for_everybody(party: World) -> None:
    """What doesn't depend on the reader can't tell the reader's secret, nor anybody's order."""

    def lists(nickname: str) -> list[str]:
        client = party.phone(nickname)
        return [client.get(url).text for url in ("/api/players", "/api/leaderboard", "/feed")]

    assert len({tuple(lists(p.nickname)) for p in party.game.alive}) == 1


def test_json_for_players_holds_no_field_of_the_organisers(party: World) -> None:
    forbidden = {"hunter", "killed_by", "order", "id"}
    for player in party.game.alive[::5]:
        for url in ("/api/players", "/api/leaderboard", "/api/me"):
            assert not keys(party.phone(player.nickname).get(url).json) & forbidden
        for data in re.findall(r"^data: (.*)$", stream(party.phone(player.nickname)), re.MULTILINE):
            assert keys(json.loads(data)) <= {
                "version", "type", "at", "alive", "players", "state", "text", "fr", "en", "card",
            }  # fmt: skip


def keys(value: object) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(keys, value.values()))
    return set().union(*map(keys, value)) if isinstance(value, list) else set()


def test_a_stream_names_killers_in_an_open_game_only(party: World) -> None:
    killers = {party.game.players[p.killed_by].nickname for p in party.game.fallen if p.killed_by}
    told = stream(party.phone(party.game.alive[0].nickname))
    deaths = [line for line in told.splitlines() if '"type":"died"' in line]
    assert deaths or party.game.visibility is Visibility.DISCREET or not killers
    named = [name for line in deaths for name in re.findall(r"Zq\d\dxwkj", line)]
    if party.game.visibility is Visibility.DISCREET:
        assert not named
    if party.game.visibility is Visibility.DEATHS:
        assert all(line.count("Zq") == 2 for line in deaths)  # the victim in two languages


def test_a_stream_tells_a_change_of_card_to_its_holder_alone(party: World) -> None:
    """Whoever learned that somebody else's target moved would know who killed."""
    victim = party.game.alive[0]
    hunter = party.hunter(victim.nickname)
    place = str(party.game.version)
    party.do(c.Die(victim.id))
    told = {}
    for player in [*party.game.alive, victim]:
        answer = party.phone(player.nickname).get("/api/events", headers={"Last-Event-ID": place})
        frames = answer.iter_encoded()
        told[player.id] = (next(frames), next(frames))[1]
        answer.close()
    assert {number for number, text in told.items() if b'"card":true' in text} == {
        victim.id,
        hunter.id,
    }
    assert len({text for text in told.values() if b'"card"' not in text}) == 1


def test_errors_and_refusals_tell_nobody_elses_secret(party: World) -> None:
    player = party.game.alive[0]
    client = party.phone(player.nickname)
    strangers = {p.nickname for p in party.game.playing} - {player.nickname}
    for method, url in (("PUT", "/api/me"), ("POST", "/api/death?x=[]"), ("POST", "/api/nope"),
                        ("GET", "/organiser/players/Zq01xwkj"), ("POST", "/death")):  # fmt: skip
        answer = client.open(url, method=method, data=b"{", content_type="application/json")
        assert answer.status_code >= 400
        assert not [n for n in strangers if n in answer.text]
