"""The server's weather for organisers, on a page, as JSON, and for Prometheus."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from socket import gethostname
from typing import Any

import msgspec
import pytest
import yaml
from flask.testing import FlaskClient

from house.source import PACKAGE
from killer.watch.register import Reading, Register, point_of
from killer.watch.weather import Sheet, judge, worst
from killer.web.weather import measured
from watch.skies import LEVEL, seen
from web.world import BOSS, World, problem

PAGE, API = "/organiser/weather", "/api/organiser/weather"
OPS = PACKAGE / "ops"


@pytest.fixture
def book(world: World) -> Iterator[Register]:
    found = Register(world.site.settings.data_dir)
    assert found.claim()
    yield found
    found.leave()


@pytest.fixture
def boss(world: World) -> FlaskClient:
    return world.phone(BOSS)


def note(book: Register, ago: float = 1.0, **what: Any) -> None:
    """Let the station have seen something so many seconds ago."""
    observation = seen(at=time.time() - ago, **what)
    lines = judge(observation, {})
    reading = Reading(observation, lines, version="1.2.3")
    book.note(reading, point_of(reading, worst(lines)))


def shown(page: str) -> list[tuple[str, str]]:
    """Give the colour and the title of each line as they stand on the page."""
    found = re.findall(r'<li class="is-(\w+)">.*?<h3>(.*?)</h3>', page, re.DOTALL)
    return [(colour, title.replace("&#39;", "'")) for colour, title in found]


def test_the_worst_line_stands_first_with_its_colour_its_word_and_what_to_do(
    book: Register, boss: FlaskClient
) -> None:
    note(book, faults=2, refused=3)
    page = boss.get(PAGE).text
    assert shown(page)[:3] == [
        ("red", "Anneau des cibles"),
        ("orange", "Refus (503)"),
        ("green", "Base de données"),
    ]
    assert "Il faut agir" in page
    assert re.search(r'class="sky sky-red".*?<svg.*?\(rouge\)', page, re.DOTALL)
    assert '<span class="sign-word">orange</span>' in page
    assert "<code>killer check</code>" in page
    assert "Mesuré à l’instant." in page


def test_where_the_database_is_shared_the_machine_is_named(
    book: Register,
) -> None:
    note(book, ago=70)
    told = [measured(book.read(), time.time(), shared=shared) for shared in (True, False)]
    assert told == [
        f"Mesuré il y a 1\u00a0minute. Machine\u00a0: {gethostname()}.",
        "Mesuré il y a 1\u00a0minute.",
    ]
    assert measured(None, time.time(), shared=True) == ""


def test_a_good_day_is_green(book: Register, boss: FlaskClient) -> None:
    note(book, sheet=LEVEL)
    page = boss.get(PAGE).text
    assert {colour for colour, _ in shown(page)} == {"green"}
    assert len(shown(page)) == 13
    assert "Tout va bien" in page


def test_what_is_replaced_every_five_seconds_has_no_link_and_no_button(
    book: Register, boss: FlaskClient
) -> None:
    note(book)
    assert 'hx-get="/organiser/weather?part=now" hx-trigger="every 5s"' in boss.get(PAGE).text
    part = boss.get(f"{PAGE}?part=now&span=days").text
    assert "<!doctype" not in part
    assert not re.search(r"<(a|button|input|summary)\b|tabindex", part)
    assert re.findall(r'id="([\w-]+)" hx-swap-oob="true"', part) == [
        "weather-lines",
        "weather-curves",
    ]
    assert "span=days" in part, "the next one is asked for the same days"


def test_the_plots_are_drawings_that_can_be_heard(book: Register, boss: FlaskClient) -> None:
    for ago in range(3000, 0, -5):
        note(book, ago, p95=0.1 + ago / 10_000, phones=ago // 10, delay=0.2)
    page = boss.get(PAGE).text
    plots = re.findall(r'<svg class="curve".*?</svg>', page, re.DOTALL)
    assert len(plots) == 5
    for plot in plots:
        label = re.search(r'role="img" aria-labelledby="(\S+) (\S+)"', plot)
        assert label
        assert f'<title id="{label[1]}">' in plot
        assert f'<desc id="{label[2]}">Maintenant' in plot
        assert "style=" not in plot
    line = re.search(r'points="([^"]+)"', plots[3])
    assert line
    places = [tuple(map(float, place.split(","))) for place in line[1].split()]
    assert 100 < len(places) < 200
    assert places == sorted(places), "from left to right"
    assert 45 < places[0][0] < 55
    assert places[-1][0] > 297
    assert places[0][1] < places[-1][1] <= 60, "fewer and fewer phones"
    assert "max 300" in page


def test_a_gap_in_what_was_measured_is_a_gap_in_the_line(book: Register, boss: FlaskClient) -> None:
    for ago in (*range(3000, 2500, -5), *range(1000, 0, -5)):
        note(book, ago)
    cpu = re.findall(r'<svg class="curve".*?</svg>', boss.get(PAGE).text, re.DOTALL)[1]
    assert cpu.count("<polyline") == 2


def test_two_days_are_shown_too(book: Register, boss: FlaskClient) -> None:
    for ago in range(40 * 3600, 0, -600):
        note(book, ago)
    assert "Depuis deux jours" in boss.get(f"{PAGE}?span=days").text
    assert boss.get(f"{PAGE}?span=days").text.count("<polyline") > 1
    assert "Depuis une heure" in boss.get(PAGE).text


def test_an_old_measurement_says_so(book: Register, boss: FlaskClient) -> None:
    note(book, ago=75)
    page = boss.get(PAGE).text
    assert shown(page)[0] == ("red", "Météo")
    assert "La météo ne se met plus à jour depuis 1\u00a0minute" in page
    assert "Mesuré il y a 1\u00a0minute." in page


def test_nothing_measured_yet_says_so(boss: FlaskClient) -> None:
    page = boss.get(PAGE).text
    assert shown(page) == [("red", "Météo")]
    assert "Rien de mesuré" in page


def test_what_is_wrong_with_the_sheet_is_said_in_its_own_words(
    book: Register, boss: FlaskClient
) -> None:
    note(book, sheet=Sheet(read=9.0, trouble="google.quota", since=30.0))
    assert "Google ne répond pas comme il faut" in boss.get(PAGE).text


def test_programs_get_the_figures(book: Register, boss: FlaskClient) -> None:
    note(book, disk_free=120_000_000)
    told = boss.get(API, headers={"Accept-Language": "en"}).json
    assert (told["colour"], told["verdict"]) == ("red", "Act now")
    assert 0 <= told["age"] < 15
    first = told["lines"][0]
    assert (first["name"], first["figure"]) == ("disk", "120\u00a0MB")
    assert first["figures"] == {"size": 120_000_000}
    assert first["sentence"].startswith("The disk is nearly full")


def test_programs_hear_that_nothing_was_measured(boss: FlaskClient) -> None:
    told = boss.get(API).json
    assert (told["colour"], told["age"], len(told["lines"])) == ("red", None, 1)


@pytest.mark.parametrize("path", [PAGE, API])
def test_players_and_strangers_see_nothing_of_it(world: World, path: str) -> None:
    assert world.phone("Ana").get(path).status_code == 403
    assert world.visitor().get(path).status_code == 401


def test_when_the_database_is_gone_the_page_still_answers(
    world: World, book: Register, boss: FlaskClient, tmp_path: Path
) -> None:
    note(book, state="silent")
    player = world.phone("Ana")
    assert boss.get("/organiser").status_code == 200
    lose(world, tmp_path)
    assert boss.get("/organiser").status_code == 503
    page = boss.get(PAGE)
    assert (page.status_code, "La base de données ne répond pas" in page.text) == (200, True)
    assert boss.get(API).json["lines"][0]["name"] == "database"
    assert player.get(PAGE).status_code == 403


def lose(world: World, tmp_path: Path) -> None:
    """Put a database that isn't there in the place of the one that was."""
    (tmp_path / "file").write_text("no folder")
    world.site.database.close()
    world.site.database.url = f"sqlite:///{tmp_path}/file/killer.sqlite3"


