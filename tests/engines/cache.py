"""A proxy that keeps whatever it may, as a careless one or a CDN does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engines import nginx as nginx_

#: It keeps everything for an hour that doesn't say otherwise, whatever its status.
CONFIGURATION = """
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
"""


@contextmanager
def caching(nginx: str, folder: Path, behind: int, port: int) -> Iterator[int]:
    """Run the proxy while the block lasts, and give its port."""
    http = CONFIGURATION.format(folder=folder, port=port, behind=behind)
    with nginx_.serving(nginx, folder, http, port):
        yield port
