"""The front: nginx before the nodes, and the lookout that takes a node out when this has one."""

from __future__ import annotations

import resource
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.cluster.engine import HTTP, Process
from benchmarks.cluster.network import Network, address
from engines.processes import listening, program, running, tied, wait_until_ready
from killer import ops

PORT = 80
SERVERS = "killer-nodes.inc"
FILES = 65_535  # that each worker of nginx may have open, as far as the machine allows it
LOOKOUT = Path(ops.__path__[0]) / "lookout.py"
#: The rules of what `killer deploy` writes, before nodes without an nginx of their own. There are
#: no limits for each address (all phones have one here), no TLS, no compression and no cache.
#: X-Node is for the measurement: it says on which node a stream is.
SITE = """
daemon off;
user root;
worker_processes auto;
worker_rlimit_nofile {files};
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 16384; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream killer {{
    zone killer 256k;
    least_conn;
    include {folder}/{servers};
    keepalive 128;
    keepalive_requests 100000;
    keepalive_timeout 3s;
  }}
  server {{
    listen {address}:{port} backlog=4096;
    keepalive_timeout 65s;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-Host $http_host;
    proxy_connect_timeout 1s;
    proxy_read_timeout 60s;
    proxy_next_upstream error timeout http_502;
    proxy_next_upstream_tries 3;
    proxy_next_upstream_timeout 10s;
    error_page 502 503 504 /waiting.html;
    location = /waiting.html {{
      internal;
      root {folder};
      add_header Retry-After 4 always;
    }}
    location / {{ proxy_pass http://killer; }}
    location = /api/events {{
      proxy_pass http://killer;
      proxy_set_header Connection close;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_buffering off;
      proxy_read_timeout 120s;
      add_header X-Node $upstream_addr always;
    }}
  }}
}}
"""


def nginx_command(folder: Path) -> list[str]:
    """Give nginx with its files in a folder."""
    server = program("nginx", package="nginx")
    own = ("-c", folder / "nginx.conf", "-p", folder, "-e", folder / "error.log")
    return [server, *map(str, own)]


@contextmanager
def nginx(network: Network, folder: Path, nodes: Sequence[str]) -> Iterator[Process]:
    """Run nginx before these nodes."""
    lines = (f"server {address(node)}:{HTTP} max_fails=1 fail_timeout=2s;\n" for node in nodes)
    (folder / SERVERS).write_text("".join(lines))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    where = {"address": address("front"), "port": PORT}
    told = SITE.format(folder=folder, servers=SERVERS, files=files, **where)
    (folder / "nginx.conf").write_text(told)
    (folder / "waiting.html").write_text("A moment, please.\n")
    log = folder / "nginx.log"
    command = network.on("front", tied("QUIT", nginx_command(folder)))
    with running(command, log=log, stop="QUIT", patience=3) as process:
        wait_until_ready(process, lambda: listening(PORT, address("front")), log)
        yield process


@contextmanager
def lookout(network: Network, folder: Path, nodes: Sequence[str]) -> Iterator[Process]:
    """Run the lookout beside nginx."""
    reload = shlex.join([*nginx_command(folder), "-s", "reload"])
    words = ("--servers", folder / SERVERS, "--reload", reload)
    watched = [f"{address(node)}:{HTTP}" for node in nodes]
    command = network.on("front", tied("TERM", (sys.executable, LOOKOUT, *words, *watched)))
    with running(command, log=folder / "lookout.log") as process:
        yield process
