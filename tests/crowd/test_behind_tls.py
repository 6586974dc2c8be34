"""A load test from afar: TLS with a certificate of one's own, and figures that are kept back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from crowd import loads
from e2e.server import LINK, Server
from engines import nginx as nginx_
from engines.processes import free_port
from engines.smtp import certificate
from killer.crowd.verdict import judge

CONFIGURATION = """
  server {{
    listen 127.0.0.1:{tls} ssl;
    ssl_certificate {folder}/server.pem;
    ssl_certificate_key {folder}/server.key;
    location / {{
      proxy_pass http://127.0.0.1:{behind};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto https;
      proxy_set_header X-Forwarded-Host $http_host;
    }}
  }}
  server {{
    listen 127.0.0.1:{plain};
    return 301 https://localhost:{tls}$request_uri;
  }}
"""


@dataclass
class Far:
    """A server behind nginx, and its two addresses."""

    server: Server
    safe: str
    plain: str

    def token(self) -> str:
        return LINK.findall(self.server.command("organiser", "add", "Chef"))[0][1]


@pytest.fixture(scope="module")
def far(nginx: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Far]:
    folder = tmp_path_factory.mktemp("far")
    certificate(folder, ("localhost",))
    server = Server(folder, GUNICORN_WORKERS="2", PROXIES="1", METRICS_TOKEN="a token of figures")
    tls, plain = free_port(), free_port()
    words = {"folder": folder, "tls": tls, "plain": plain, "behind": server.port}
    try:
        server.start()
        with nginx_.serving(nginx, folder, CONFIGURATION.format(**words), tls):
            yield Far(server, f"https://localhost:{tls}", f"http://localhost:{plain}")
    finally:
        server.end()


def test_it_plays_over_tls_and_says_what_it_could_not_see(far: Far, tmp_path: Path) -> None:
    words = ("--host", far.safe, "--insecure", "--token", "-", "--distributed", "2")
    steps = ("--steps", "4,7", "--hold", "2")
    told = loads.played(tmp_path, *words, *steps, typed=f"{far.token()}\n")
    found = loads.sound(tmp_path, *told)
    assert [(step.phones, step.errors, step.deaths) for step in found.steps] == [
        (4, {}, 2),
        (7, {}, 3),
    ]
    assert 4 < found.steps[-1].streams <= 7  # of both workers: one has four phones at most
    assert found.steps[-1].faults.leaked is None
    unknown = {line.code for line in judge(found).whole.unknown}
    assert unknown == {"cpu", "memory", "leaked"}
    assert far.server.query("SELECT count(*) FROM games") == [(1,)]


def test_the_server_s_own_token_lets_it_see_everything(far: Far, tmp_path: Path) -> None:
    words = ("--host", far.safe, "--insecure", "--token", "-", "--metrics-token", "-")
    typed = f"{far.safe}/s/{far.token()}\na token of figures\n"
    told = loads.played(tmp_path, *words, "--steps", "3", "--hold", "1", typed=typed)
    found = loads.sound(tmp_path, *told)
    assert found.steps[0].faults.leaked == 0
    assert judge(found).whole.unknown == ()


def test_a_certificate_that_nobody_knows_is_told_before_the_link_is_used_up(
    far: Far, tmp_path: Path
) -> None:
    token = far.token()
    words = ("--token", token, "--steps", "3", "--hold", "1")
    code, said = loads.played(tmp_path, "--host", far.safe, *words)
    assert (code, "--insecure" in said, "Traceback" in said) == (1, True, False), said
    loads.sound(tmp_path, *loads.played(tmp_path, "--host", far.safe, "--insecure", *words))


def test_a_site_that_has_moved_says_where(far: Far, tmp_path: Path) -> None:
    code, said = loads.played(tmp_path, "--host", far.plain, "--token", "any")
    assert (code, f"--host {far.safe}" in said) == (1, True), said
