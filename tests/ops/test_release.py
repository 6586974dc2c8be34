"""Releases: what they are made of names them, half of one is made anew, old ones go."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

import pytest

from killer.ops import build, places, release
from killer.ops.build import CHECKOUT, Build
from killer.ops.failures import DeployError
from ops.paper_machine import PaperMachine
from ops.test_survey import SOUND

INSTALL = """
import pathlib, sys
what, folder, python, platform = sys.argv[1:]
place = pathlib.Path(folder)
(place / "bin").mkdir(parents=True)
(place / f"{what}.py").write_text(f"{python} {platform}")
(place / "bin" / "tool").write_text("#!/bin/sh")
(place / "bin" / "tool").chmod(0o700)
"""


@pytest.fixture
def made(tmp_path: Path) -> Build:
    """A small checkout whose tool installs two files at once."""
    folder = tmp_path / "checkout"
    for name, text in (
        (build.LOCK, "flask==3.1"),
        (build.INSTALL, INSTALL),
        ("src/killer/play.py", "PLAY = 1"),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return Build(folder, "3.11", "x86_64-manylinux_2_28")


def test_the_same_files_are_the_same_release(made: Build) -> None:
    before, libraries, source = made.fingerprint, made.libraries, made.source
    (made.checkout / "src/killer/__pycache__").mkdir()
    (made.checkout / "src/killer/__pycache__/play.cpython-311.pyc").write_bytes(b"x")
    assert made.fingerprint == before
    (made.checkout / "src/killer/play.py").write_text("PLAY = 2")
    assert made.fingerprint != before
    assert made.source != source
    assert made.libraries == libraries


def test_another_lock_or_machine_is_another_release(made: Build) -> None:
    other = Build(made.checkout, "3.13", made.platform)
    assert other.libraries != made.libraries
    assert other.fingerprint != made.fingerprint
    assert other.source == made.source, "for the same game"
    before = made.fingerprint
    (made.checkout / build.LOCK).write_text("flask==3.2")
    assert made.fingerprint != before


def test_what_is_packed_is_root_s_and_for_all_to_read(made: Build, tmp_path: Path) -> None:
    with tarfile.open(made.pack_libraries(tmp_path / "out")) as tar:
        found = {each.name: each for each in tar}
    assert {each.uid for each in found.values()} == {0}
    assert found["./libraries.py"].mode == 0o644
    assert found["./bin/tool"].mode == 0o755
    assert found["./bin"].mode == 0o755


def test_what_cannot_be_built_is_said_with_the_tool_s_words(made: Build, tmp_path: Path) -> None:
    (made.checkout / build.INSTALL).write_text("raise SystemExit('no index')")
    with pytest.raises(DeployError) as error:
        made.pack_package(tmp_path / "out")
    assert error.value.code == "build_failed"
    assert "no index" in error.value.sentence


def test_an_installed_package_is_no_checkout(tmp_path: Path) -> None:
    assert build.of(CHECKOUT, SOUND).libraries
    with pytest.raises(DeployError) as error:
        build.of(tmp_path, SOUND)
    assert error.value.code == "no_checkout"


def test_a_release_is_complete_only_in_the_end(made: Build, tmp_path: Path) -> None:
    machine = PaperMachine()
    machine.on(f"test -e {places.LIBRARIES}", code=1)
    folder = release.bring(machine, made, tmp_path / "out")
    assert folder.startswith(f"{places.RELEASES}/")
    assert folder.endswith(made.fingerprint)
    assert machine.said[-1] == f"echo {made.source} > {folder}/{places.COMPLETE}"
    unpacked = [each for each in machine.said if "tar -xzf" in each]
    assert len(unpacked) == 2, "libraries and package"
    half = next(each for each in machine.said if "venv --without-pip" in each)
    assert half.startswith(f"rm -rf {places.RELEASES}/*-{made.fingerprint}")


def test_a_second_machine_gets_what_was_packed_for_the_first(made: Build, tmp_path: Path) -> None:
    machines = PaperMachine(), PaperMachine()
    for machine in machines:
        machine.on(f"test -e {places.LIBRARIES}", code=1)
        release.bring(machine, made, tmp_path / "out")
        (made.checkout / build.INSTALL).write_text("raise SystemExit('asked again')")
    sent = [{text for text, _, _ in machine.files.values()} for machine in machines]
    assert sent[0] == sent[1]


def test_libraries_that_are_there_are_not_sent_again(made: Build, tmp_path: Path) -> None:
    machine = PaperMachine()
    release.bring(machine, made, tmp_path / "out")
    assert len([each for each in machine.said if "tar -xzf" in each]) == 1


def test_what_is_complete_is_found(made: Build) -> None:
    machine = PaperMachine()
    assert release.folder(machine, made) == ""
    place = f"{places.RELEASES}/0.1.0-20261128T120000Z-{made.fingerprint}"
    machine.on(f"ls -d .*{made.fingerprint}", f"{place}/complete\n")
    assert release.folder(machine, made) == place


def test_the_last_five_stay_and_whatever_serves_or_served_before() -> None:
    machine = PaperMachine()
    every = [f"{places.RELEASES}/{n}" for n in range(9)]  # newest first
    machine.on(f"ls -1dt {places.RELEASES}", "\n".join(every))
    machine.on(f"ls -1dt {places.LIBRARIES}", f"{places.LIBRARIES}/new\n{places.LIBRARIES}/old")
    machine.links = {places.CURRENT: every[8], places.PREVIOUS: every[6]}
    assert release.superfluous(machine) == [every[5], every[7], f"{places.LIBRARIES}/old"]
    release.tidy(machine)
    assert machine.said[-1] == f"rm -rf {every[5]} {every[7]} {places.LIBRARIES}/old"


def test_a_link_that_leads_elsewhere_is_no_release() -> None:
    machine = PaperMachine(links={places.CURRENT: "/etc"})
    assert release.led_to(machine, places.CURRENT) == ""


def test_the_checkout_s_own_tool_makes_a_package_for_another_python(tmp_path: Path) -> None:
    assert shutil.which("python3")
    made = build.of(CHECKOUT, SOUND)
    assert made.version.endswith(made.fingerprint)
    with tarfile.open(made.pack_package(tmp_path)) as tar:
        names = set(tar.getnames())
    assert "./killer/ops/templates/nginx.conf" in names
    assert "./killer/web/static/site.css" in names
    assert not [name for name in names if name.endswith(".pyc")]
