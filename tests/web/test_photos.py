"""Photos on the web: who sees them, how they are kept by browsers, how they come and go."""

from __future__ import annotations

import io
import os
import re
from contextlib import ExitStack
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from killer import app as app_
from killer.game import commands as c
from killer.media.aside import UPLOADS
from killer.media.pictures import SIZES, prepare
from killer.media.shelf import GRACE
from killer.media.sweeping import sweep
from killer.store import errands, games, people, photos
from killer.store.errands import Errand
from killer.store.people import Contact
from killer.store.photos import Tried
from killer.web.photos import LARGEST
from killer.web.sessions import COOKIE, Session, SignedCookies
from media.darkroom import SECRET, chunks, from_a_phone, opened, photograph, png_bomb
from web.world import BOSS, World, settings_in, submit, token_in

LINK = "https://drive.google.com/open?id=1aaaaaaaaaaaaaaaaaaaaaaaa"
WEBP = b"WEBPVP8 "  # in the head of every photo; the space is in no token


def send(client: FlaskClient, data: bytes, name: str = "IMG_0001.HEIC") -> TestResponse:
    """Send a photo as the page does."""
    return submit(client, "/photo", "/photo", photo=(io.BytesIO(data), name))


def photo_of(world: World, nickname: str) -> str:
    return world.who(nickname).photo


@pytest.fixture
def worn(world: World) -> str:
    """The address of Ana's photo."""
    assert send(world.phone("Ana"), photograph(1)).status_code == 303
    return f"/photos/{photo_of(world, 'Ana')}"


# --- who sees it ---


def test_a_player_of_the_game_sees_a_photo_in_three_sizes(world: World, worn: str) -> None:
    phone = world.phone("Bo")
    expected = prepare(photograph(1)).files
    for size in SIZES:
        answer = phone.get(f"{worn}?size={size}")
        assert (answer.status_code, answer.data) == (200, expected[size])
    assert phone.get(worn).data == expected["medium"]
    assert world.phone(BOSS).get(worn).status_code == 200


def test_who_is_not_signed_in_gets_not_one_byte_of_it(world: World, worn: str) -> None:
    for headers in ({}, {"If-None-Match": f'"{worn.rpartition("/")[2]}-medium"'}):
        answer = world.visitor().get(worn, headers=headers)
        assert answer.status_code == 401
        assert WEBP not in answer.data
        assert answer.headers["Cache-Control"] == "no-store"


def test_who_was_signed_out_everywhere_sees_it_no_longer(world: World, worn: str) -> None:
    phone = world.phone("Bo")
    world.do(c.EndSessions(world.who("Bo").id))
    assert phone.get(worn).status_code == 401


def test_another_game_s_photo_does_not_exist(world: World, worn: str) -> None:
    with world.site.database.write() as connection:
        other = games.create(connection, "Autre")
    world.site.play.perform(other, c.Enrol("Zoé"))
    zoe = world.site.hub.feed(other).game.find("Zoé")
    assert zoe is not None
    phone = world.visitor()
    held = Session(game=other, player=zoe.id, sessions=zoe.sessions)
    phone.set_cookie(COOKIE, SignedCookies(world.site.settings.secret_key.encode()).write(held))
    assert phone.get("/photo").status_code == 200
    assert phone.get(worn).status_code == 404


@pytest.mark.parametrize(
    "name",
    [
        "0" * 32,
        "x",
        "..",
        "%2e%2e%2f%2e%2e%2fkiller.sqlite3",
        "../killer.sqlite3",
        "{}-large",
        "{}.webp",
        "{}%00",
        "{}%0a",
        "{}?size=huge",
        "{}?size=../large",
        "{}?size=",
    ],
)
def test_whatever_else_is_asked_for_does_not_exist(world: World, worn: str, name: str) -> None:
    answer = world.phone("Bo").get(f"/photos/{name.format(worn.rpartition('/')[2])}")
    assert answer.status_code == 404
    assert WEBP not in answer.data


def test_a_photo_that_was_taken_away_is_shown_no_longer(world: World, worn: str) -> None:
    submit(world.phone("Ana"), "/photo/remove", "/photo")
    assert world.phone("Bo").get(worn).status_code == 404


def test_taking_a_photo_away_can_be_undone_for_a_day_however_old_it_is(
    world: World, worn: str
) -> None:
    for file in Path(world.site.settings.photos).rglob("*.webp"):
        os.utime(file, (0, 0))
    submit(world.phone("Ana"), "/photo/remove", "/photo")
    send(world.phone("Bo"), photograph(2))
    assert sweep(world.site.database, world.site.shelf, depot=True) == 0
    undo = f"/api/organiser/undo/{world.game.version - 1}"
    assert world.phone(BOSS).post(undo, json={"reason": "erreur"}).status_code == 200
    assert world.phone("Bo").get(worn).status_code == 200


