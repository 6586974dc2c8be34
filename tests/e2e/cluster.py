"""Several nodes on one PostgreSQL and one Redis, behind nginx: each part can stop and come back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from e2e.phones import NoAnswerError, Phone, together
from e2e.server import Server
from engines import nginx, postgresql, redis
from engines.processes import free_port, program, wait_for

SECRET = "the same secret on every node of this test"
LINES = 12  # connections, so that every worker is asked
NGINX = """
  upstream nodes {{
    least_conn;
    {nodes}
  }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://nodes;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_connect_timeout 2s;
      proxy_buffering off;
    }}
  }}
"""


class Engine:
    """A part of the cluster that a test may stop and start again."""

    def __init__(self, serving: Callable[[], AbstractContextManager[Any]]) -> None:
        self._serving = serving
        self._stack = ExitStack()
        self.start()

    def start(self) -> None:
        """Start it, and return when it does its work."""
        self.runs = self._stack.enter_context(self._serving())  # a process, or a port

    def stop(self) -> None:
        """Stop it."""
        self._stack.close()


class Cluster:
    """Two nodes that have nothing of their own."""

    def __init__(self, folder: Path, files: Path, stack: ExitStack, **settings: str) -> None:
        database, told = free_port(), free_port()
        self.url = f"{postgresql.address_at(database)}/postgres"
        keeps = ("synchronous_commit=on",)
        self.postgres = Engine(lambda: postgresql.serving(files, database, *keeps))
        stack.callback(self.postgres.stop)
        self.redis = Engine(lambda: redis.server(folder, told))
        stack.callback(self.redis.stop)
        shared = {
            "DATABASE_URL": self.url,
            "REDIS_URL": f"redis://127.0.0.1:{told}/0",
            "SECRET_KEY": SECRET,
            "GUNICORN_WORKERS": "2",
            **settings,
        }
        self.nodes = [Server(new(folder / name), **shared) for name in ("a", "b")]
        for node in self.nodes:
            stack.callback(node.end)
        self.front = free_port()

    def start(self, folder: Path, stack: ExitStack) -> None:
        """Start the nodes, then nginx in front of them."""
        for node in self.nodes:  # from this thread: its end would be theirs
            node.start()
        stack.enter_context(self._nginx(folder))

    def _nginx(self, folder: Path) -> AbstractContextManager[None]:
        nodes = "\n    ".join(
            f"server 127.0.0.1:{node.port} max_fails=1 fail_timeout=1s;" for node in self.nodes
        )
        http = NGINX.format(port=self.front, nodes=nodes)
        return nginx.serving(program("nginx", package="nginx"), folder, http, self.front)

    def until_bell(self, kind: str) -> None:
        """Wait until every worker of every node hears by this bell."""
        for node in self.nodes:
            wait_for(lambda node=node: bells(node) == {kind}, 60, f"the bell {kind}")

    def query(self, sql: str) -> list[Any]:
        """Ask the database."""
        with closing(psycopg.connect(self.url)) as line:
            return line.execute(sql).fetchall()


def bells(node: Server) -> set[str]:
    """Ask many times by which bell a node hears, so that every worker answers."""
    phones = [Phone(node.port) for _ in range(LINES)]
    try:
        answers = together(lambda phone: phone.ask("GET", "/health/ready"), phones, LINES)
    except NoAnswerError:
        return set()
    finally:
        for phone in phones:
            phone.hang_up()
    return {str(answer.json["bell"]) for answer in answers}


def new(folder: Path) -> Path:
    """Make a folder and give it."""
    folder.mkdir()
    return folder


@contextmanager
def standing(folder: Path, **settings: str) -> Iterator[Cluster]:
    """Give a cluster whose nodes don't run yet; all of it is gone when the block ends."""
    with postgresql.files() as files, ExitStack() as stack:
        cluster = Cluster(folder, files, stack, **settings)
        yield cluster
