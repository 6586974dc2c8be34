"""A log line: one JSON object, with the request's name, and nobody's secrets at any level."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr
from typing import Any

import pytest
import structlog

from killer.store.database import StoreUnavailableError
from killer.watch import logs
from killer.watch.logs import without_secrets
from killer.watch.request_ids import RequestIds


@pytest.fixture(autouse=True)
def afterwards() -> Iterator[None]:
    yield
    structlog.contextvars.clear_contextvars()
    logs.configure()


def written(event: str, level: str = "info", **what: Any) -> dict[str, Any]:
    """Give what stands in a line."""
    with redirect_stderr(io.StringIO()) as words:
        logs.configure("debug")
        getattr(structlog.get_logger(), level)(event, **what)
    (line,) = words.getvalue().splitlines()
    return dict(json.loads(line))


def raised(error: Exception) -> Exception:
    try:
        raise error  # noqa: TRY301  # for its place
    except Exception as caught:  # noqa: BLE001
        return caught


def test_a_line_is_one_object_with_time_level_and_request() -> None:
    structlog.contextvars.bind_contextvars(request_id="abcd1234-0001")
    line = written("keeper.begins", holder="host:12")
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "keeper.begins",
        "level": "info",
        "holder": "host:12",
        "pid": os.getpid(),
        "request_id": "abcd1234-0001",
    }


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("GET /s/x90nx8j4SvCVxcZ7j5GKGA?utm=1", "GET /s/..."),
        ("GET /api/screen/x90nx8j4SvCVxcZ7j5GKGA/3", "GET /api/screen/..."),
        ("GET /organiser/players/Fleur%20de%20Lys/kill", "GET /organiser/players/..."),
        ('"https://killer.example.org/s/abc"', '"https://killer.example.org/s/..."'),
        ("GET /sign-in?next=/players", "GET /sign-in?..."),
        ("Cookie: killer=eyJnYW1lIjoxfQ.abc", "Cookie: ..."),
        ("the session killer=eyJnYW1lIjoxfQ; next", "the session killer=...; next"),
        ("Authorization: Bearer abcdef", "Authorization: Bearer ..."),
        ("{'password': 'secret'}", "{'password': '...'}"),
        ("mail to camille.durand+x@example.org refused", "mail to ... refused"),
        ("call 06 12 34 56 78 now", "call ... now"),
        ("call 0612345678 now", "call ... now"),
        ("call +33 6 12 34 56 78 now", "call ... now"),
    ],
)
def test_what_looks_like_a_secret_or_a_person_is_taken_out(text: str, cleaned: str) -> None:
    assert without_secrets(text) == cleaned
    assert written("x", cause=text)["cause"] == cleaned


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-28T12:55:15.123456Z",
        "keeper.begins",
        "Listening at: http://127.0.0.1:8080 (12345)",
        "worker 1764334515 of 16",
        "killer-20261128-020000.tar.gz",
        "workers: 16",
        'File "/srv/killer/web/guard.py", line 12, in before',
        "4f0c2a9be1d34c5f8a7b6c5d4e3f2a1b",
        "what is that? nothing",
    ],
)
def test_what_is_harmless_is_left_as_it_is(text: str) -> None:
    assert without_secrets(text) == text


def test_a_strangers_error_is_told_by_its_place_and_not_in_its_words() -> None:
    error = raised(KeyError("Camille Durand"))
    line = written("request.failed", "error", exc_info=error)
    assert "builtins.KeyError" in line["exception"]
    assert "in raised" in line["exception"]
    assert "Camille" not in json.dumps(line)


def test_what_led_to_an_error_is_told_too() -> None:
    told = StoreUnavailableError(OSError(28, "No space left on device"))
    told.__cause__ = raised(ValueError("the password of " + "Cam" + "ille"))
    line = written("request.failed", "error", exc_info=raised(told))
    assert "StoreUnavailableError: [Errno 28] No space left on device" in line["exception"]
    assert "builtins.ValueError" in line["exception"]
    assert "Camille" not in line["exception"]


def test_the_systems_own_words_are_told_without_the_file() -> None:
    error = raised(FileNotFoundError(2, "No such file or directory", "/data/photos/Camille.webp"))
    told = written("x", "error", exc_info=error)["exception"]
    assert told.endswith("builtins.FileNotFoundError: No such file or directory")


def test_gunicorns_lines_look_the_same() -> None:
    words = io.StringIO()
    handler = logging.StreamHandler(words)
    handler.setFormatter(logs.formatter())
    log = logging.getLogger("gunicorn.of.a.test")
    log.setLevel("INFO")
    log.propagate = False
    log.addHandler(handler)
    log.info("%s: %s", "workers", 16)
    error = raised(ValueError("Cam" + "ille"))
    log.error("Error handling request /s/%s", "x90nx8j4SvCVxcZ7j5GKGA", exc_info=error)
    first, second = map(json.loads, words.getvalue().splitlines())
    assert (first["event"], first["level"]) == ("workers: 16", "info")
    assert second["event"] == "Error handling request /s/..."
    assert "builtins.ValueError" in second["exception"]
    assert "Camille" not in words.getvalue()


def test_people_at_a_terminal_get_plain_lines() -> None:
    with redirect_stderr(io.StringIO()) as words:
        logs.configure("info", plain=True)
        structlog.get_logger().info("keeper.begins")
    assert "keeper.begins" in words.getvalue()
    assert not words.getvalue().startswith("{")
    assert not sys.stderr.isatty() or words


def test_requests_are_counted_from_another_beginning_in_each_process() -> None:
    ids = RequestIds()
    first, second = ids.of(None), ids.of("")
    assert first != second
    assert first.partition("-")[0] == second.partition("-")[0]
    ids.begin()
    assert ids.of(None).partition("-")[0] != first.partition("-")[0]


def test_a_sane_name_is_kept_and_any_other_replaced() -> None:
    ids = RequestIds()
    assert ids.of("0123456789abcdef") == "0123456789abcdef"
    for given in ("1234567", "x" * 65, "a/b/c/d/e/f", "abcdefgh\n", "é" * 10):
        assert ids.of(given) != given
