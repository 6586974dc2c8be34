"""`killer demo` as a newcomer starts it, beside the `.env` of a real server."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from crowd import loads
from e2e.phones import Phone
from e2e.server import KILLER, LINK
from engines.processes import free_port, running, wait_for

#: What the README tells organisers to write down, and what else a real server may have.
REAL = """\
HOST=0.0.0.0
PUBLIC_URL=https://killer.example.org
PROXIES=1
PHOTO_ACCEL=true
SECRET_KEY=the secret of the real server
DATABASE_URL=postgresql://app@db.example.org/production
METRICS_TOKEN=the token of the real server
ALERT_WEBHOOK=https://chat.example.org/hook
"""


@contextmanager
def demo(folder: Path, **settings: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Start it, and give what it says when its game runs."""
    log, around = folder / "said", loads.environment(folder, **settings)
    with running([*KILLER, "demo"], log=log, cwd=folder, env=around) as process:
        wait_for(lambda: "Ctrl-C" in log.read_text() or process.poll() is not None, 60)
        yield process, log.read_text()


def doors(process: subprocess.Popen[bytes], port: int) -> set[str]:
    """Give the addresses at which its server listens."""
    servers = psutil.Process(process.pid).children()
    lines = [line for server in servers for line in server.net_connections() if line.laddr]
    return {line.laddr.ip for line in lines if line.laddr.port == port and not line.raddr}


def test_the_settings_of_a_real_server_are_not_for_it(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(REAL)
    port = free_port()
    with demo(tmp_path, PORT=str(port)) as (process, said):
        assert f"http://127.0.0.1:{port}" in said
        assert "killer.example.org" not in said
        assert doors(process, port) == {"127.0.0.1"}
        token = LINK.findall(said)[1][1]
        assert Phone(port).ask("POST", "/api/login", {"token": token}).status == 200
    assert not (tmp_path / "data").exists()


def test_it_listens_where_its_own_environment_says(tmp_path: Path) -> None:
    port = free_port()
    with demo(tmp_path, HOST="0.0.0.0", PORT=str(port)) as (process, said):
        assert f"http://127.0.0.1:{port}" in said
        assert doors(process, port) == {"0.0.0.0"}
