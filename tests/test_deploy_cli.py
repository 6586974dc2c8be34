"""`killer deploy` and its kin, as far as they go without a machine."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from killer import cli
from killer.cli.tale import Tale
from killer.language import LANGUAGES, speaking
from killer.ops.steps import Outcome


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's known hosts are touched."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("command", ["deploy", "restart", "rollback", "logs"])
def test_a_machine_that_nobody_knows_is_a_sentence_and_1(command: str, language: str) -> None:
    with speaking(language):
        done = CliRunner().invoke(cli.build(), [command, "root@nowhere.invalid"])
    assert done.exit_code == 1
    assert "root@nowhere.invalid" in done.output
    assert "Traceback" not in done.output


def test_a_certificate_without_its_key_is_wrong_usage(tmp_path: Path) -> None:
    words = ["deploy", "root@nowhere.invalid", "--certificate", str(tmp_path / "chain.pem")]
    assert CliRunner().invoke(cli.build(), words).exit_code == 2


@pytest.mark.parametrize("domain", ["https://killer.example.org", "killer example", "a;reboot"])
def test_what_is_no_domain_is_wrong_usage(domain: str) -> None:
    words = ["deploy", "root@nowhere.invalid", "--domain", domain]
    assert CliRunner().invoke(cli.build(), words).exit_code == 2


def test_deploy_asks_for_a_machine() -> None:
    assert CliRunner().invoke(cli.build(), ["deploy"]).exit_code == 2


def test_what_becomes_of_each_step_is_told_on_a_line_of_its_own() -> None:
    written = io.StringIO()
    with speaking("en"), Tale(Console(file=written)) as tale:
        tale("user", None)
        tale("user", Outcome.ALREADY)
        tale("switch", None)
        tale("switch.start", None)
        tale("switch", Outcome.DONE)
    assert written.getvalue().splitlines() == [
        "= User “killer”, without rights (already so)",
        "  · Start beside the old one",
        "+ Players move to this release (done)",
    ]
