"""Keeps nginx's list of nodes: one that is dead, cut off or silent is out within two seconds.

It runs alone on the machine in front, with the system's own Python: standard library only.
"""

from __future__ import annotations

import argparse
import ipaddress
import logging
import os
import queue
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

QUESTION = (
    "GET /health/ready HTTP/1.1\r\nHost: {}\r\nUser-Agent: lookout\r\nConnection: close\r\n\r\n"
)
EVERY = 0.4  # seconds between two questions to a node, whether the last one was answered or not
CONNECT = 0.6  # a kernel answers at once, however busy its programs are: only a cut line doesn't
OUT = 4  # the weight of bad answers in a row that lets a node out
SILENT, AWAY, SAYS_NO = 4, 2, 1  # silence is noticed late; what a node says of itself may pass
TWICE = 2  # good answers in a row let a node in
ANSWER = 2.0  # a node that is merely busy answers one question of five within these seconds
QUICK = 0.5  # a node that takes longer is busy itself, and no witness against a silent one
FRESH = ANSWER - EVERY  # seconds for which a good answer vouches for a node
CALM = 60.0  # a node that goes out again sooner has to please for twice as long as before
PATIENT = 64  # good answers, at most, that are asked of a node that comes and goes: 26 s
SWEEP = 1.0  # seconds between two looks for connections to a node that went out
SWEPT = 4.0  # seconds after which nginx has none any more; our own questions are cut off as well
AGAIN = 1.0  # seconds until a list that nginx could not be given is given again
GIVE_UP = 10.0  # seconds that a program has for its work
EXAMPLE = """example:
  python3 lookout.py --servers /etc/nginx/killer-nodes.inc 10.0.0.2:8080 [fd00::3]:8080
"""

_log = logging.getLogger("lookout")


@dataclass(frozen=True)
class Answer:
    """What became of one question: `trouble` is empty when the node is well."""

    node: Node
    asked: float
    trouble: str = ""
    weight: int = AWAY
    came: float = field(default_factory=time.monotonic)


@dataclass(eq=False)
class Node:
    """One node, and what its latest answers say of it."""

    host: str
    port: int
    out: bool = False
    well: bool = False  # what its newest answer says
    well_since: float = 0.0  # when a question was asked since which it has answered all well
    quick_since: float = 0.0  # the same, but well and quickly
    well_at: float = 0.0  # when the newest question was asked that it answered well
    bad: int = 0  # the weight of bad answers in a row, while another node was well
    good: int = 0  # answers in a row
    enough: int = TWICE  # good answers in a row that bring it in again
    came_in: float = field(default_factory=lambda: time.monotonic() - CALM)
    went_out: float = 0.0

    def __str__(self) -> str:
        """Show the address as nginx, ss and HTTP write it."""
        return f"{self.address}:{self.port}"

    @property
    def address(self) -> str:
        """Give the address without the port."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def line(self) -> str:
        """Give its line in nginx's list."""
        return f"server {self} max_fails=1 fail_timeout=2s{' down' * self.out};\n"

    def hears(self, answer: Answer, *, alone: bool) -> None:
        """Count an answer, unless a newer question has been answered well meanwhile.

        Alone in trouble, a node is to blame; otherwise the database is away, or this machine.
        """
        if answer.asked <= self.well_at:
            return
        if not self.well:
            self.well_since = self.quick_since = answer.asked
        if answer.came - answer.asked > QUICK:
            self.quick_since = answer.came
        self.well = not answer.trouble
        if self.well:
            self.well_at, self.bad, self.good = answer.asked, 0, self.good + 1
        else:
            self.bad, self.good = (self.bad + answer.weight if alone else 0), 0

    def leave(self) -> None:
        """Go out."""
        again = time.monotonic() - self.came_in < CALM
        self.enough = min(2 * self.enough, PATIENT) if again else TWICE
        self.out, self.went_out = True, time.monotonic()

    def enter(self) -> None:
        """Come in again."""
        self.out, self.came_in = False, time.monotonic()


def ask(node: Node) -> Answer:
    """Ask a node on a fresh connection whether it may get traffic.

    A line that is kept open can't tell a cut cable from a busy program; a new one can, since the
    kernel alone accepts it.
    """
    asked = time.monotonic()
    try:
        line = socket.create_connection((node.host, node.port), CONNECT)
    except TimeoutError:
        return Answer(node, asked, f"nobody accepts a connection within {CONNECT} s")
    except OSError as error:
        return Answer(node, asked, error.strerror or repr(error))
    with line:
        try:
            status = _status(line, str(node), asked + ANSWER)
        except TimeoutError:
            return Answer(node, asked, f"no answer within {ANSWER} s", SILENT)
        except OSError as error:
            return Answer(node, asked, error.strerror or repr(error))
    return Answer(node, asked, "" if status == "200" else f"it says {status or 'nothing'}", SAYS_NO)


def _status(line: socket.socket, host: str, end: float) -> str:
    line.sendall(QUESTION.format(host).encode())
    head = b""
    while len(head) < len("HTTP/1.1 200"):
        line.settimeout(max(0.001, end - time.monotonic()))
        told = line.recv(4096)
        if not told:
            break
        head += told
    return head.decode("ascii", "replace")[9:12]


