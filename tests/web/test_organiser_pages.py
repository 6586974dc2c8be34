"""Every page in every state of a game, and everything that an organiser's page does."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from killer.game import commands as c
from killer.game.model import State, Status, Visibility
from killer.language import say
from web.world import BOSS, WORST_NAMES, World, quoted, submit

VOID = frozenset({"meta", "link", "input", "img", "br", "hr", "col"})
PAGES = (
    "/", "/card", "/death", "/giveup", "/feed", "/leaderboard", "/players", "/podium",
)  # fmt: skip
DESK = (
    "/organiser", "/organiser?part=table", "/organiser?part=state", "/organiser/challenges",
    "/organiser/add", "/organiser/log", "/organiser/log?before=3", "/organiser/import",
    "/organiser/mails", "/organiser/mails?part=mails",
    "/organiser/players/Ana", f"/organiser/players/{BOSS}",
    *(f"/organiser/game/{verb}" for verb in ("start", "pause", "resume", "end", "reshuffle")),
)  # fmt: skip
XSS = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


class Sound(HTMLParser):
    """Reads a page and complains about whatever is opened and not closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.ids: list[str] = []
        self.feed(page)
        self.close()
        self.wrong += self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID and not self.cdata_elem:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See an element that closes itself, as those of a drawing do."""

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open[-1] != tag and self.open[-1] in {"p", "li", "dt", "dd"}:
            self.open.pop()
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"/{tag}")


def check(page: TestResponse) -> None:
    assert page.status_code == 200, page.text
    found = Sound(page.text)
    assert not found.wrong, (page.request.path, found.wrong)
    assert len(set(found.ids)) == len(found.ids), page.request.path
    assert not re.search(
        r"\bsite\.[a-z_]+\.[a-z_]+|[>\"]None[<\"]|Undefined|object at 0x", page.text
    )


def brought_to(world: World, state: str) -> World:
    if state != "preparing":
        world.start()
        world.do(c.Die(world.who("Bo").id), c.GiveUp(world.who("Gus").id))
    if state == "paused":
        world.do(c.Pause())
    if state == "over":
        world.do(c.End())
    return world


@pytest.fixture
def boss(world: World) -> FlaskClient:
    return world.phone(BOSS)


def act(boss: FlaskClient, whom: str, verb: str, **fields: str) -> TestResponse:
    page = f"/organiser/players/{quoted(whom)}"
    return submit(boss, f"{page}/{verb}", page, **fields)


# --- every page in every state ---


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("state", ["preparing", "running", "paused", "over"])
def test_every_page_is_sound_in_every_state(gathered: World, state: str, language: str) -> None:
    world = brought_to(gathered, state)
    for visibility in Visibility:
        world.do(c.SetVisibility(visibility))
        for name in ("Ana", "Bo", "Gus", BOSS):
            phone = world.phone(name)
            for url in PAGES:
                page = phone.get(url, headers={"Accept-Language": language}, follow_redirects=True)
                check(page)
    boss = world.phone(BOSS)
    for url in DESK:
        check(boss.get(url, headers={"Accept-Language": language}))


def test_a_page_answers_htmx_with_its_part_alone(still: World) -> None:
    for url in ("/leaderboard", "/players", "/podium"):
        part = still.phone("Ana").get(url, headers={"HX-Request": "true"})
        check(part)
        assert "<html" not in part.text


def test_head_gives_the_page_without_its_body(still: World) -> None:
    for url in ("/", "/organiser", "/players"):
        answer = still.phone(BOSS).head(url)
        assert (answer.status_code, answer.data) == (200, b"")


def test_whatever_people_write_is_shown_as_text(world: World) -> None:
    boss = world.phone(BOSS)
    world.do(
        c.Enrol(f"{XSS[:40]}", XSS[:50], XSS),
        c.SetVisibility(Visibility.OPEN),
        c.Kill(world.who("Ana").id),
    )
    evil = world.who(XSS[:40])
    act(boss, evil.nickname, "kill", reason=XSS, credited="yes")
    urls = [*PAGES, *DESK, f"/organiser/players/{quoted(evil.nickname)}"]
    for url in urls:
        page = boss.get(url)
        assert "<script>alert" not in page.text, url
        assert "<img" not in page.text, url
    assert unescape(boss.get("/organiser/log").text).count(XSS) == 1
    link = submit(boss, f"/organiser/players/{quoted(evil.nickname)}/link", "/organiser")
    assert "<script>alert" not in link.text


# --- the state of the game ---


def test_the_state_changes_after_one_more_question(gathered: World) -> None:
    boss = gathered.phone(BOSS)
    for verb, state in (("start", "running"), ("pause", "paused"), ("resume", "running"),
                        ("reshuffle", "running"), ("end", "over")):  # fmt: skip
        page = f"/organiser/game/{verb}"
        done = submit(boss, page, page, reason="voilà")
        assert (done.status_code, done.headers["Location"]) == (303, "/organiser")
        assert gathered.game.state is State(state)
        assert 'role="status"' in boss.get("/organiser").text
    assert boss.get("/organiser/game/explode").status_code == 404
    assert submit(boss, "/organiser/game/explode", "/organiser").status_code == 404


def test_what_players_learn_is_chosen(world: World, boss: FlaskClient) -> None:
    done = submit(boss, "/organiser/game/visibility", "/organiser", visibility="open")
    assert done.status_code == 303
    assert world.game.visibility is Visibility.OPEN
    wrong = submit(boss, "/organiser/game/visibility", "/organiser", visibility="x-ray")
    assert wrong.status_code == 400


def test_a_refusal_is_a_page_with_a_sentence(world: World, boss: FlaskClient) -> None:
    again = submit(boss, "/organiser/game/start", "/organiser")
    assert again.status_code in {303, 409}
    world.do(c.End())
    refused = act(boss, "Ana", "kill", reason="trop tard")
    assert refused.status_code == 409
    assert "finie" in refused.text or "terminée" in refused.text


# --- one player ---


def test_an_organiser_kills_revives_removes_and_keeps_the_reason(
    world: World, boss: FlaskClient
) -> None:
    for verb, status in (("kill", "dead"), ("revive", "alive"), ("remove", "out")):
        done = act(boss, "Élie", verb, reason=f"pour {verb}")
        assert (done.status_code, done.headers["Location"]) == (303, "/organiser/players/%C3%89lie")
        assert world.who("Élie").status == status
        assert f"pour {verb}" in boss.get("/organiser/players/%C3%89lie").text
    assert world.who("Élie").killed_by is None


def test_a_kill_may_be_nobodys(world: World, boss: FlaskClient) -> None:
    act(boss, "Ana", "kill", reason="absente", credited="no")
    assert (world.who("Ana").status, world.who("Ana").killed_by) == (Status.DEAD, None)


@pytest.mark.parametrize("nickname", WORST_NAMES)
def test_the_page_of_any_nickname_works(world: World, nickname: str) -> None:
    boss = world.phone(BOSS)
    world.do(c.Enrol(nickname))
    link = re.search(r'<a href="(/organiser/players/[^"]+)">', rows_after(boss, nickname))
    assert link
    address = unescape(link[1])
    assert boss.get(address).status_code == 200
    done = submit(boss, f"{address}/kill", address, reason="x")
    assert done.status_code == 303
    assert done.headers["Location"] == f"/organiser/players/{encoded(nickname)}"
    assert world.who(nickname).status is Status.DEAD
    assert boss.get(done.headers["Location"]).status_code == 200


def encoded(nickname: str) -> str:
    """Quote all but what stands for itself, as a redirect does."""
    return "".join(ch if re.fullmatch(r"[A-Za-z0-9_.~-]", ch) else quoted(ch) for ch in nickname)


def rows_after(boss: FlaskClient, nickname: str) -> str:
    rows = re.findall(r"<th scope=\"row\">.*?</th>", boss.get("/organiser?part=table").text)
    return next(row for row in rows if f">{nickname}<" in unescape(row))


def test_a_player_is_corrected(world: World, boss: FlaskClient) -> None:
    fields = {"nickname": "Ana/Lise", "year": "2A", "challenge": "Chanter", "reason": "faute"}
    done = act(boss, "Ana", "edit", **fields)
    assert done.headers["Location"] == "/organiser/players/Ana%2FLise"
    player = world.who("Ana/Lise")
    assert (player.year, player.challenge) == ("2A", "Chanter")
    taken = act(boss, "Ana/Lise", "edit", nickname="bo", reason="x")
    assert taken.status_code == 422
    assert "Bo" in taken.text or "bo" in taken.text


def test_a_challenge_is_corrected_in_place(world: World, boss: FlaskClient) -> None:
    url = "/organiser/players/Ana/edit?part=challenge"
    part = submit(boss, url, "/organiser/challenges", challenge="Danser", reason="relu")
    check(part)
    assert world.who("Ana").challenge == "Danser"
    long = submit(boss, url, "/organiser/challenges", challenge="x" * 501, reason="relu")
    assert long.status_code in {200, 422}
    assert "500" in long.text
    assert world.who("Ana").challenge == "Danser"


def test_a_second_sending_of_a_form_changes_nothing(world: World, boss: FlaskClient) -> None:
    for _ in range(2):
        done = act(boss, "Ana", "signout", reason="perdu", idempotency_key="once")
        assert done.status_code == 303
    assert world.who("Ana").sessions == 1


def test_a_latecomer_is_added_by_the_form(world: World, boss: FlaskClient) -> None:
    fields = {"nickname": "Tard/Venu", "year": "3A", "playing": "yes"}
    done = submit(boss, "/organiser/players", "/organiser/add", **fields)
    assert done.headers["Location"] == "/organiser/players/Tard%2FVenu"
    assert world.who("Tard/Venu").status is Status.ALIVE
    again = submit(boss, "/organiser/players", "/organiser/add", **fields)
    assert again.status_code == 422
    assert "Tard/Venu" in again.text
    submit(boss, "/organiser/players", "/organiser/add", nickname="Adjointe", organiser="yes")
    assert world.phone("Adjointe").get("/organiser").status_code == 200
    assert world.who("Adjointe").status is Status.OUT


def test_a_link_that_is_asked_for_twice_stays_the_same(world: World, boss: FlaskClient) -> None:
    first = act(boss, "Ana", "link", idempotency_key="once")
    made = re.search(r'value="http://[^"]+(/s/[^"]+)"', first.text)
    assert made
    version = world.game.version
    again = act(boss, "Ana", "link", idempotency_key="once")  # the page was loaded again
    assert (again.status_code, again.headers["Location"]) == (303, "/organiser/players/Ana")
    assert say("site.done.link", nickname="Ana") in unescape(boss.get(again.location).text)
    assert world.game.version == version
    assert "Ana" in world.visitor().get(made[1]).text
    other = act(boss, "Ana", "link", idempotency_key="twice")
    assert "/s/" in other.text
    assert world.visitor().get(made[1]).status_code == 404


def test_the_address_of_a_link_that_was_shown_leads_to_its_player(still: World) -> None:
    back = still.phone(BOSS).get("/organiser/players/Fleur%20de%20Lys/link")
    assert back.status_code == 303
    assert back.headers["Location"] == "/organiser/players/Fleur%20de%20Lys"


def test_an_unknown_player_is_not_found(world: World, boss: FlaskClient) -> None:
    assert boss.get("/organiser/players/Nemo").status_code == 404
    for verb in ("kill", "revive", "remove", "signout", "link", "edit"):
        missing = submit(boss, f"/organiser/players/Nemo/{verb}", "/organiser", reason="x")
        assert (missing.status_code, "Nemo" in missing.text) == (404, True)


# --- the log ---


def test_the_log_tells_who_did_what_and_takes_it_back(world: World, boss: FlaskClient) -> None:
    act(boss, "Ana", "kill", reason="vue de tous")
    version = world.game.version
    page = boss.get("/organiser/log").text
    assert f"/organiser/undo/{version}" in page
    assert BOSS in page
    done = submit(boss, f"/organiser/undo/{version}", "/organiser/log", reason="non")
    assert (done.status_code, done.headers["Location"]) == (303, "/organiser/log")
    assert world.who("Ana").status is Status.ALIVE
    assert submit(boss, "/organiser/undo/1", "/organiser/log").status_code == 409
    assert submit(boss, f"/organiser/undo/{'9' * 30}", "/organiser/log").status_code == 404


@pytest.mark.parametrize("before", ["9" * 5000, "-1", "0", "x", "1e3", "٣", "", "²"])
def test_the_log_starts_wherever_one_asks(still: World, before: str) -> None:
    assert (
        still.phone(BOSS).get("/organiser/log", query_string={"before": before}).status_code == 200
    )


# --- a player's own pages ---


def test_a_death_is_asked_for_once_more(world: World) -> None:
    phone = world.phone("Ana")
    assert submit(phone, "/death", "/death").status_code == 400
    assert world.who("Ana").status is Status.ALIVE
    done = submit(phone, "/death", "/death", sure="yes")
    assert (done.status_code, done.headers["Location"]) == (303, "/")
    assert world.who("Ana").status is Status.DEAD
    assert submit(phone, "/death", "/", sure="yes").status_code == 303


def test_an_open_page_gets_the_new_card_or_the_reason(world: World) -> None:
    live = world.phone("Ana")
    token = {"csrf_token": re.search(r'csrf_token" value="([^"]+)', live.get("/").text)[1]}
    world.do(c.Pause())
    refused = live.post("/giveup", data=token | {"sure": "yes"}, headers={"HX-Request": "true"})
    assert refused.status_code == 409
    assert 'role="alert"' in refused.text
    world.do(c.Resume())
    done = live.post("/giveup", data=token | {"sure": "yes"}, headers={"HX-Request": "true"})
    assert done.status_code == 200
    assert 'data-mood="gaveup"' in done.text


def test_there_is_no_page_to_leave_from_where_nothing_can_be_left(gathered: World) -> None:
    phone = gathered.phone("Ana")

    def leads_home() -> bool:
        answers = [phone.get(path) for path in ("/death", "/giveup")]
        return all(a.status_code == 302 and a.headers["Location"] == "/" for a in answers)

    assert leads_home(), "before the start"
    gathered.start()
    assert phone.get("/death").status_code == 200
    gathered.do(c.Pause())
    assert leads_home(), "in a pause"
    gathered.do(c.Resume(), c.Die(gathered.who("Ana").id))
    assert leads_home(), "dead"


def test_a_player_is_told_of_oneself_as_you(world: World) -> None:
    phone = world.phone("Ana")
    token = {"csrf_token": re.search(r'csrf_token" value="([^"]+)', phone.get("/").text)[1]}
    world.do(c.GiveUp(world.who("Ana").id))
    page = phone.post("/death", data=token | {"sure": "yes"}, headers={"HX-Request": "true"})
    assert page.status_code == 409
    assert "Tu as déjà abandonné." in page.text
    assert "Ana a déjà" not in page.text


def test_a_form_that_comes_too_soon_leads_home_and_says_why(gathered: World) -> None:
    phone = gathered.phone("Ana")
    sent = submit(phone, "/death", "/", sure="yes")
    assert (sent.status_code, sent.headers["Location"]) == (303, "/")
    assert "La partie n’a pas encore commencé." in unescape(phone.get("/").text)


def test_an_unknown_address_keeps_whoever_is_signed_in_at_home(still: World) -> None:
    ways = ['href="/players"', "Se déconnecter"]
    page = still.phone("Ana").get("/nowhere")
    assert page.status_code == 404
    assert all(way in page.text for way in ways)
    stranger = still.visitor().get("/nowhere")
    assert stranger.status_code == 404
    assert not any(way in stranger.text for way in ways)


def test_a_place_and_a_rank_say_what_they_count(world: World) -> None:
    world.do(c.Die(world.who("Ana").id))
    assert "Ta place en survie" in world.phone("Ana").get("/").text
    assert "Au nombre de victimes, tu es n°" in world.phone("Ana").get("/leaderboard").text