def test_a_photo_that_was_taken_away_a_day_ago_is_thrown_away(world: World, worn: str) -> None:
    submit(world.phone("Ana"), "/photo/remove", "/photo")
    long_ago = games.now() - int(GRACE * 1000) - 60_000
    for file in (folder := Path(world.site.settings.photos)).rglob("*.webp"):
        os.utime(file, (0, 0))
    with world.site.database.write() as connection:
        connection.execute(text(f"UPDATE events SET at = {long_ago}"))
    send(world.phone("Bo"), photograph(2))
    assert sweep(world.site.database, world.site.shelf, depot=True) == 3
    assert {file.name[:32] for file in folder.rglob("*.webp")} == {photo_of(world, "Bo")}


def test_a_photo_whose_file_is_lost_does_not_exist(world: World, worn: str) -> None:
    for file in Path(world.site.settings.photos).rglob("*.webp"):
        file.unlink()
    assert world.phone("Bo").get(worn).status_code == 404


# --- how browsers keep it ---


def test_a_photo_is_kept_for_a_year_by_the_browser_alone(world: World, worn: str) -> None:
    headers = world.phone("Bo").get(worn).headers
    assert headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert headers["Content-Type"] == "image/webp"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in headers


def test_a_browser_that_asks_again_gets_no_bytes(world: World, worn: str) -> None:
    phone = world.phone("Bo")
    etag = phone.get(worn).headers["ETag"]
    again = phone.get(worn, headers={"If-None-Match": etag})
    assert (again.status_code, again.data) == (304, b"")
    other = phone.get(f"{worn}?size=small", headers={"If-None-Match": etag})
    assert other.status_code == 200


def test_another_picture_has_another_address(world: World, worn: str) -> None:
    send(world.phone("Ana"), photograph(2))
    assert not worn.endswith(photo_of(world, "Ana"))
    send(world.phone("Ana"), photograph(1))
    assert worn.endswith(photo_of(world, "Ana"))


def test_nginx_is_told_where_the_photo_is(world: World, worn: str, tmp_path: Path) -> None:
    settings = settings_in(world.site.settings.data_dir, photo_accel=True)
    behind = World(app_.create(settings), world.number)
    answer = behind.phone("Bo").get(f"{worn}?size=small")
    name = worn.rpartition("/")[2]
    assert answer.headers["X-Accel-Redirect"] == f"/_photos/{world.number}/{name}-small.webp"
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Cache-Control"].endswith("immutable")
    refused = behind.visitor().get(worn)
    assert refused.status_code == 401
    assert "X-Accel-Redirect" not in refused.headers
    world.do(c.Edit(world.who("Bo").id, (("photo", "..secret_key"),)))
    for other in ("0" * 32, "..secret_key"):
        assert behind.phone("Bo").get(f"/photos/{other}").status_code == 404
    behind.site.database.close()


# --- from the phone ---


def test_a_photo_from_the_phone_is_everywhere_where_its_player_is(world: World, worn: str) -> None:
    hunter = world.hunter("Ana").nickname
    for reader, path in (("Bo", "/players"), (hunter, "/"), ("Ana", "/photo"), ("Ana", "/")):
        assert worn in unescape(world.phone(reader).get(path).text), path
    assert world.phone("Bo").get("/api/players").json["players"][0]["photo"] == worn
    assert world.phone(hunter).get("/api/me").json["target"]["photo"] == worn


def test_what_the_phone_noted_is_not_kept(world: World) -> None:
    send(world.phone("Ana"), from_a_phone(6, "HEIF"))
    for file in Path(world.site.settings.photos).rglob("*.webp"):
        assert SECRET not in file.read_bytes()
        assert chunks(file.read_bytes()) == ["VP8 "]
    large = world.phone("Bo").get(f"/photos/{photo_of(world, 'Ana')}?size=large").data
    assert opened(large).width < opened(large).height


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "vide"),
        (b"Bonjour", "pas une image"),
        (photograph(1)[:800], "abîmée"),
        (png_bomb(9000, 9000), "60 millions"),
    ],
    ids=["empty", "text", "half", "bomb"],
)
def test_what_is_no_photo_is_refused_in_a_sentence(world: World, data: bytes, says: str) -> None:
    before = world.game.version
    answer = send(world.phone("Ana"), data)
    assert answer.status_code == 422
    assert says in answer.text
    assert 'role="alert"' in answer.text
    assert world.game.version == before


def test_no_file_at_all_is_told(world: World) -> None:
    answer = submit(world.phone("Ana"), "/photo", "/photo", photo=(io.BytesIO(b""), ""))
    assert (answer.status_code, "choisir une photo" in answer.text) == (422, True)


