"""What every phone asks for most, answered before Flask at a tenth of the work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from killer.store.database import StoreUnavailableError
from killer.watch import metrics
from killer.watch.request_ids import HEADER, KEY, REQUEST_IDS, ROUTE
from killer.web import api, screen
from killer.web.answers import Encoded, Header, negotiate
from killer.web.handover import HEAD, MOST_STREAMS, Handover, place_of, take_over
from killer.web.screen import Answer
from killer.web.sessions import COOKIE
from killer.web.site import Site, Viewer, find_viewer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Lane = Callable[[Viewer], Encoded]

LANES: dict[str, Lane] = {"/api/me": api.encoded_me, "/api/leaderboard": api.encoded_leaderboard}
STATUS = {200: "200 OK", 303: "303 SEE OTHER", 304: "304 NOT MODIFIED"}
STATIC = "GET /static/<fingerprint>/<path:name>"
HEALTH = [
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Content-Length", "2"),
    ("Cache-Control", "no-store"),
]


class Express:
    """Answers a plain GET, by a signed-in player or for a file; Flask answers the rest."""

    def __init__(self, flask: WSGIApplication, site: Site) -> None:
        self._flask = flask
        self._site = site

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, or hand the request on."""
        name = environ[KEY] = REQUEST_IDS.of(environ.get("HTTP_X_REQUEST_ID"))
        named = (HEADER, name)
        if environ["REQUEST_METHOD"] == "GET":
            path = environ["PATH_INFO"]
            if path == "/health":
                environ[ROUTE] = "GET /health"
                metrics.answered("GET /health", 200, None)
                start_response("200 OK", [*HEALTH, named])
                return (b"ok",)
            started = time.perf_counter()
            lane = LANES.get(path)
            if lane and (encoded := self._encoded(lane, environ)):
                return _send(encoded, path, environ, start_response, started, named)
            if path.startswith(screen.API) and (shown := self._screen(path, environ)):
                return _give(shown, environ, start_response, started, named)
            if path == "/api/events" and (frames := self._stream(environ)):
                start_response("200 OK", [*HEAD, named])
                environ[ROUTE] = "GET /api/events"
                metrics.answered("GET /api/events", 200, None)
                return frames
            if file := self._site.static.at(path):
                headers, body = file.negotiate(_accepted(environ))
                start_response("200 OK", [*headers, named])
                environ[ROUTE] = STATIC
                metrics.answered(STATIC, 200, time.perf_counter() - started)
                return (body,)
        return self._flask(environ, start_response)

    def _encoded(self, lane: Lane, environ: WSGIEnvironment) -> Encoded | None:
        """Give the answer, or nothing when Flask has to say what is wrong."""
        viewer = self._viewer(environ)
        return lane(viewer) if viewer else None

    def _screen(self, path: str, environ: WSGIEnvironment) -> Answer | None:
        """Give what a big screen asks for, or nothing when Flask has to say what is wrong."""
        known, accepted = environ.get("HTTP_IF_NONE_MATCH", ""), _accepted(environ)
        try:
            return screen.answer(self._site, path, known, accepted)
        except StoreUnavailableError:
            return None

    def _stream(self, environ: WSGIEnvironment) -> Handover | None:
        """Give a stream's body, or nothing when Flask has to say what is wrong."""
        viewer, broadcast = self._viewer(environ), self._site.broadcast
        if viewer is None:
            return None
        if broadcast.streams[viewer.feed.number, viewer.player.id] >= MOST_STREAMS:
            return None
        since = parse_qs(environ.get("QUERY_STRING", "")).get("since", [""])[0]
        place = place_of(viewer.feed, environ.get("HTTP_LAST_EVENT_ID", ""), since)
        return take_over(broadcast, viewer, place, environ)

    def _viewer(self, environ: WSGIEnvironment) -> Viewer | None:
        value = _cookie(environ.get("HTTP_COOKIE", ""))
        if value is None:
            return None
        try:
            return find_viewer(self._site.hub, self._site.sessions.parse(value))
        except StoreUnavailableError:
            return None


def _cookie(header: str) -> str | None:
    """Find the session's cookie in a header that holds it once and unquoted."""
    found = [part for part in header.split("; ") if part.startswith(f"{COOKIE}=")]
    return found[0][len(COOKIE) + 1 :] if len(found) == 1 else None


def _accepted(environ: WSGIEnvironment) -> str:
    return str(environ.get("HTTP_ACCEPT_ENCODING", ""))


def _send(
    encoded: Encoded,
    path: str,
    environ: WSGIEnvironment,
    start_response: StartResponse,
    started: float,
    named: Header,
) -> Iterable[bytes]:
    known = environ.get("HTTP_IF_NONE_MATCH", "")
    found = Answer(f"GET {path}", *negotiate(encoded, known, _accepted(environ)))
    return _give(found, environ, start_response, started, named)


def _give(
    found: Answer,
    environ: WSGIEnvironment,
    start_response: StartResponse,
    started: float,
    named: Header,
) -> Iterable[bytes]:
    found.headers.append(named)
    start_response(STATUS[found.status], found.headers)
    environ[ROUTE] = found.route
    metrics.answered(found.route, found.status, time.perf_counter() - started)
    return (found.body,)
