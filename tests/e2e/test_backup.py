"""A real server has backups made beside it, and another machine goes on from one of them."""

from __future__ import annotations

import shutil
from pathlib import Path

from e2e import rosters
from e2e.conftest import Deploy
from e2e.phones import Phone
from e2e.server import Server
from engines.processes import wait_for

PLAYERS = 30
DEATHS = 5


def started(server: Server) -> list[Phone]:
    """Start a game and give the players' phones."""
    roster = rosters.people(PLAYERS, passwords=False)
    links = server.imports(roster)
    server.start()
    host = server.organiser()
    assert host.ask("POST", "/api/organiser/game/start", {}).status == 200
    return [server.with_link(token, nickname) for nickname, token in links.items()]


def archives(server: Server) -> list[Path]:
    return sorted((server.folder / "data" / "backups").glob("killer-*.tar.gz"))


def test_a_server_has_its_first_backup_made_while_it_plays(deploy: Deploy) -> None:
    server = deploy(BACKUP_MINUTES="10", GUNICORN_WORKERS="2")
    phones = started(server)
    asked = 0
    while not archives(server):
        assert phones[asked % len(phones)].ask("GET", "/api/me").status == 200
        asked += 1
        assert asked < 200_000, "no backup was ever made"
    (path,) = archives(server)
    wait_for(lambda: str(path) in server.log.read_text(), 30, "the line in the log")
    refused = server.command("restore", "--replace", "--yes", fails=True)
    assert "restauré" not in refused
    assert server.stop() == 0
    assert server.check()


def test_another_machine_goes_on_and_nobody_signs_in_again(deploy: Deploy, tmp_path: Path) -> None:
    first = deploy(GUNICORN_WORKERS="2")
    phones = started(first)
    for phone in phones[:DEATHS]:
        assert phone.ask("POST", "/api/death", {}).status == 200
    before = phones[-1].me()
    file = Path(first.command("backup", "--whole", tmp_path / "all.tar.gz").splitlines()[-1])
    first.end()

    other_folder = tmp_path / "another machine"
    other_folder.mkdir()
    carried = shutil.copy(file, other_folder)
    second = deploy_in(deploy, other_folder)
    second.command("restore", carried)
    assert f"version {before['game']['version']}" in second.check()
    second.start()
    old = Phone(second.port, phones[-1].nickname, phones[-1].cookie)
    assert old.me() == before
    living = Phone(second.port, phones[DEATHS].nickname, phones[DEATHS].cookie)
    assert living.ask("POST", "/api/death", {}).version == before["game"]["version"] + 1
    assert second.stop() == 0
    second.check()


def deploy_in(deploy: Deploy, folder: Path) -> Server:
    """Make a deployment on another machine, which is another folder."""
    server = deploy(GUNICORN_WORKERS="2")
    server.folder, server.log = folder, folder / "server.log"
    server.environment["DATA_DIR"] = str(folder / "data")
    return server
