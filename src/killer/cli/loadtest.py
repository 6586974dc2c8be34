"""`killer loadtest`: a crowd of simulated phones, on a server of its own or on a real one."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import msgspec
import typer

import killer
from killer import app as app_
from killer import serve
from killer import settings as settings_
from killer.cli import common
from killer.crowd import plan as plans
from killer.crowd.client import Address
from killer.crowd.plan import Plan
from killer.game import commands as c
from killer.game.model import Status
from killer.language import current, say
from killer.settings import Settings
from killer.store import games, people

ORGANISER = "loadtest"
#: What the report tells of the server that was started for the test.
TOLD = ("worker_class", "workers", "worker_connections", "keepalive", "preload", "timeout")
ASK = "-"  # in the place of a secret
LAST_WORDS = 60.0  # seconds that an interrupted crowd has to tidy up and to write what there is


def loadtest(
    host: Annotated[str, typer.Option(metavar="URL")] = "",
    token: Annotated[str, typer.Option()] = "",
    steps: Annotated[str, typer.Option()] = "5,10,25,50,100",
    hold: Annotated[float, typer.Option(min=1)] = 30.0,
    out: Annotated[Path | None, typer.Option()] = None,
    distributed: Annotated[int, typer.Option(min=0, metavar="N", show_default=False)] = 0,
    metrics_token: Annotated[str, typer.Option()] = "",
    workers: Annotated[int, typer.Option(min=0, metavar="N", show_default=False)] = 0,
    *,
    insecure: Annotated[bool, typer.Option("--insecure")] = False,
) -> None:
    """Play with more and more simulated phones, and judge what was found."""
    plan = Plan(
        host=_address(host),
        steps=_steps(steps),
        token=_secret(token, "crowd.ask.token").rpartition("/")[2],
        hold=hold,
        folder=str(out or Path(time.strftime("loadtest-%Y-%m-%d-%H%M%S"))),
        version=killer.__version__,
        language=current(),
        metrics_token=_secret(metrics_token, "crowd.ask.metrics_token"),
        insecure=insecure,
        workers=distributed,
    )
    if host and not plan.token:
        raise typer.BadParameter(say("crowd.no_token"), param_hint="--token")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end like Ctrl-C: nothing stays
    try:
        with _folder(Path(plan.folder)):
            code = _play(plan) if host else _play_here(plan, workers)
    except KeyboardInterrupt:  # before or after the crowd was there
        code = 1
    raise typer.Exit(code)


@contextmanager
def _folder(folder: Path) -> Iterator[None]:
    """Make the folder of the reports, which goes again when there was nothing to report."""
    try:
        plans.make_room(folder)
    except OSError as error:
        common.refuse(plans.unwritten(folder, error), error)
    try:
        yield
    finally:
        with suppress(OSError):  # it isn't empty
            folder.rmdir()


def _address(host: str) -> str:
    if host:
        try:
            Address.of(host)
        except ValueError as error:
            raise typer.BadParameter(say("crowd.bad_host"), param_hint="--host") from error
    return host.rstrip("/")


def _secret(given: str, question: str) -> str:
    """Take a secret, or for "-" ask for it: everybody on a machine can read the arguments.

    From a file or a pipe, it is the next line of the standard input.
    """
    if given != ASK:
        return given
    if sys.stdin.isatty():
        return str(typer.prompt(say(question), hide_input=True, err=True))
    return sys.stdin.readline().strip()


def _steps(written: str) -> tuple[int, ...]:
    """Read the sizes of the crowd."""
    words = [word.strip() for word in written.split(",")]
    sizes = tuple(int(word) for word in words if word.isdecimal())
    if len(sizes) != len(words) or not all(plans.FEWEST <= n <= plans.MOST for n in sizes):
        told = say("crowd.bad_steps", fewest=plans.FEWEST, most=plans.MOST)
        raise typer.BadParameter(told, param_hint="--steps")
    return sizes


def _play_here(plan: Plan, workers: int) -> int:
    """Play on a server of our own, of which nothing stays."""
    with tempfile.TemporaryDirectory(prefix="killer-loadtest-") as folder:
        settings = _throw_away(common.settings(), Path(folder), workers)
        serve.prepare(settings)
        token = _organiser(settings)
        with serve.beside(settings, apart=True) as pid:
            told = {name: str(getattr(settings, name)) for name in TOLD}
            told["workers"] = str(settings.worker_count)
            here = settings.address
            return _play(
                msgspec.structs.replace(plan, host=here, token=token, own_pid=pid, settings=told)
            )


def _throw_away(settings: Settings, folder: Path, workers: int) -> Settings:
    """Serve as the settings say, but elsewhere, and for nobody."""
    here = settings_.throw_away(settings, folder)
    here = replace(here, host="127.0.0.1", port=_free_port(), backup_minutes=0)
    return replace(here, workers=workers or settings.workers)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _organiser(settings: Settings) -> str:
    """Make a game with an organiser, in whose name the rehearsals are made; give the token."""
    site = app_.build(settings)
    with site.database.write() as connection:
        number = games.create(connection, games.FIRST_NAME)
    site.play.perform(number, c.Enrol(ORGANISER, status=Status.OUT, organiser=True))
    player = site.hub.feed(number).game.find(ORGANISER)
    assert player is not None
    with site.database.write() as connection:
        token = people.new_links(connection, number, [player.id], once=True)[player.id]
    site.database.close()
    return token


def _play(plan: Plan) -> int:
    """Let the crowd play in a process of its own, and give its exit code."""
    with _crowd(plan) as crowd:
        try:
            code = crowd.wait()
        except KeyboardInterrupt:  # the crowd is to say what it has found so far
            crowd.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                crowd.wait(LAST_WORDS)
            code = 1
    return min(1, abs(code))


@contextmanager
def _crowd(plan: Plan) -> Iterator[subprocess.Popen[bytes]]:
    """Start the crowd; whatever happens, it is gone at the end."""
    command = [sys.executable, "-m", "killer.crowd"]
    crowd = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603  # our own command
    try:
        assert crowd.stdin is not None
        crowd.stdin.write(msgspec.json.encode(plan) + b"\n")
        crowd.stdin.close()
        yield crowd
    finally:
        crowd.kill()
        crowd.wait()
