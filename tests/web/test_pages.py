"""What the pages show and never show, how heavy they are, how well they can be read."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from killer.game import audience
from killer.game import commands as c
from killer.game.model import Game, PlayerId, State, Status, Visibility
from killer.language import LANGUAGES, speaking
from killer.web import faces, pages

try:  # run from the tests' root, or alone
    from web import gallery
except ImportError:  # pragma: no cover
    import gallery

STATIC = Path(pages.__file__).parent / "static"
SCRIPTS_OF_ALL = ("htmx.min.js", "clock.js", "live.js", "news.js", "pending.js")
FIRST_SCRIPTS = (*SCRIPTS_OF_ALL, "dialog.js", "card.js", "leave.js")
FIRST_LOAD = ("site.css", "mark.svg", *FIRST_SCRIPTS)
LIMIT = 60_000
CONTACTS = ("email", "phone", "gender", "photo_source", "answers")


@pytest.fixture(scope="module")
def app() -> Flask:
    return gallery.application()


@pytest.fixture(scope="module")
def rendered(app: Flask) -> dict[tuple[str, str], str]:
    """Every sample in every language."""
    found = {}
    for lang in LANGUAGES:
        with app.test_request_context(), speaking(lang):
            found |= {(lang, s.name): gallery.render(s, lang) for s in gallery.samples()}
    return found


def every(rendered: dict[tuple[str, str], str]) -> Iterator[tuple[str, str]]:
    return ((f"{lang}/{name}", html) for (lang, name), html in rendered.items())


# --- the policy, the labels, the weight ---


def test_no_page_needs_what_the_policy_forbids(rendered):
    forbidden = re.compile(
        r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]* src=)|hx-on|url\("
        r"|=[\"']?(?:https?:)?//(?!killer\.example)"
    )
    wrong = [name for name, html in every(rendered) if forbidden.search(html)]
    assert not wrong


def test_no_script_of_ours_evaluates_text_or_writes_markup():
    evil = re.compile(r"\beval\(|new Function|innerHTML|insertAdjacentHTML|document\.write")
    assert not [
        f.name
        for f in STATIC.glob("*.js")
        if f.name != "htmx.min.js" and evil.search(f.read_text())
    ]


def test_every_own_script_is_strict_and_says_what_it_is_for():
    for file in STATIC.glob("*.js"):
        if file.name != "htmx.min.js":
            assert file.read_text().startswith('"use strict";\n// '), file.name


def test_every_field_has_a_label(rendered):
    for name, html in every(rendered):
        labelled = set(re.findall(r'<label[^>]*\sfor="([^"]+)"', html))
        bare = re.sub(r"<label\b.*?</label>", "", html, flags=re.DOTALL)
        for field in re.findall(r"<(?:input|select|textarea)\b[^>]*>", bare):
            if 'type="hidden"' in field or "aria-label" in field:
                continue
            found = re.search(r'\sid="([^"]+)"', field)
            assert found, f"{name}: {field}"
            assert found[1] in labelled, f"{name}: {field}"


def test_every_form_that_changes_something_is_sealed(rendered):
    for name, html in every(rendered):
        for form in re.findall(r'<form[^>]*method="post".*?</form>', html, re.DOTALL):
            assert 'name="csrf_token"' in form, name
            assert 'name="idempotency_key"' in form or "/language" in form, name


def test_ids_are_unique_and_labels_point_somewhere(rendered):
    for name, html in every(rendered):
        ids = re.findall(r'\sid="([^"]+)"', html)
        assert len(ids) == len(set(ids)), name
        for attribute in (
            "for",
            "aria-labelledby",
            "aria-describedby",
            "data-suggest",
            "data-copy",
        ):
            missing = set(re.findall(rf'\s{attribute}="([^"]+)"', html)) - set(ids)
            assert not missing, f"{name}: {attribute} {missing}"


def test_every_page_has_one_main_a_title_and_a_first_heading(rendered):
    for name, html in every(rendered):
        assert html.lstrip().lower().startswith("<!doctype html>"), name
        assert len(re.findall(r"<main\b", html)) == 1, name
        assert re.search(r"<title>\S", html), name
        assert re.search(r"<h[12]\b", html), name


def test_the_first_load_of_a_players_page_is_light(rendered):
    page = len(gzip.compress(rendered["fr", "card"].encode(), 6))
    total = page + sum(len(gzip.compress((STATIC / name).read_bytes(), 6)) for name in FIRST_LOAD)
    assert set(re.findall(r'/static/([\w.]+)"', rendered["fr", "card"])) == set(FIRST_LOAD)
    assert total < LIMIT, total


# --- contrast ---


def colours() -> tuple[dict[str, str], dict[str, str]]:
    """The light colours and the dark ones, as the style sheet has them."""
    css = (STATIC / "site.css").read_text()
    blocks = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    light, dark = (dict(re.findall(r"--([\w-]+): (#\w{6});", block)) for block in blocks[:2])
    return light, light | dark


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "least"), [("ink", 7), ("soft", 4.5), ("signal", 4.5), ("edge", 3)]
)
def test_ink_can_be_read_on_every_ground(scheme, ink, least):
    palette = colours()[scheme]
    for ground in ("paper", "sheet", "shade", "wash"):
        assert contrast(palette[ink], palette[ground]) >= least, ground


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_words_on_the_signal_and_on_ink_can_be_read(scheme):
    palette = colours()[scheme]
    assert contrast(palette["on-signal"], palette["signal"]) >= 4.5
    assert contrast(palette["paper"], palette["ink"]) >= 7


def test_drawn_initials_can_be_read():
    pairs = re.findall(r"--a: (#\w{6}); --b: (#\w{6});", (STATIC / "site.css").read_text())
    assert len(pairs) == faces.TONES
    assert all(contrast(*pair) >= 4.5 for pair in pairs)


# --- secrecy ---


def test_a_card_holds_nobody_elses_target(app: Flask):
    """Challenges are unique here, so that one names whose target a page speaks of."""
    told = gallery.started(12, 4)
    for i, player in enumerate(told.game.alive):
        told.do(c.Edit(player.id, (("challenge", f"secret-{i}-{player.nickname}"),)))
    with app.test_request_context(), speaking("fr"):
        for player in told.game.players.values():
            html = gallery.render(
                gallery.Sample("", "card.html", gallery.card_of(told, player.nickname))
            )
            own = audience.prey(told.game, player)
            assert set(re.findall(r"secret-\d+-[^<\"]+", html)) == (
                {own.challenge} if own else set()
            )


def test_the_hunter_is_not_in_the_card():
    told = gallery.started(6)
    for player in told.game.alive:
        hunter = told.game.players[told.game.hunters[player.id]].nickname
        assert hunter not in repr(pages.card(told.game, player))


@pytest.mark.parametrize("state", ["preparing", "over"])
def test_there_is_no_target_before_the_start_and_after_the_end(state):
    told = gallery.gathered(5) if state == "preparing" else gallery.over(5)
    assert told.game.state == state
    assert all(pages.card(told.game, p).target is None for p in told.game.players.values())


def test_a_discreet_game_shows_kills_but_no_falls_until_the_end():
    told = gallery.started(10, 4, Visibility.DISCREET)
    ranks, podium = pages.leaderboard(told.game), pages.podium(told.game)
    assert {rank.person.status for rank in ranks} == {""}
    assert podium.killers
    assert podium.falls == ()
    assert {p.status for p in pages.gallery(told.game, {}).people} == {""}
    told.do(c.End())
    assert pages.podium(told.game).falls


@pytest.mark.parametrize("visibility", [Visibility.DISCREET, Visibility.DEATHS])
def test_who_killed_whom_is_told_in_an_open_game_only(visibility):
    told = gallery.over(6).do(c.SetVisibility(visibility))
    assert {fall.killer for fall in pages.podium(told.game).falls} == {""}
    told.do(c.SetVisibility(Visibility.OPEN))
    assert {fall.killer for fall in pages.podium(told.game).falls} != {""}


def test_only_organisers_show_a_phone_number():
    told = gallery.gathered(3)
    shown = pages.gallery(told.game, {p: f"06 {p}" for p in told.game.players})
    assert [p.phone for p in shown.organisers] == ["06 1", "06 2"]
    assert {p.phone for p in shown.people} == {""}


# --- states ---


def moods(told: gallery.Told) -> set[str]:
    return {pages.card(told.game, player).mood for player in told.game.players.values()}


def test_a_card_is_about_one_thing():
    assert moods(gallery.gathered(4)) == {"out", "preparing"}
    told = gallery.started(12, 3)
    told.do(c.GiveUp(told.game.alive[0].id))
    assert moods(told) == {"out", "running", "dead", "gaveup"}
    assert moods(told.do(c.Pause())) == {"out", "paused", "dead", "gaveup"}
    assert moods(told.do(c.End())) == {"out", "over"}


def test_a_place_is_known_once_fallen_and_the_last_one_has_the_first():
    told = gallery.started(4)
    first, *_ = told.game.alive
    assert pages.place(told.game, first) is None
    told.do(c.Die(first.id))
    assert pages.place(told.game, told.game.players[first.id]) == 4
    while told.game.state is not State.OVER:
        told.do(c.Die(told.game.alive[-1].id))
    assert pages.card(told.game, told.game.alive[0]).won


def test_whoever_shares_the_first_place_has_not_outlived_all(rendered):
    together = gallery.started(6, 2).do(c.End())
    assert {pages.card(together.game, p).equals for p in together.game.alive} == {3}
    assert "Tu as survécu, comme" in rendered["fr", "card-together"]
    assert "Tu as survécu à tous" not in rendered["fr", "card-together"]
    assert "Tu as survécu à tous" in rendered["fr", "card-won"]


def test_a_game_that_nobody_has_named_is_not_called_killer_twice(app: Flask):
    def head(name: str) -> str:
        told = gallery.started(4)
        told.game = replace(told.game, name=name)
        sample = gallery.Sample("", "card.html", gallery.card_of(told, "Camille"))
        with app.test_request_context(), speaking("fr"):
            return gallery.render(sample)

    assert "game-name" in head("Week-end")
    assert "game-name" not in head("Killer")


def test_the_card_says_who_taps_when_the_mission_is_done(rendered):
    assert "c’est à ta cible de toucher" in rendered["fr", "card"]
    assert rendered["fr", "card-preparing"].count("<li>") >= 3


def test_victims_are_in_the_order_of_their_fall():
    told = gallery.started(5)
    hunter = told.player("Camille")
    fallen = []
    for _ in range(3):
        prey = told.game.players[told.player("Camille").target or PlayerId(0)]
        fallen.append(prey.nickname)
        told.do(c.Die(prey.id))
    assert pages.card(told.game, told.game.players[hunter.id]).victims == tuple(fallen)


def test_ties_share_a_rank_and_the_next_one_counts_them():
    told = gallery.started(5)
    told.do(c.Die(told.player("Camille").target or PlayerId(0)))
    ranks = pages.leaderboard(told.game)
    assert [rank.rank for rank in ranks] == [1, 2, 2, 2, 2]
    assert ranks[0].player == told.player("Camille").id
    assert ranks[0].kills == 1


def test_texts_are_set_smaller_when_they_are_longer():
    fits = [pages.Target(faces.Person("x" * n), "y" * n * 8).name_fit for n in (5, 20, 60)]
    assert fits == ["short", "middle", "long"]
    fits = [pages.Target(faces.Person("x"), "y" * n).fit for n in (10, 100, 500)]
    assert fits == ["short", "middle", "long"]


# --- news and the log ---


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("visibility", Visibility)
def test_every_event_has_a_sentence_for_organisers_and_maybe_one_for_all(lang, visibility):
    told = gallery.started(12, 9, visibility)
    told.do(c.Pause(), c.Resume(), c.Reshuffle(5), c.EndSessions(PlayerId(3)))
    told.do(c.NoteContacts(PlayerId(3), CONTACTS), c.Enrol("Tardive", seed=3))
    told.do(c.Revive(told.game.fallen[0].id, 4), c.Remove(told.game.alive[0].id))
    told.do(c.Kill(told.game.alive[1].id, credited=False))
    last = told.records[-1]
    told.do(c.Undo(last.version, ((last.version, last.event),)), c.End())
    with speaking(lang):
        lines = pages.log(told.game, told.records, {last.version})
        feed = gallery.news(told)
    assert all(line.text and "%" not in line.text for line in lines)
    assert [line.undone for line in lines].count(True) == 1
    assert not any(line.undoable for line in lines if line.undone)
    if visibility is Visibility.DISCREET:
        names = {p.nickname for p in told.game.players.values()}
        assert not any(name in line.text for line in feed for name in names)


def test_the_log_names_nobody_as_the_server_itself():
    told = gallery.gathered(1)
    with speaking("en"):
        assert {line.actor for line in pages.log(told.game, told.records, ())} == {"the server"}


@pytest.mark.parametrize(
    ("lang", "n", "text"),
    [("fr", 0, "0 victime"), ("fr", 2, "2 victimes"), ("en", 0, "0 kills"), ("en", 1, "1 kill")],
)
def test_kills_are_counted_as_each_language_counts(lang, n, text):
    with speaking(lang):
        assert gallery.say("site.kills", n=n) == text


# --- faces ---


@pytest.mark.parametrize(
    ("nickname", "letters"),
    [
        ("alice", "AL"),
        ("Alice Martin", "AM"),
        ("  É. Zola", "ÉZ"),
        ("x", "X"),
        ("!!!", "!"),
        ("", "?"),
        ("straße", "ST"),
        ("<b>", "B"),
    ],
)
def test_initials(nickname, letters):
    assert faces.initials(nickname) == letters


def test_a_face_is_the_same_however_the_nickname_is_written():
    assert faces.face("Alice").split("<text")[0] == faces.face(" ALICE ").split("<text")[0]
    assert len({faces.face(name) for name in gallery.names(100)}) > 90


def test_a_face_escapes_what_it_draws():
    assert "<<" not in faces.face("<<")


def test_a_photo_has_an_address_only_when_there_is_one():
    assert faces.photo_url("", "small") == ""
    assert faces.photo_url("a b.webp", "large") == "/photos/a%20b.webp?size=large"


def test_an_empty_game_has_pages_too():
    empty = Game()
    assert pages.table(empty) == ()
    assert pages.gallery(empty, {}).people == ()
    assert pages.leaderboard(empty) == ()
    assert pages.podium(replace(empty, state=State.OVER)).survivors == ()


def test_the_table_knows_everything():
    told = gallery.started(4)
    rows = {row.nickname: row for row in pages.table(told.game)}
    assert rows["Camille"].target == "Sacha"
    assert rows["Sacha"].hunter == "Camille"
    assert rows["Karim"].status is Status.OUT
