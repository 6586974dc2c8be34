"""A curve is an SVG that stands alone: our colours, no script, no address, every point drawn."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, fromstring

import pytest

from killer.crowd.plots import MOST_DOTS, curve
from killer.language import speaking

SVG = "{http://www.w3.org/2000/svg}"
POINTS = {"p50": [(5, 8), (10, 9), (25, 12)], "p95": [(5, 30), (10, 60), (25, 420)]}


def drawn(series=POINTS, **more) -> Element:
    return fromstring(curve("Titre", "joueurs", "ms", series, **more))


def texts(svg: Element) -> list[str]:
    return [each.text or "" for each in svg.iter(f"{SVG}text")]


def with_class(svg: Element, tag: str, word: str) -> list[Element]:
    return [each for each in svg.iter(SVG + tag) if word in each.get("class", "").split()]


def test_a_curve_asks_for_nothing_outside_and_runs_nothing() -> None:
    text = curve("Titre", "joueurs", "ms", POINTS, line=500)
    assert set(re.findall(r"\w+://[^\"' <]*", text)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<script|pygal|kozea|@import|url\(|\bon\w+=|<!--", text, re.IGNORECASE)


def test_titles_legend_and_limit_are_written() -> None:
    words = texts(drawn(line=500))
    assert {"Titre", "joueurs", "ms", "p50", "p95", "limite\u00a0: 500"} <= set(words)


def test_words_speak_the_language_of_the_reader() -> None:
    with speaking("en"):
        assert "limit: 1,000" in texts(drawn(line=1000))


def test_every_point_has_its_dot_and_every_curve_its_line() -> None:
    svg = drawn()
    assert len(with_class(svg, "circle", "dot")) == 6
    assert len(with_class(svg, "path", "reactive")) == 2 + 2  # two curves and their swatches


def test_a_curve_of_many_points_has_no_dots() -> None:
    many = {"p50": [(float(x), float(x % 7)) for x in range(MOST_DOTS + 1)]}
    assert not with_class(drawn(many), "circle", "dot")


def test_the_limit_is_inside_the_picture_however_low_the_curves_are() -> None:
    svg = drawn({"p50": [(1, 2), (2, 3)]}, line=500)
    line = next(each for g in with_class(svg, "g", "limit") for each in g.iter(f"{SVG}path"))
    height = float(line.get("d", "").split()[1])
    assert 0 < height < 60


def test_the_limit_looks_like_no_curve() -> None:
    svg = drawn(line=500)
    assert with_class(svg, "g", "limit")
    assert not with_class(svg, "g", "color-2")


def test_even_sizes_stand_apart_evenly() -> None:
    svg = drawn(even=True)
    places = sorted({float(each.get("cx", 0)) for each in with_class(svg, "circle", "dot")})
    assert places[1] - places[0] == pytest.approx(places[2] - places[1], abs=0.1)
    assert {"5", "10", "25"} <= set(texts(svg))


def test_without_even_the_distances_are_true() -> None:
    svg = drawn()
    places = sorted({float(each.get("cx", 0)) for each in with_class(svg, "circle", "dot")})
    assert (places[2] - places[1]) / (places[1] - places[0]) == pytest.approx(3, abs=0.1)


def test_a_single_point_is_drawn() -> None:
    svg = drawn({"p50": [(100, 3)]}, line=1000)
    assert len(with_class(svg, "circle", "dot")) == 1
    assert "100" in texts(svg)


def test_all_zero_is_drawn() -> None:
    assert len(with_class(drawn({"erreurs": [(1, 0), (2, 0)]}), "circle", "dot")) == 2


@pytest.mark.parametrize("series", [{}, {"p50": []}])
def test_nothing_measured_is_said(series: dict) -> None:
    assert "rien n’a été mesuré" in texts(drawn(series, line=80))


def test_what_is_measured_is_never_read_as_markup() -> None:
    svg = drawn({"<script>x</script>": [(1, 2), (2, 3)]})
    assert "<script>x</script>" in texts(svg)


def test_the_same_figures_make_the_same_picture() -> None:
    assert curve("a", "b", "c", POINTS) == curve("a", "b", "c", POINTS)


def test_a_screen_reader_is_told_what_it_is() -> None:
    svg = drawn()
    assert (svg.get("role"), svg.get("aria-label")) == ("img", "Titre")


def test_seven_long_names_all_fit_below() -> None:
    names = [f"gevent {n} × CPU, PostgreSQL, cache 30 s" for n in range(7)]  # noqa: RUF001
    svg = drawn({name: [(1.0, float(i)), (2.0, 3.0)] for i, name in enumerate(names)})
    assert set(names) <= set(texts(svg))
    height = float(svg.get("viewBox", "").split()[3])
    legends = with_class(svg, "g", "legends")[0]
    top = float(re.findall(r"[\d.]+", legends.get("transform", ""))[1])
    lowest = max(float(each.get("y", 0)) for each in legends.iter(f"{SVG}text"))
    assert top + lowest < height
