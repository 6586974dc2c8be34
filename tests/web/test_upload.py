"""A roster on the organisers' page: checked first, imported then, its passwords kept by nobody."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import time
from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from killer.sheets.tables import LARGEST
from killer.store import people
from killer.web import roster_upload
from web.world import BOSS, World, submit

PAGE = "/organiser/import"
SOUND = '''Surnom;Mot de passe;Année;Défi;Téléphone
Ivan;secret d'Ivan;1A;Chanter;06 11 22 33 44
=cmd|' /C calc'!A0;;2A;Danser;
"Karl ""K""";;3A;Rire;
'''
BAD = SOUND + "Ivan;encore;1A;Rire;\n"


@pytest.fixture
def boss(gathered: World) -> FlaskClient:
    return gathered.phone(BOSS)


def check(boss: FlaskClient, text: str | bytes, challenges: str = "") -> TestResponse:
    data = text if isinstance(text, bytes) else text.encode()
    files = {"players": (io.BytesIO(data), "joueurs.csv")}
    if challenges:
        files["challenges"] = (io.BytesIO(challenges.encode()), "joueurs.csv")
    return submit(boss, PAGE, PAGE, **files)


def sealed(page: TestResponse) -> str:
    found = re.search(r'name="upload" value="([^"]+)"', page.text)
    assert found, page.text
    return unescape(found[1])


def test_checking_a_file_changes_nothing_and_tells_what_would(
    gathered: World, boss: FlaskClient
) -> None:
    before = gathered.game.version
    page = check(boss, SOUND)
    assert page.status_code == 200
    assert re.search(r"<dd>3</dd>", page.text)
    assert gathered.game.version == before


def test_the_passwords_of_a_checked_file_are_unreadable(boss: FlaskClient) -> None:
    page = check(boss, SOUND)
    assert "secret d" not in unescape(page.text)
    assert "secret d" not in sealed(page)


def test_a_checked_file_is_imported_once(gathered: World, boss: FlaskClient) -> None:
    upload = sealed(check(boss, SOUND))
    done = submit(boss, PAGE, PAGE, upload=upload, go="all")
    assert done.status_code == 200
    links = dict(re.findall(r"^(.+)\t(\S+/s/\S+)$", unescape(done.text), re.MULTILINE))
    names = {name.rpartition(">")[2] for name in links}
    assert names == {"=cmd|' /C calc'!A0", 'Karl "K"'}
    signed = {"nickname": "ivan", "password": "secret d'Ivan"}
    assert gathered.visitor().post("/api/login", json=signed).status_code == 200
    token = next(iter(links.values())).rpartition("/")[2]
    assert gathered.visitor().post("/api/login", json={"token": token}).status_code == 200
    before = gathered.game.version
    again = submit(boss, PAGE, PAGE, upload=upload, go="all")
    assert again.status_code == 200
    assert gathered.game.version == before
    assert gathered.visitor().post("/api/login", json={"token": token}).status_code == 200


@pytest.mark.parametrize("stamped", [True, False])
def test_an_answer_under_a_player_s_name_brings_no_password(
    gathered: World, boss: FlaskClient, *, stamped: bool
) -> None:
    own, other = "17/10/2026 08:00;Ivan;his own\n", "18/10/2026 09:00;IVAN;evil\n"
    head = "Horodateur;Surnom;Mot de passe\n"
    if not stamped:
        head, own, other = (text.partition(";")[2] for text in (head, own, other))
    submit(boss, PAGE, PAGE, upload=sealed(check(boss, head + own)), go="all")
    page = check(boss, head + other + own + ("18/10/2026 10:00;" if stamped else "") + "Zoé;\n")
    assert ">2<" in page.text
    submit(boss, PAGE, PAGE, upload=sealed(page), go="sound")
    assert gathered.visitor().post("/api/login", json=signed("his own")).status_code == 200
    assert gathered.visitor().post("/api/login", json=signed("evil")).status_code == 401


@pytest.mark.parametrize("go", ["all", "sound"])
def test_an_organiser_who_was_added_here_gets_no_password_from_a_file(
    gathered: World, boss: FlaskClient, go: str
) -> None:
    page = check(boss, f"Surnom;Mot de passe\n{BOSS};evil\nZoé;\n")
    submit(boss, PAGE, PAGE, upload=sealed(page), go=go)
    tried = {"nickname": BOSS, "password": "evil"}
    assert gathered.visitor().post("/api/login", json=tried).status_code == 401


def signed(password: str) -> dict[str, str]:
    return {"nickname": "ivan", "password": password}


def test_importing_the_same_file_again_finds_nothing_to_do(
    gathered: World, boss: FlaskClient
) -> None:
    submit(boss, PAGE, PAGE, upload=sealed(check(boss, SOUND)), go="all")
    page = check(boss, SOUND)
    assert 'name="upload"' not in page.text
    assert re.search(r"<dd>3</dd>", page.text)


def test_a_file_with_problems_is_imported_without_them_only_when_asked(
    gathered: World, boss: FlaskClient
) -> None:
    before = gathered.game.version
    page = check(boss, BAD)
    assert page.status_code == 200
    assert "joueurs.csv" in page.text
    assert ">5<" in page.text
    refused = submit(boss, PAGE, PAGE, upload=sealed(page), go="all")
    assert gathered.game.version == before
    done = submit(boss, PAGE, PAGE, upload=sealed(refused), go="sound")
    assert done.status_code == 200
    assert gathered.game.version > before
    assert gathered.game.find("Karl K") is None
    assert gathered.game.find('Karl "K"') is not None


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04xl/workbook", b"%PDF-1.4", b"\x00\x01", b"a" * 10, b"\xff\xfe\x00"]
)
def test_what_is_no_table_is_told_in_a_sentence(
    gathered: World, boss: FlaskClient, data: bytes
) -> None:
    page = check(boss, data)
    assert page.status_code == 200
    assert 'name="upload"' not in page.text
    assert gathered.game.version == 9


def test_no_file_at_all_is_told(boss: FlaskClient) -> None:
    assert submit(boss, PAGE, PAGE).status_code == 400
    empty = {"players": (io.BytesIO(b""), "")}
    assert submit(boss, PAGE, PAGE, **empty).status_code == 400


def test_two_files_of_one_name_are_told_apart(gathered: World, boss: FlaskClient) -> None:
    challenges = "Surnom;Défi\nIvan;Jongler\nNemo;Nager\n"
    page = check(boss, "Surnom\nIvan\n", challenges)
    assert "joueurs.csv (2)" in page.text


@pytest.mark.parametrize("forge", [lambda s: s[:-1], lambda s: "A" + s, lambda s: "", lambda s: "é",
                                   lambda s: s.swapcase(), lambda s: s[:40]])  # fmt: skip
def test_a_sealed_file_that_was_touched_is_refused(
    gathered: World, boss: FlaskClient, forge
) -> None:
    upload = forge(sealed(check(boss, SOUND)))
    assert submit(boss, PAGE, PAGE, upload=upload, go="all").status_code == 400
    assert gathered.game.find("Ivan") is None


def test_a_sealed_file_expires(gathered: World, boss: FlaskClient) -> None:
    with gathered.app.app_context():
        old = int(time.time()) - roster_upload.LIFETIME - 5
        upload = roster_upload._seal().encrypt_at_time(b"whatever", old).decode()
    expired = submit(boss, PAGE, PAGE, upload=upload, go="all")
    assert expired.status_code == 400
    assert "expiré" in expired.text


def test_a_sealed_file_that_holds_something_else_is_refused(
    gathered: World, boss: FlaskClient
) -> None:
    with gathered.app.app_context():
        upload = roster_upload._seal().encrypt(b"whatever").decode()
    assert submit(boss, PAGE, PAGE, upload=upload, go="all").status_code == 400


def test_what_is_wrong_with_a_file_is_shown_as_text(boss: FlaskClient) -> None:
    files = {"players": (io.BytesIO(b"Surnom\n<b>x</b>\n<b>x</b>\n"), "<i>.csv")}
    page = submit(boss, PAGE, PAGE, **files)
    assert "<b>x" not in page.text
    assert "<i>" not in page.text


def test_phone_numbers_of_players_stay_with_organisers(gathered: World, boss: FlaskClient) -> None:
    submit(boss, PAGE, PAGE, upload=sealed(check(boss, SOUND)), go="all")
    with gathered.site.database.read() as connection:
        kept = people.read_contacts(connection, gathered.number)
    assert kept[gathered.who("Ivan").id].phone
    for url in ("/players", "/api/players", "/"):
        assert "06 11" not in gathered.phone("Ana").get(url).text


def at_the_limit() -> bytes:
    """Give a file of 5,000,000 bytes: sixty nicknames, each with very much beside it."""
    columns = "".join(f";R{n}" for n in range(20))
    text = f"Surnom;Challenge{columns}\n"
    text += "".join(f"Zoe{n};Sing{';{}' * 20}\n" for n in range(60))
    room, rest = divmod(LARGEST - len(text) + 2 * 1200, 1200)
    return text.format(*("x" * (room + (n < rest)) for n in range(1200))).encode()


def test_whatever_passes_the_check_can_be_imported(gathered: World, boss: FlaskClient) -> None:
    data = at_the_limit()
    assert len(data) == LARGEST
    files = {"players": (io.BytesIO(data), "a.csv"), "challenges": (io.BytesIO(data), "b.csv")}
    page = submit(boss, PAGE, PAGE, **files)
    found = re.search(r'name="upload" value="([^"]+)"', page.text)
    assert (page.status_code, bool(found)) == (200, True)
    done = submit(boss, PAGE, PAGE, upload=sealed(page), go="sound")
    assert done.status_code == 200
    assert gathered.game.find("Zoe59")


ASIDE = """
from gevent import monkey
monkey.patch_all()
import io, sys, time
from pathlib import Path
import gevent
from web.world import BOSS, empty_world, populate, settings_in, submit

world = empty_world(settings_in(Path(sys.argv[1])))
populate(world)
boss = world.phone(BOSS)
boss.get("/organiser/import")
rows = "".join(f"Personne {n};{n % 3 + 1}A;Chanter {n}\\n" for n in range(3000))
roster = ("Surnom;Année;Défi\\n" + rows).encode()
ticks, going = [], True

def tick():
    while going:
        gevent.sleep(0.002)
        ticks.append(1)

ticking = gevent.spawn(tick)
gevent.sleep(0)
page = submit(boss, "/organiser/import", "/organiser/import", players=(io.BytesIO(roster), "a.csv"))
going = False
ticking.join()
print(page.status_code, "<dd>3000</dd>" in page.text, len(ticks))
"""


def test_under_gevent_a_check_leaves_the_others_their_time(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASIDE, tmp_path],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=Path(__file__).parent.parent,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    *said, ticks = done.stdout.split()
    assert said == ["200", "True"]
    assert int(ticks) > 12, "the loop stood still"
