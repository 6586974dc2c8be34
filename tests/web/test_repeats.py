"""A request that a bad network repeats: the same answer, and one effect, whatever was asked."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from killer import app as app_
from killer.game import commands as c
from killer.mail import credentials
from killer.store import mails, sheets
from killer.store.mails import Mail
from killer.store.sheets import Offer
from killer.store.tables import links
from killer.web.routes import ROUTES
from killer.web.sessions import COOKIE
from mail.worlds import SITE, give_addresses
from media.darkroom import photograph
from web.world import BOSS, PASSWORD, World, contents, problem, settings_in, submit, token_in

STATE_CHANGING = {route.name for route in ROUTES if route.method != "GET"}
KEY = {"Idempotency-Key": "once is enough"}
ONE = "/organiser/players/<nickname:nickname>"
API_ONE = f"/api{ONE}"


@pytest.fixture
def world(template: Path, tmp_path: Path) -> Iterator[World]:
    """A running game with a sheet and a mail server."""
    folder = tmp_path / "data"
    shutil.copytree(template, folder)
    settings = settings_in(
        folder, public_url=SITE, smtp_host="localhost", sheet_id="x", key_file=Path("key.json")
    )
    found = World(app_.create(settings), 1)
    give_addresses(found, Hana="")
    found.start()
    yield found
    found.site.database.close()


@dataclass
class Asked:
    """One request: who sends it, what, and what must have happened before."""

    by: str = BOSS
    path: Callable[[World], str] | str = ""
    json: dict[str, Any] | None = None
    form: dict[str, Any] = field(default_factory=dict)
    before: Callable[[World], Any] = lambda _world: None


def an_offer(world: World) -> str:
    with world.site.database.write() as connection:
        bo = world.who("Bo").id
        sheets.make_offers(connection, 1, [Offer(bo, "status", "Bo", "alive", "dead")])
        [one] = sheets.every_offer(connection, 1)
    return f"/organiser/sheet/{one.id}"


def a_rehearsal(world: World) -> str:
    made = world.phone(BOSS).post("/api/organiser/rehearsals", json={"players": 3}).json
    return f"/api/organiser/rehearsals/{made['number']}"


def with_a_photo(world: World) -> None:
    world.do(c.Edit(world.who("Ana").id, (("photo", "abc"),)))


def dead(world: World) -> None:
    world.do(c.Kill(world.who("Ana").id))


def token(world: World, nickname: str = "Ana") -> str:
    return world.link(nickname, once=True)


def held(page: TestResponse) -> str:
    found = re.search(r'name="held" value="([^"]*)"', page.text)
    return found[1] if found else ""


A_FILE = "Surnom;Mot de passe\nIvan;secret\nJudith;\n"

REQUESTS: dict[str, Asked] = {
    "POST /api/death": Asked("Ana", json={}),
    "POST /api/giveup": Asked("Ana", json={}),
    "POST /death": Asked("Ana", form={"sure": "yes"}),
    "POST /giveup": Asked("Ana", form={"sure": "yes"}),
    "POST /language": Asked("Ana", form={"lang": "en"}),
    "POST /photo": Asked("Ana"),
    "POST /photo/remove": Asked("Ana", before=with_a_photo),
    "POST /api/organiser/players": Asked(json={"nickname": "Zoé", "password": "sésame"}),
    "POST /api/organiser/game/<verb>": Asked(path="/api/organiser/game/reshuffle", json={}),
    f"POST {API_ONE}/kill": Asked(json={}),
    f"POST {API_ONE}/revive": Asked(json={}, before=dead),
    f"POST {API_ONE}/remove": Asked(json={}),
    f"POST {API_ONE}/signout": Asked(json={}),
    "POST /api/organiser/undo/<number:version>": Asked(
        path=lambda world: f"/api/organiser/undo/{world.game.version}", json={}, before=dead
    ),
    "POST /api/organiser/rehearsals": Asked(json={"players": 3}),
    "DELETE /api/organiser/rehearsals/<number:number>": Asked(path=a_rehearsal, json={}),
    "POST /organiser/game/<verb>": Asked(path="/organiser/game/reshuffle"),
    "POST /organiser/players": Asked(form={"nickname": "Zoé", "playing": "yes"}),
    "POST /organiser/undo/<number:version>": Asked(
        path=lambda world: f"/organiser/undo/{world.game.version}", before=dead
    ),
    "POST /organiser/import": Asked(form={"go": "all"}),
    "POST /organiser/sheet/<number:number>/apply": Asked(path=lambda w: f"{an_offer(w)}/apply"),
    "POST /organiser/sheet/<number:number>/refuse": Asked(path=lambda w: f"{an_offer(w)}/refuse"),
    "POST /organiser/screen": Asked(),
    "POST /organiser/screen/close": Asked(),
    "POST /organiser/photos": Asked(),
    "POST /organiser/mails": Asked(),
    "POST /organiser/cards": Asked(),
    f"POST {ONE}/mail": Asked(),
    f"POST {ONE}/kill": Asked(),
    f"POST {ONE}/revive": Asked(before=dead),
    f"POST {ONE}/remove": Asked(),
    f"POST {ONE}/signout": Asked(),
    f"POST {ONE}/link": Asked(),
    f"POST {ONE}/edit": Asked(form={"nickname": "Anna", "year": "9A"}),
    f"POST {ONE}/remove-photo": Asked(before=with_a_photo),
}
ENDS = {  # of these, the phone is another one afterwards: they have tests of their own below
    "POST /api/login", "POST /api/logout", "POST /sign-in", "POST /s/<token>", "POST /sign-out",
}  # fmt: skip
SHOWN_ONCE = {f"POST {ONE}/link"}  # the second time, that it was shown is the answer


def test_no_request_that_changes_something_is_forgotten_here() -> None:
    assert set(REQUESTS) | ENDS == STATE_CHANGING


def files_of(name: str, phone: FlaskClient) -> dict[str, Any]:
    """Give what a form holds beside its fixed fields."""
    if name == "POST /photo":
        return {"photo": (io.BytesIO(photograph(1)), "me.jpg")}
    if name == "POST /organiser/screen":
        return {"held": held(phone.get("/organiser/screen"))}
    if name == "POST /organiser/import":
        given = {"players": (io.BytesIO(A_FILE.encode()), "joueurs.csv")}
        page = submit(phone, "/organiser/import", "/organiser/import", **given)
        found = re.search(r'name="upload" value="([^"]+)"', page.text)
        assert found
        return {"upload": found[1]}
    return {}


def told(answer: TestResponse) -> tuple[int, str, str]:
    """Give what an answer says, without what every page has of its own."""
    if answer.mimetype == "application/pdf":
        pages = pypdfium2.PdfDocument(answer.data)
        text = "".join(page.get_textpage().get_text_range() for page in pages)
    else:
        own = r'(name="(csrf_token|idempotency_key)" value|data-version)="[^"]+"'
        text = re.sub(own, "", answer.text)
    return answer.status_code, answer.headers.get("Location", ""), text


@pytest.mark.parametrize("name", sorted(REQUESTS))
def test_the_same_request_again_is_answered_the_same_and_changes_nothing(
    world: World, name: str
) -> None:
    asked = REQUESTS[name]
    asked.before(world)
    method, _, rule = name.partition(" ")
    path = asked.path(world) if callable(asked.path) else asked.path
    path = path or rule.replace("<nickname:nickname>", "Ana")
    phone = world.phone(asked.by)
    form = asked.form | files_of(name, phone)
    answers, states = [], [contents(world)]
    for _ in range(2):
        photo = {"photo": (io.BytesIO(photograph(1)), "me.jpg")} if "photo" in form else {}
        data = form | photo  # a file is read once
        if asked.json is None:
            data["csrf_token"] = token_in(phone.get("/photo"))
            answers.append(phone.open(path, method=method, data=data, headers=KEY))
        else:
            answers.append(phone.open(path, method=method, json=asked.json, headers=KEY))
        states.append(contents(world))
    assert answers[0].status_code < 400, answers[0].text
    assert states[2] == states[1]
    assert (states[1] != states[0]) is (name != "POST /language")
    if name not in SHOWN_ONCE:
        assert told(answers[1]) == told(answers[0])


# --- signing in ---


def sign_in(world: World, given: str, key: str = "") -> int:
    headers = {"Idempotency-Key": key} if key else {}
    return world.visitor().post("/api/login", json={"token": given}, headers=headers).status_code


def test_a_link_for_once_whose_answer_was_lost_signs_in_again_by_its_key(world: World) -> None:
    given = token(world, BOSS)
    assert sign_in(world, given, "k1") == 200
    assert sign_in(world, given, "k1") == 200
    assert sign_in(world, given, "k2") == 401
    assert sign_in(world, given) == 401
    assert sign_in(world, f"{given} k1") == 401


def test_a_used_link_holds_for_its_key_for_a_minute_only(world: World) -> None:
    given = token(world, BOSS)
    sign_in(world, given, "k1")
    with world.site.database.write() as connection:
        connection.execute(update(links).values(expires=links.c.expires - 60_001))
    assert sign_in(world, given, "k1") == 401


def test_a_link_that_was_revoked_holds_for_no_key(world: World) -> None:
    given = token(world, BOSS)
    sign_in(world, given, "k1")
    world.phone(BOSS).post(f"/api/organiser/players/{BOSS}/signout", json={})
    assert sign_in(world, given, "k1") == 401


def test_a_link_s_button_whose_answer_was_lost_leads_home_the_second_time(world: World) -> None:
    given = token(world)
    phone = world.visitor()
    page = phone.get(f"/s/{given}")
    form = {"csrf_token": token_in(page)}
    found = re.search(r'name="idempotency_key" value="([^"]+)"', page.text)
    assert found
    form["idempotency_key"] = found[1]
    cookie = phone.get_cookie(COOKIE)
    assert cookie
    for _ in range(2):
        phone.set_cookie(COOKIE, cookie.value)  # the new one came with the answer
        answer = phone.post(f"/s/{given}", data=form)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")


def test_signing_out_twice_and_in_by_password_twice_is_the_same(world: World) -> None:
    world.give_password("Ana")
    for _ in range(2):
        known = {"nickname": "Ana", "password": PASSWORD}
        assert world.visitor().post("/api/login", json=known, headers=KEY).status_code == 200
    phone = world.phone("Ana")
    for _ in range(2):
        assert phone.post("/api/logout", headers=KEY).status_code == 204


# --- mails ---


def test_a_mail_that_went_out_is_not_asked_for_again_by_the_same_request(world: World) -> None:
    boss, page = world.phone(BOSS), "/organiser/mails"
    form = {"idempotency_key": "the same"}
    one = "/organiser/players/Ana/mail"
    assert submit(boss, one, page, **form).status_code == 303
    with world.site.database.write() as connection:
        sent = Mail("ana@example.org", mails.SENT)
        mails.note(connection, 1, world.who("Ana").id, credentials.KIND, sent)
    assert submit(boss, one, page, **form).status_code == 303
    with world.site.database.read() as connection:
        assert mails.sent(connection, 1, credentials.KIND)[world.who("Ana").id].state == mails.SENT
    submit(boss, one, page, idempotency_key="another")
    with world.site.database.read() as connection:
        kept = mails.sent(connection, 1, credentials.KIND)
    assert kept[world.who("Ana").id].state == mails.ASKED


def test_a_key_that_was_used_for_something_else_is_refused(world: World) -> None:
    boss = world.phone(BOSS)
    assert boss.post("/api/organiser/game/pause", json={}, headers=KEY).status_code == 200
    problem(boss.delete("/api/organiser/rehearsals/7", json={}, headers=KEY), 422, "key_reused")
