"""The machine that is deployed to: another one over SSH with Fabric, or this one itself."""

from __future__ import annotations

import io
import os
import secrets
import shlex
import shutil
import socket
import subprocess
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fabric import Connection
from paramiko.client import AutoAddPolicy
from paramiko.ssh_exception import (
    AuthenticationException,
    BadHostKeyException,
    NoValidConnectionsError,
    SSHException,
)

from killer.ops.failures import DeployError

PATIENCE = 15.0  # seconds for a machine to take a connection
LONGEST = 900.0  # seconds in which a command says nothing
ROOT = "root"
EVERYBODYS = Path("/etc/ssh/ssh_known_hosts")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said, and its exit code."""

    code: int
    out: str = ""
    err: str = ""

    @property
    def said(self) -> str:
        """Give everything that it said."""
        return f"{self.out}\n{self.err}".strip()


class Target(ABC):
    """A machine on which commands run as root and files are put whole or not at all."""

    name: str  # as whoever deploys writes it
    host: str  # its address alone

    @abstractmethod
    def ask(self, command: str) -> Answer:
        """Run a command of the shell as root, whatever comes of it."""

    @abstractmethod
    def show(self, command: str) -> int:
        """Run a command as root that speaks to the terminal itself, and give its exit code."""

    @abstractmethod
    def put(self, content: bytes | Path, path: str) -> None:
        """Put a file at a place where only root and its owner may look."""

    @abstractmethod
    def again(self) -> None:
        """Reach the machine once more, by a connection of its own.

        Raises:
            DeployError: it can't be reached any more.
        """

    @abstractmethod
    def close(self) -> None:
        """Leave nothing temporary behind."""

    def run(self, command: str, code: str = "command_failed", **params: object) -> str:
        """Run a command as root and give what it printed.

        Raises:
            DeployError: it failed; `code` is the reason to give.
        """
        answer = self.ask(command)
        if answer.code:
            full = "No space left on device" in answer.said
            raise DeployError("disk_full" if full else code, answer.said, host=self.name, **params)
        return answer.out

    def holds(self, condition: str) -> bool:
        """Tell whether a condition of the shell is true there."""
        return self.ask(condition).code == 0

    def read(self, path: str) -> str | None:
        """Give a text file, or None when there is none."""
        answer = self.ask(f"cat {shlex.quote(path)}")
        return None if answer.code else answer.out

    def write(
        self, path: str, content: str | bytes | Path, mode: str = "644", owner: str = ROOT
    ) -> None:
        """Write a file whole or not at all, with its owner and mode from the first moment on."""
        beside = f"{path}.{secrets.token_hex(4)}"
        spool = self.spool()
        self.put(content.encode() if isinstance(content, str) else content, spool)
        self.run(
            f"install -D -T -m {mode} -o {owner} -g {owner} {spool} {beside}"
            f" && mv -f {beside} {path}; code=$?; rm -f {spool} {beside}; exit $code"
        )

    @abstractmethod
    def spool(self) -> str:
        """Give the path of a file to be, in a folder that nobody else may enter."""

    def link(self, path: str, to: str) -> None:
        """Let a symbolic link lead somewhere else, in one step."""
        self.run(f"ln -sfn {to} {path}.new && mv -fT {path}.new {path}")


class Here(Target):
    """This machine; whoever acts on it is root."""

    name = host = "localhost"

    def ask(self, command: str) -> Answer:
        """Run a command of the shell."""
        done = subprocess.run(  # noqa: S602  # the same commands as over SSH, which has a shell too
            command,
            shell=True,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def show(self, command: str) -> int:
        """Run a command in this terminal."""
        return subprocess.run(command, shell=True, check=False).returncode  # noqa: S602  # as above

    def again(self) -> None:
        """Do nothing: it is here."""

    def close(self) -> None:
        """Do nothing: every file was moved to its place."""

    def spool(self) -> str:
        """Give a name where only root may write."""
        return f"/run/killer-{secrets.token_hex(8)}"

    def put(self, content: bytes | Path, path: str) -> None:
        """Put a file there."""
        if isinstance(content, Path):
            shutil.copy(content, path)
            return
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)


class Remote(Target):
    """A machine over SSH: as root, or as somebody whose sudo asks for no password."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._connection: Any = Connection(name, connect_timeout=PATIENCE)
        self.host = str(self._connection.host)
        self._folder = ""
        self._trust_known_hosts()
        self._open()
        self._sudo = "" if self._connection.user == ROOT else "sudo -n "
        if self._sudo and not self.holds("true"):
            raise DeployError("no_sudo", host=name, user=self._connection.user)

    def _trust_known_hosts(self) -> None:
        """Trust a key on first sight and never another one afterwards, as OpenSSH can do."""
        known = Path.home() / ".ssh" / "known_hosts"
        known.parent.mkdir(mode=0o700, exist_ok=True)
        known.touch(mode=0o600)
        client = self._connection.client
        if EVERYBODYS.exists():
            client.load_system_host_keys(str(EVERYBODYS))
        client.load_host_keys(str(known))
        client.set_missing_host_key_policy(AutoAddPolicy())

    def _open(self) -> None:
        try:
            self._connection.open()
            self._connection.transport.set_keepalive(15)
        except BadHostKeyException as error:
            raise DeployError("host_key", host=self.name) from error
        except AuthenticationException as error:
            raise DeployError("wrong_key", host=self.name) from error
        except socket.gaierror as error:
            raise DeployError("unknown_host", host=self.name) from error
        except (NoValidConnectionsError, OSError) as error:
            raise DeployError("unreachable", host=self.name, cause=str(error)) from error
        except (SSHException, ValueError) as error:
            missing = "authentication methods" in str(error)
            code = "wrong_key" if missing else "unreachable"
            raise DeployError(code, host=self.name, cause=str(error)) from error

    def ask(self, command: str) -> Answer:
        """Run a command of the shell there.

        Raises:
            DeployError: the line broke, or the command said nothing for 15 minutes.
        """
        words = f"{self._sudo}sh -c {shlex.quote(command)}"
        try:
            line, out, err = self._connection.client.exec_command(words, timeout=LONGEST)
            line.close()
            said = out.read().decode(errors="replace"), err.read().decode(errors="replace")
            return Answer(out.channel.recv_exit_status(), *said)
        except TimeoutError as error:
            raise DeployError("too_long", host=self.name) from error
        except (SSHException, OSError, EOFError) as error:
            raise DeployError("line_lost", host=self.name, cause=str(error)) from error

    def show(self, command: str) -> int:
        """Run a command there in this terminal."""
        words = f"{self._sudo}sh -c {shlex.quote(command)}"
        try:
            return int(self._connection.run(words, warn=True, pty=True).return_code)
        except (SSHException, OSError, EOFError) as error:
            raise DeployError("line_lost", host=self.name, cause=str(error)) from error

    def again(self) -> None:
        """Reach it by a fresh connection."""
        Remote(self.name).close()

    def spool(self) -> str:
        """Give a name in a folder of this connection's own."""
        if not self._folder:
            _, made, _ = self._connection.client.exec_command("mktemp -d")
            self._folder = made.read().decode().strip()
        return f"{self._folder}/{secrets.token_hex(4)}"

    def put(self, content: bytes | Path, path: str) -> None:
        """Send a file."""
        try:
            sftp = self._connection.sftp()
            if isinstance(content, Path):
                sftp.put(str(content), path)
            else:
                sftp.putfo(io.BytesIO(content), path)
        except (SSHException, OSError, EOFError) as error:
            full = "Failure" in str(error)  # all that SFTP has to say of a full disk
            code = "disk_full" if full else "line_lost"
            raise DeployError(code, host=self.name, cause=str(error)) from error

    def close(self) -> None:
        """Leave nothing temporary behind."""
        if self._folder:
            self.ask(f"rm -rf {self._folder}")
        self._connection.close()
