"""Two servers with nothing in common but a database and a bucket: a photo is everywhere at once."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path

import pytest
import requests

from e2e.cluster import Engine
from e2e.phones import Phone
from e2e.rosters import Person
from e2e.server import Server
from engines import bucket as s3_
from engines.processes import free_port, wait_for
from killer.media.pictures import SIZES, prepare
from media.darkroom import photograph

SECRET = "the same secret on every node of this test"
PEOPLE = [Person(name, "Chanter", f"mot de passe {name}") for name in ("Ana", "Bo", "Chloé")]
SECONDS = 60


@pytest.fixture
def own_s3(tmp_path: Path) -> Iterator[Engine]:
    """An S3 that the test may stop and start again; each time it is empty."""
    port = free_port()
    engine = Engine(lambda: s3_.server(tmp_path, port))
    yield engine
    engine.stop()


@pytest.fixture
def nodes(own_s3: Engine, tmp_path: Path) -> Iterator[list[Server]]:
    """Two servers, each with a folder of its own."""
    named = s3_.new(own_s3.runs)
    shared = {"DATABASE_URL": f"sqlite:///{tmp_path}/game.sqlite3", "SECRET_KEY": SECRET}
    made = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        made.append(Server(tmp_path / name, GUNICORN_WORKERS="1", **shared, **named))
    try:
        made[0].imports(PEOPLE)
        for node in made:
            node.start()
        yield made
    finally:
        for node in made:
            node.end()


def send(node: Server, phone: Phone, number: int) -> requests.Response:
    """Send a photo as the page does."""
    address, cookies = f"http://127.0.0.1:{node.port}/photo", {"killer": phone.cookie}
    page = requests.get(address, cookies=cookies, timeout=SECONDS)
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found, page.text
    return requests.post(
        address,
        data={"csrf_token": unescape(found[1])},
        files={"photo": ("IMG_1.JPG", photograph(number))},
        cookies=cookies | page.cookies.get_dict(),
        timeout=SECONDS,
        allow_redirects=False,
    )


def face(phone: Phone, nickname: str) -> str:
    players = phone.ask("GET", "/api/players").json["players"]
    return next(player["photo"] or "" for player in players if player["nickname"] == nickname)


def copies(node: Server) -> list[Path]:
    return sorted((Path(node.environment["DATA_DIR"]) / "photos").rglob("*.webp"))


def test_a_photo_sent_to_one_node_is_seen_by_the_other(nodes: list[Server], own_s3: Engine) -> None:
    one, other = nodes
    assert "photos: s3://photos-" in one.log.read_text()
    assert s3_.SECRET not in one.log.read_text()
    ana = one.signed_in(PEOPLE[0])
    bo = Phone(other.port, "Bo", one.signed_in(PEOPLE[1]).cookie)
    assert send(one, ana, 1).status_code == 303
    address = wait_for(lambda: face(bo, "Ana"), what="Ana's face on the other node")
    expected = prepare(photograph(1)).files
    assert copies(other) == []
    for size in SIZES:
        assert bo.ask("GET", f"{address}?size={size}").body == expected[size]
    assert len(copies(other)) == 3
    seen_by_many_at_once(one, address, expected["medium"], bo.cookie)
    the_bucket_goes_and_comes_back(nodes, own_s3, address, ana, bo)


def seen_by_many_at_once(node: Server, address: str, expected: bytes, cookie: str) -> None:
    """Twenty phones want the same photo of a machine that has lost its copy."""
    shutil.rmtree(Path(node.environment["DATA_DIR"]) / "photos")
    with ThreadPoolExecutor(20) as pool:
        asked = [Phone(node.port, cookie=cookie) for _ in range(20)]
        answers = list(pool.map(lambda phone: phone.ask("GET", address), asked))
    assert {(answer.status, answer.body) for answer in answers} == {(200, expected)}
    assert len(copies(node)) == 1


def the_bucket_goes_and_comes_back(
    nodes: list[Server], own_s3: Engine, address: str, ana: Phone, bo: Phone
) -> None:
    """What is copied is shown, nothing new is taken, the game is played, and it recovers."""
    one, other = nodes
    own_s3.stop()
    assert bo.ask("GET", address).status == 200
    missing = ana.ask("GET", f"{address}?size=large")
    assert (missing.status, missing.headers["Cache-Control"]) == (404, "no-store")
    refused = send(other, bo, 2)
    assert (refused.status_code, "Il faut réessayer dans une minute" in refused.text) == (503, True)
    assert face(ana, "Bo") == ""
    assert ana.ask("GET", "/health/ready").status == 200
    own_s3.start()
    name = one.environment["PHOTOS_URL"].split("/")[2]
    s3_.client(own_s3.runs).make_bucket(name)
    wait_for(
        lambda: send(other, bo, 2).status_code == 303, 60, what="an upload that is taken again"
    )
    assert wait_for(lambda: face(ana, "Bo"))
    assert ana.ask("GET", face(ana, "Bo")).status == 200
