"""Releases on the machine: each a folder with its own virtual environment, the last five kept."""

from __future__ import annotations

import shlex
from pathlib import Path, PurePosixPath

from killer.ops import places
from killer.ops.build import Build
from killer.ops.target import Target

KEPT = 5


def folder(target: Target, build: Build) -> str:
    """Give the folder of a release that is complete already; empty when there is none."""
    return made_of(target, build.fingerprint)


def made_of(target: Target, fingerprint: str) -> str:
    """Give the folder of the complete release with a fingerprint; empty when there is none."""
    found = target.ask(
        f"ls -d {places.RELEASES}/*-{fingerprint}/{places.COMPLETE} 2>/dev/null | tail -n 1"
    ).out.strip()
    return str(PurePosixPath(found).parent) if found else ""


def led_to(target: Target, link: str) -> str:
    """Give the release to which a link leads; empty when to none."""
    found = target.ask(f"readlink -e {link}").out.strip()
    return found if found.startswith(f"{places.RELEASES}/") else ""


def alike(target: Target, model: Target, made: str) -> str:
    """Give the release that is for a machine what another one is for its own; empty without one.

    A release of before its source was noted is the same on machines of one kind only.
    """
    source = (model.read(f"{made}/{places.COMPLETE}") or "").strip()
    every = f"{places.RELEASES}/*/{places.COMPLETE}"
    ask = f"grep -lxF {shlex.quote(source)} {every} 2>/dev/null | tail -n 1"
    found = target.ask(ask).out.strip() if source else ""
    return str(PurePosixPath(found).parent) if found else made_of(target, made.rpartition("-")[2])


def bring(target: Target, build: Build, here: Path) -> str:
    """Make a release's folder and give it; what a broken line left half-made is made anew.

    Args:
        target: the machine.
        build: what it is made of.
        here: a folder of this machine where it is packed, once for all machines of its kind.
    """
    libraries = f"{places.LIBRARIES}/{build.libraries}"
    if not target.holds(f"test -e {libraries}/{places.COMPLETE}"):
        _unpack(target, build.pack_libraries(here), libraries)
        target.run(_compiled(libraries))
        target.run(f"touch {libraries}/{places.COMPLETE}")
    made = f"{places.RELEASES}/{build.version}"
    _make(target, build, made, libraries)
    _unpack(target, build.pack_package(here), packages(made, build.python), fresh=False)
    target.run(_compiled(f"{packages(made, build.python)}/killer"))
    target.run(f"echo {build.source} > {made}/{places.COMPLETE}")
    return made


def packages(release: str, python: str) -> str:
    """Give the folder of a release's Python packages."""
    return f"{release}/.venv/lib/python{python}/site-packages"


def _make(target: Target, build: Build, made: str, libraries: str) -> None:
    """Make the virtual environment; its libraries share their bytes with the other releases'."""
    half = f"{places.RELEASES}/*-{build.fingerprint}"
    site = packages(made, build.python)
    target.run(f"rm -rf {half} && python3 -m venv --without-pip {made}/.venv")
    target.run(f"cp -al {libraries}/. {site}/ && rm -f {site}/{places.COMPLETE}")


def _unpack(target: Target, archive: Path, into: str, *, fresh: bool = True) -> None:
    sent = f"{places.HOME}/{archive.name}"
    clear = f"rm -rf {into} && " if fresh else ""
    target.write(sent, archive, mode="600")
    target.run(
        f"{clear}mkdir -p {into} && tar -xzf {sent} -C {into}; code=$?; rm {sent}; exit $code"
    )


def _compiled(place: str) -> str:
    """Give the command that compiles once what nobody there may write into later."""
    return f"python3 -m compileall -q -j 0 {place} >/dev/null || true"


def superfluous(target: Target) -> list[str]:
    """List the releases and libraries that nobody needs: neither live, nor previous, nor new."""
    links = (places.CURRENT, places.PREVIOUS, *(f"{places.SLOTS}/{n}" for n in places.BOTH))
    needed = {led_to(target, link) for link in links}
    every = target.ask(f"ls -1dt {places.RELEASES}/* 2>/dev/null").out.split()
    kept = {*needed, *every[:KEPT]}
    newest = target.ask(f"ls -1dt {places.LIBRARIES}/* 2>/dev/null").out.split()[1:]
    return [*(each for each in every if each not in kept), *newest]


def tidy(target: Target) -> None:
    """Remove them; a release keeps its libraries, which are links of its own."""
    if names := superfluous(target):
        target.run(f"rm -rf {' '.join(names)}")
