"""How a log line looks: one JSON object, with the request's id, without anybody's secrets.

Nothing that people typed belongs into a log; should some of it slip into a sentence of a library,
what looks like a secret or like somebody is taken out again before the line is written.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import traceback
from collections.abc import MutableMapping, Sequence
from typing import Any

import structlog

DOTS = "..."
_WORDS = "(?:cookie|authorization|token|password)"
#: What stands in for it, and what is taken out: sign-in links, those of the big screen, players in
#: paths, questions after an address, cookies and tokens, mail addresses, French and international
#: phone numbers.
SECRETS = (
    (rf"/s/{DOTS}", re.compile(r"/s/[^\s\"'\\]+")),
    (rf"/screen/{DOTS}", re.compile(r"/screen/[^\s\"'\\]+")),
    (rf"/players/{DOTS}", re.compile(r"/players/[^\s\"'\\]+")),
    (f"?{DOTS}", re.compile(r"(?<=[\w/.])\?[^\s\"'\\]+")),
    (rf"\1{DOTS}", re.compile(rf"(?i)({_WORDS}\W{{1,4}}(?:bearer |basic )?)[^\s,;\"']+")),
    (rf"\1{DOTS}", re.compile(r"(\bkiller=)[^\s;\"']+")),
    (DOTS, re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")),
    (DOTS, re.compile(r"(?<![\w.:-])(?:\+\d{1,3}|0)[ .]?\d(?:[ .]?\d\d){4}(?![\w.:-])")),
)
#: Whose own words are ours or the system's; what others say may repeat what a player typed.
TRUSTED = ("killer.",)


def without_secrets(text: str) -> str:
    """Take out of a text what nobody who reads a log should learn."""
    for instead, pattern in SECRETS:
        text = pattern.sub(instead, text)
    return text


def _clean(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {k: without_secrets(v) if isinstance(v, str) else v for k, v in event.items()}


def _told(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Tell an error by where it happened, and in its own words only where these are harmless."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["exception"] = "\n".join(_chain(error))
    return event


def _whose(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["pid"] = os.getpid()
    return event


def _chain(error: BaseException | None) -> Sequence[str]:
    told = []
    while error is not None:
        told.append("".join(traceback.format_tb(error.__traceback__)) + _named(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return told


def _named(error: BaseException) -> str:
    kind = type(error)
    name = f"{kind.__module__}.{kind.__qualname__}"
    if isinstance(error, OSError):
        return f"{name}: {error.strerror or ''}"
    return f"{name}: {error}" if name.startswith(TRUSTED) else name


SHARED: tuple[Any, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _whose,
    _told,
    _clean,
)


def _renderer(*, plain: bool) -> Any:
    return structlog.dev.ConsoleRenderer() if plain else structlog.processors.JSONRenderer()


def configure(level: str = "info", *, plain: bool | None = None) -> None:
    """Log as JSON to the standard error, or plainly for people who look at a terminal."""
    people = sys.stderr.isatty() if plain is None else plain
    structlog.configure(
        processors=[*SHARED, _renderer(plain=people)],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def formatter() -> logging.Formatter:
    """Give what makes the lines of the standard library's logging look like all others."""
    plain = sys.stderr.isatty()
    return structlog.stdlib.ProcessorFormatter(
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _renderer(plain=plain),
        ],
        foreign_pre_chain=SHARED,
    )
