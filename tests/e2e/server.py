"""A `killer serve` as a user starts it, the commands beside it, and what is left in its folder."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil

from e2e import rosters
from e2e.phones import NoAnswerError, Phone
from e2e.rosters import Person
from engines.processes import end, free_port, tied, wait_for

KILLER = (sys.executable, "-m", "killer")
INHERITED = ("PATH", "HOME", "LANG", "PYTHONPATH", "TMPDIR", "VIRTUAL_ENV")
LINK = re.compile(r"^(?:(.+?)\s?: )?https?://\S+/s/(\S+)$", re.MULTILINE)


class Server:
    """One deployment in a folder: it may be started, killed and started again."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.log = folder / "server.log"
        self.words: tuple[str | Path, ...] = (*KILLER, "serve")  # the command that starts it
        self.environment = {n: os.environ[n] for n in INHERITED if n in os.environ} | {
            "DATA_DIR": str(folder / "data"),
            "PORT": str(self.port),
            "GUNICORN_WORKERS": "4",
            "BACKUP_MINUTES": "0",
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """Give the master."""
        assert self._process is not None, "the server was never started"
        return self._process

    def command(self, *words: str | Path, fails: bool = False) -> str:
        """Run a command of `killer` and give what it printed."""
        done = subprocess.run(
            [*KILLER, *map(str, words)],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode != 0) is fails, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def imports(self, roster: list[Person]) -> dict[str, str]:
        """Import a roster from exports; give the token of everybody who has no password."""
        players, challenges = self.folder / "formulaire.csv", self.folder / "defis.csv"
        players.write_bytes(rosters.form(roster))
        challenges.write_bytes(rosters.challenges(roster))
        said = self.command("import", "--players", players, "--challenges", challenges)
        return dict(LINK.findall(said))

    def signed_in(self, person: Person) -> Phone:
        """Give the phone of somebody who has signed in with the sheet's password."""
        phone = Phone(self.port, person.nickname)
        assert phone.sign_in(person.password).status == 200
        return phone

    def organiser(self, name: str = "Chef") -> Phone:
        """Make an organiser with `killer organiser add` and use the link."""
        return self.with_link(LINK.findall(self.command("organiser", "add", name))[0][1], name)

    def with_link(self, token: str, nickname: str = "") -> Phone:
        """Give the phone of somebody who has opened a sign-in link."""
        phone = Phone(self.port, nickname)
        assert phone.ask("POST", "/api/login", {"token": token}).status == 200
        return phone

    def start(self) -> None:
        """Start it, and return when all its workers may answer."""
        with self.log.open("ab") as words:
            process = subprocess.Popen(
                tied("TERM", self.words),
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._process = process
        wait_for(lambda: process.poll() is not None or self.serves(), 90, "the server's start")
        said = self.log.read_text(errors="replace")
        assert process.poll() is None, f"it ended with {process.poll()}: {said[-3000:]}"

    def serves(self) -> bool:
        """Tell whether this server itself answers, and not one that was killed before it."""
        if len(self.workers()) < int(self.environment["GUNICORN_WORKERS"]):
            return False  # gunicorn forks them one after the other, with pauses
        try:
            return Phone(self.port).ask("GET", "/health").status == 200
        except NoAnswerError:
            return False

    def workers(self) -> list[psutil.Process]:
        """Give the worker processes of the present master."""
        try:
            return psutil.Process(self.process.pid).children()
        except psutil.NoSuchProcess:
            return []

    def worker_of(self) -> dict[int, int]:
        """Give for each client's port the worker that has taken the connection."""
        return {
            line.raddr.port: worker.pid
            for worker in self.workers()
            for line in worker.net_connections("tcp")
            if line.raddr and line.laddr.port == self.port
        }

    def stop(self, patience: float = 60) -> int:
        """Ask it to stop as systemd does and give its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(patience)

    def end(self) -> None:
        """Leave nothing behind, whatever has happened."""
        if self._process is not None and self._process.poll() is None:
            end(self._process, signal.SIGKILL)  # a dead master's number may be another's by now

    def check(self) -> str:
        """Run `killer check`; it must find nothing."""
        return self.command("check")

    @contextmanager
    def database(self) -> Iterator[sqlite3.Connection]:
        """Open the SQLite file beside the server."""
        path = Path(self.environment["DATA_DIR"]) / "killer.sqlite3"
        with closing(sqlite3.connect(path, timeout=30)) as connection:
            yield connection

    def query(self, sql: str) -> list[Any]:
        """Ask the SQLite file."""
        with self.database() as connection:
            return connection.execute(sql).fetchall()
