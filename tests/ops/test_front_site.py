"""The front's nginx before two nodes' nginx, all real, and two games of paper behind them."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from threading import Thread
from typing import Any

import pytest

from engines.nginx import serving
from engines.processes import free_port
from killer.ops import places, site
from killer.ops.machine import Wish
from ops.test_render import HTTP
from ops.test_survey import SOUND

WISH = Wish(host="127.0.0.1", nodes=(("root@a", ""), ("root@b", "")))
FACTS = replace(SOUND, ipv6=False)

SECRET = "kQ2v7sTqXw0c3"  # what no log may hold
SECRET_PATHS = (
    f"/s/{SECRET}",
    f"/%73/{SECRET}?utm=1",
    f"/screen/{SECRET}",
    f"/api/screen/{SECRET}",
    f"/api/screen/{SECRET}/abc",
    f"/organiser/players/{SECRET}",
    f"/api/organiser/players/{SECRET}/kill",
)


def logged(folder: Path) -> str:
    """Give whatever nginx has logged below a folder."""
    return "".join(file.read_text() for file in folder.rglob("*.log"))


class Door(ThreadingUnixStreamServer):
    """A game on a socket that tells what it was asked, and answers as the test wants."""

    daemon_threads = True

    def __init__(self, path: Path, game: Game) -> None:
        super().__init__(str(path), Handler)
        self.game = game


@dataclass
class Game:
    """What one game was asked, and what it answers."""

    socket: Path
    port: int
    status: int | None = 200  # None: it hangs up
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    """Answers for one game."""

    server: Door

    def setup(self) -> None:
        self.client_address = ("-", 0)
        super().setup()

    def do_GET(self) -> None:
        game = self.server.game
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        game.asked.append((self.command, self.path, dict(self.headers)))
        if game.status is None:
            return
        body = json.dumps(str(game.port)).encode()
        self.send_response(game.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815  # the library's name

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@dataclass
class Site:
    """A front and two games behind two nodes."""

    port: int
    games: list[Game]

    def ask(
        self, method: str, path: str, *, port: int = 0, source: str = "127.0.0.1", **headers: str
    ) -> tuple[int, str]:
        """Ask the front, or another port, and give the status and the body."""
        line = http.client.HTTPConnection(
            "127.0.0.1", port or self.port, timeout=10, source_address=(source, 0)
        )
        line.request(method, path, headers={n.replace("_", "-"): v for n, v in headers.items()})
        answer = line.getresponse()
        said = answer.status, answer.read().decode()
        line.close()
        return said

    def seen(self, method: str) -> list[dict[str, str]]:
        """Give the headers of all requests of a method that any game got."""
        return [heads for game in self.games for each, _, heads in game.asked if each == method]


@contextmanager
def nginx_with(nginx: str, folder: Path, text: str, port: int) -> Iterator[None]:
    """Run nginx with a site while the block lasts."""
    folder.mkdir()
    text = text.replace("/var/lib/nginx/killer", f"{folder}/cache")
    text = text.replace("/var/log/nginx/killer.error.log", f"{folder}/error.log")
    text = text.replace(str(Path(site.WAITING).parent), str(folder))
    (folder / "waiting.html").write_text("Le serveur revient")
    (folder / "site.conf").write_text(text)
    with serving(nginx, folder, HTTP.format(folder=folder), port):
        yield


@pytest.fixture
def cluster(nginx: str, tmp_path: Path) -> Iterator[Site]:
    """A front at a free port, with a list of two nodes."""
    found = Site(free_port(), [Game(tmp_path / f"{n}.sock", free_port()) for n in (1, 2)])
    with ExitStack() as stack:
        for number, game in enumerate(found.games):
            door = stack.enter_context(Door(game.socket, game))
            Thread(target=door.serve_forever, daemon=True).start()
            stack.callback(door.shutdown)
            text = site.inner([], FACTS).replace(
                f"listen {places.NODE_PORT}", f"listen {game.port}"
            )
            text = text.replace(places.LIVE, str(game.socket))
            stack.enter_context(nginx_with(nginx, tmp_path / f"node{number}", text, game.port))
        listed = tmp_path / "nodes.inc"
        listed.write_text("".join(f"server 127.0.0.1:{g.port};\n" for g in found.games))
        text = site.site(WISH, FACTS, None).replace("listen 80", f"listen {found.port}")
        text = text.replace(places.NODES, str(listed))
        stack.enter_context(nginx_with(nginx, tmp_path / "front", text, found.port))
        yield found


def test_a_game_learns_the_phone_s_own_address_and_none_that_it_invents(cluster: Site) -> None:
    lie = {"X_Forwarded_For": "198.51.100.7", "X_Forwarded_Proto": "https", "Host": "killer.test"}
    assert cluster.ask("GET", "/", source="127.0.0.9", **lie)[0] == 200
    (heads,) = cluster.seen("GET")
    assert heads["X-Forwarded-For"] == "127.0.0.9"
    assert heads["X-Forwarded-Proto"] == "http", "of the front, not of the phone"
    assert heads["Host"] == heads["X-Forwarded-Host"] == "killer.test"


def test_a_node_believes_its_front_and_refuses_everybody_else(cluster: Site) -> None:
    node = cluster.games[0].port
    told = {"X_Forwarded_For": "198.51.100.7", "X_Forwarded_Proto": "https"}
    assert cluster.ask("GET", "/", port=node, **told)[0] == 200
    (heads,) = cluster.seen("GET")
    assert (heads["X-Forwarded-For"], heads["X-Forwarded-Proto"]) == ("198.51.100.7", "https")
    assert cluster.ask("GET", "/", port=node, source="127.0.0.2", **told)[0] == 403
    assert cluster.ask("GET", "/metrics", port=node)[0] == 404


def test_who_reads_is_led_to_another_node_when_one_hangs_up(cluster: Site) -> None:
    cluster.games[0].status = None
    answers = {cluster.ask("GET", "/") for _ in range(6)}
    assert answers == {(200, f'"{cluster.games[1].port}"')}


def test_what_changes_something_is_never_sent_twice(cluster: Site) -> None:
    for game in cluster.games:
        game.status = None
    status, page = cluster.ask("POST", "/api/death", Content_Length="0")
    assert (status, page) == (502, "Le serveur revient")
    assert len(cluster.seen("POST")) == 1


def test_a_game_that_waits_for_its_database_says_so_itself(cluster: Site) -> None:
    for game in cluster.games:
        game.status = 503
    for _ in range(6):
        status, body = cluster.ask("GET", "/api/me")
        assert status == 503
        assert "revient" not in body, "the game's own words"
    assert len(cluster.seen("GET")) == 6, "nobody else was asked, and no node is out"


def test_a_file_of_the_new_release_is_found_on_the_node_that_has_it(cluster: Site) -> None:
    cluster.games[0].status = 404
    for number in range(4):
        assert cluster.ask("GET", f"/static/{number}.css")[0] == 200
    cluster.games[1].status = 404
    assert cluster.ask("GET", "/static/nowhere.css")[0] == 404
    assert cluster.ask("GET", "/nowhere")[0] == 404
    pages = [path for game in cluster.games for _, path, _ in game.asked if path == "/nowhere"]
    assert len(pages) == 1, "for a page, one answer is enough"


@pytest.mark.parametrize("path", SECRET_PATHS)
def test_no_log_tells_a_secret_address_when_no_game_answers(
    cluster: Site, tmp_path: Path, path: str
) -> None:
    for game in cluster.games:
        game.status = None
    assert cluster.ask("GET", path)[0] == 502
    assert cluster.ask("POST", path, Content_Length="0")[0] == 502
    assert cluster.ask("GET", "/leaderboard")[0] == 502
    assert "GET /leaderboard" in logged(tmp_path / "front"), "what is no secret is told"
    assert "GET /leaderboard" in logged(tmp_path)
    assert SECRET not in logged(tmp_path)


@pytest.mark.parametrize("path", SECRET_PATHS)
def test_no_log_tells_a_secret_address_when_the_server_is_gone(
    nginx: str, tmp_path: Path, path: str
) -> None:
    port = free_port()
    text = site.site(Wish(), FACTS, None).replace("listen 80", f"listen {port}")
    text = text.replace(places.LIVE, str(tmp_path / "gone.sock"))
    with nginx_with(nginx, tmp_path / "alone", text, port):
        alone = Site(port, [])
        (tmp_path / "alone" / "waiting.html").unlink()
        for method in ("GET", "POST"):
            assert alone.ask(method, path, Content_Length="0")[0] in {404, 502}
        assert alone.ask("GET", "/leaderboard")[0] in {404, 502}
    assert "GET /leaderboard" in logged(tmp_path), "what is no secret is told"
    assert SECRET not in logged(tmp_path)


def test_no_page_tells_its_address_to_what_it_loads() -> None:
    """A browser would ask for /favicon.ico with the waiting page's address as referrer."""
    text = site.site(WISH, FACTS, None)
    waiting = text.split("location = /waiting.html {")[1].split("}")[0]
    assert "Referrer-Policy strict-origin" in waiting


def test_no_server_of_a_site_has_nginx_s_own_access_log() -> None:
    """The one that leads to HTTPS is asked for sign-in links too."""
    secure = replace(WISH, domain="killer.example.org")
    for text in (
        site.site(secure, FACTS, site.certificate(secure)),
        site.site(Wish(), FACTS, None),
        site.inner([], FACTS),
    ):
        servers = text.split("\nserver {")[1:]
        assert all("access_log off;" in server for server in servers)


def test_the_front_has_a_certificate_and_limits_and_no_photos_of_its_own() -> None:
    text = site.site(WISH, FACTS, None)
    assert "location /_photos/" not in text
    assert "limit_req zone=killer_requests" in text
    inner = site.inner(["10.0.0.1"], FACTS)
    assert "location /_photos/" in inner
    assert "limit_req" not in inner
    assert re.findall(r"set_real_ip_from (\S+);", inner) == ["10.0.0.1", "127.0.0.1"]