def test_the_desk_leads_to_it(boss: FlaskClient) -> None:
    assert f'href="{PAGE}"' in boss.get("/organiser").text


# --- for Prometheus ---


def names_in(text: str) -> set[str]:
    """Give every metric that some expressions speak of."""
    return set(re.findall(r"\bkiller_\w+", text))


def test_the_weather_is_told_to_prometheus(book: Register, world: World) -> None:
    note(book, faults=2, sheet=LEVEL)
    figures = world.visitor().get("/metrics").text
    for line in (
        'killer_weather{line="ring"} 2.0',
        'killer_weather{line="cpu"} 0.0',
        "killer_ring_faults 2.0",
        "killer_backup_age_seconds 300.0",
        "killer_disk_free_bytes 1e+12",
        "killer_database_up 1.0",
        "killer_playing 1.0",
        "killer_keeper_alone_seconds 0.0",
        'killer_build_info{version="1.2.3"} 1.0',
    ):
        assert line in figures


def test_what_cannot_be_known_is_left_out(book: Register, world: World) -> None:
    note(book, faults=None, alone=None, backup=None, p95=None, playing=None)
    figures = world.visitor().get("/metrics").text
    assert "killer_weather{" in figures
    for name in ("ring_faults", "keeper_alone", "backup_age", "response_seconds", "playing"):
        assert f"killer_{name}" not in figures


