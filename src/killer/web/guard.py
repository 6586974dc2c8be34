"""What stands before every view: who may call it, from where, how often, and how refusals look."""

from __future__ import annotations

import hashlib
import re
import time
from http import HTTPStatus
from typing import Any, cast

import structlog
from flask import Flask, Response, g, make_response, request, session
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError, CSRFProtect
from limits import parse
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from killer import language
from killer.store.redis import RedisUnavailableError
from killer.watch import metrics
from killer.watch.request_ids import HEADER, KEY, ROUTE
from killer.web import answers, render
from killer.web.problems import ProblemError, Told, tell
from killer.web.route import Route, Who
from killer.web.sessions import Session
from killer.web.site import address, find_viewer, site, viewer_or_none

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
LONGEST_KEY = 200
MINUTE = 60  # seconds
SESSIONS_SECONDS = 2  # before somebody whose session can't be read should try again
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; manifest-src 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_FILES = re.compile(r"(script|style|img)-src 'self'")
PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "strict-origin",  # nginx logs it, and the path may be a sign-in link
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

csrf = CSRFProtect()
_log = structlog.get_logger()


def install(app: Flask, routes: dict[str, Route]) -> None:
    """Put the guard before every route of an application."""

    def before() -> None:
        _identify_request()
        route = routes.get(request.endpoint or "")
        if route is None:  # the page that says so keeps whoever is signed in at home
            g.viewer = find_viewer(site().hub, session, blind=True)
            return
        if route.who is Who.MACHINE:
            cast("Session", session).modified = False  # a shared answer carries nobody's cookie
            return
        request.max_content_length = route.largest
        _check_session()
        _see_who(route)
        _check_origin()
        _check_who(route)
        _check_rate(route)
        _check_form()  # from here on the body is read, of whoever may send it
        _take_key()

    app.before_request(before)
    app.after_request(_finish)
    app.register_error_handler(Exception, _answer_error)


def _identify_request() -> None:
    g.started = time.perf_counter()
    wanted = request.accept_languages.best_match(language.LANGUAGES, language.LANGUAGES[0])
    g.language = session.get("lang", wanted)
    language.choose(g.language)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request.environ[KEY])


def _check_session() -> None:
    """Say that sessions can't be read now: nobody was signed out, and no cookie is thrown away."""
    if cast("Session", session).lost:
        raise ProblemError(503, "sessions_away", retry_after=SESSIONS_SECONDS)


def _see_who(route: Route) -> None:
    g.viewer = find_viewer(site().hub, session, blind=route.blind)
    g.route = route


def _take_key() -> None:
    """Note what makes a repeated request the same; forms without a script carry it in a field."""
    key = request.headers.get("Idempotency-Key", "") or _form_value("idempotency_key")
    key = key.replace("\0", "").encode(errors="ignore").decode()  # as it can be kept
    if len(key) > LONGEST_KEY:
        raise ProblemError(400, "long_key", most=LONGEST_KEY)
    g.idempotency_key = key
    if key:
        about = f"{request.method} {request.path} ".encode() + _what_is_asked()
        g.about = hashlib.sha256(about).hexdigest()


def _what_is_asked() -> bytes:
    """Give the body as far as it matters: a form's tokens change when its page is loaded again."""
    if not _is_form():
        return request.get_data()
    tokens = {"csrf_token", "idempotency_key"}
    return repr(sorted((k, v) for k, v in request.form.items() if k not in tokens)).encode()


def _check_origin() -> None:
    """Refuse a change that another site asks for in a player's name."""
    if request.method in SAFE:
        return
    origin = request.headers.get("Origin")
    foreign = origin is not None and origin not in _own_origins()
    if foreign or request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise ProblemError(403, "foreign_origin")


def _own_origins() -> tuple[str, str]:
    """Name this site under both schemes: a proxy that nobody told us about may speak HTTPS."""
    return f"http://{request.host}", f"https://{request.host}"


def _is_form() -> bool:
    return request.mimetype in {"application/x-www-form-urlencoded", "multipart/form-data"}


def _form_value(name: str) -> str:
    return request.form.get(name, "") if _is_form() else ""


