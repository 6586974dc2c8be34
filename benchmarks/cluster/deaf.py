"""Our configuration of gunicorn for nodes that nothing rings for, to compare with."""

from __future__ import annotations

from killer.ops.gunicorn import *  # noqa: F403  # gunicorn reads settings as names of this file

wsgi_app = "benchmarks.cluster.unrung:served()"