def test_every_metric_of_the_rules_and_the_dashboard_is_there(book: Register, world: World) -> None:
    note(book, sheet=LEVEL)
    world.visitor().get("/sign-in")
    figures = world.visitor().get("/metrics").text
    there = names_in(figures) | {f"{n}_total" for n in names_in(figures)}
    there |= {f"{n}_bucket" for n in names_in(figures)}
    rules = [rule for group in rules_of()["groups"] for rule in group["rules"]]
    board = json.loads((OPS / "grafana.json").read_text())
    asked = [rule["expr"] for rule in rules]
    asked += [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    assert len(asked) > 30
    assert names_in(" ".join(asked)) <= there


def rules_of() -> dict[str, Any]:
    return dict(yaml.safe_load((OPS / "alerts.yml").read_text()))


def test_every_rule_says_what_to_do_and_how_bad_it_is() -> None:
    rules = [rule for group in rules_of()["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"]["summary"]


def test_no_two_panels_of_the_dashboard_overlap() -> None:
    panels = json.loads((OPS / "grafana.json").read_text())["panels"]
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        x, y, w, h = (panel["gridPos"][side] for side in "xywh")
        mine = {(i, j) for i in range(x, x + w) for j in range(y, y + h)}
        assert not mine & taken
        assert x + w <= 24
        taken |= mine


# --- the name of a request ---


@pytest.mark.parametrize("path", ["/health", "/api/me", "/sign-in", "/nowhere", "/metrics"])
def test_every_answer_names_its_request(world: World, path: str) -> None:
    first, second = (world.phone("Ana").get(path).headers["X-Request-Id"] for _ in range(2))
    assert re.fullmatch(r"[\w-]{8,64}", first)
    assert first != second


def test_the_name_that_a_proxy_gave_is_kept(world: World) -> None:
    given = {"X-Request-Id": "4f0c2a9be1d34c5f8a7b6c5d4e3f2a1b"}
    for path in ("/health", "/api/me", "/sign-in"):
        answer = world.phone("Ana").get(path, headers=given)
        assert answer.headers["X-Request-Id"] == given["X-Request-Id"]


@pytest.mark.parametrize("given", ["short", "a" * 65, "a b c d e f g h", "<script>alert", "é" * 9])
def test_a_name_that_is_none_is_replaced(world: World, given: str) -> None:
    answer = world.visitor().get("/health", headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] != given


def test_a_problem_names_its_request(world: World) -> None:
    answer = world.visitor().get("/api/me")
    body = problem(answer, 401, "signed_out")
    assert body["instance"] == f"urn:killer:request:{answer.headers['X-Request-Id']}"


def test_a_player_can_quote_what_went_wrong(world: World, tmp_path: Path) -> None:
    phone = world.phone("Ana")
    lose(world, tmp_path)
    answer = phone.get("/")
    assert answer.status_code == 503
    assert f"<code>{answer.headers['X-Request-Id']}</code>" in answer.text
    assert "À donner à l’organisateur" in answer.text


def test_a_page_that_does_not_exist_bothers_nobody_with_it(world: World) -> None:
    assert "À donner à l’organisateur" not in world.phone("Ana").get("/nowhere").text


def test_a_reading_is_as_large_as_its_place(book: Register) -> None:
    trouble = Sheet(trouble="google.quota", details={"seconds": "7" * 2000}, since=1.0)
    note(book, sheet=trouble)
    found = book.read()
    assert found is not None
    assert len(msgspec.json.encode(found)) < 10_000
