"""A second copy: on another disk, or on another host by OpenSSH's own sftp server."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engines.processes import program
from killer.ops import archive, backup, elsewhere
from killer.ops.archive import BackupError
from killer.settings import Settings
from ops.deployments import add_photo, at, made, photo

SERVER = "/usr/lib/openssh:/usr/libexec:/usr/libexec/openssh:/usr/lib/ssh"
HOST = "backup@elsewhere.example"


@pytest.fixture
def sftp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An `sftp` that speaks with a server of its own; gives the file of what it was asked."""
    real = program("sftp", package="openssh-client")
    server = program("sftp-server", package="openssh-sftp-server", path=SERVER)
    script, asked = tmp_path / "bin" / "sftp", tmp_path / "asked"
    script.parent.mkdir()
    script.write_text(
        f'#!/bin/sh\necho "$*" >> {asked}\ncat > {tmp_path}/commands\n'
        f"exec {real} -q -b {tmp_path}/commands -D {server}\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")
    return asked


@pytest.fixture
def photographed(embedded: Settings) -> Settings:
    """A deployment with a photo."""
    add_photo(embedded, 4, photo("Dora"))
    return embedded


def files(folder: Path) -> set[str]:
    return {str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file()}


def test_a_copy_goes_to_another_disk_with_its_photos(
    photographed: Settings, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    first = made(at(photographed, backup_to=str(disk)))
    assert first.unsent is None
    add_photo(photographed, 5, photo("Emil"))
    second = made(at(photographed, backup_to=str(disk)))
    photos = {f"photos/{name}" for name in second.manifest.photos}
    assert len(photos) == 6
    assert files(disk) == {first.path.name, second.path.name} | photos
    assert (disk / second.path.name).read_bytes() == second.path.read_bytes()
    assert (disk / second.path.name).stat().st_mode & 0o777 == 0o600


def test_a_disk_that_isn_t_there_is_said_and_the_backup_stays(
    embedded: Settings, tmp_path: Path
) -> None:
    done = made(at(embedded, backup_to=str(tmp_path / "unplugged")))
    assert done.unsent is not None
    assert done.unsent.code == "no_disk"
    assert done.path.exists()
    assert not (tmp_path / "unplugged").exists()


@pytest.mark.parametrize("folder", ["backups", "of \"quotes\" and 'spaces' é"])
def test_a_copy_goes_to_another_host_with_the_photos_that_are_not_there(
    photographed: Settings, tmp_path: Path, sftp: Path, folder: str
) -> None:
    there = tmp_path / folder
    settings = at(photographed, backup_to=f"{HOST}:{there}")
    first = made(settings)
    assert first.unsent is None
    assert files(there) == {first.path.name, *(f"photos/{n}" for n in first.manifest.photos)}
    assert (there / first.path.name).read_bytes() == first.path.read_bytes()
    connections = len(sftp.read_text().splitlines())
    second = made(settings)
    assert second.unsent is None
    assert len(sftp.read_text().splitlines()) == connections + 1  # no photo was sent again
    assert second.path.name in files(there)
    archive.manifest_of(there / second.path.name)


def test_nobody_is_asked_for_a_password_and_a_silent_line_ends(
    photographed: Settings, tmp_path: Path, sftp: Path
) -> None:
    made(at(photographed, backup_to=f"{HOST}:{tmp_path / 'there'}"))
    for words in ("-o BatchMode=yes", "-o ConnectTimeout=10", f"-- {HOST}"):
        assert words in sftp.read_text()


def test_a_host_that_refuses_is_said_and_the_backup_stays(
    embedded: Settings, tmp_path: Path, sftp: Path
) -> None:
    (tmp_path / "there").write_text("not a folder")
    done = made(at(embedded, backup_to=f"{HOST}:{tmp_path / 'there'}"))
    assert done.unsent is not None
    assert done.unsent.code == "unsent"
    assert done.unsent.params["cause"]
    assert done.path.exists()


def test_a_slow_line_keeps_no_other_backup_waiting(embedded: Settings, tmp_path: Path) -> None:
    others = []

    def told(step: str) -> None:
        if step == "send":
            others.append(made(embedded).path)

    backup.make(at(embedded, backup_to=str(tmp_path)), told)
    assert others[0].exists()


def test_without_sftp_it_is_said(embedded: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    done = made(at(embedded, backup_to=f"{HOST}:there"))
    assert done.unsent is not None
    assert done.unsent.code == "no_sftp"


@pytest.mark.parametrize("where", ["/mnt/disk", "disk", "./a:b", "-oProxyCommand=x:y"])
def test_what_names_no_host_is_a_folder(where: str, tmp_path: Path) -> None:
    with pytest.raises(BackupError) as refused:
        elsewhere.send(where, tmp_path / "killer.tar.gz", [])
    assert refused.value.code == "no_disk"
