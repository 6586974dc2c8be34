"""The real application behind one fault, each of which a load test must find and name."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import gevent
from flask import Flask

from killer import app as app_

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
ASIDE = ("/health", "/metrics", "/api/organiser", "/api/login")  # what the test itself asks for
LATE = 0.6  # seconds
OFTEN = 15
DEAD = b'<article class="card mood-dead" id="card" data-version="1"></article>'


def create() -> Flask:
    app = app_.create()
    fault = FAULTS.get(os.environ.get("FAULT", ""))
    if fault:
        app.wsgi_app = fault(app.wsgi_app)
    return app


def slow(inner: Application) -> Application:
    """Answer everything late."""

    def answer(environ, start_response):
        gevent.sleep(LATE)
        return inner(environ, start_response)

    return answer


def busy(inner: Application) -> Application:
    """Refuse every fifteenth request."""
    count = itertools.count(1)

    def answer(environ, start_response):
        if not environ["PATH_INFO"].startswith(ASIDE) and next(count) % OFTEN == 0:
            start_response("503 Service Unavailable", [("Content-Length", "0")])
            return [b""]
        return inner(environ, start_response)

    return answer


def forgetful(inner: Application) -> Application:
    """Acknowledge every death, and do nothing."""

    def answer(environ, start_response):
        if (environ["REQUEST_METHOD"], environ["PATH_INFO"]) == ("POST", "/death"):
            environ["wsgi.input"].read()
            start_response("200 OK", [("Content-Length", str(len(DEAD)))])
            return [DEAD]
        return inner(environ, start_response)

    return answer


def leaking(inner: Application) -> Application:
    """Hold every stream for ever, as the figures tell it."""
    opened = itertools.count()
    last = 0

    def answer(environ, start_response):
        nonlocal last
        if environ["PATH_INFO"] == "/api/events":
            last = next(opened) + 1
        if environ["PATH_INFO"] != "/metrics":
            return inner(environ, start_response)
        return _rewritten(inner, environ, start_response)

    def _rewritten(inner, environ, start_response) -> Iterator[bytes]:
        told: list[Any] = []
        body = b"".join(inner(environ, lambda *words: told.extend(words)))
        body = re.sub(rb"(?m)^(killer_\w*streams) .*$", rb"\1 %d" % last, body)
        headers = [(n, v) for n, v in told[1] if n.lower() != "content-length"]
        start_response(told[0], [*headers, ("Content-Length", str(len(body)))])
        yield body

    return answer


FAULTS = {"slow": slow, "busy": busy, "forgetful": forgetful, "leaking": leaking}
