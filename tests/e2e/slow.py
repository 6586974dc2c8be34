"""The real application, late while a file `slow` lies in its working folder."""

from __future__ import annotations

from pathlib import Path

import gevent
from flask import Flask

from killer import app as app_

LATE = 0.8  # seconds


def create() -> Flask:
    app = app_.served()
    before = app.preprocess_request

    def late():
        answer = before()  # the guard begins to count here
        if Path("slow").exists():
            gevent.sleep(LATE)
        return answer

    app.preprocess_request = late
    return app
