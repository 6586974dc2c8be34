"""Curves as SVG: readable alone or inside a page, in light and dark, asking for nothing outside."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement

import pygal
from pygal.style import Style

from killer.crowd.verdict import number
from killer.language import say

#: What a curve is drawn from: by its name in the legend, points from left to right.
Series = Mapping[str, Sequence[tuple[float, float]]]

WIDTH, HEIGHT = 460, 320
MOST_DOTS = 24  # a curve of more points is drawn without dots
SWATCH = 18
ROW = 1.5 * SWATCH  # of the legend
MARGIN = 8
LEGEND_LETTER = 6.4  # width of a letter in the legend, about, in pixels
SVG = "{http://www.w3.org/2000/svg}"

#: The colours of the site; a page around the picture may bring others by the same names.
CSS = """
.curve { --p: var(--sheet, #fcfdfb); --i: var(--ink, #101417); --s: var(--soft, #4a5258);
  --l: var(--line, #c3c9c2); --r: var(--signal, #c4220a); --a: #0a6b75; --b: #8a5500;
  --c: #6a3d9a; --d: #1f5fb4; --e: #4d6b12; --f: #a3206e;
  display: block; inline-size: 100%; block-size: auto; background: var(--p);
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
@media screen and (prefers-color-scheme: dark) { .curve { --p: var(--sheet, #15191c);
  --i: var(--ink, #f1f3ee); --s: var(--soft, #a9b1b0); --l: var(--line, #2e353a);
  --r: var(--signal, #ff5c39); --a: #4cc3cf; --b: #e2ab4a; --c: #c3a0f0; --d: #7fb2ff;
  --e: #a9cc5c; --f: #f58cc4; } }
.curve rect { fill: none; }
.curve text { fill: var(--s); font-size: 12px; }
.curve .titles .title { text-anchor: middle; }
.curve .titles .plot_title { text-anchor: start; font-size: 15px; font-weight: 700; }
.curve .titles .plot_title, .curve .legend text { fill: var(--i); }
.curve .axis.x text { text-anchor: middle; }
.curve .axis.y text { text-anchor: end; font-variant-numeric: tabular-nums; }

.curve .no_data { text-anchor: middle; font-size: 15px; }
.curve .line { fill: none; stroke-width: 2.2; stroke-linejoin: round; stroke-linecap: butt; }
.curve .color-0 { --k: var(--i); }
.curve .color-1 { --k: var(--a); --g: 7 3; }
.curve .color-2 { --k: var(--b); --g: 2.5 2.5; }
.curve .color-3 { --k: var(--c); --g: 10 3 2 3; }
.curve .color-4 { --k: var(--d); --g: 12 3; }
.curve .color-5 { --k: var(--e); --g: 5 2 1.5 2 1.5 2; }
.curve .color-6 { --k: var(--f); --g: 4 4; }
.curve .limit { --k: var(--r); --g: 2 2; }
.curve .line, .curve .swatch { stroke: var(--k); stroke-dasharray: var(--g, none); }
.curve .swatch { stroke-width: 3; }
.curve .axis path { stroke: var(--l); stroke-width: 1; stroke-dasharray: none; }
.curve .axis.x .guide { stroke: none; }
.curve .limit .line { stroke-width: 2; }
.curve .dot { fill: var(--k); }
"""
STYLE = Style(
    label_font_size=12,
    major_label_font_size=12,
    legend_font_size=12,
    title_font_size=13,
    no_data_font_size=15,
    font_family="sans-serif",
)


def curve(
    title: str,
    x_title: str,
    y_title: str,
    series: Series,
    *,
    line: float | None = None,
    even: bool = False,
) -> str:
    """Draw curves over one another and give the SVG.

    Args:
        title: What is seen.
        x_title: What the horizontal axis counts, with its unit.
        y_title: What the vertical axis counts, with its unit.
        series: The points of each curve by its name; up to seven curves.
        line: A limit to draw across, in the unit of the vertical axis.
        even: Set the different horizontal values apart evenly, as 5, 10, 25, 50, 100 want it.
    """
    drawn = {name: list(points) for name, points in series.items() if points}
    xs = sorted({x for points in drawn.values() for x, _ in points})
    place = {x: float(i) for i, x in enumerate(xs)} if even else {x: float(x) for x in xs}
    limits = [_limit(line)] if drawn and line is not None else []
    chart = _chart(title, x_title, y_title, [*drawn, *limits])
    if xs:
        _scale(chart, drawn, line, place, even=even)
    for name, points in drawn.items():
        dots = len(points) <= MOST_DOTS
        chart.add(name, [(place[x], y) for x, y in points], show_dots=dots)
    if line is not None and xs:
        across = [(x, line) for x in chart.xrange]
        chart.add(_limit(line), across, show_dots=False)
    chart.add_xml_filter(lambda root: _tidied(root, title, len(drawn)))
    return str(chart.render(is_unicode=True))


def _limit(line: float) -> str:
    return say("verdict.plot.limit", value=number(line))


def _chart(title: str, x_title: str, y_title: str, legends: Sequence[str]) -> pygal.XY:
    columns = _columns(legends)
    rows = math.ceil(len(legends) / columns)
    return pygal.XY(
        width=WIDTH,
        height=HEIGHT + ROW * (rows - 1),
        # pygal counts the rows of its legend one too few when the last is not full
        margin_bottom=MARGIN + ROW * (rows - max(1, len(legends) // columns)),
        title=title,
        x_title=x_title,
        y_title=y_title,
        style=STYLE,
        css=(),
        js=(),
        classes=("curve",),
        disable_xml_declaration=True,
        legend_at_bottom=True,
        legend_at_bottom_columns=columns,
        legend_box_size=SWATCH,
        truncate_legend=-1,
        dots_size=3,
        margin=MARGIN,
        spacing=8,
        show_x_labels=bool(legends),
        show_y_labels=bool(legends),
        x_value_formatter=number,
        value_formatter=number,
        no_data_text=say("verdict.plot.nothing"),
    )


def _columns(legends: Sequence[str]) -> int:
    longest = SWATCH + 14 + LEGEND_LETTER * max(map(len, legends), default=1)
    return max(1, min(len(legends) or 1, int((WIDTH - 60) / longest)))


def _scale(
    chart: pygal.XY,
    drawn: Series,
    line: float | None,
    place: Mapping[float, float],
    *,
    even: bool,
) -> None:
    """Begin at 0, end a little above the highest value, and mark round numbers."""
    highest = max([y for points in drawn.values() for _, y in points] + [line or 0])
    chart.y_labels = _rounds(0, highest)
    chart.range = (0, max(chart.y_labels[-1], highest) * 1.04)
    first, last = min(place.values()), max(place.values())
    margin = 0.25 if even else (last == first) / 2
    chart.xrange = (first - margin, last + margin)
    chart.truncate_label = -1
    if even or first == last:
        chart.x_labels = [{"value": at, "label": number(x)} for x, at in place.items()]
    else:
        chart.x_labels = [x for x in _rounds(first, last) if first <= x <= last]


def _rounds(low: float, high: float) -> list[float]:
    """Give four to seven round numbers that reach from the one to the other."""
    span = high - low or 1
    power = 10.0 ** math.floor(math.log10(span / 5))
    step = next(power * n for n in (1, 2, 5, 10) if power * n >= span / 6)
    first, last = math.floor(low / step), math.ceil(high / step - 1e-9)
    return [round(i * step, 9) for i in range(first, max(last, first + 1) + 1)]


def _tidied(root: Element, title: str, curves: int) -> Element:
    """Take out scripts, addresses and tooltips that need a script; put in our own look."""
    for parent in list(root.iter()):
        for child in list(parent):
            if _is_clutter(child, outermost=parent is root):
                parent.remove(child)
    SubElement(root, "style").text = CSS
    root.attrib.pop("id", None)
    root.set("role", "img")
    root.set("aria-label", title)
    for each in root.iter():
        _mend(each, f"-{curves}")
    return root


def _is_clutter(node: Element, *, outermost: bool) -> bool:
    if not isinstance(node.tag, str):
        return True  # a comment with an address
    tag = node.tag.removeprefix(SVG)
    for_script = "tooltip-overlay" in node.get("class", "")
    return tag in {"script", "desc", "style"} or for_script or (tag == "title" and not outermost)


def _mend(node: Element, last: str) -> None:
    """Mark what belongs to the limit; show in the legend the line, not a box of its colour."""
    words = node.get("class", "").split()
    node.attrib.pop("id", None)
    if f"color{last}" in words:
        node.set("class", " ".join(words).replace(f"color{last}", "limit"))
    if "plot_title" in words:
        node.set("x", "10")
    if node.tag == "rect" and any(word.startswith("color-") for word in words):
        x, y = float(node.attrib["x"]), float(node.attrib["y"]) + SWATCH / 2
        node.tag = "path"
        node.set("d", f"M{x:g} {y:g}h{SWATCH}")
        node.set("class", f"{node.get('class')} swatch")
        for word in ("x", "y", "width", "height"):
            del node.attrib[word]
