"""What stands before every view: origins, tokens, headers, and how refusals look to people."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from killer import app as app_
from killer.game.model import Status
from killer.web import routes
from killer.web.route import Route, Who
from web.world import BOSS, World, settings_in, submit, token_in

FOREIGN = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://["},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://localhost@evil.example"},
    {"Origin": "http://localhost:81"},
    {"Origin": "//localhost"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
)
OWN = (
    {},
    {"Origin": "http://localhost"},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
)
CHANGING = [route for route in routes.ROUTES if route.method == "POST"]


def address_of(route: Route) -> str:
    """Fill a rule in with what the game knows."""
    filled = route.rule.replace("<nickname:nickname>", "Ana")
    filled = re.sub(r"<number:\w+>", "1", filled)
    return filled.replace("<verb>", "pause").replace("<token>", "abc")


# --- from where ---


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_another_site_changes_nothing(still: World, headers: dict[str, str]) -> None:
    phone = still.phone("Ana")
    answer = phone.post("/api/death", json={}, headers=headers)
    assert (answer.status_code, answer.json["type"]) == (403, "urn:killer:problem:foreign_origin")
    token = token_in(phone.get("/"))
    page = phone.post("/death", data={"csrf_token": token, "sure": "yes"}, headers=headers)
    assert page.status_code == 403
    assert still.who("Ana").status is Status.ALIVE


@pytest.mark.parametrize("headers", OWN, ids=str)
def test_a_program_and_an_own_page_are_let_through(world: World, headers: dict[str, str]) -> None:
    assert world.phone("Ana").post("/api/death", json={}, headers=headers).status_code == 200


@pytest.mark.parametrize("route", CHANGING, ids=lambda r: r.name)
def test_every_change_is_guarded_against_other_sites(still: World, route: Route) -> None:
    before = still.game.version
    headers = {"Origin": "https://evil.example"}
    kind = "application/json" if route.rule.startswith("/api/") else None
    answer = still.phone(BOSS).post(address_of(route), headers=headers, content_type=kind)
    assert answer.status_code == 403
    assert still.game.version == before


@pytest.mark.parametrize(
    "route", [r for r in CHANGING if not r.rule.startswith("/api/")], ids=lambda r: r.name
)
def test_every_form_carries_a_token(still: World, route: Route) -> None:
    before = still.game.version
    boss = still.phone(BOSS)
    own = token_in(boss.get("/"))
    others = token_in(still.phone("Ana").get("/"))
    for token in ("", "nonsense", own[:-1], others):
        answer = boss.post(address_of(route), data={"csrf_token": token, "reason": "x"})
        assert answer.status_code == 403
        assert "trop longtemps" in answer.text
    assert still.game.version == before


def test_a_form_is_taken_over_https_from_a_browser_that_sends_no_referer(world: World) -> None:
    phone = world.phone("Ana")
    token = token_in(phone.get("/", base_url="https://localhost"))
    form = {"csrf_token": token, "lang": "en"}
    assert phone.post("/language", data=form, base_url="https://localhost").status_code == 303


@pytest.mark.parametrize("route", routes.ROUTES, ids=lambda r: r.name)
def test_every_address_is_closed_to_whoever_may_not(still: World, route: Route) -> None:
    kind = "application/json" if route.rule.startswith("/api/") else None

    def ask(name: str) -> int:
        client = still.phone(name) if name else still.visitor()
        token = token_in(client.get("/sign-in", follow_redirects=True))
        form = {"csrf_token": token} if route.method == "POST" and not kind else None
        answer = client.open(address_of(route), method=route.method, data=form, content_type=kind)
        answer.close()
        return answer.status_code

    if route.who in {Who.PLAYER, Who.ORGANISER}:
        assert ask("") == 401
    if route.who is Who.ORGANISER:
        assert ask("Ana") == 403


@pytest.mark.parametrize(
    "route", [r for r in routes.ROUTES if r.method == "GET"], ids=lambda r: r.name
)
def test_looking_changes_nothing(still: World, route: Route) -> None:
    before = still.game.version
    token = still.link("Ana", once=True)
    still.phone(BOSS).get(address_of(route).replace("abc", token)).close()
    assert still.game.version == before
    assert still.visitor().post("/api/login", json={"token": token}).status_code == 200


# --- how often ---


def test_tapping_like_mad_is_slowed_down(world: World) -> None:
    phone = world.phone("Ana")
    answers = [phone.post("/api/death", json={}) for _ in range(61)]
    assert {a.status_code for a in answers[:60]} == {200}
    assert answers[60].status_code == 429
    assert int(answers[60].headers["Retry-After"]) > 0
    assert world.phone("Bo").post("/api/death", json={}).status_code == 200


# --- what is read of what can't be taken ---


class Watched(io.BytesIO):
    """A body of so many bytes that notes whether anybody has read of it."""

    touched = False

    def read(self, size: int | None = -1) -> bytes:
        self.touched = True
        return super().read(size)

    def readinto(self, buffer: Any) -> int:
        self.touched = True
        return super().readinto(buffer)


def read_of(client: FlaskClient, url: str, **more: Any) -> tuple[int, bool]:
    """Send a large form, and give the answer's status and whether the form was read."""
    head = b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n'
    body = Watched(head + bytes(1_000_000) + b"\r\n--x--\r\n")
    kind = "multipart/form-data; boundary=x"
    size = str(len(body.getbuffer()))
    answer = client.post(
        url, input_stream=body, content_type=kind, headers={"Content-Length": size}, **more
    )
    return answer.status_code, body.touched


