"""A rented server with the game on it, what is deployed to it, and who plays there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from e2e import rosters
from e2e.crowd import Crowd
from e2e.phones import Answer, NoAnswerError, Phone, Stream, together
from e2e.rosters import Person
from engines.processes import wait_for
from engines.vps import Vps

ROOT = Path(__file__).parent.parent.parent
LINK = re.compile(r"^(?:(.+?)\s?: )?https?://\S+/s/(\S+)$", re.MULTILINE)
LONGEST = 400  # seconds of one deployment


@dataclass
class Checkout:
    """A copy of this checkout in which something can be changed; it shares `.venv`."""

    folder: Path

    @classmethod
    def copied(cls, folder: Path) -> Checkout:
        """Copy what git knows."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "-co", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
            text=True,
        )
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file() and not name.startswith(("docs/", "tests/", "benchmarks/")):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, folder / name)
        (folder / ".venv").symlink_to(ROOT / ".venv")
        return cls(folder)

    def changed(self, file: str, old: str, new: str) -> None:
        """Write something else into a file of the package."""
        path = self.folder / "src" / "killer" / file
        text = path.read_text()
        assert old in text, f"{file} has no {old!r}"
        path.write_text(text.replace(old, new, 1))


@dataclass
class Campus:
    """The server, and a door to its port 80."""

    server: Vps
    port: int
    checkout: Checkout
    failed: list[str] = field(default_factory=list)

    @property
    def home(self) -> Path:
        """Give the operator's home folder."""
        return self.server.operator.home

    @property
    def name(self) -> str:
        """Give the server as `killer deploy` is told of it."""
        return f"root@{self.server.address}"

    def killer(
        self, *words: str | Path, checkout: Checkout | None = None, fails: bool = False
    ) -> str:
        """Run a command of `killer` where the operator sits, and give what it said."""
        folder = (checkout or self.checkout).folder
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache"),
            "UV_OFFLINE": "1",  # the operator's namespace has no way out; the libraries are here
            "PYTHONPATH": str(folder / "src"),
            "KILLER_LANGUAGE": "en",
        }
        done = subprocess.run(
            self.server.operator.within(sys.executable, "-m", "killer", *words),
            env=environment,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert (done.returncode != 0) is fails, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def deploy(
        self, *words: str | Path, checkout: Checkout | None = None, fails: bool = False
    ) -> str:
        """Deploy a checkout."""
        return self.killer("deploy", self.name, *words, checkout=checkout, fails=fails)

    def slot(self) -> int:
        """Give the slot that players reach."""
        return int(self.server.run("readlink /opt/killer/live.sock").strip()[-6])

    def ready(self) -> Any:
        """Give what the site says of itself, through nginx."""
        return Phone(self.port).ask("GET", "/health/ready").json

    def imports(self, roster: list[Person]) -> dict[str, str]:
        """Import a roster with the server's own command; give each nickname's token."""
        place = self.server.root / "srv"
        (place / "players.csv").write_bytes(rosters.form(roster))
        (place / "challenges.csv").write_bytes(rosters.challenges(roster))
        files = "--players /srv/players.csv --challenges /srv/challenges.csv"
        return dict(LINK.findall(self.server.run(f"killer import {files}")))

    def strict(self, phone: Phone) -> StrictPhone:
        """Give a phone of the same player that forgives nothing."""
        return StrictPhone(self.port, phone.nickname, phone.cookie, self.failed)

    def players(self, count: int) -> tuple[dict[str, StrictPhone], list[StrictPhone]]:
        """Let so many people play, and give their phones and the organisers'."""
        roster = rosters.people(count, passwords=False)
        links = self.imports(roster)
        hosts = [Phone(self.port, each.nickname) for each in roster[count:]]
        for phone, each in zip(hosts, roster[count:], strict=True):
            assert phone.sign_in(each.password).status == 200
        assert hosts[0].ask("POST", "/api/organiser/game/start", {}).status == 200
        phones = together(self.with_link, list(links.items()))
        return {p.nickname: self.strict(p) for p in phones}, [self.strict(p) for p in hosts]

    def with_link(self, link: tuple[str, str]) -> Phone:
        """Give the phone of somebody who has opened a sign-in link."""
        phone = Phone(self.port, link[0])
        assert phone.ask("POST", "/api/login", {"token": link[1]}).status == 200
        return phone


@dataclass
class Federation(Campus):
    """Two servers with one game: the first is in front of both."""

    second: Vps = field(kw_only=True)
    database: str = field(kw_only=True)
    bell: str = field(kw_only=True)

    @property
    def servers(self) -> tuple[Vps, Vps]:
        """Give both."""
        return self.server, self.second

    def inventory(self) -> Path:
        """Write what is to be deployed to; up to four servers of the game share these cores."""
        settings = {"DATABASE_URL": self.database, "REDIS_URL": self.bell, "GUNICORN_WORKERS": "2"}
        lines = [f'[front]\nhost = "{self.name}"', "[settings]"]
        lines += [f'{name} = "{value}"' for name, value in settings.items()]
        lines += [f'[[node]]\nhost = "root@{each.address}"' for each in self.servers]
        file = self.home / "cluster.toml"
        file.write_text("\n".join(lines))
        return file

    def cluster(self, *words: str | Path, **more: Any) -> str:
        """Deploy to both."""
        return self.killer("deploy", "--inventory", self.inventory(), *words, **more)


class StrictPhone(Phone):
    """A phone for which every answer but a good one is a fault, even if the next try succeeds."""

    def __init__(self, port: int, nickname: str, cookie: str, failed: list[str]) -> None:
        super().__init__(port, nickname, cookie)
        self.failed = failed

    def ask(
        self, method: str, path: str, body: Any = None, *, key: str = "", **headers: str
    ) -> Answer:
        """Send a request and note whatever isn't a good answer."""
        try:
            answer = super().ask(method, path, body, key=key, **headers)
        except NoAnswerError as error:
            self.failed.append(f"{method} {path}: {error}")
            raise
        if answer.status >= 400:
            self.failed.append(f"{method} {path}: {answer.status} {json.dumps(str(answer.body))}")
        return answer


def assert_nothing_was_missed(streams: list[Stream], crowd: Crowd) -> None:
    """Every phone has heard each version from its first to the newest, once and in order."""
    newest = crowd.hosts[0].me()["game"]["version"]
    for stream in streams:
        wait_for(lambda s=stream: s.versions and s.versions[-1] == newest, 20, "the last news")
        first = stream.versions[0]
        assert stream.versions == list(range(first, newest + 1))
        assert not [frame for frame in stream.frames if frame.event == "resync"]
