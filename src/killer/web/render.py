"""Templates and what every one of them may use."""

from __future__ import annotations

import secrets
from collections.abc import Hashable
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from flask import Flask, current_app, render_template, request, session
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup

from killer.language import LANGUAGES, catalogue, current, say
from killer.web.pages import Notice
from killer.web.site import site, viewer_or_none

READING = ("GET", "HEAD")  # what such a request has shown can be asked for again


def install(app: Flask) -> None:
    """Give every template the sentences, the addresses and the tokens."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        _=say, csrf=generate_csrf, once=_once, static=_static, script=_script, style=_style
    )


def prepare(app: Flask) -> None:
    """Read every sentence and compile every template now, so that no first visitor waits for it."""
    for language in LANGUAGES:
        catalogue(language)
    for name in app.jinja_env.list_templates():
        app.jinja_env.get_template(name)
    app.url_map.update()


def _once() -> str:
    return secrets.token_urlsafe(12)


def _static(name: str) -> str:
    return site().static.url(name)


def _script(name: str) -> Markup:
    return Markup('<script defer src="{}"{}></script>').format(_static(name), _foreign(name))


def _style(name: str) -> Markup:
    return Markup('<link rel="stylesheet" href="{}"{}>').format(_static(name), _foreign(name))


def _foreign(name: str) -> Markup:
    """Let a browser refuse a file that isn't ours although another server gave it in our name."""
    files = site().static
    if not files.source:
        return Markup()
    return Markup(' crossorigin="anonymous" integrity="{}"').format(files.proof(name))


def part(template: str, **context: Any) -> Markup:
    """Render a part that says the same to every reader of a language: nobody is looking."""
    return Markup(current_app.jinja_env.get_template(template).render(**context))  # noqa: S704  # our own template has escaped it


def kept(template: str, **told: Hashable) -> Markup:
    """Render a small part once for each thing that it tells: most lines outlive many versions."""
    return _kept(template, current(), tuple(told.items()))


@lru_cache(maxsize=20_000)
def _kept(template: str, _language: str, told: tuple[tuple[str, Hashable], ...]) -> Markup:
    return part(template, **dict(told))


def page(template: str, **context: Any) -> str:
    """Render a page for whoever is looking."""
    found = viewer_or_none()
    shared: dict[str, Any] = {
        "lang": current(),
        "viewer": found.player if found else None,
        "game": found.game if found else None,
        "notice": _notice(),
        "here": quote(request.path) if request.method in READING else "/",
    }
    return render_template(template, **shared | context)


def leave_notice(text: str, kind: str = "ok") -> None:
    """Say something once, at the top of the next page."""
    session["notice"] = [text, kind]


def _notice() -> Notice | None:
    if "notice" not in session:
        return None
    text, kind = session.pop("notice")
    session.modified = True
    return Notice(text, kind)
