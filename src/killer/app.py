"""Everything put together, once, by hand."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from flask import Flask
from limits.strategies import FixedWindowRateLimiter
from werkzeug.middleware.proxy_fix import ProxyFix

from killer import passwords
from killer import settings as settings_
from killer.live.broadcast import Broadcast
from killer.live.hub import Hub
from killer.play import Play
from killer.settings import Settings
from killer.store import games, log
from killer.store.database import Database
from killer.store.hits import DatabaseStorage
from killer.watch import logs, metrics
from killer.web import guard, render, roster_upload
from killer.web.express import Express
from killer.web.route import CONVERTERS
from killer.web.routes import ROUTES
from killer.web.sessions import SignedCookies
from killer.web.site import KEY, Site
from killer.web.static_files import StaticFiles

DOTENV = Path(".env")


def served() -> Flask:
    """Make the application for many visitors, with all that the first of them would wait for."""
    app = create()
    passwords.prepare()
    render.prepare(app)
    return app


def create(settings: Settings | None = None) -> Flask:
    """Make the application; it opens no connection before its first request."""
    found = settings or settings_.load(dotenv=DOTENV)
    logs.configure(found.loglevel)
    app = Flask("killer.web", static_folder=None)
    app.secret_key = settings_.secret(found)
    cookies = app.session_interface = SignedCookies(settings_.secret(found))
    app.config.update(
        MAX_FORM_MEMORY_SIZE=roster_upload.LARGEST,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_SSL_STRICT=False,  # the guard looks at Origin; not every browser sends a Referer
        WTF_CSRF_TIME_LIMIT=None,
    )
    app.extensions[KEY] = build(found)
    app.url_map.converters.update(CONVERTERS)
    app.url_map.merge_slashes = False  # a redirect would repeat whatever Host it was told
    for route in ROUTES:
        app.add_url_rule(route.rule, route.name, route.view, methods=[route.method])
    guard.csrf.init_app(app)
    guard.install(app, {route.name: route for route in ROUTES})
    render.install(app)
    app.wsgi_app = Express(app.wsgi_app, site_of(app), cookies)  # type: ignore[method-assign]  # Flask's documented way
    if found.proxies:
        trust = {"x_for": found.proxies, "x_proto": found.proxies, "x_host": found.proxies}
        app.wsgi_app = ProxyFix(app.wsgi_app, **trust)  # type: ignore[method-assign]  # Flask's documented way
    return app


def build(settings: Settings) -> Site:
    """Put the parts together."""
    database = Database(settings.database)
    hub = Hub(database, seen=_measure)
    return Site(
        settings=settings,
        database=database,
        hub=hub,
        play=Play(database, hub),
        broadcast=Broadcast(hub),
        static=StaticFiles(),
        routes=ROUTES,
        shared_limits=FixedWindowRateLimiter(DatabaseStorage(database)),
    )


def site_of(app: Flask) -> Site:
    """Give the parts of an application."""
    return cast("Site", app.extensions[KEY])


def _measure(record: log.Recorded) -> None:
    metrics.DELAY.observe(max(0, games.now() - record.at) / 1000)
