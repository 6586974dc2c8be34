#!/usr/bin/env python3
"""Make `.venv` from the hashed locks with nothing but Python, and only when something changed.

Usage: `python3 tools/install.py` for what runs in production, `python3 tools/install.py dev` for
the tests' tools too. A second call costs some hundredths of a second; calls at the same time wait
for each other. Standard library only: it runs before anything is installed.

`killer deploy` calls it with `libraries` or `package`, a folder, a Python version, a platform.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bootstrap" / "bin" / "uv"
STAMPS = {"prod": VENV / "installed-prod", "dev": VENV / "installed-dev"}
KEEP_GOING = (subprocess.CalledProcessError, OSError)


class InstallError(Exception):
    """What went wrong and what to do about it, in one sentence for whoever typed `make`."""


def tell(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def run(*command: str | Path, folder: str | Path = ROOT, **environment: str) -> str:
    """Run a command and give what it said; when it fails, the error carries it."""
    done = subprocess.run(  # noqa: S603 - fixed commands with paths of this checkout
        [str(word) for word in command],
        cwd=folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, str(command[0]), done.stdout)
    return done.stdout


def fingerprint(kind: str) -> str:
    """Name all that the environment follows from: the locks, the project's file, this place."""
    files = [ROOT / "pyproject.toml", LOCKS / "build.txt", LOCKS / f"{kind}.txt"]
    parts = [str(ROOT).encode(), *(path.read_bytes() for path in files)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def is_current(kind: str) -> bool:
    """Tell whether `.venv` holds this kind already; what serves dev serves prod as well."""
    kinds = ("prod", "dev") if kind == "prod" else ("dev",)
    return PYTHON.exists() and any(
        STAMPS[each].exists() and STAMPS[each].read_text() == fingerprint(each) for each in kinds
    )


def make_environment() -> None:
    """Make an empty `.venv`, without pip: Debian's Python has no ensurepip of its own."""
    try:
        version = run(PYTHON, "-c", "import sys; print(sys.version_info >= (3, 11))").strip()
    except KEEP_GOING:
        version = ""
    if version != "True":
        tell(f"Making .venv with Python {sys.version.split()[0]}.")
        venv.create(VENV, clear=True, symlinks=True, with_pip=False)


def installed_pip() -> list[str | Path]:
    """Use the pip that this Python came with, when it has one."""
    run(sys.executable, "-m", "pip", "--version")
    return [sys.executable, "-m", "pip"]


def bundled_pip() -> list[str | Path]:
    """Use the wheel of pip that lies beside ensurepip or in Debian's folder of wheels."""
    standard = Path(os.__file__).parent / "ensurepip" / "_bundled"
    return wheel_in(standard, Path("/usr/share/python-wheels"))


def wheel_in(*folders: Path) -> list[str | Path]:
    wheels = [wheel for folder in folders for wheel in sorted(folder.glob("pip-*.whl"))]
    if not wheels:
        raise FileNotFoundError
    return [sys.executable, wheels[-1] / "pip"]


def debian_pip() -> list[str | Path]:
    """Fetch Debian's wheel of pip into `.venv`, as anybody may, without installing it."""
    place = VENV / "bootstrap" / "debian"
    wheels = place / "usr" / "share" / "python-wheels"
    if not list(wheels.glob("pip-*.whl")):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "lists" / "partial").mkdir(parents=True)
            own = (f"-oDir::State::Lists={folder}/lists", f"-oDir::Cache={folder}")
            apt = ("apt-get", "-q", *own, "-oAPT::Sandbox::User=root")
            run(*apt, "update")
            run(*apt, "download", "python3-pip-whl", folder=folder)
            place.mkdir(parents=True, exist_ok=True)
            run("dpkg-deb", "-x", *Path(folder).glob("*.deb"), place)
    return wheel_in(wheels)


def find_pip() -> list[str | Path]:
    """Find a pip to start with, the cheapest way first."""
    last: object = None
    for way in (installed_pip, bundled_pip, debian_pip):
        try:
            return way()
        except KEEP_GOING as problem:
            last = getattr(problem, "output", problem)
    raise InstallError(
        f"{last}\nNo pip can be found or fetched. On Debian or Ubuntu run: apt-get install "
        "python3-venv; elsewhere install pip for the Python that `make` uses. Then run make again."
    )


