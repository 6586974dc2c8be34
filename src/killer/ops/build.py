"""A release, made here for the machine there: libraries from the hashed lock, and the package."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path

import killer
from killer.ops.failures import DeployError
from killer.ops.survey import Facts

CHECKOUT = Path(killer.__file__).parent.parent.parent
LOCK = "requirements/prod.txt"
INSTALL = "tools/install.py"
SHORT = 12  # digits of a fingerprint in a folder's name


@dataclass(frozen=True, slots=True)
class Build:
    """What is to run on a machine, by what it is made of."""

    checkout: Path
    python: str
    platform: str

    @property
    def libraries(self) -> str:
        """Name the libraries: the same lock for the same kind of machine is the same folder."""
        lock = (self.checkout / LOCK).read_bytes()
        return _digest(lock, self.python.encode(), self.platform.encode())

    @property
    def fingerprint(self) -> str:
        """Name the whole release: the same files are the same release, whenever it is made."""
        return _digest(self.libraries.encode(), *self._parts())

    @property
    def source(self) -> str:
        """Name what it is made of: the same release for another kind of machine has the same."""
        return _digest((self.checkout / LOCK).read_bytes(), *self._parts())

    @property
    def version(self) -> str:
        """Give a name for a fresh folder: version, time, what it is made of."""
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        return f"{killer.__version__}-{now}-{self.fingerprint}"

    def _parts(self) -> list[bytes]:
        files = sorted(each for each in self._package() if each.is_file())
        return [part for each in files for part in (self._name(each), each.read_bytes())]

    def _package(self) -> list[Path]:
        every = (self.checkout / "src" / "killer").rglob("*")
        return [each for each in every if each.suffix != ".pyc" and each.name != "__pycache__"]

    def _name(self, file: Path) -> bytes:
        return str(file.relative_to(self.checkout)).encode()

    def pack_libraries(self, folder: Path) -> Path:
        """Install the locked libraries for that machine into a folder here, and pack it."""
        return self._pack(folder, "libraries", self.libraries)

    def pack_package(self, folder: Path) -> Path:
        """Build the package as a wheel, unpack it here, and pack the folder."""
        return self._pack(folder, "package", self.fingerprint)

    def _pack(self, folder: Path, what: str, name: str) -> Path:
        """Pack what the tool makes, or take what was packed there for another machine."""
        archive = folder / f"{what}-{name}.tar.gz"
        if not archive.exists():
            self._tool(folder / name, what)
            _packed(folder / name, archive)
        return archive

    def _tool(self, folder: Path, what: str) -> None:
        words = (str(self.checkout / INSTALL), what, str(folder), self.python, self.platform)
        done = subprocess.run(  # noqa: S603  # our own tool
            [sys.executable, *words], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise DeployError("build_failed", f"{done.stdout}\n{done.stderr}")


def of(checkout: Path, facts: Facts) -> Build:
    """Give what this checkout would be on a machine.

    Raises:
        DeployError: this is no checkout, but an installed package.
    """
    if not (checkout / LOCK).exists() or not (checkout / INSTALL).exists():
        raise DeployError("no_checkout", folder=str(checkout))
    return Build(checkout, facts.python, facts.platform)


def _digest(*parts: bytes) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()[:SHORT]


def _packed(folder: Path, archive: Path) -> None:
    """Pack a folder's content as root's, readable for all."""

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if "__pycache__" in member.name.split("/"):
            return None
        member.uid = member.gid = 0
        member.uname = member.gname = "root"
        member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
        return member

    with tarfile.open(archive, "w:gz", compresslevel=3) as tar:
        tar.add(folder, ".", filter=plain)
