"""What monitors ask: alive, ready, the figures, and the files that browsers keep."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from killer import app as app_
from web.world import World, settings_in

TOKEN = "a token of the monitor"


def test_health_says_ok_and_nothing_else(world: World) -> None:
    answer = world.visitor().get("/health")
    assert (answer.status_code, answer.data) == (200, b"ok")
    assert answer.mimetype == "text/plain"
    assert "Set-Cookie" not in answer.headers


def test_ready_tells_part_by_part(world: World) -> None:
    answer = world.visitor().get("/health/ready")
    assert answer.status_code == 200
    assert answer.json == {
        "ready": True,
        "database": True,
        "migrations": True,
        "bell": "look",
        "redis": None,
        "sheet_lag": None,
    }


def test_a_closing_server_gets_no_traffic(world: World) -> None:
    world.site.hub.close()
    answer = world.visitor().get("/health/ready")
    assert (answer.status_code, answer.json["bell"]) == (503, None)


def test_a_server_without_its_schema_gets_no_traffic(tmp_path) -> None:
    world = World(app_.create(settings_in(tmp_path)))
    assert world.visitor().get("/health/ready").status_code == 503
    assert world.visitor().get("/health").status_code == 200
    world.site.database.close()


def test_a_server_without_its_database_says_so_and_when_to_come_back(tmp_path) -> None:
    (tmp_path / "file").write_text("no folder")
    settings = settings_in(tmp_path, database_url=f"sqlite:///{tmp_path}/file/killer.sqlite3")
    visitor = World(app_.create(settings)).visitor()
    assert visitor.get("/health/ready").status_code == 503
    assert visitor.get("/health").status_code == 200
    lost = visitor.post("/api/login", json={"token": "x"}, headers={"Accept-Language": "en"})
    assert lost.status_code == 503
    assert int(lost.headers["Retry-After"]) > 0
    assert lost.json["type"] == "urn:killer:problem:store_unavailable"
    assert str(tmp_path) not in lost.text


def test_the_figures_are_for_this_machine(world: World) -> None:
    answer = world.visitor().get("/metrics")
    assert answer.status_code == 200
    assert "killer_requests" in answer.text
    away = world.visitor().get("/metrics", environ_overrides={"REMOTE_ADDR": "192.0.2.1"})
    assert (away.status_code, away.mimetype) == (403, "application/problem+json")


@pytest.mark.parametrize(
    "header",
    ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP"],
)
def test_a_proxy_on_this_machine_opens_the_figures_to_nobody(still: World, header: str) -> None:
    assert still.visitor().get("/metrics", headers={header: "127.0.0.1"}).status_code == 403


def test_the_token_opens_the_figures_from_elsewhere(world: World) -> None:
    settings = replace(settings_in(world.site.settings.data_dir), metrics_token=TOKEN)
    guarded = World(app_.create(settings), world.number)

    def asked(header: str) -> int:
        away = {"REMOTE_ADDR": "192.0.2.1"}
        headers = {"Authorization": header}
        return (
            guarded.visitor().get("/metrics", headers=headers, environ_overrides=away).status_code
        )

    assert asked(f"Bearer {TOKEN}") == 200
    assert [asked(h) for h in ("", "Bearer", "Bearer ", f"Bearer {TOKEN}x", "Basic é")] == [403] * 5
    guarded.site.database.close()


def test_the_figures_name_routes_and_never_people(world: World) -> None:
    token = world.link("Ana")
    world.visitor().get(f"/s/{token}")
    world.phone("Orga").get("/organiser/players/Fleur%20de%20Lys")
    figures = world.visitor().get("/metrics").text
    assert token not in figures
    assert "Fleur" not in figures
    assert 'route="GET /s/<token>"' in figures


def test_static_files_are_kept_for_a_year_under_their_fingerprint(still: World) -> None:
    page = still.visitor().get("/sign-in").text
    for address in set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page)):
        answer = still.visitor().get(address, headers={"Accept-Encoding": "identity"})
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
        assert "Set-Cookie" not in answer.headers
        assert "Content-Encoding" not in answer.headers
        zipped = still.visitor().get(address, headers={"Accept-Encoding": "gzip"})
        assert zipped.headers["Content-Encoding"] == "gzip"


@pytest.mark.parametrize(
    "path",
    [
        "../app.py",
        "..%2fapp.py",
        "%2e%2e/app.py",
        "....//app.py",
        "/etc/passwd",
        "VENDORED.md",
        "..",
    ],
)
def test_nothing_but_static_files_is_served(still: World, path: str) -> None:
    print_of = still.site.static.url("site.css").split("/")[2]
    for folder in (print_of, "..", "x"):
        raw = {"PATH_INFO": f"/static/{folder}/{path}"}
        answer = still.visitor().get("/", environ_overrides=raw)
        assert answer.status_code == 404
