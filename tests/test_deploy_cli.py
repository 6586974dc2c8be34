"""`killer deploy` and its kin, as far as they go without a machine."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from killer import cli
from killer.cli import deploy
from killer.cli.tale import Tale
from killer.language import LANGUAGES, speaking
from killer.ops.cluster import Cluster, Node
from killer.ops.machine import Wish
from killer.ops.steps import Outcome
from ops.paper_machine import PaperMachine


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


CLUSTER = "[[node]]\nhost = 'root@nowhere.invalid'\n"


@pytest.mark.parametrize(
    "words",
    [["root@a"], ["--node", "root@b"], ["--domain", "killer.example.org"], ["--no-firewall"]],
)
def test_an_inventory_says_everything_alone(tmp_path: Path, words: list[str]) -> None:
    file = tmp_path / "cluster.toml"
    file.write_text(CLUSTER)
    done = CliRunner().invoke(cli.build(), ["deploy", "--inventory", str(file), *words])
    assert done.exit_code == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (CLUSTER, "root@nowhere.invalid"),
        (f"{CLUSTER}adress = '10.0.0.2'", "adress"),
        (f"{CLUSTER}{CLUSTER}", "root@nowhere.invalid"),
        ("[front", "cluster.toml"),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_an_inventory_says_wrong_is_a_sentence_and_1(
    tmp_path: Path, text: str, said: str, language: str
) -> None:
    file = tmp_path / "cluster.toml"
    file.write_text(text)
    with speaking(language):
        done = CliRunner().invoke(cli.build(), ["deploy", "--inventory", str(file)])
    assert done.exit_code == 1
    assert said in done.output
    assert "Traceback" not in done.output


def test_a_node_given_twice_is_a_sentence_and_1() -> None:
    words = ["deploy", "root@a", "--node", "root@b", "--node", "ana@b"]
    done = CliRunner().invoke(cli.build(), words)
    assert done.exit_code == 1
    assert "ana@b" in done.output


def test_the_help_shows_how_several_machines_are_named() -> None:
    said = " ".join(CliRunner().invoke(cli.build(), ["deploy", "--help"]).output.split())
    assert "--node root@10.0.0.2" in said
    assert "--inventory cluster.toml" in said


def test_a_step_of_one_machine_among_several_names_it() -> None:
    written = io.StringIO()
    with speaking("en"), Tale(Console(file=written)) as tale:
        tale.of(PaperMachine(name="root@[fd00:ab:7::1]"))("user", Outcome.WOULD)
    said = "? root@[fd00:ab:7::1]: User “killer”, without rights (would be done)"
    assert written.getvalue().splitlines() == [said]


@pytest.mark.parametrize("language", LANGUAGES)
def test_nodes_on_a_public_address_are_a_warning_in_the_end(
    capsys: pytest.CaptureFixture[str], language: str
) -> None:
    front, *nodes = (PaperMachine(name=f"root@{name}") for name in ("front", "a", "b", "c"))
    numbers = ("10.0.0.2", "9.9.9.9", "2620:fe::9")
    here = Node(front, "9.9.9.10")
    behind = [Node(node, number) for node, number in zip(nodes, numbers, strict=True)]
    with speaking(language):
        deploy._show(front, Cluster(front, (here, *behind)), Wish())
    assert "root@b, root@c" in capsys.readouterr().out
    deploy._show(front, Cluster(front, (here, behind[0])), Wish())
    assert "address = " not in capsys.readouterr().out


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
