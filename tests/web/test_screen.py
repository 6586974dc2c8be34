"""The big screen: who may see it, what it may tell, and which of its bytes anybody may keep."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import msgspec
import pytest
from werkzeug.test import TestResponse

from killer import app as app_
from killer.game import commands as c
from killer.game.model import Visibility
from killer.store import games, people
from killer.web.edition import Screen, ScreenStatus
from web.conftest import opened
from web.world import BOSS, PLAYERS, World, problem, settings_in, submit

DESK = "/organiser/screen"
UNKNOWN = "0" * 32


def shown(world: World) -> str:
    """Give the token of the present link, as an organiser sees it; nothing when there is none."""
    found = re.search(r'href="/screen/([0-9a-f]{32})"', world.phone(BOSS).get(DESK).text)
    return found[1] if found else ""


def open_screen(world: World, held: str = "") -> str:
    """Open the screen, or renew its link."""
    answer = submit(world.phone(BOSS), DESK, DESK, held=held)
    assert answer.status_code == 303
    return shown(world)


def close_screen(world: World) -> None:
    assert submit(world.phone(BOSS), f"{DESK}/close", DESK).status_code == 303


def status(world: World, token: str) -> ScreenStatus:
    answer = world.visitor().get(f"/api/screen/{token}")
    assert answer.status_code == 200
    return msgspec.json.decode(answer.data, type=ScreenStatus)


def address(world: World, token: str) -> str:
    """Give the address of the present edition."""
    return f"/api/screen/{token}/{status(world, token).edition}"


def edition(world: World, token: str) -> Screen:
    answer = world.visitor().get(address(world, token))
    assert answer.status_code == 200
    return msgspec.json.decode(answer.data, type=Screen)


def dead(world: World, *paths: str) -> bool:
    """Tell whether these addresses open nothing, and no cache may remember it."""
    answers = [world.visitor().get(path) for path in paths]
    assert all(a.headers["Cache-Control"] == "no-store" for a in answers)
    return [a.status_code for a in answers] == [404] * len(paths)


def every(token: str, edition: str = "1-x") -> tuple[str, str, str]:
    return f"/screen/{token}", f"/api/screen/{token}", f"/api/screen/{token}/{edition}"


# --- the link ---


def test_nothing_is_open_until_an_organiser_opens_it(world: World) -> None:
    assert shown(world) == ""
    assert dead(world, *every(UNKNOWN), *every("é"), "/api/screen/", "/api/screen/a/b/c")
    title = problem(world.visitor().get(f"/api/screen/{UNKNOWN}"), 404, "screen_closed")["title"]
    assert title in unescape(world.visitor().get(f"/screen/{UNKNOWN}").text)


def test_whoever_has_the_link_needs_no_account(world: World) -> None:
    token = open_screen(world)
    page = world.visitor().get(f"/screen/{token}")
    assert page.status_code == 200
    assert "Set-Cookie" not in page.headers
    assert f'data-api="/api/screen/{token}"' in page.text
    found = edition(world, token)
    assert (found.game, found.alive, found.players) == ("Week-end", 8, 8)
    assert found.version == status(world, token).version == world.game.version


@pytest.mark.parametrize("path", [DESK, f"{DESK}/close"])
def test_a_player_opens_and_closes_nothing(world: World, path: str) -> None:
    token = open_screen(world)
    assert submit(world.phone("Ana"), path, "/", held=token).status_code == 403
    assert shown(world) == token


def test_a_new_link_cuts_the_old_one_off_at_once(world: World) -> None:
    old = open_screen(world)
    paths = every(old, status(world, old).edition)
    new = open_screen(world, held=old)
    assert new not in {"", old}
    assert dead(world, *paths)
    assert edition(world, new).alive == 8


def test_a_closed_screen_never_comes_back_under_an_old_link(world: World) -> None:
    old = open_screen(world)
    close_screen(world)
    assert shown(world) == ""
    assert dead(world, *every(old))
    assert open_screen(world) not in {"", old}
    assert dead(world, *every(old))


def test_whoever_has_an_older_page_is_told_what_stands(world: World) -> None:
    def told(held: str) -> str:
        boss = world.phone(BOSS)
        submit(boss, DESK, DESK, held=held)
        return boss.get(DESK).text

    old = open_screen(world)
    present = open_screen(world, held=old)
    page = told(old)
    assert "Le lien vient d’être changé" in page
    assert present in page
    close_screen(world)
    assert "quelqu’un a fermé le grand écran" in told(present)
    assert shown(world) == ""
    assert "C’est ouvert" in told("")


def test_a_second_tap_changes_nothing_twice(world: World) -> None:
    first = open_screen(world)
    assert open_screen(world) == first
    second = open_screen(world, held=first)
    assert open_screen(world, held=first) == second
    close_screen(world)
    close_screen(world)
    assert shown(world) == ""


def test_another_process_knows_a_new_link_and_a_death_at_once(world: World) -> None:
    other = World(app_.create(settings_in(world.site.settings.data_dir)), world.number)
    token = open_screen(world)
    before = status(other, token)
    world.do(c.Die(world.who("Gus").id))
    assert status(other, token).version == before.version + 1
    assert edition(other, token).alive == 7
    assert address(other, token) == address(world, token)
    close_screen(other)
    assert dead(world, *every(token))
    other.site.database.close()


def test_each_game_has_its_own_screen(world: World) -> None:
    with world.site.database.write() as connection:
        number = games.create(connection, "Une autre")
        for game in (number, world.number):
            games.set_screen(connection, game, None, 1)  # even with the same number
    other, token = World(world.app, number), shown(world)
    other.do(c.Enrol("Zoé"), c.Enrol(BOSS, organiser=True))
    its = shown(other)
    assert its not in {"", token}
    assert {edition(world, its).game, edition(world, token).game} == {"Une autre", "Week-end"}
    close_screen(other)
    assert dead(world, *every(its))
    assert edition(world, token).alive == 8


# --- what may be kept ---


def told(answer: TestResponse) -> tuple[object, ...]:
    """Give all that an answer holds, but the name of its request."""
    rest = {k: v for k, v in answer.headers.items() if k != "X-Request-Id"}
    return answer.status_code, rest, answer.data


def test_an_edition_may_be_kept_for_ever_and_its_name_never(world: World) -> None:
    token = open_screen(world)
    now, whole = (world.visitor().get(p) for p in (f"/api/screen/{token}", address(world, token)))
    assert now.headers["Cache-Control"] == "no-store"
    assert whole.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    for answer in (now, whole):
        assert answer.headers["Vary"] == "Accept-Encoding"
        again = world.visitor().get(
            answer.request.path, headers={"If-None-Match": answer.headers["ETag"]}
        )
        assert (again.status_code, again.data) == (304, b"")


def test_an_edition_travels_compressed(world: World) -> None:
    for number in range(20):
        world.do(c.Enrol(f"Joueur {number}", seed=number))
    token = open_screen(world)
    answer = world.visitor().get(address(world, token), headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.data[:2] == b"\x1f\x8b"


@pytest.mark.parametrize("who", ["Ana", BOSS])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_nobody_s_cookie_changes_a_byte(world: World, who: str, method: str) -> None:
    """GET is answered before Flask, HEAD by it."""
    token = open_screen(world)
    for path in (f"/api/screen/{token}", address(world, token)):
        mine = world.phone(who)
        mine.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
        anybody, somebody = (client.open(path, method=method) for client in (world.visitor(), mine))
        assert told(anybody) == told(somebody)
        assert "Set-Cookie" not in somebody.headers


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_cookie_that_would_be_moved_to_redis_stays_where_it_is(
    template: Path, tmp_path: Path, redis_url: str, method: str
) -> None:
    redis = {"redis_url": redis_url, "session_backend": "redis"}
    for world in opened(template, tmp_path / "data", running=True, **redis):
        token = open_screen(world)
        assert "Set-Cookie" in world.phone("Ana").get("/").headers
        for path in (f"/api/screen/{token}", address(world, token), f"/screen/{token}"):
            answer = world.phone("Ana").open(path, method=method)
            assert answer.status_code == 200
            assert "Set-Cookie" not in answer.headers


def test_both_ways_give_the_same_headers(world: World) -> None:
    token = open_screen(world)
    for path in (f"/api/screen/{token}", address(world, token), f"/api/screen/{token}/0-x"):
        quick, slow = world.visitor().get(path), world.visitor().head(path)
        assert told(quick)[:2] == told(slow)[:2]


def test_an_address_shows_what_it_names_or_leads_to_what_is_there(world: World) -> None:
    token = open_screen(world)
    before = address(world, token)
    world.do(c.Die(world.who("Gus").id))
    version = world.game.version
    for path in (before, f"{before}0", f"/api/screen/{token}/{version}", f"{every(token)[2]}"):
        answer = world.visitor().get(path)
        assert (answer.status_code, answer.data) == (303, b"")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Location"] == address(world, token) != path
    assert world.visitor().get(before, follow_redirects=True).json["version"] == version


def test_a_version_with_other_content_has_another_address(world: World) -> None:
    """As after a backup was restored: its versions are counted again."""
    token = open_screen(world)
    with world.site.database.write() as connection:
        number = games.create(connection, "Restaurée")
        games.set_screen(connection, number, None, 1)
    twin = World(world.app, number)
    twin.do(*(c.Enrol(name) for name in PLAYERS), c.Enrol(BOSS, organiser=True), c.Start(8))
    assert twin.game.version == world.game.version
    assert status(world, shown(twin)).edition != status(world, token).edition


def test_without_its_database_it_says_when_to_come_back(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    settings = settings_in(tmp_path, database_url=f"sqlite:///{tmp_path}/file/killer.sqlite3")
    visitor = World(app_.create(settings)).visitor()
    for path in every(UNKNOWN):
        answer = visitor.get(path)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (503, "no-store")
        assert int(answer.headers["Retry-After"]) > 0


# --- what it tells ---


def words(screen: Screen) -> str:
    return " ".join(line.text["fr"] for line in screen.news)


@pytest.mark.parametrize("visibility", list(Visibility))
def test_it_tells_no_more_than_the_game_tells_every_player(
    world: World, visibility: Visibility
) -> None:
    world.do(c.SetVisibility(visibility))
    token, victim = open_screen(world), world.prey("Ana").nickname
    world.do(c.Die(world.who(victim).id))
    hunted = world.prey("Ana").nickname
    world.do(c.Die(world.who("Ana").id))
    found = edition(world, token)
    assert found.alive == 6
    assert {line.kills for line in found.best} == {1}
    assert any(line.fallen for line in found.best) is (visibility is not Visibility.DISCREET)
    assert (victim in words(found)) is (visibility is not Visibility.DISCREET)
    by_ana = [line for line in found.news if victim in line.text["fr"] and "Ana" in line.text["fr"]]
    assert bool(by_ana) is (visibility is Visibility.OPEN)
    assert hunted in {p.nickname for p in world.game.alive}
    assert hunted not in words(found)


def test_a_stricter_rule_hides_the_falls_at_once(world: World) -> None:
    token = open_screen(world)
    world.do(c.Die(world.who("Gus").id))
    assert "Gus" in words(edition(world, token))
    old = address(world, token)
    world.do(c.SetVisibility(Visibility.DISCREET))
    assert "Gus" not in words(edition(world, token))
    assert world.visitor().get(old).status_code == 303


def test_no_challenge_no_target_and_no_number_is_in_it(world: World) -> None:
    with world.site.database.write() as connection:
        contact = people.Contact(phone="06 11 11 11 11", email="ana@example.org")
        everybody = {world.who(name).id: contact for name in (*PLAYERS, BOSS)}
        people.set_contacts(connection, world.number, everybody)
    world.do(c.SetVisibility(Visibility.OPEN))
    token = open_screen(world)
    paths = (f"/screen/{token}", f"/api/screen/{token}", address(world, token))
    told = "".join(unescape(world.visitor().get(path).text) for path in paths)
    for secret in ("Défi", "06 11", "example.org", *PLAYERS[2:], BOSS):
        assert secret not in told  # before the first death nobody is named at all


def test_podiums_are_shown_when_all_is_over(world: World) -> None:
    token = open_screen(world)
    world.do(c.Die(world.prey("Ana").id))
    assert not edition(world, token).survivors + edition(world, token).killers
    while len(world.game.alive) > 1:
        world.do(c.Die(world.prey("Ana").id))
    found = edition(world, token)
    assert found.state == "over"
    assert found.survivors[0].nicknames == found.killers[0].nicknames == ["Ana"]
    assert (found.killers[0].kills, len(found.survivors)) == (7, 3)


@pytest.mark.parametrize(("asked", "spoken"), [("", "fr"), ("?lang=en", "en"), ("?lang=xx", "fr")])
def test_the_page_speaks_the_language_of_its_link(world: World, asked: str, spoken: str) -> None:
    token = open_screen(world)
    page = world.visitor().get(f"/screen/{token}{asked}")
    assert f'<html lang="{spoken}">' in page.text
    assert page.headers["Content-Language"] == spoken
    assert (
        world.visitor()
        .get(f"/screen/{token}", headers={"Accept-Language": "en-GB"})
        .headers["Content-Language"]
        == "en"
    )
