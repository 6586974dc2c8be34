"""Starting a server: one that runs there is left in peace, and systemd's doors are taken."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

from engines.processes import free_port, wait_for
from killer.settings import Settings

SERVE = (sys.executable, "-m", "killer", "serve")
#: As systemd starts a service that has a socket: as the first descriptor after the usual three.
HANDED = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
os.execv(sys.argv[2], sys.argv[2:])
"""


def environment(folder: Path, port: int) -> dict[str, str]:
    return os.environ | {
        "DATA_DIR": str(folder / "data"),
        "PORT": str(port),
        "GUNICORN_WORKERS": "1",
        "BACKUP_MINUTES": "0",
        "KILLER_LANGUAGE": "fr",
    }


def is_healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_a_second_server_by_mistake_leaves_the_first_one_s_figures(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as first:
        port = first.getsockname()[1]
        figures = Settings(data_dir=tmp_path / "data", port=port).figures
        figures.mkdir(parents=True)
        (figures / "counter_1.db").write_bytes(b"what has been counted")
        done = subprocess.run(
            SERVE,
            env=environment(tmp_path, port),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert f"Le port {port} est déjà pris" in done.stderr
    assert "Traceback" not in done.stderr
    assert (figures / "counter_1.db").exists()
    assert not (tmp_path / "data" / "killer.sqlite3").exists(), "nothing was touched"


def test_servers_at_two_ports_count_apart(tmp_path: Path) -> None:
    folders = {Settings(data_dir=tmp_path, port=port).figures for port in (8080, 8081)}
    assert len(folders) == 2


def test_a_port_that_systemd_has_bound_is_taken_over(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as door:
        port, number = door.getsockname()[1], door.fileno()
        words = [sys.executable, "-c", HANDED, str(number), *SERVE]
        process = subprocess.Popen(
            words, env=environment(tmp_path, port), cwd=tmp_path, pass_fds=[number]
        )
        try:
            wait_for(lambda: is_healthy(port), 60, "the server")
        finally:
            process.terminate()
            process.wait(30)