def test_of_whoever_may_not_send_it_no_body_is_read(still: World) -> None:
    assert read_of(still.visitor(), "/photo") == (401, False)
    assert read_of(still.visitor(), "/organiser/import") == (401, False)
    assert read_of(still.phone("Ana"), "/organiser/import") == (403, False)
    foreign = {"environ_overrides": {"HTTP_ORIGIN": "https://evil.example"}}
    assert read_of(still.phone("Ana"), "/photo", **foreign) == (403, False)
    assert read_of(still.phone("Ana"), "/photo") == (403, True), "its token is in the form"


def test_of_whoever_sends_too_often_no_body_is_read(world: World) -> None:
    phone = world.phone("Ana")
    answers = [read_of(phone, "/photo") for _ in range(21)]
    assert answers == [(403, True)] * 20 + [(429, False)]


def test_of_a_stranger_with_a_key_no_body_is_read(still: World) -> None:
    body = Watched(b"{}")
    answer = still.visitor().post(
        "/api/death",
        input_stream=body,
        content_type="application/json",
        headers={"Content-Length": "2", "Idempotency-Key": "k"},
    )
    assert (answer.status_code, body.touched) == (401, False)


# --- how pages go out ---


def test_every_page_has_the_strict_policy_and_no_inline_script(world: World) -> None:
    for client, urls in (
        (world.visitor(), ("/sign-in", "/nope", "/", "/s/abc")),
        (world.phone(BOSS), ("/", "/organiser", "/organiser/log", "/players", "/organiser/import")),
    ):
        for url in urls:
            page = client.get(url)
            policy = page.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert page.headers["Referrer-Policy"] == "strict-origin", "never the path"
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert page.headers["X-Content-Type-Options"] == "nosniff"
            assert page.headers["Cache-Control"] == "no-store"
            assert not re.search(
                r"<script(?![^>]*\bsrc=)|<[^>]*\son\w+=|<style|\sstyle=", page.text
            )


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"},
     {"Forwarded": "host=evil.example"}, {"X-Original-URL": "/evil.example"}],
    ids=str,
)  # fmt: skip
def test_no_answer_repeats_a_host_that_it_was_told(still: World, headers: dict[str, str]) -> None:
    for path in ("/", "/sign-in", "/organiser/players/Ana", "//organiser//log", "/organiser/"):
        cookie = f"killer={still.cookie(BOSS)}"
        raw = {"PATH_INFO": path, "HTTP_COOKIE": cookie}
        answer = still.app.test_client(use_cookies=False).get(
            "/", headers=headers, environ_overrides=raw
        )
        assert "evil.example" not in f"{answer.headers} {answer.text}"


