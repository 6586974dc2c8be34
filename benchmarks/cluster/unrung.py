"""`killer serve` without any source of its bell: it looks at the log, and only looks."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

from flask import Flask

from killer import app, serve, settings
from killer.live.bell import Bell
from killer.web.site import KEY

CONFIGURATION = Path(__file__).with_name("deaf.py")


def served() -> Flask:
    """Make the application as always, but for the bell."""
    made = app.served()
    site = made.extensions[KEY]
    made.extensions[KEY] = replace(site, bell=Bell(site.hub))
    return made


if __name__ == "__main__":
    found = settings.load()
    serve.prepare(found)
    command = [sys.executable, "-m", "gunicorn", "--config", str(CONFIGURATION)]
    os.execve(command[0], command, serve.environment(found, os.environ))  # noqa: S606  # no shell wanted
