"""The weather in words: every line that can be has its sentence, in both languages."""

from __future__ import annotations

import re
from typing import Any

import pytest

from killer import bulletin as words
from killer.bulletin import bulletin
from killer.language import LANGUAGES, speaking
from killer.watch.register import Reading
from killer.watch.weather import Colour, Line, Sheet, judge
from watch.skies import reading, seen
from watch.test_weather import CASES


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("what", "name", "colour", "code"), CASES, ids=str)
def test_every_line_has_a_title_a_figure_and_a_sentence(
    language: str, what: dict[str, Any], name: str, colour: Colour, code: str
) -> None:
    with speaking(language):
        said = bulletin(reading(**what), 1000.0)
    line = next(line for line in said.lines if line.name == name)
    assert (line.colour, bool(line.title)) == (colour.word, True)
    assert re.fullmatch(r"\S.*[.!]", line.text)
    assert "%(" not in line.text + line.figure


@pytest.mark.parametrize(("what", "name", "colour", "code"), CASES, ids=str)
def test_whatever_is_red_says_what_to_do(
    what: dict[str, Any], name: str, colour: Colour, code: str
) -> None:
    line = next(x for x in bulletin(reading(**what), 1000.0).lines if x.name == name)
    if colour is Colour.RED:
        assert re.search(
            r"Lance|lance|Arrêt|arrêt|Supprim|Mettez|Regardez|regardez|Fermez|prenez|fiez",
            line.text,
        ), line.text


def test_the_worst_comes_first_and_gives_the_verdict() -> None:
    said = bulletin(reading(refused=1, disk_free=120_000_000), 1000.0)
    assert [(line.name, line.colour) for line in said.lines[:3]] == [
        ("disk", "red"),
        ("refused", "orange"),
        ("database", "green"),
    ]
    assert (said.colour, said.verdict) == ("red", "Il faut agir")
    assert said.lines[0].figure == "120\u00a0Mo"


def test_an_old_reading_is_red_whatever_it_says() -> None:
    said = bulletin(reading(), 1000.0 + 130)
    assert (said.colour, said.lines[0].name, said.lines[0].figure) == (
        "red",
        "measure",
        "2\u00a0minutes",
    )
    assert bulletin(reading(), 1000.0 + 14).colour == "green"


def test_nothing_measured_is_red_too() -> None:
    said = bulletin(None, 1000.0)
    assert (said.colour, [line.name for line in said.lines]) == ("red", ["measure"])


def test_what_google_says_is_for_organisers_and_not_for_alerts() -> None:
    details = {"address": "robot@example.iam.gserviceaccount.com"}
    trouble = Sheet(read=5.0, trouble="google.not_shared", details=details, since=10.0)
    whole = reading(sheet=trouble)
    line = next(x for x in bulletin(whole, 1000.0).lines if x.name == "sheet")
    assert "robot@example" in line.more
    assert "robot@example" not in line.text


def test_an_alert_that_did_not_go_out_is_said() -> None:
    unsent = Reading(seen(), judge(seen(), {}), unsent="weather.unsent.mail")
    assert "ALERT_MAIL" in bulletin(unsent, 1000.0).unsent
    assert bulletin(reading(), 1000.0).unsent == ""


def test_what_another_release_has_written_keeps_nobody_from_the_rest() -> None:
    lines = (*judge(seen(), {}), Line("volcano", Colour.RED, "ash"))
    trouble = Sheet(trouble="google.of_later")
    said = bulletin(Reading(seen(sheet=trouble), lines, unsent="weather.unsent.owl"), 1000.0)
    assert (said.colour, said.unsent) == ("red", "")
    assert said.lines == bulletin(Reading(seen(sheet=trouble), lines[:-1]), 1000.0).lines


@pytest.mark.parametrize(
    ("name", "value", "french", "english"),
    [
        ("time", 0.0842, "84 ms", "84 ms"),
        ("limit_time", 0.5, "500 ms", "500 ms"),
        ("time", 1.24, "1,2 s", "1.2 s"),
        ("own_share", 0.826, "83 %", "83%"),
        ("size", 119_700_000.0, "120 Mo", "120 MB"),
        ("size", 83_650_000_000.0, "83,7 Go", "83.7 GB"),
        ("age", 59.9, "59 secondes", "59 seconds"),
        ("age", 61.0, "1 minute", "1 minute"),
        ("age", 7200.0, "2 heures", "2 hours"),
        ("age", 86_400.0, "24 heures", "24 hours"),
        ("age", 200_000.0, "2 jours", "2 days"),
        ("n", 3.0, "3", "3"),
        ("before", 41.0, "41", "41"),
    ],
)
def test_figures_are_written_as_the_reader_does(
    name: str, value: float, french: str, english: str
) -> None:
    for language, written in zip(("fr", "en"), (french, english), strict=True):
        with speaking(language):
            assert words.told(name, value).replace("\u00a0", " ") == written


def test_an_unknown_line_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        words.sentence(Line("nothing", Colour.RED, "red"))
