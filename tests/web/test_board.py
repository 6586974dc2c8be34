"""What is written once for all readers: always of the newest version, and nobody's own in it."""

from __future__ import annotations

import re

from killer.game import commands as c
from killer.game.model import Visibility
from killer.language import say, speaking
from killer.store import people
from web.world import BOSS, World

HTMX = {"HX-Request": "true"}


def own_lines(page: str) -> list[str]:
    return re.findall(r'is-me[^"]*".*?<b>([^<]+)</b>', page, re.DOTALL)


def gone(page: str) -> set[str]:
    return set(re.findall(r'is-gone".*?<b>([^<]+)</b>', page, re.DOTALL))


def test_everybody_finds_the_own_line_and_nobody_else_s(world: World) -> None:
    world.start()
    world.do(c.Die(world.prey("Ana").id))
    for name in ("Ana", "Bo", "Chloé", "Ana"):
        for headers in ({}, HTMX):
            page = world.phone(name).get("/leaderboard", headers=headers).text
            assert own_lines(page) == [name]
            assert page.count("<tr") == 9
    assert own_lines(world.phone(BOSS).get("/leaderboard").text) == []


def test_the_first_look_after_a_death_shows_it(world: World) -> None:
    world.start()
    ana, bo = world.phone("Ana"), world.phone("Bo")
    assert not gone(ana.get("/players").text) | gone(bo.get("/leaderboard").text)
    world.do(c.Die(world.who("Gus").id))
    assert gone(ana.get("/players", headers=HTMX).text) == {"Gus"}
    assert gone(bo.get("/leaderboard").text) == {"Gus"}


def test_a_stricter_rule_hides_the_falls_at_once(world: World) -> None:
    world.start()
    world.do(c.Die(world.who("Gus").id))
    ana = world.phone("Ana")
    assert gone(ana.get("/players").text) == {"Gus"}
    world.do(c.SetVisibility(Visibility.DISCREET))
    assert not gone(ana.get("/players").text) | gone(ana.get("/leaderboard").text)


def test_each_language_has_its_own_writing(world: World) -> None:
    world.start()
    world.do(c.Die(world.who("Gus").id))
    french, english = world.phone("Ana"), world.phone("Ana")
    english.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    for page in ("/players", "/leaderboard"):
        for client, language in ((french, "fr"), (english, "en"), (french, "fr")):
            with speaking(language):
                assert say("site.status.dead") in client.get(page, headers=HTMX).text


def test_a_new_number_of_an_organiser_shows_although_no_event_tells_of_it(world: World) -> None:
    ana = world.phone("Ana")
    for number in ("06 11 11 11 11", "06 22 22 22 22"):
        with world.site.database.write() as connection:
            contact = people.Contact(phone=number)
            people.set_contacts(connection, world.number, {world.who(BOSS).id: contact})
        assert number in ana.get("/players").text
        assert number in ana.get("/api/players").text


def test_a_player_s_own_number_is_shown_to_nobody(world: World) -> None:
    with world.site.database.write() as connection:
        contact = people.Contact(phone="06 33 33 33 33")
        people.set_contacts(connection, world.number, {world.who("Bo").id: contact})
    for path in ("/players", "/api/players"):
        assert "06 33" not in world.phone("Ana").get(path).text


def test_faces_are_compressed_once_and_plain_for_whoever_asks(world: World) -> None:
    ana = world.phone("Ana")
    zipped = ana.get("/players", headers=HTMX | {"Accept-Encoding": "gzip"})
    plain = ana.get("/players", headers=HTMX | {"Accept-Encoding": "identity"})
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert zipped.get_data()[:2] == b"\x1f\x8b"
    assert "Chloé" in plain.text
    for answer in (zipped, plain):
        assert answer.mimetype == "text/html"
        assert "Content-Security-Policy" in answer.headers
        assert "Cookie" in answer.headers["Vary"]


def test_a_nickname_of_html_stays_a_nickname(world: World) -> None:
    world.do(c.Enrol("<b>Zed</b>", "2A", "x"))
    for path in ("/players", "/leaderboard"):
        page = world.phone("Ana").get(path).text
        assert "&lt;b&gt;Zed&lt;/b&gt;" in page
        assert "<b><b>Zed" not in page


def test_ranks_are_right_whatever_a_nickname_is_made_of(world: World) -> None:
    world.do(c.Enrol("#rank#", "2A", "x"))
    world.start()
    hunter = world.hunter("#rank#").nickname
    world.do(c.Die(world.who("#rank#").id))
    page = world.phone("Ana").get("/leaderboard").text
    assert page.count("#rank#") == 1
    ranks = dict(re.findall(r'rank">(\d+)</td>\s*<th[^>]*><b>([^<]+)<', page))
    assert sorted(map(int, ranks)) == [1, 2]
    rows = re.findall(r'rank">(\d+)</td>\s*<th[^>]*><b>([^<]+)<', page)
    assert {name: int(rank) for rank, name in rows} == {
        name: 1 if name == hunter else 2 for _, name in rows
    }
    assert re.findall(r'class="first[^"]*".*?<b>([^<]+)', page, re.DOTALL) == [hunter]
