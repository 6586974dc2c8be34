"""The lookout: who stays in nginx's list, who goes, and what is done about it."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engines.processes import wait_for
from killer.ops import lookout
from ops.nodes import SILENT, Front, Node

UNHEALTHY = "503 Service Unavailable"


@pytest.fixture
def front(tmp_path: Path) -> Front:
    return Front(tmp_path)


@pytest.fixture
def pair() -> Iterator[tuple[Node, Node]]:
    one, other = Node(), Node()
    yield one, other
    one.stop()
    other.stop()


def test_well_nodes_are_listed_one_a_line(front: Front, pair: tuple[Node, Node]) -> None:
    one, other = pair
    with front.watching(one, other):
        one.until_asked(3)
        assert front.servers.read_text() == (
            f"server {one} max_fails=1 fail_timeout=2s;\n"
            f"server {other} max_fails=1 fail_timeout=2s;\n"
        )
    assert front.calls("nginx") == ["-s reload"]  # once, for what an earlier run may have written
    assert not front.calls("ss")
    assert front.log.read_text() == ""


def refuse(node: Node) -> None:
    node.stop()


def say_503(node: Node) -> None:
    node.says = UNHEALTHY


def fall_silent(node: Node) -> None:
    node.says = SILENT


@pytest.mark.parametrize("trouble", [refuse, say_503, fall_silent])
def test_a_node_in_trouble_is_out_and_in_again_when_it_is_well(
    front: Front, pair: tuple[Node, Node], trouble
) -> None:
    one, other = pair
    with front.watching(one, other):
        one.until_asked(2)
        trouble(one)
        front.until_out(one)
        sweep = f"-K -H -t -n dst 127.0.0.1 dport = :{one.port}"
        wait_for(lambda: len(front.calls("ss")) > 1, 60, "the second look for its connections")
        assert set(front.calls("ss")) == {sweep}
        one.stop()
        one.says = "200 OK"
        one.start()
        front.until_out()
    assert front.calls("nginx") == ["-s reload"] * 3
    went, came = front.log.read_text().splitlines()
    assert went.startswith(f"{one} is out: ")
    assert came == f"{one} is in again"


def test_a_node_that_is_merely_busy_stays(front: Front, pair: tuple[Node, Node]) -> None:
    busy, other = pair
    busy.seconds = 4 * lookout.EVERY
    with front.watching(busy, other):
        busy.until_asked(15)
        assert not front.out


def test_a_silent_node_stays_where_the_others_are_slow_themselves(
    front: Front, pair: tuple[Node, Node]
) -> None:
    silent, slow = pair
    slow.seconds = 2 * lookout.QUICK
    with front.watching(silent, slow):
        slow.until_asked(4)
        fall_silent(silent)
        slow.until_asked(int(2 * lookout.ANSWER / lookout.EVERY) + 2)
        assert not front.out
        slow.seconds = 0
        front.until_out(silent)


def test_nobody_goes_when_all_are_in_trouble(front: Front, pair: tuple[Node, Node]) -> None:
    """The database is away and comes back: whoever is well a moment sooner is not alone."""
    one, other = pair
    with front.watching(one, other):
        one.until_asked(2)
        one.says = other.says = UNHEALTHY
        one.until_asked(6)
        other.says = "200 OK"
        one.says = "200 OK"
        one.until_asked(4)
        assert not front.out
    assert len(front.calls("nginx")) == 1


def test_a_question_that_began_while_all_were_silent_counts_for_nobody(tmp_path: Path) -> None:
    """Its time is over when the others are well again, and its node perhaps a moment later."""
    late, early = lookout.Node("10.0.0.2", 80), lookout.Node("10.0.0.3", 80)
    watch = lookout.Lookout([late, early], tmp_path / "list", [])
    now = time.monotonic()
    assert not watch._judge(lookout.Answer(early, now, "silent", lookout.SILENT))
    assert not watch._judge(lookout.Answer(early, now + 1))
    assert not watch._judge(lookout.Answer(late, now + 0.5, "silent", lookout.SILENT))
    assert watch._judge(lookout.Answer(late, now + 1.5, "silent", lookout.SILENT))
    assert (late.out, early.out) == (True, False)


def test_the_last_node_stays(front: Front, pair: tuple[Node, Node]) -> None:
    one, other = pair
    with front.watching(one, other):
        one.stop()
        front.until_out(one)
        other.says = UNHEALTHY
        other.until_asked(8)
        assert front.out == {str(one)}
        one.start()
        front.until_out(other)


def test_a_lonely_node_stays(front: Front) -> None:
    with closing_node(Node(UNHEALTHY)) as node, front.watching(node):
        node.until_asked(6)
        assert not front.out


def closing_node(node: Node) -> closing:
    node.close = node.stop
    return closing(node)


def test_a_node_that_comes_and_goes_has_to_please_for_longer() -> None:
    node = lookout.Node("10.0.0.2", 8080)
    asked = []
    for _ in range(8):
        node.leave()
        asked.append(node.enough)
        node.enter()
    assert asked == [2, 4, 8, 16, 32, 64, 64, 64]
    node.came_in -= 2 * lookout.CALM
    node.leave()
    assert node.enough == 2


def test_a_node_in_disgrace_is_welcome_when_nobody_else_is_well(
    tmp_path: Path, pair: tuple[Node, Node]
) -> None:
    dead, well = (lookout.node(str(each)) for each in pair)
    watch = lookout.Lookout([dead, well], tmp_path / "nodes.inc", ["true"])
    well.out, well.enough = True, lookout.PATIENT
    pair[0].stop()
    thread = threading.Thread(target=watch.run)
    thread.start()
    wait_for(lambda: not well.out, 60, "the way in, long before its time")
    watch.stop.set()
    thread.join(30)
    assert not thread.is_alive()


def test_whoever_went_out_long_ago_is_asked_in_peace(front: Front, pair: tuple[Node, Node]) -> None:
    """To close nginx's connections to a node cuts the lookout's own questions off as well."""
    one, other = pair
    with front.watching(one, other):
        one.until_asked(2)
        say_503(one)
        front.until_out(one)
        one.until_asked(int((lookout.SWEPT + lookout.SWEEP) / lookout.EVERY) + 2)
        swept = len(front.calls("ss"))
        one.until_asked(6)
        assert len(front.calls("ss")) == swept > 1


def test_an_old_answer_says_nothing_against_a_newer_one() -> None:
    node = lookout.Node("10.0.0.2", 8080)
    node.hears(lookout.Answer(node, asked=2.0), alone=True)
    node.hears(lookout.Answer(node, asked=1.0, trouble="late", weight=lookout.SILENT), alone=True)
    assert (node.well, node.bad) == (True, 0)
    node.hears(lookout.Answer(node, asked=3.0, trouble="refused"), alone=True)
    node.hears(lookout.Answer(node, asked=4.0, trouble="refused"), alone=False)
    assert (node.well, node.bad) == (False, 0)  # by then others were in trouble too


def test_a_reload_that_fails_is_said_once_and_tried_again(
    front: Front, pair: tuple[Node, Node]
) -> None:
    one, other = pair
    with front.watching(one, other):
        one.until_asked(2)
        known = wait_for(lambda: front.reloads, 60, "the first reload")
        front.broken.touch()
        one.stop()
        front.until_out(one)
        wait_for(lambda: len(front.calls("nginx")) > known + 2, 60, "more tries")
        assert front.reloads == known
        front.broken.unlink()
        wait_for(lambda: front.reloads > known, 60, "the reload that works")
        tries = len(front.calls("nginx"))
        other.until_asked(5)
        assert (front.reloads, len(front.calls("nginx"))) == (known + 1, tries)
    said = front.log.read_text().splitlines()
    assert said[1:] == ["nginx failed: exit code 1: emerg"]


def test_a_list_that_cannot_be_written_is_said_once_and_tried_again(
    front: Front, pair: tuple[Node, Node]
) -> None:
    one, other = pair
    front.servers.mkdir()
    with front.watching(one, other):
        one.until_asked(8)
        front.servers.rmdir()
        front.until_out()
    (said,) = front.log.read_text().splitlines()
    assert said.startswith(f"{front.servers} failed: ")


def test_without_ss_it_goes_on_and_says_so_once(front: Front, pair: tuple[Node, Node]) -> None:
    one, other = pair
    (front.programs / "ss").unlink()
    with front.watching(one, other):
        one.stop()
        front.until_out(one)
        other.until_asked(8)
    went, missing = front.log.read_text().splitlines()
    assert (str(one) in went, "ss" in missing, "failed" in missing) == (True, True, True)


def test_it_goes_on_where_the_last_run_stopped(front: Front, pair: tuple[Node, Node]) -> None:
    """A new node is in; one that was out and still is stays out; a list that is right stays."""
    one, other = pair
    one.stop()
    newcomer = Node()
    front.servers.write_text(
        f"server {one} max_fails=1 fail_timeout=2s down;\nserver 10.9.9.9:1;\n"
    )
    written_in = front.servers.stat().st_ino
    with closing_node(newcomer):
        with front.watching(one, other, newcomer):
            other.until_asked(4)
            assert front.servers.read_text().splitlines() == [
                f"server {one} max_fails=1 fail_timeout=2s down;",
                f"server {other} max_fails=1 fail_timeout=2s;",
                f"server {newcomer} max_fails=1 fail_timeout=2s;",
            ]
        assert front.servers.stat().st_ino == written_in  # its folder may be read-only
        before = front.servers.stat().st_mtime_ns
        with front.watching(one, other, newcomer):
            other.until_asked(4)
        assert front.servers.stat().st_mtime_ns == before


def test_a_list_that_leaves_everybody_out_is_not_believed(front: Front) -> None:
    with closing_node(Node(UNHEALTHY)) as node:
        front.servers.write_text(f"server {node} max_fails=1 fail_timeout=2s down;\n")
        with front.watching(node):
            node.until_asked(3)
            assert not front.out


def test_a_node_has_an_address_of_either_kind() -> None:
    assert str(lookout.node("10.0.0.2:8080")) == "10.0.0.2:8080"
    six = lookout.node("[::1]:8090")
    assert six.line == "server [::1]:8090 max_fails=1 fail_timeout=2s;\n"
    assert lookout.ask(six).trouble  # nobody is there, and nothing fails


@pytest.mark.parametrize("text", ["node1:8080", "10.0.0.2", "10.0.0.256:80", "::1:80", "[::1]:0"])
def test_what_is_no_address_is_refused_with_a_sentence(front: Front, text: str) -> None:
    done = subprocess.run(front.words(text), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"{text!r} is no address and port" in done.stderr


def test_the_help_shows_an_example(front: Front) -> None:
    done = subprocess.run(front.words("--help"), capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "python3 lookout.py --servers" in done.stdout