def test_a_new_link_has_the_address_that_the_organiser_uses(world: World) -> None:
    boss = world.phone(BOSS)
    page = submit(boss, "/organiser/players/Ana/link", "/organiser/players/Ana", reason="perdu")
    assert "http://localhost/s/" in page.text


def test_an_unknown_address_is_a_page_for_people(world: World) -> None:
    for client in (world.visitor(), world.phone("Ana")):
        for url in ("/nope", "/organiser/nope", "/static/123/site.css", "/..%2f..%2fetc/passwd"):
            answer = client.get(url)
            assert answer.status_code == 404
            assert answer.mimetype == "text/html"
            assert "<h1" in answer.text


def test_a_wrong_method_is_a_page_for_people(world: World) -> None:
    answer = world.phone("Ana").delete("/death")
    assert (answer.status_code, answer.mimetype) == (405, "text/html")
    assert "POST" in answer.headers["Allow"]


def test_whoever_is_not_signed_in_finds_the_door_and_comes_back(world: World) -> None:
    world.give_password("Ana")
    visitor = world.visitor()
    page = visitor.get("/players?a=1", headers={"Accept-Language": "en"})
    assert page.status_code == 401
    assert 'lang="en"' in page.text
    assert 'name="next" value="/players?a=1"' in page.text
    assert 'name="password"' in page.text


def test_a_lost_session_does_not_swallow_a_deed(world: World) -> None:
    answer = submit(world.visitor(), "/death", sure="yes")
    assert answer.status_code == 401
    assert 'href="/sign-in"' in answer.text


def test_a_mistake_of_ours_is_told_without_a_word_about_its_cause(world: World) -> None:
    def fail(token: str) -> str:
        raise RuntimeError("a word about its cause")

    world.app.view_functions["GET /s/<token>"] = fail
    with capture_logs() as logged:
        answer = world.visitor().get("/s/a-secret-token", headers={"Accept-Language": "en"})
    assert answer.status_code == 500
    assert "cause" not in answer.text
    assert [(line["event"], line["route"]) for line in logged] == [
        ("request.failed", "GET /s/<token>")
    ]
    assert "a-secret-token" not in str(logged)


# --- behind a proxy ---


def test_behind_a_proxy_the_cookie_is_secure_and_links_are_public(world: World) -> None:
    folder = world.site.settings.data_dir
    settings = replace(settings_in(folder), proxies=1, public_url="https://killer.example/")
    behind = World(app_.create(settings), world.number)
    token = behind.link("Ana")
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
    own = headers | {"Origin": "https://killer.example", "X-Forwarded-Host": "killer.example"}
    answer = behind.visitor().post("/api/login", json={"token": token}, headers=own)
    cookie = answer.headers["Set-Cookie"]
    assert {"HttpOnly", "Secure", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    page = submit(behind.phone(BOSS), "/organiser/players/Ana/link", "/organiser/players/Ana")
    assert "https://killer.example/s/" in page.text
    assert behind.visitor().get("/metrics", headers=headers).status_code == 403
    behind.site.database.close()


def test_without_a_proxy_nobody_believes_its_headers(world: World) -> None:
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
    answer = world.visitor().post("/api/login", json={"token": world.link("Ana")}, headers=headers)
    assert "Secure" not in answer.headers["Set-Cookie"]


def test_a_large_upload_is_taken_on_the_import_page_only(world: World) -> None:
    boss = world.phone(BOSS)
    large = b"Surnom;Question\n" + b"Zoe;" + b"x" * 200_000
    for url, status in (("/organiser/import", 200), ("/organiser/players", 413)):
        file = {"players": (io.BytesIO(large), "joueurs.csv")}
        assert submit(boss, url, "/organiser/import", **file).status_code == status
