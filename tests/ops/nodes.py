"""Nodes that are well, away, silent or slow as a test asks, and the lookout that watches them."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engines.processes import free_port, program, running, wait_for
from killer.ops import lookout

SILENT = ""  # it takes the question and says nothing


class Node:
    """A node on loopback that answers `says` to every question, after `seconds`."""

    def __init__(self, says: str = "200 OK", seconds: float = 0) -> None:
        self.says, self.seconds = says, seconds
        self.port = free_port()
        self.asked = 0
        self._listener: socket.socket | None = None
        self.start()

    def __str__(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Take connections."""
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def stop(self) -> None:
        """Refuse them."""
        if self._listener:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    def _serve(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                line, _ = listener.accept()
                threading.Thread(target=self._answer, args=(line,), daemon=True).start()

    def _answer(self, line: socket.socket) -> None:
        with line, suppress(OSError):
            head = line.recv(4096)
            if not head.startswith(b"GET /health/ready HTTP/1.1\r\n"):
                return
            self.asked += 1
            time.sleep(self.seconds)
            if self.says == SILENT:
                line.recv(1)  # until the other side hangs up
            else:
                line.sendall(f"HTTP/1.1 {self.says}\r\nConnection: close\r\n\r\n{{}}".encode())

    def until_asked(self, more: int) -> None:
        """Wait until so many more questions have come."""
        known = self.asked
        wait_for(lambda: self.asked >= known + more, 30, f"{more} more questions to {self}")


class Front:
    """The machine in front: a folder with nginx's list, a false nginx and a false ss."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.servers = folder / "nodes.inc"
        self.log = folder / "log"
        self.broken = folder / "broken"  # as long as it exists, no reload works
        self.programs = folder / "bin"
        self.programs.mkdir()
        refuses = f"[ ! -e {self.broken} ] || {{ echo emerg >&2; exit 1; }}"
        self._program("nginx", refuses, f"echo >> {self.folder / 'reloaded'}")
        self._program("ss")
        (self.programs / "setpriv").symlink_to(program("setpriv", package="util-linux"))

    def _program(self, name: str, *does: str) -> None:
        lines = ("#!/bin/sh", f'echo "$*" >> {self.folder / name}', *does, "")
        (self.programs / name).write_text("\n".join(lines))
        (self.programs / name).chmod(0o755)

    def calls(self, name: str) -> list[str]:
        """Give what a false program was asked to do, once for each time."""
        file = self.folder / name
        return file.read_text().splitlines() if file.exists() else []

    @property
    def reloads(self) -> int:
        """Give how often the false nginx took its list."""
        return len(self.calls("reloaded"))

    @property
    def out(self) -> set[str]:
        """Give the addresses of the nodes that nginx leaves out."""
        lines = self.servers.read_text().splitlines() if self.servers.exists() else []
        return {line.split()[1] for line in lines if line.endswith(" down;")}

    def until_out(self, *nodes: Node) -> None:
        """Wait until nginx leaves out these nodes and no other."""
        wait_for(lambda: self.servers.exists() and self.out == set(map(str, nodes)), 60, "the list")

    def words(self, *words: object) -> list[str]:
        """Give the lookout's command, with Python's standard library and nothing else."""
        program = [sys.executable, "-I", "-S", lookout.__file__]
        return [*program, "--servers", str(self.servers), *map(str, words)]

    @contextmanager
    def watching(self, *words: object) -> Iterator[None]:
        """Run the lookout while the block lasts; it must end well when it is asked to."""
        environment = {"PATH": str(self.programs)}
        with running(self.words(*words), log=self.log, env=environment) as process:
            yield
            process.terminate()
            assert process.wait(30) == 0
