"""The files that go to the machine, from their templates."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from killer.language import LANGUAGES, say, speaking
from killer.ops import places
from killer.web.routes import ROUTES

TEMPLATES = Path(__file__).parent / "templates"
ORDINARY = 64 * 1024  # bytes of a body that every route takes
MARGIN = 1024 * 1024  # bytes above a route's own limit, so that the site itself refuses in words

_environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    undefined=StrictUndefined,
    keep_trailing_newline=True,
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=select_autoescape(["html"]),
)


def render(template: str, **values: object) -> str:
    """Fill a template; all places have their names in it."""
    known = {name.lower(): value for name, value in vars(places).items() if name.isupper()}
    return _environment.get_template(template).render({**known, **values})


def bodies() -> dict[str, int]:
    """Give the addresses that take large bodies, and how many bytes nginx lets through."""
    found: dict[str, int] = {}
    for route in ROUTES:
        if route.largest > ORDINARY:
            assert "<" not in route.rule, "nginx knows such an address by its exact name"
            found[route.rule] = max(found.get(route.rule, 0), route.largest + MARGIN)
    return found


def quiet() -> list[str]:
    """Give how the addresses begin that hold a secret or a name, which no log may tell."""
    told = (re.match(r"([^<]*)<(?:token|nickname)\b", route.rule) for route in ROUTES)
    return sorted({found[1] for found in told if found})


def waiting_page() -> str:
    """Give the page that is shown while nobody answers, in both languages."""
    words = {}
    for language in LANGUAGES:
        with speaking(language):
            words[language] = {"title": say("waiting.title"), "text": say("waiting.text")}
    return render("waiting.html", words=words)


def style_hash(page: str) -> str:
    """Give what a policy says to allow a page's own style and no other."""
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style, "the page has a style"
    return "sha256-" + base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
