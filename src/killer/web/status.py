"""What monitors ask: alive, ready, and the figures."""

from __future__ import annotations

import hmac
import time

from flask import Response, request

from killer.settings import under_gunicorn
from killer.sheets.noticed import lag
from killer.store import schema
from killer.store.database import StoreUnavailableError
from killer.watch import metrics
from killer.watch.register import Register
from killer.web import shapes
from killer.web.answers import json
from killer.web.problems import ProblemError
from killer.web.site import site

LOOPBACK = frozenset({"127.0.0.1", "::1"})
PROXIED = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Proto", "X-Real-Ip")


def health() -> Response:
    """Say ok: this process answers."""
    return Response(b"ok", content_type="text/plain; charset=utf-8")


def ready() -> Response:
    """Tell whether this server may get traffic, part by part."""
    parts = _parts()
    return json(parts, 200 if parts.ready else 503)


def _parts() -> shapes.Ready:
    """Ask each part now; nobody waits here for a database that is away."""
    serving, redis = site().hub.open, site().redis
    found = shapes.Ready(
        ready=False,
        database=True,
        migrations=False,
        bell=site().bell.works if serving else None,
        redis=redis.answers() if redis else None,
        sheet_lag=None,
    )
    try:
        found.migrations = schema.serves(site().database, away=0)
        found.sheet_lag = _sheet_lag() if found.migrations else None
        found.ready = found.migrations and serving
    except StoreUnavailableError:
        found.database = False
    return found


def _sheet_lag() -> float | None:
    """Give the seconds that the sheet is behind the newest game; None without a sheet."""
    games = site().hub.games() if site().settings.spreadsheet else []
    if not games:
        return None
    with site().database.read() as connection:
        return lag(connection, games[0].id, games[0].version)


def show_metrics() -> Response:
    """Give all figures in Prometheus' text format, to this machine or with METRICS_TOKEN."""
    token = site().settings.metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    allowed = bool(token) and hmac.compare_digest(given.encode(), token.encode())
    direct = request.remote_addr in LOOPBACK and not any(h in request.headers for h in PROXIED)
    if not allowed and not direct:
        raise ProblemError(403, "metrics_closed")
    workers = under_gunicorn(metrics.FOLDER)
    reading = Register(site().settings.data_dir).read()
    shown = metrics.show(workers=workers, reading=reading, now=time.time())
    return Response(shown, content_type=metrics.CONTENT_TYPE)


def static_file(fingerprint: str, name: str) -> Response:
    """Give a static file under its fingerprint, for a year."""
    file = site().static.at(f"/static/{fingerprint}/{name}")
    if file is None:
        raise ProblemError(404, "not_found")
    headers, body = file.negotiate(request.headers.get("Accept-Encoding", ""))
    return Response(body, 200, headers)
