"""Everything put together, once, by hand."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from flask import Flask
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter
from werkzeug.middleware.proxy_fix import ProxyFix

from killer import passwords
from killer import secret as secret_
from killer import settings as settings_
from killer.live.bell import Bell, Source
from killer.live.broadcast import Broadcast
from killer.live.hub import Hub
from killer.media.bucket import shelf_of
from killer.play import Play
from killer.settings import Settings
from killer.store import games, log
from killer.store.database import Database
from killer.store.hits import DatabaseStorage, FallingBack
from killer.store.postgresql import Notices
from killer.store.redis import Redis, Teller
from killer.watch import logs, metrics
from killer.web import guard, render, roster_upload
from killer.web.express import Express
from killer.web.kept_sessions import KeptSessions
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
    app.secret_key = secret_.of(found)
    app.config.update(
        MAX_FORM_MEMORY_SIZE=roster_upload.LARGEST,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_SSL_STRICT=False,  # the guard looks at Origin; not every browser sends a Referer
        WTF_CSRF_TIME_LIMIT=None,
    )
    site = app.extensions[KEY] = build(found)
    app.session_interface = site.sessions
    app.url_map.converters.update(CONVERTERS)
    app.url_map.merge_slashes = False  # a redirect would repeat whatever Host it was told
    for route in ROUTES:
        app.add_url_rule(route.rule, route.name, route.view, methods=[route.method])
    guard.csrf.init_app(app)
    guard.install(app, {route.name: route for route in ROUTES})
    render.install(app)
    app.wsgi_app = Express(app.wsgi_app, site)  # type: ignore[method-assign]  # Flask's documented way
    if found.proxies:
        trust = {"x_for": found.proxies, "x_proto": found.proxies, "x_host": found.proxies}
        app.wsgi_app = ProxyFix(app.wsgi_app, **trust)  # type: ignore[method-assign]  # Flask's documented way
    return app


def build(settings: Settings) -> Site:
    """Put the parts together."""
    database = Database(settings.database)
    redis = Redis(settings.redis_url) if settings.redis_url else None
    hub = Hub(database, seen=_measure, tell=Teller(redis) if redis else None)
    return Site(
        settings=settings,
        database=database,
        hub=hub,
        play=Play(database, hub),
        broadcast=Broadcast(hub),
        static=StaticFiles(settings.static_base_url),
        routes=ROUTES,
        shared_limits=FixedWindowRateLimiter(_counts(database, redis)),
        sessions=_sessions(settings, redis),
        bell=Bell(hub, _sources(database, redis)),
        redis=redis,
        shelf=shelf_of(settings),
    )


def _counts(database: Database, redis: Redis | None) -> Storage:
    in_database = DatabaseStorage(database)
    return FallingBack(redis.counts, in_database) if redis else in_database


def _sessions(settings: Settings, redis: Redis | None) -> SignedCookies:
    secret = secret_.of(settings)
    if redis and settings.session_backend == "redis":
        return KeptSessions(secret, redis)
    return SignedCookies(secret)


def _sources(database: Database, redis: Redis | None) -> list[Source]:
    """Give what can ring, the best first."""
    notices = [] if database.embedded else [Notices(database.url)]
    return [redis, *notices] if redis else [*notices]


def site_of(app: Flask) -> Site:
    """Give the parts of an application."""
    return cast("Site", app.extensions[KEY])


def _measure(record: log.Recorded) -> None:
    metrics.DELAY.observe(max(0, games.now() - record.at) / 1000)
