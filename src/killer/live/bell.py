"""The bell: a look at the database, often enough that no phone waits for another process's news."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from killer.live.hub import Hub
from killer.store.database import StoreUnavailableError

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
        except StoreUnavailableError as error:
            log.warning("bell.store_unavailable", cause=str(error))
            time.sleep(1)
    hub.close()
