"""A real server with three workers keeps one sheet: one of them, and another when it is killed."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import pytest

from e2e import rosters
from e2e.conftest import Deploy
from e2e.server import Server
from engines.google import Emulator
from engines.google.fixtures import google
from engines.processes import wait_for

__all__ = ["google"]

SHEET = "1end-to-end"
TTL = 5
HEAD = ["Horodateur", "Surnom", "Adresse e-mail", "Téléphone"]
BEGINS = re.compile(r'"holder": "[^:"]*:(\d+):[^"]*", "event": "keeper\.begins"')


@pytest.fixture
def server(google: Emulator, deploy: Deploy, tmp_path: Path) -> Server:
    """A started server whose organisers have a sheet."""
    google.sheet(SHEET, {"Joueurs": [HEAD]}, size=(60, 20))
    return deploy(
        GUNICORN_WORKERS="3",
        SHEET_ID=SHEET,
        SERVICE_ACCOUNT_FILE=str(google.key_file(tmp_path)),
        GOOGLE_API_URL=google.url,
        GOOGLE_REQUEST_TIMEOUT="8",
        PLAYERS_CACHE_TTL=str(TTL),
        ACTIONS_CACHE_TTL=str(TTL),
    )


def holders(server: Server) -> list[int]:
    """Give the workers that have begun to keep the sheet, oldest first."""
    return [int(pid) for pid in BEGINS.findall(server.log.read_text(errors="replace"))]


def readings(google: Emulator) -> list[float]:
    """Give when the two tabs were read."""
    return [call.at for call in google.calls if call.path.endswith("/values:batchGet")]


def test_one_worker_keeps_the_sheet_and_another_goes_on_when_it_is_killed(
    server: Server, google: Emulator
) -> None:
    roster = rosters.people(4, passwords=False)
    links = server.imports(roster)
    google.tab(SHEET, "Joueurs").append(
        ["17/10/2026 08:00:00", roster[0].nickname, "a@example.org"]
    )
    server.start()
    tab = google.tab(SHEET, "Joueurs")
    wait_for(lambda: tab.rows()[1][4:], 60, "our column in the sheet")
    (first,) = holders(server)
    assert first in {worker.pid for worker in server.workers()}

    os.kill(first, signal.SIGKILL)
    killed = time.monotonic()
    wait_for(lambda: len(holders(server)) > 1, 60, "another keeper")
    wait_for(lambda: readings(google)[-1] > killed + 1, 60, "its first reading")
    second = holders(server)[1]
    assert second != first

    phone = server.with_link(links[roster[1].nickname])
    assert phone.me()["player"]["status"] == "alive"
    quiet = len(readings(google)) + 1
    wait_for(lambda: len(readings(google)) >= quiet + 4, 60, "four quiet readings")
    first_at, *_, last_at = readings(google)[quiet : quiet + 4]
    assert last_at - first_at > 2 * TTL, "three pauses, of which the machine may eat one"
    assert holders(server) == [first, second]


def test_players_are_answered_while_google_is_silent(server: Server, google: Emulator) -> None:
    roster = rosters.people(4, passwords=False)
    links = server.imports(roster)
    google.fail("silence", times=None, seconds=60)
    server.start()
    phones = [server.with_link(links[person.nickname]) for person in roster[:4]]
    host = server.organiser()
    wait_for(lambda: google.count("token"), 60, "the keeper's first call")
    assert host.ask("POST", "/api/organiser/game/start", {}).status == 200
    for phone in phones[:3]:
        assert phone.ask("POST", "/api/death", {}).status == 200
        assert phone.me()["player"]["status"] == "dead"
    assert google.count("read", 200) == 0
    google.clear()
