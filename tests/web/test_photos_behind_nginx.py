"""Photos behind a real nginx: sent by it, to whom the server has let through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from e2e.phones import Phone
from e2e.rosters import Person
from e2e.server import Server
from engines import nginx as nginx_
from engines.processes import free_port
from killer import app as app_
from killer.media import own
from killer.media.pictures import prepare
from killer.play import Request
from killer.settings import Settings
from media.darkroom import photograph

CONFIGURATION = """
  server {{
    listen 127.0.0.1:{port};
    access_log {folder}/access.log;
    default_type application/octet-stream;
    location / {{ proxy_pass http://127.0.0.1:{behind}; proxy_set_header Host $http_host; }}
    location /_photos/ {{
      internal;
      alias {photos}/;
      add_header X-Content-Type-Options nosniff always;
      add_header Cross-Origin-Resource-Policy same-origin always;
    }}
  }}
"""


@dataclass
class Site:
    """A server behind nginx, a player's phone in front of it, and the other one's photo."""

    phone: Phone
    stranger: Phone
    name: str
    expected: bytes
    log: Path


@pytest.fixture(scope="module")
def behind_nginx(nginx: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("nginx")
    server = Server(folder, GUNICORN_WORKERS="1", PHOTO_ACCEL="true")
    people = [Person(name, "Chanter", f"mot de passe {name}") for name in ("Ana", "Bo", "Chloé")]
    try:
        server.imports(people)
        name, expected = photo_on(server)
        server.start()
        port = free_port()
        words = {"folder": folder, "port": port, "behind": server.port}
        http = CONFIGURATION.format(photos=folder / "data" / "photos", **words)
        with nginx_.serving(nginx, folder, http, port):
            phone = Phone(port, "Bo", server.signed_in(people[1]).cookie)
            yield Site(phone, Phone(port), name, expected, folder / "access.log")
    finally:
        server.end()


def photo_on(server: Server) -> tuple[str, bytes]:
    """Give Ana a photo."""
    site = app_.build(Settings(data_dir=Path(server.environment["DATA_DIR"])))
    photo = prepare(photograph(1))
    name = site.shelf.keep(1, photo)
    ana = site.hub.feed(1).game.find("Ana")
    assert ana is not None
    own.wear(site.play, 1, ana.id, name, Request())
    site.database.close()
    return name, photo.files["large"]


def test_nginx_sends_the_photo_with_the_server_s_headers(behind_nginx: Site) -> None:
    answer = behind_nginx.phone.ask("GET", f"/photos/{behind_nginx.name}?size=large")
    assert (answer.status, answer.body) == (200, behind_nginx.expected)
    assert answer.headers["Content-Type"] == "image/webp"
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Accept-Ranges"] == "bytes", "nginx itself has read the file"
    assert "X-Accel-Redirect" not in answer.headers


def test_nginx_sends_it_once_to_a_browser_that_asks_again(behind_nginx: Site) -> None:
    path = f"/photos/{behind_nginx.name}"
    etag = behind_nginx.phone.ask("GET", path).headers["ETag"]
    again = behind_nginx.phone.ask("GET", path, If_None_Match=etag)
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(
    "path", ["/photos/{}", "/photos/{}?size=large", "/_photos/1/{}-large.webp", "/_photos/1/"]
)
def test_who_is_not_signed_in_gets_nothing_from_nginx_either(behind_nginx: Site, path: str) -> None:
    answer = behind_nginx.stranger.ask("GET", path.format(behind_nginx.name))
    assert answer.status in {401, 404}
    assert b"WEBPVP8 " not in answer.body


@pytest.mark.parametrize(
    "path", ["/_photos/1/{}-large.webp", "/photos/..%2f{}", "/photos/{}%2f..%2f..%2fsecret_key"]
)
def test_nobody_goes_past_the_server_to_the_files(behind_nginx: Site, path: str) -> None:
    answer = behind_nginx.phone.ask("GET", path.format(behind_nginx.name))
    assert answer.status == 404
    assert b"WEBPVP8 " not in answer.body