def _check_form() -> None:
    """Let programs through with JSON; everything else needs the token of a page of ours."""
    if request.method in SAFE:
        return
    if request.path.startswith("/api/"):
        if request.mimetype not in {"", "application/json"}:
            raise ProblemError(415, "not_json")
        return
    try:
        csrf.protect()
    except CSRFError as error:
        raise ProblemError(403, "csrf") from error


def _check_who(route: Route) -> None:
    if route.who is Who.ANYBODY:
        return
    viewer = viewer_or_none()
    if viewer is None:
        raise ProblemError(401, "signed_out")
    if route.who is Who.ORGANISER and not viewer.player.organiser:
        raise ProblemError(403, "organisers_only")


def _check_rate(route: Route) -> None:
    if not route.limit:
        return
    viewer = viewer_or_none()
    whom = f"{viewer.feed.number}/{viewer.player.id}" if viewer else address()
    limit = parse(route.limit)
    if not site().local_limits.hit(limit, route.name, whom):
        if limit.get_expiry() > MINUTE:
            raise ProblemError(429, "too_often", retry_after=10 * MINUTE)
        raise ProblemError(429, "too_fast", retry_after=5)


def _keep_session(response: Response) -> Response:
    """Keep the session before its cookie leaves; when that fails, that is the answer."""
    try:
        site().sessions.keep(cast("Session", session))
    except RedisUnavailableError:
        session.clear()
        cast("Session", session).lost = True  # the old cookie stays where it is
        problem = ProblemError(503, "sessions_away", retry_after=SESSIONS_SECONDS)
        return make_response(_answer_error(problem))
    return response


def _policy(cdn: str) -> str:
    """Let the files of a page come from a CDN too, when there is one."""
    return _FILES.sub(rf"\g<0> {cdn}", POLICY) if cdn else POLICY


def _finish(response: Response) -> Response:
    response = _keep_session(response)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers[HEADER] = request.environ[KEY]
    request.environ[ROUTE] = request.endpoint or request.method
    if response.mimetype == "text/html":
        response.headers.extend(PAGE_HEADERS)
        response.headers["Content-Security-Policy"] = _policy(site().static.source)
        response.headers["Vary"] = "Cookie, Accept-Encoding"
        response.headers["Content-Language"] = language.current()
        answers.zip_page(response)
    response.headers.setdefault("Cache-Control", "no-store")  # no proxy keeps what wasn't meant so
    route = request.endpoint or "none"
    took = time.perf_counter() - g.started if "started" in g and not response.is_streamed else None
    metrics.answered(route, response.status_code, took)
    return response


def _answer_error(error: Exception) -> ResponseReturnValue:
    headers = {}
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        headers["Allow"] = ", ".join(sorted(error.valid_methods))
    told = tell(_as_problem(error) if isinstance(error, HTTPException) else error)
    if told.code == "internal":  # by its route: the path may be somebody's sign-in link
        _log.error("request.failed", route=request.endpoint, exc_info=error)
    if told.retry_after:
        headers["Retry-After"] = str(told.retry_after)
    if request.path.startswith(("/api/", "/health", "/metrics")):
        return _problem(told), told.status, headers
    return _error_page(told), told.status, headers


def _as_problem(error: HTTPException) -> ProblemError:
    status = error.code or 500
    code = {404: "not_found", 405: "not_allowed", 413: "too_large"}.get(status, "bad_request")
    return ProblemError(status, code, most=(request.max_content_length or 0) // 1024)


def _problem(told: Told) -> Response:
    body: dict[str, Any] = {
        "type": f"urn:killer:problem:{told.code}",
        "title": told.title,
        "status": told.status,
        "detail": HTTPStatus(told.status).phrase,
        "instance": f"urn:killer:request:{request.environ[KEY]}",
    }
    response = answers.json(body, told.status)
    response.mimetype = "application/problem+json"
    return response


def _error_page(told: Told) -> str:
    if told.code == "signed_out" and request.method in SAFE:
        return render.page("sign_in.html", next=request.full_path.rstrip("?"))
    return render.page(
        "error.html", code=told.status, sentence=told.title, reference=request.environ[KEY]
    )
