"""Every page with a player or an organiser before it, and what is asked of each of them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from playwright.sync_api import Page

OUTSIDE = ("/sign-in", "/s/nothing", "/nowhere")
INSIDE = ("/", "/photo", "/players", "/leaderboard", "/podium", "/death", "/giveup")
DESK = (
    "/organiser",
    "/organiser/log",
    "/organiser/challenges",
    "/organiser/add",
    "/organiser/import",
    "/organiser/mails",
    "/organiser/photos",
    "/organiser/screen",
    "/organiser/sheet",
    "/organiser/weather",
    "/organiser/players/Camille",
    "/organiser/game/end",
)

#: What can be tapped and seen; a box inside a label is as large as its label.
TARGETS = """() => {
  const seen = (e) => e.checkVisibility({visibilityProperty: true}) && !e.closest('.unseen, .skip');
  const inText = (e) => e.matches('p a, li > a') && getComputedStyle(e).display === 'inline';
  const all = document.querySelectorAll('a[href], button, input, select, textarea, summary, label');
  const small = [];
  for (const e of all) {
    if (!seen(e) || inText(e) || e.type === 'hidden') continue;
    const hasControl = e.matches('label') && e.control && !e.control.matches('.unseen');
    if (hasControl) continue;
    const box = (e.closest('label') ?? e).getBoundingClientRect();
    if (box.width < 43.5 || box.height < 43.5)
      small.push(`${e.outerHTML.slice(0, 90)} ${Math.round(box.width)}x${Math.round(box.height)}`);
  }
  return small;
}"""

#: Whether something visible in the window is ringed, as whatever has the focus must be.
RINGED = """() => {
  const now = document.activeElement;
  if (!now || now === document.body) return 'nothing';
  const opacity = (e) => e ? Number(getComputedStyle(e).opacity) * opacity(e.parentElement) : 1;
  for (const e of document.querySelectorAll('body *')) {
    const {outlineStyle, outlineWidth} = getComputedStyle(e);
    if (outlineStyle === 'none' || parseFloat(outlineWidth) < 2) continue;
    const box = e.getBoundingClientRect();
    const {bottom, top, right, left} = box;
    const inside = bottom > 0 && top < innerHeight && right > 0 && left < innerWidth;
    if (box.width > 8 && box.height > 8 && inside && opacity(e) > .5) return 'ringed';
  }
  return now.outerHTML.slice(0, 120);
}"""

NAMED = {
    "button",
    "link",
    "textbox",
    "searchbox",
    "checkbox",
    "radio",
    "combobox",
    "navigation",
    "region",
    "dialog",
    "table",
    "heading",
}
LINE = re.compile(r'^\s*- (?P<role>\w+)(?: "(?P<name>(?:\\.|[^"])*)")?(?P<rest>.*)$')
LEVEL = re.compile(r"\[level=(\d)\]")


@dataclass(frozen=True, slots=True)
class Node:
    """One line of Playwright's aria snapshot."""

    role: str
    name: str
    level: int


def heard(page: Page) -> list[Node]:
    """Give what a screen reader tells of a page."""
    nodes = []
    for line in page.locator("body").aria_snapshot().splitlines():
        if found := LINE.match(line):
            level = LEVEL.search(found["rest"])
            nodes.append(Node(found["role"], found["name"] or "", int(level[1]) if level else 0))
    return nodes


def unclear(page: Page) -> list[str]:
    """Give what a screen reader's user would stumble over."""
    nodes = heard(page)
    found = [f"{n.role} without a name" for n in nodes if n.role in NAMED and not n.name]
    roles = Counter(node.role for node in nodes)
    found += [f"{roles[role]} {role}" for role in ("main", "banner") if roles[role] != 1]
    regions = Counter(node.name for node in nodes if node.role in {"region", "navigation"})
    found += [f"two regions {name!r}" for name, n in regions.items() if n > 1]
    return [*found, *heading_order(nodes)]


def heading_order(nodes: list[Node]) -> list[str]:
    """Expect one title, first, and no level left out on the way down."""
    levels = [node.level for node in nodes if node.role == "heading"]
    found = [] if levels.count(1) == 1 else [f"{levels.count(1)} titles"]
    steps = zip([0, *levels], levels, strict=False)
    return found + [f"from heading {a} to {b}" for a, b in steps if b > a + 1]


def too_small(page: Page) -> list[str]:
    """Give what a thumb would miss."""
    return list(page.evaluate(TARGETS))


def too_wide(page: Page) -> int:
    """Give by how much the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def unringed(page: Page, most: int = 16) -> list[str]:
    """Walk through a page with the Tab key and give where the focus can't be seen."""
    found = []
    for _ in range(most):
        page.keyboard.press("Tab")
        seen = str(page.evaluate(RINGED))
        if seen == "nothing":
            break
        if seen != "ringed":
            found.append(seen)
    return found
