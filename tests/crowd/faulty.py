"""Gunicorn's configuration of the real server with one fault in front of it; FAULT names it."""

from __future__ import annotations

from pathlib import Path

from killer.ops.gunicorn import *  # noqa: F403  # everything as in production, but for these:

pythonpath = str(Path(__file__).parent.parent)
wsgi_app = "crowd.faults:create()"
