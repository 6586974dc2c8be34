"""The bell: a look at the database, often enough that no phone waits for another process's news."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from killer.live.hub import Hub

EMBEDDED_SECONDS = 0.04  # a look at SQLite costs about 10 µs
SERVER_SECONDS = 0.2  # a look at PostgreSQL is a query


def start(hub: Hub, *, serving: Callable[[], bool]) -> threading.Thread:
    """Look again and again in the background while the process serves; then close the hub."""
    pause = EMBEDDED_SECONDS if hub.database.embedded else SERVER_SECONDS
    thread = threading.Thread(target=_watch, args=(hub, pause, serving), daemon=True, name="bell")
    thread.start()
    return thread


def _watch(hub: Hub, pause: float, serving: Callable[[], bool]) -> None:
    log = structlog.get_logger()
    while serving():
        time.sleep(pause)
        try:
            hub.look()
        except Exception as error:  # noqa: BLE001  # whatever it is, the phones wait for the next look
            log.warning("bell.look_failed", cause=repr(error))
            time.sleep(1)
    hub.close()
