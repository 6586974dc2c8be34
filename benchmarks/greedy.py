"""Our configuration of gunicorn without the fair turn after each request, to compare with."""

from __future__ import annotations

from typing import Any

from killer.ops.gunicorn import *  # noqa: F403  # gunicorn reads settings as names of this file


def post_request(_worker: Any, _request: Any, _environ: Any, _response: Any) -> None:
    """Give nobody a turn."""
