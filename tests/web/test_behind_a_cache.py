"""Two players behind one caching proxy: it keeps the files, and nobody's answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from e2e.phones import Answer, Phone
from e2e.rosters import Person
from e2e.server import Server
from engines.cache import caching
from engines.processes import free_port
from killer.web.route import Who
from killer.web.routes import ROUTES

FILLED = {
    "<nickname:nickname>": "Ana",
    "<number:version>": "1",
    "<number:number>": "1",
    "<verb>": "pause",
    "<token>": "unknown",
    "<edition>": "unknown",
    "<name>": "unknown",
}
STREAM = "/api/events"
PATHS = sorted(
    {
        re.sub(r"<[^>]+>", lambda found: FILLED[found[0]], route.rule)
        for route in ROUTES
        if route.method == "GET" and route.rule != STREAM and "<fingerprint>" not in route.rule
    }
)


@dataclass
class Site:
    """A server behind a proxy that keeps what it may."""

    server: Server
    port: int
    cookies: dict[Person, str]

    def phone(self, person: Person | None = None) -> Phone:
        """Give a phone in front of the proxy; nobody's without a person."""
        return Phone(self.port, cookie=self.cookies[person] if person else "")


PEOPLE = [
    *(Person(name, f"Défi de {name}", f"mot de passe {name}") for name in ("Ana", "Bo", "Chloé")),
    Person("Orga", "", "mot de passe Orga", organiser=True),
]


@pytest.fixture(scope="module")
def site(nginx: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("cache")
    server = Server(folder, GUNICORN_WORKERS="1")
    try:
        server.imports(PEOPLE)
        server.start()
        host = server.signed_in(PEOPLE[-1])
        assert host.ask("POST", "/api/organiser/game/start", {}).status == 200
        with caching(nginx, folder, server.port, free_port()) as port:
            cookies = {person: server.signed_in(person).cookie for person in PEOPLE}
            yield Site(server, port, cookies)
    finally:
        server.end()


def kept(answer: Answer) -> bool:
    return answer.headers["X-Kept"] == "HIT"


@pytest.mark.parametrize("path", PATHS)
def test_no_answer_is_kept_for_somebody_else(site: Site, path: str) -> None:
    phones = [*(site.phone(person) for person in PEOPLE), site.phone()]
    for phone in (*phones, *reversed(phones)):
        answer = phone.ask("GET", path)
        assert not kept(answer), (path, answer.headers)


@pytest.mark.parametrize("path", ["/", "/card", "/api/me"])
def test_each_player_gets_the_own_card(site: Site, path: str) -> None:
    bodies = set()
    for person in PEOPLE[:3] * 2:
        phone = site.phone(person)
        through, direct = phone.ask("GET", path), Phone(site.server.port, cookie=phone.cookie)
        assert through.status == 200
        if path == "/api/me":
            assert through.json["player"]["nickname"] == person.nickname
            assert through.body == direct.ask("GET", path).body
        bodies.add(through.body)
    assert len(bodies) >= 3


def test_what_a_reader_knows_already_is_not_kept_for_another(site: Site) -> None:
    ana, bo = site.phone(PEOPLE[0]), site.phone(PEOPLE[1])
    etag = ana.ask("GET", "/api/me").headers["ETag"]
    answer = bo.ask("GET", "/api/me", If_None_Match=etag)
    assert (answer.status, answer.json["player"]["nickname"]) == (200, "Bo")


@pytest.mark.parametrize("coding", ["gzip", ""])
def test_the_files_are_kept_for_everybody(site: Site, coding: str) -> None:
    page = site.phone().ask("GET", "/sign-in").body.decode()
    path = re.findall(r'href="(/static/[^"]+\.css)"', page)[0]
    asked = {"Accept_Encoding": coding} if coding else {}
    first, again = (site.phone(PEOPLE[i]).ask("GET", path, **asked) for i in (0, 1))
    assert kept(again)
    assert first.body == again.body
    assert (again.headers["Content-Encoding"] or "") == coding
    assert "Set-Cookie" not in again.headers


@pytest.fixture(scope="module")
def screen(site: Site) -> str:
    """The address of the big screen, which an organiser has opened."""
    host = site.server.signed_in(PEOPLE[-1])
    page = host.ask("GET", "/organiser/screen").body.decode()
    seal = re.findall(r'name="csrf_token" value="([^"]+)"', page)[0]
    form = urlencode({"csrf_token": unescape(seal), "held": ""}).encode()
    address = f"http://127.0.0.1:{site.server.port}/organiser/screen"
    urlopen(Request(address, form, {"Cookie": f"killer={host.cookie}"})).close()
    page = host.ask("GET", "/organiser/screen").body.decode()
    return "/api" + re.findall(r'href="(/screen/[^"]+)"', page)[0]


@pytest.mark.parametrize("coding", ["gzip", ""])
def test_viewers_of_the_big_screen_get_the_same_kept_bytes(
    site: Site, screen: str, coding: str
) -> None:
    asked = {"Accept_Encoding": coding} if coding else {}
    now = site.phone().ask("GET", screen)
    path = f"{screen}/{now.json['edition']}"
    direct = Phone(site.server.port).ask("GET", path, **asked)
    site.phone(PEOPLE[0]).ask("GET", path, **asked)
    for phone in (site.phone(PEOPLE[1]), site.phone(PEOPLE[-1]), site.phone()):
        again = phone.ask("GET", path, **asked)
        assert kept(again)
        assert again.body == direct.body
        assert "Set-Cookie" not in again.headers
        assert not kept(phone.ask("GET", screen))


def test_a_death_is_on_the_big_screen_at_once(site: Site, screen: str) -> None:
    seen = []
    for person in (None, PEOPLE[0]):
        if person:
            site.server.signed_in(person).ask("POST", "/api/death", {})
        name = site.phone().ask("GET", screen).json["edition"]
        first, again = (site.phone(p).ask("GET", f"{screen}/{name}") for p in PEOPLE[1:3])
        assert (kept(again), first.body) == (True, again.body)
        seen.append((first.json["alive"], f"{screen}/{name}"))
    assert [alive for alive, _ in seen] == [3, 2]
    old = Phone(site.server.port).ask("GET", seen[0][1])
    assert (old.status, old.headers["Location"]) == (303, seen[1][1])
    assert not kept(site.phone().ask("GET", f"{screen}/0-nothing"))
    assert not kept(site.phone().ask("GET", f"{screen}/0-nothing"))


def test_every_route_is_looked_at() -> None:
    assert {route.who for route in ROUTES if route.method == "GET"} == set(Who)
    assert len(PATHS) > 25