def install_uv(pip: list[str | Path]) -> None:
    """Put the locked uv into `.venv/bootstrap`, where syncing the environment does not touch it."""
    lock, place = LOCKS / "uv.txt", VENV / "bootstrap"
    wanted = lock.read_text().split(maxsplit=1)[0].partition("==")[2]
    if not (place / f"uv-{wanted}.dist-info").exists():
        shutil.rmtree(place / "bin", ignore_errors=True)
        run(*pip, "install", "-q", "--require-hashes", "--target", place, "--upgrade", "-r", lock)


def indexes(pip: list[str | Path]) -> dict[str, str]:
    """Hand pip's own settings to uv, which does not read them: a mirror, its certificates."""
    settings = dict(
        line.split("=", 1) for line in run(*pip, "config", "list").splitlines() if "=" in line
    )
    names = {"index-url": "UV_DEFAULT_INDEX", "cert": "SSL_CERT_FILE"}
    found = {
        variable: value.strip("'")
        for key, variable in names.items()
        for place in ("global", "user", "site", ":env:")
        if (value := settings.get(f"{place}.{key}"))
    }
    return {"UV_SYSTEM_CERTS": "1", **found, **{k: os.environ[k] for k in found if k in os.environ}}


def install_with_uv(kind: str, pip: list[str | Path]) -> None:
    install_uv(pip)
    settings = indexes(pip)
    target = ("--quiet", "--python", PYTHON)
    run(UV, "pip", "sync", *target, "--require-hashes", LOCKS / f"{kind}.txt", **settings)
    build = ("--build-constraints", LOCKS / "build.txt", "--no-deps", "--editable", ".")
    run(UV, "pip", "install", *target, *build, **settings)


def install_with_pip(kind: str, pip: list[str | Path]) -> None:
    into = (*pip, "--python", PYTHON, "install", "-q")
    run(*into, "--require-hashes", "-r", LOCKS / "build.txt", "-r", LOCKS / f"{kind}.txt")
    run(*into, "--no-deps", "--no-build-isolation", "--editable", ".")


def install(kind: str) -> None:
    """Bring `.venv` to what the locks say, with uv in some seconds or with pip in a minute."""
    make_environment()
    for stamp in STAMPS.values():
        stamp.unlink(missing_ok=True)
    pip = find_pip()
    tell(f"Installing what requirements/{kind}.txt lists.")
    try:
        install_with_uv(kind, pip)
    except KEEP_GOING as problem:
        tell(f"uv failed ({problem}); trying again with pip, which takes a minute.")
        install_with_pip(kind, pip)
    STAMPS[kind].write_text(fingerprint(kind))


def elsewhere(what: str, folder: str, python: str, platform: str) -> None:
    """Install the locked libraries or the package into a folder, for another machine's Python."""
    pip = find_pip()
    install_uv(pip)
    settings = indexes(pip)
    machine = ("--python-version", python, "--python-platform", platform, "--target", folder)
    common = ("pip", "install", "-q", "--python", sys.executable, *machine)
    lock = ("--require-hashes", "--only-binary", ":all:", "-r", LOCKS / "prod.txt")
    build = ("--build-constraints", LOCKS / "build.txt", "--no-deps", "--reinstall", ROOT)
    run(UV, *common, *(lock if what == "libraries" else build), **settings)


def main() -> None:
    if sys.argv[1:2] in (["libraries"], ["package"]):
        elsewhere(*sys.argv[1:])
        return
    kind = "dev" if "dev" in sys.argv[1:] else "prod"
    if sys.version_info < (3, 11):  # noqa: UP036 - said to whoever runs it with an old one
        raise InstallError("Killer needs Python 3.11 or newer; name one: make PYTHON=python3.12.")
    if is_current(kind):
        return
    with (ROOT / ".venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_current(kind):
            install(kind)


if __name__ == "__main__":
    try:
        main()
    except InstallError as problem:
        sys.exit(f"{problem}")
    except subprocess.CalledProcessError as problem:
        sys.exit(
            f"{problem.output}\nInstalling failed: {problem.cmd} ended with {problem.returncode}. "
            "Check that this machine reaches the package index (pip's settings apply) and that "
            "its disk is not full, then run make again."
        )
    except OSError as problem:
        sys.exit(f"Installing failed: {problem}. Check that this folder is yours, then run make.")