def test_an_upload_that_is_too_large_is_refused(world: World) -> None:
    answer = send(world.phone("Ana"), photograph(1) + bytes(LARGEST))
    assert answer.status_code == 413
    assert "15360\u00a0ko" in answer.text
    assert photo_of(world, "Ana") == ""


def test_a_large_upload_that_is_allowed_is_taken(world: World) -> None:
    data = photograph(1) + bytes(LARGEST - 10_000 - len(photograph(1)))
    assert send(world.phone("Ana"), data).status_code == 303


def test_twenty_photos_an_hour_are_enough(world: World) -> None:
    phone = world.phone("Ana")
    token = token_in(phone.get("/photo"))

    def post() -> TestResponse:
        data = {"csrf_token": token, "photo": (io.BytesIO(b"x"), "x.jpg")}
        return phone.post("/photo", data=data)

    assert {post().status_code for _ in range(20)} == {422}
    answer = post()
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 600
    assert "une heure" in answer.text
    assert send(world.phone("Bo"), photograph(1)).status_code == 303


def test_when_too_many_photos_wait_the_next_one_is_asked_to_come_again(world: World) -> None:
    with ExitStack() as others:
        for number in range(5):
            others.enter_context(UPLOADS.taken((world.number, f"somebody {number}")))
        answer = send(world.phone("Ana"), photograph(1))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert "Beaucoup de photos arrivent" in answer.text
    assert photo_of(world, "Ana") == ""
    assert send(world.phone("Ana"), photograph(1)).status_code == 303


def test_nobody_has_two_photos_waiting(world: World) -> None:
    with UPLOADS.taken((world.number, world.who("Ana").id)):
        answer = send(world.phone("Ana"), photograph(1))
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "10")
        assert "encore en préparation" in answer.text
        assert send(world.phone("Bo"), photograph(1)).status_code == 303


def test_a_full_disk_is_told_and_nothing_changes(world: World) -> None:
    Path(world.site.settings.photos).write_text("in the way")
    answer = send(world.phone("Ana"), photograph(1))
    assert answer.status_code == 503
    assert "DATA_DIR" in answer.text
    assert photo_of(world, "Ana") == ""


def test_the_second_photo_of_a_page_that_was_left_open_counts_too(world: World) -> None:
    phone = world.phone("Ana")
    token = token_in(phone.get("/photo"))
    names = []
    for number in (1, 2):
        data = {"csrf_token": token, "photo": (io.BytesIO(photograph(number)), "x.jpg")}
        phone.post("/photo", data=data)
        names.append(photo_of(world, "Ana"))
    assert len(set(names)) == 2


def test_an_own_photo_is_noted_so_that_an_older_link_does_not_replace_it(world: World) -> None:
    ana = world.who("Ana").id
    with world.site.database.write() as connection:
        people.set_contacts(connection, world.number, {ana: Contact(photo_source=LINK)})
    send(world.phone("Ana"), photograph(1))
    with world.site.database.read() as connection:
        assert photos.last(connection, world.number, ana) == Tried(LINK, "own")


def test_the_card_leads_to_the_photo_below_everything_that_matters(world: World) -> None:
    card = world.phone("Ana").get("/").text
    assert card.index('href="/photo"') > card.index('href="/death"')
    assert "Ajouter ma photo" in card
    send(world.phone("Ana"), photograph(1))
    assert "Changer ma photo" in world.phone("Ana").get("/").text


# --- taken away ---


def test_who_wants_none_has_none(world: World, worn: str) -> None:
    phone = world.phone("Ana")
    assert submit(phone, "/photo/remove", "/photo").status_code == 303
    assert photo_of(world, "Ana") == ""
    assert "Ta photo est retirée" in phone.get("/photo").text
    assert worn not in world.phone("Bo").get("/players").text


def test_an_organiser_takes_a_photo_away_and_says_why(world: World, worn: str) -> None:
    boss = world.phone(BOSS)
    page = "/organiser/players/Ana"
    assert f"{page}/remove-photo" in boss.get(page).text
    answer = submit(boss, f"{page}/remove-photo", page, reason="Photo de quelqu'un d'autre")
    assert answer.location == page
    assert photo_of(world, "Ana") == ""
    shown = unescape(boss.get(page).text)
    assert "La photo de Ana est retirée" in shown
    assert "Photo de quelqu'un d'autre" in shown
    assert f"{page}/remove-photo" not in shown


def test_a_removal_can_be_undone(world: World, worn: str) -> None:
    boss = world.phone(BOSS)
    submit(boss, "/organiser/players/Ana/remove-photo", "/organiser/players/Ana", reason="?")
    version = world.game.version
    submit(boss, f"/organiser/undo/{version}", "/organiser/log", reason="si")
    assert world.phone("Bo").get(worn).status_code == 200


