"""Gunicorn's configuration: the settings of `killer serve`, and what to do around each fork."""

from __future__ import annotations

import gc
import resource
from contextlib import suppress
from typing import Any

import gevent
from gevent import monkey

from killer import settings as _settings

_read = _settings.load()
if _read.worker_class == "gevent":
    monkey.patch_all()  # before anything opens a socket or a lock: the master loads the application

from gunicorn import glogging  # noqa: E402  # after the patch, like all below
from gunicorn.workers import ggevent  # noqa: E402
from prometheus_client import multiprocess  # noqa: E402

from killer import app as _app  # noqa: E402
from killer.keeper import Keeper  # noqa: E402
from killer.ops.places import TOLD  # noqa: E402
from killer.station import Station  # noqa: E402
from killer.store.database import StoreUnavailableError  # noqa: E402
from killer.watch import logs, metrics  # noqa: E402

bind = f"{_read.host}:{_read.port}"
worker_class = _read.worker_class
workers = _read.worker_count
worker_connections = _read.worker_connections
timeout = _read.timeout
graceful_timeout = 15
keepalive = _read.keepalive
preload_app = _read.preload
accesslog = _read.access_log or None
errorlog = _read.error_log
loglevel = _read.loglevel
proc_name = "killer"
wsgi_app = "killer.app:served()"
backlog = 2048
control_socket_disable = True  # nobody but systemd steers this server
AT_ONCE = 16  # connections


_Listener: Any = ggevent.StreamServer  # the library has no types


class _Door(_Listener):  # type: ignore[misc]  # as above
    """Lets in several connections at each turn of the loop, and closes behind them.

    One at a time, as gunicorn has it to balance its workers, is a queue at the door: a turn takes
    tens of milliseconds when everybody arrives at once.
    """

    max_accept = property(lambda _: AT_ONCE, lambda _, __: None)

    def close(self) -> None:
        """Let whoever was let in begin first: gunicorn asks the door's address for each of them."""
        self.stop_accepting()
        gevent.sleep(0)
        super().close()


if worker_class == "gevent":
    ggevent.StreamServer = _Door

#: An open phone takes a descriptor; many systems begin with 1,024 and allow more to who asks.
DESCRIPTORS = 65_535


def _allow_many_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


class _Log(glogging.Logger):  # type: ignore[misc]  # the library has no types
    """Gunicorn's own words look like all others, and the access log says nothing about anybody.

    A path can hold a sign-in token or a nickname, so that a line has the route's rule instead.
    """

    def setup(self, cfg: Any) -> None:
        """Prepare both logs."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(logs.formatter())

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """Note a request; whoever only asks whether we live, every few seconds, is left out."""
        if environ.get("PATH_INFO") != "/health":
            super().access(resp, req, environ, request_time)


logger_class = _Log
access_log_format = (
    '{"at": "%(t)s", "event": "access", "route": "%({killer.route}e)s", "status": "%(s)s", '
    '"bytes": "%(b)s", "ms": "%(M)s", "request_id": "%({killer.request_id}e)s"}'
)


def when_ready(server: Any) -> None:
    """Log the settings in force, and keep what is loaded out of the collector's way.

    A collection marks every object that it looks at, so that each worker would get a copy of all
    the memory that it shares with the master.
    """
    for name in TOLD:
        server.log.info("%s: %s", name, globals()[name])
    for name, value in _settings.in_use(_read).items():
        server.log.info("%s: %s", name, value)
    _allow_many_files()
    gc.collect()
    gc.freeze()


def post_worker_init(worker: Any) -> None:
    """Follow the games in the background as long as the worker serves, and keep the sheet."""
    site = _app.site_of(worker.wsgi)
    with suppress(StoreUnavailableError):  # then the first request reads it
        site.hub.prime()
    serving = lambda: bool(worker.alive)  # noqa: E731  # short, and needed three times
    if worker_class == "gevent":
        site.bell.start(serving)
    Keeper(site.settings, site.play, serving).start()
    Station(site.settings, site.hub, worker.sockets[0].getsockname(), serving).start()


def post_request(_worker: Any, _request: Any, _environ: Any, _response: Any) -> None:
    """Let the other connections have their turn: a greedy one would never give way."""
    if worker_class == "gevent":
        gevent.sleep(0)


def worker_exit(_server: Any, worker: Any) -> None:
    """Send the open phones to another worker: their streams hold nothing that ends by itself."""
    if hasattr(worker, "wsgi"):  # else it could not even start
        _app.site_of(worker.wsgi).broadcast.close()


def child_exit(_server: Any, worker: Any) -> None:
    """Keep a dead worker's open streams out of the figures, and count those that hung."""
    if worker.aborted:
        metrics.HUNG.inc()
    forget: Any = multiprocess.mark_process_dead
    forget(worker.pid)