class Lookout:
    """Asks every node, keeps nginx's list and has it read; `stop` ends it."""

    def __init__(self, nodes: Sequence[Node], servers: Path, reload: Sequence[str]) -> None:
        self.nodes = nodes
        self.stop = threading.Event()
        self._servers, self._reload = servers, reload
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._publish_at: float | None = 0.0  # nginx may have missed what was written last
        self._sweep_at = 0.0
        self._failures: dict[str, str] = {}  # as they were said last

    def run(self) -> None:
        """Watch until it is stopped."""
        self._remember()
        while not self.stop.is_set():
            self._act()
            for node in self.nodes:
                threading.Thread(target=self._question, args=(node,), daemon=True).start()
            self._listen(time.monotonic() + EVERY)

    def _question(self, node: Node) -> None:
        self._answers.put(ask(node))

    def _listen(self, end: float) -> None:
        """Hear answers until the next questions are due, and act on each."""
        while (left := end - time.monotonic()) > 0 and not self.stop.is_set():
            try:
                answer = self._answers.get(timeout=left)
            except queue.Empty:
                return
            if self._judge(answer):
                self._publish_at, self._sweep_at = 0.0, 0.0
                self._act()

    def _judge(self, answer: Answer) -> bool:
        """Count an answer and let its node out or in; tell whether that was done."""
        node = answer.node
        node.hears(answer, alone=self._alone(answer))
        if node.out and node.good >= (node.enough if self._served() else TWICE):
            node.enter()
            _log.info("%s is in again", node)
            return True
        if not node.out and node.bad >= OUT:
            node.leave()
            _log.warning("%s is out: %s", node, answer.trouble)
            return True
        return False

    def _served(self) -> bool:
        """Tell whether any node that is in is well: else whoever is well is welcome."""
        return any(node.well for node in self.nodes if not node.out)

    def _alone(self, answer: Answer) -> bool:
        """Tell whether another node is in and was well all the time that a question took.

        Against a silent node, only who was quick all the time is heard: where all are slow, there
        is too much to do, and to cut off a node would give the others its share as well.
        """
        now = time.monotonic()
        silent = answer.weight == SILENT
        return any(
            other.well
            and (other.quick_since if silent else other.well_since) <= answer.asked
            and now - other.well_at < FRESH
            for other in self.nodes
            if other is not answer.node and not other.out
        )

    def _act(self) -> None:
        """Do what is due: have nginx read its list, close its connections to nodes that are out."""
        now = time.monotonic()
        if self._publish_at is not None and now >= self._publish_at:
            self._publish_at = None if self._publish() else now + AGAIN
        if now >= self._sweep_at:
            self._sweep_at = now + SWEEP
            for node in self.nodes:
                if node.out and (now < node.went_out + SWEPT or self._publish_at is not None):
                    where = ("dst", node.address, "dport", "=", f":{node.port}")
                    self._run(("ss", "-K", "-H", "-t", "-n", *where))

    def _publish(self) -> bool:
        """Write the list and have nginx read it; tell whether that was done."""
        try:
            self._write()
        except OSError as error:
            return self._tell(str(self._servers), str(error))
        return self._run(self._reload)

    def _run(self, command: Sequence[str]) -> bool:
        """Run a program and tell whether it did its work."""
        try:
            done = subprocess.run(  # noqa: S603  # the words of whoever runs this program
                command, capture_output=True, text=True, timeout=GIVE_UP, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return self._tell(command[0], str(error))
        well = not done.returncode and not (command[0] == "ss" and done.stderr)  # it ends with 0
        failure = f"exit code {done.returncode}: {done.stderr.strip()}"
        return self._tell(command[0], "" if well else failure)

    def _tell(self, what: str, failure: str) -> bool:
        """Say a failure once, however often it comes again; tell whether there is none."""
        if failure and self._failures.get(what) != failure:
            _log.error("%s failed: %s", what, failure)
        self._failures[what] = failure
        return not failure

    def _remember(self) -> None:
        """Leave out whom the last run left out, as long as anybody is in."""
        try:
            lines = self._servers.read_text().splitlines(keepends=True)
        except OSError:
            return  # the first time; or it can't be written either, which is told then
        for node in self.nodes:
            node.leave()
            node.out = node.line in lines
        if all(node.out for node in self.nodes):
            for node in self.nodes:
                node.out = False

    def _write(self) -> None:
        """Write the list where it stands: the unit may give this file alone, not its folder.

        The first bytes arrive together, and what stood behind them is blank until it is cut off, so
        that nginx never reads half a list.
        """
        text = "".join(node.line for node in self.nodes).encode()
        file = os.open(self._servers, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if os.pread(file, len(text) + 1, 0) != text:
                os.pwrite(file, text.ljust(os.fstat(file).st_size, b"\n"), 0)
                os.ftruncate(file, len(text))
                os.fsync(file)
        finally:
            os.close(file)


def node(text: str) -> Node:
    """Read an address and a port.

    Raises:
        argparse.ArgumentTypeError: it isn't one.
    """
    found = re.fullmatch(
        r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<four>[\d.]+)):(?P<port>\d{1,5})", text
    )
    try:
        if found and 0 < int(found["port"]) < 2**16:
            return Node(
                str(ipaddress.ip_address(found["six"] or found["four"])), int(found["port"])
            )
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is no address and port, as 10.0.0.2:8080 is")


def main(words: Sequence[str] | None = None) -> None:
    """Watch the nodes until SIGTERM."""
    parser = argparse.ArgumentParser(
        prog="lookout.py",
        description=__doc__,
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("nodes", nargs="+", type=node, metavar="ADDR:PORT")
    parser.add_argument(
        "--servers", type=Path, required=True, help="the list that nginx includes", metavar="FILE"
    )
    parser.add_argument(
        "--reload", default="nginx -s reload", help="has nginx read it (%(default)s)"
    )
    given = parser.parse_args(words)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    lookout = Lookout(given.nodes, given.servers, shlex.split(given.reload))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: lookout.stop.set())
    lookout.run()


if __name__ == "__main__":
    main()