def test_somebody_whose_nickname_looks_like_an_address_is_not_mistaken(world: World) -> None:
    world.do(c.Enrol("Ana/photo"))
    send(world.phone("Ana"), photograph(1))
    submit(world.phone(BOSS), "/organiser/players/Ana/remove-photo", "/organiser", reason="?")
    assert photo_of(world, "Ana") == ""
    assert world.who("Ana/photo").status == "alive"


# --- the organisers' page ---


@pytest.fixture
def boss(world: World) -> FlaskClient:
    return world.phone(BOSS)


def link(world: World, **cells: str) -> None:
    fresh = {world.who(name).id: Contact(photo_source=cell) for name, cell in cells.items()}
    with world.site.database.write() as connection:
        people.set_contacts(connection, world.number, fresh)


def fail(world: World, nickname: str, cell: str, outcome: str) -> None:
    link(world, **{nickname: cell})
    with world.site.database.write() as connection:
        photos.note(connection, world.number, world.who(nickname).id, Tried(cell, outcome))


def latest(world: World) -> Errand | None:
    with world.site.database.read() as connection:
        return errands.latest(connection, world.number, "photos")


def numbers(page: TestResponse) -> list[int]:
    return [int(n) for n in re.findall(r"<dd>(\d+)</dd>", page.text)]


def with_account(world: World) -> FlaskClient:
    settings = settings_in(world.site.settings.data_dir, key_file=Path("key.json"))
    return World(app_.create(settings), world.number).phone(BOSS)


def test_the_page_counts_faces_links_and_failures(world: World, boss: FlaskClient) -> None:
    send(world.phone("Ana"), photograph(1))
    link(world, Bo=LINK, Gus=LINK)
    fail(world, "Hana", "néant", "no_link")
    page = boss.get("/organiser/photos")
    assert numbers(page) == [1, 7, 2, 1]
    assert "Hana" in page.text
    assert "aucun lien vers un fichier Drive" in page.text


def test_without_an_account_the_page_says_what_is_missing(world: World, boss: FlaskClient) -> None:
    page = boss.get("/organiser/photos").text
    assert "SERVICE_ACCOUNT_FILE" in page
    assert "Récupérer les photos" not in page
    assert "Récupérer les photos" in with_account(world).get("/organiser/photos").text


def test_the_button_asks_for_the_photos_once(world: World, boss: FlaskClient) -> None:
    for _ in range(2):
        answer = submit(boss, "/organiser/photos", "/organiser/photos")
        assert answer.location == "/organiser/photos"
    errand = latest(world)
    assert errand is not None
    assert (errand.kind, errand.state, errand.actor) == ("photos", "waiting", world.who(BOSS).id)
    with world.site.database.read() as connection:
        assert len(errands.waiting(connection)) == 1


def note(world: World, **fields: Any) -> None:
    errand = latest(world)
    assert errand is not None
    values = {name: getattr(errand, name) for name in Errand.__dataclass_fields__} | fields
    with world.site.database.write() as connection:
        errands.note(connection, Errand(**values))


def test_the_page_follows_a_fetch_until_it_is_over(world: World, boss: FlaskClient) -> None:
    submit(boss, "/organiser/photos", "/organiser/photos")
    page = boss.get("/organiser/photos?part=album").text
    assert 'hx-trigger="every 2s"' in page
    assert "dans quelques secondes" in page
    assert "<html" not in page
    note(world, state="doing", done=40, failed=2, total=120)
    page = boss.get("/organiser/photos?part=album").text
    assert '<progress value="42" max="120"' in page
    note(world, state="done", done=118, failed=2, total=120)
    page = boss.get("/organiser/photos?part=album").text
    assert "hx-trigger" not in page
    assert "118 photos récupérées" in page


def test_a_fetch_that_stopped_says_why(world: World, boss: FlaskClient) -> None:
    submit(boss, "/organiser/photos", "/organiser/photos")
    note(world, state="failed", detail=(("damaged", "2"),))
    assert "s’est arrêtée avant la fin" in unescape(boss.get("/organiser/photos").text)
    why = (("stopped", "google.file_too_large"), ("most", "25"))
    note(world, state="failed", detail=why)
    assert "25\u00a0Mo au plus" in unescape(boss.get("/organiser/photos").text)


def test_why_a_fetch_stopped_may_be_in_another_release_s_words(
    world: World, boss: FlaskClient
) -> None:
    submit(boss, "/organiser/photos", "/organiser/photos")
    note(world, state="failed", detail=(("stopped", "cli.photos.no_shelf"), ("folder", "/x")))
    page = boss.get("/organiser/photos")
    assert page.status_code == 200
    assert "s’est arrêtée avant la fin" in unescape(page.text)
