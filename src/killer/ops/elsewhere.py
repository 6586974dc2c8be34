"""A copy of each backup on another disk, or on another host by the sftp of OpenSSH."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path, PurePosixPath

from killer.ops.archive import PHOTOS, BackupError

HOST = re.compile(r"(?P<host>[^/:\s-][^/:\s]*):(?P<folder>.*)")
PATIENCE = 600.0  # seconds for one connection
#: Nobody is there to type a password; a silent line ends after half a minute.
OPTIONS = (
    "BatchMode=yes",
    "ConnectTimeout=10",
    "ServerAliveInterval=10",
    "ServerAliveCountMax=3",
    "StrictHostKeyChecking=accept-new",
)


def send(where: str, archive: Path, photos: Iterable[str]) -> None:
    """Copy an archive, and the photos that are not there yet; nothing is ever removed there.

    Every file gets its name when it is whole.

    Args:
        where: `user@host:folder`, or a folder of this machine that exists.
        archive: the archive; the photos lie beside it.
        photos: the names of the photos that it needs.

    Raises:
        BackupError: it did not arrive.
    """
    found = HOST.fullmatch(where)
    try:
        if found:
            _by_sftp(found["host"], found["folder"] or ".", archive, sorted(photos))
        else:
            _to_folder(Path(where).expanduser(), archive, photos)
    except OSError as error:
        raise BackupError("unsent", where=where, cause=error.strerror or str(error)) from error


def _to_folder(folder: Path, archive: Path, photos: Iterable[str]) -> None:
    """Copy to another disk; should it not be mounted, nothing is written in its place."""
    if not folder.is_dir():
        raise BackupError("no_disk", where=folder)
    _copy(archive, folder / archive.name)
    for name in photos:
        place = folder / PHOTOS / name
        if not place.exists():
            _copy(archive.parent / PHOTOS / name, place)


def _copy(source: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".part-") as folder:
        made = Path(folder, place.name)
        shutil.copyfile(source, made)
        made.chmod(0o600)
        made.replace(place)


def _by_sftp(host: str, folder: str, archive: Path, photos: Sequence[str]) -> None:
    there = PurePosixPath(folder)
    games = sorted({name.partition("/")[0] for name in photos})
    folders = [there, there / PHOTOS, *(there / PHOTOS / game for game in games)]
    made = [f"-mkdir {_quoted(each)}" for each in folders]
    listed = [f"-ls -1 {_quoted(each)}" for each in folders[2:]]
    said = _sftp(host, [*made, *_put(archive, there / archive.name), *listed])
    known = set(re.findall(r"[0-9a-f]{32}-\w+\.webp", said))
    absent = [name for name in photos if PurePosixPath(name).name not in known]
    album = archive.parent / PHOTOS
    if absent:
        _sftp(host, chain.from_iterable(_put(album / n, there / PHOTOS / n) for n in absent))


def _put(source: Path, place: PurePosixPath) -> list[str]:
    part = place.with_name(f".{place.name}.part")
    return [
        f"put {_quoted(source)} {_quoted(part)}",
        f"-rm {_quoted(place)}",
        f"rename {_quoted(part)} {_quoted(place)}",
    ]


def _quoted(path: Path | PurePosixPath) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _sftp(host: str, commands: Iterable[str]) -> str:
    """Run commands on another host, up to the first that fails, and give what was said."""
    options = [word for each in OPTIONS for word in ("-o", each)]
    try:
        done = subprocess.run(  # noqa: S603  # the host is the owner's own setting
            ["sftp", "-q", "-b", "-", *options, "--", host],  # noqa: S607  # wherever OpenSSH is
            input="\n".join(commands) + "\n",
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
    except FileNotFoundError as error:
        raise BackupError("no_sftp", where=host) from error
    except subprocess.TimeoutExpired as error:
        raise BackupError("unsent", where=host, cause=f"{PATIENCE:.0f} s") from error
    except subprocess.CalledProcessError as error:
        cause = (error.stderr.strip().splitlines() or [str(error.returncode)])[-1]
        raise BackupError("unsent", where=host, cause=cause) from error
    return done.stdout
