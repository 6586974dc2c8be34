"""nginx in a folder of its own, with nothing of the machine's configuration."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engines.processes import listening, running, wait_until_ready

WHOLE = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
{user}
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
{http}
}}
"""


def command(nginx: str, folder: Path, http: str) -> list[str]:
    """Write the configuration around its http block, and give the words that start nginx.

    Root's workers stay root: pytest's folders are for nobody else.
    """
    config = folder / "nginx.conf"
    user = "" if os.geteuid() else "user root;"
    config.write_text(WHOLE.format(folder=folder, http=http, user=user))
    return [nginx, "-c", str(config), "-p", str(folder)]


@contextmanager
def serving(nginx: str, folder: Path, http: str, port: int) -> Iterator[None]:
    """Run nginx while the block lasts, from when it listens at that port of this machine."""
    log = folder / "nginx.log"
    with running(command(nginx, folder, http), log=log, stop="QUIT") as process:
        wait_until_ready(process, lambda: listening(port), log)
        yield
