"""Programs that a test starts: found or the test is left out, and gone when the test run is."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

#: Below the ports that the system gives to outgoing connections, which begin at 32768.
PORTS = range(20000, 32000)
#: The ports that were given last: kept from everybody else until their servers are up.
_kept: deque[socket.socket] = deque(maxlen=64)
#: Debian keeps some servers outside a user's PATH.
PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))


def program(*names: str, package: str, path: str = PATH) -> str:
    """Find the program under one of its names, or leave the test out with the reason."""
    for name in names:
        if found := shutil.which(name, path=path):
            return found
    reason = f"{names[0]} is missing: as root, apt-get install {package}"
    return pytest.skip(reason)  # asked for: no root, nothing to install; CI has every program


def free_port(address: str = "127.0.0.1") -> int:
    """Give a port that nobody has, and that no other call gives, here or in another process.

    It stays bound, so that a second call doesn't get it before its server listens. The server may
    bind it all the same, since both allow the address to be used again and only one listens.
    """
    for port in random.sample(PORTS, 100):
        keeper = socket.socket()
        try:
            keeper.bind((address, port))
        except OSError:
            keeper.close()
            continue
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _kept.append(keeper)
        return port
    raise RuntimeError("a hundred ports below 32768 are taken")


def wait_for(condition: Callable[[], Any], seconds: float = 30, what: str = "") -> Any:
    """Give the condition's first true answer; an AssertionError when the time is over.

    It is looked at once more after the end: a machine may stand still longer than the time is.
    """
    end = time.monotonic() + seconds
    while True:
        late = time.monotonic() > end
        if answer := condition():
            return answer
        if late:
            raise AssertionError(f"waited {seconds} s in vain for {what or condition}")
        time.sleep(0.02)


def listening(port: int, address: str = "127.0.0.1") -> bool:
    """Tell whether something takes connections there."""
    with socket.socket() as attempt:
        attempt.settimeout(1)
        return attempt.connect_ex((address, port)) == 0


def tied(signal_name: str, command: Sequence[str | Path], user: str = "") -> list[str]:
    """Give the command that the kernel ends with this signal when whoever started it is dead.

    The user is changed in the same step: changing it later would untie them again.
    """
    identity = [f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
    return ["setpriv", "--pdeathsig", signal_name, *identity, *map(str, command)]


@contextmanager
def running(
    command: Sequence[str | Path],
    *,
    log: Path,
    user: str = "",
    stop: str = "TERM",
    patience: float = 5,
    **options: Any,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in a process group of its own while the block lasts, its words in `log`.

    Its end is the signal `stop`, then after so many seconds of patience SIGKILL; it gets `stop` too
    when the test run itself is killed.
    """
    with log.open("ab") as words:
        process = subprocess.Popen(
            tied(stop, command, user),
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **options,
        )
    try:
        yield process
    finally:
        end(process, getattr(signal, f"SIG{stop}"), patience)


def end(
    process: subprocess.Popen[bytes], first: signal.Signals = signal.SIGTERM, patience: float = 5
) -> None:
    """Ask the whole group to stop, and make it when so many seconds have gone."""
    for how in (first, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
            process.wait(patience)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def wait_until_ready(
    process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path
) -> None:
    """Wait until the program does its work; what it said is in the error when it never does."""
    try:
        wait_for(lambda: ready() or process.poll() is not None, 90, "its first answer")
        assert process.poll() is None, "it ended at once"
    except AssertionError as error:
        said = log.read_text(errors="replace")
        raise AssertionError(f"{process.args} is not ready: {error}\n{said}") from error


@contextmanager
def frozen(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Stop a server with all its children; its kernel goes on taking packets and connections."""
    master = psutil.Process(process.pid)
    master.suspend()  # first: then it starts no more children
    stopped = [master, *master.children(recursive=True)]
    for each in stopped[1:]:
        with suppress(psutil.NoSuchProcess):  # one that was just ending
            each.suspend()
    try:
        yield
    finally:
        for each in stopped:
            with suppress(psutil.NoSuchProcess):
                each.resume()
