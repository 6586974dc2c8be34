"""A proxy that keeps whatever it may, as a careless one or a CDN does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engines.processes import listening, running, wait_until_ready

#: It keeps everything for an hour that doesn't say otherwise, whatever its status.
CONFIGURATION = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
user root;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  proxy_cache_path {folder}/cache keys_zone=all:1m;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://127.0.0.1:{behind};
      proxy_set_header Host $http_host;
      proxy_buffering on;
      proxy_cache all;
      proxy_cache_valid any 1h;
      add_header X-Kept $upstream_cache_status always;
    }}
  }}
}}
"""


@contextmanager
def caching(nginx: str, folder: Path, behind: int, port: int) -> Iterator[int]:
    """Run the proxy while the block lasts, and give its port."""
    log, config = folder / "said.log", folder / "nginx.conf"
    config.write_text(CONFIGURATION.format(folder=folder, port=port, behind=behind))
    with running([nginx, "-c", config, "-p", folder], log=log, stop="QUIT") as process:
        wait_until_ready(process, lambda: listening(port), log)
        yield port
