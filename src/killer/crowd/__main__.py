"""The crowd's own process: a plan on standard input, the reports in its folder, 1 for a red line.

Locust must patch the standard library before anything else has seen it.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import os  # noqa: E402  # after the patch, like all below
import resource  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
from contextvars import copy_context  # noqa: E402
from pathlib import Path  # noqa: E402

import gevent  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.text import Text  # noqa: E402

from killer import language  # noqa: E402
from killer.crowd import plan as plans  # noqa: E402
from killer.crowd import report as reports  # noqa: E402
from killer.crowd.host import HostError  # noqa: E402
from killer.crowd.plan import Plan  # noqa: E402
from killer.crowd.run import run  # noqa: E402
from killer.crowd.terminal import Terminal  # noqa: E402
from killer.crowd.troupe import StopError, work  # noqa: E402
from killer.crowd.verdict import judge  # noqa: E402
from killer.language import say  # noqa: E402


def main() -> int:
    """Play what standard input says, and give the exit code."""
    told = plans.read(sys.stdin.buffer.readline())
    language.choose(told.language)
    _open_many_files()
    speaking = copy_context().run  # every greenlet has a language of its own
    conducting = (
        gevent.spawn(speaking, _conduct, told)
        if isinstance(told, Plan)
        else gevent.spawn(speaking, work, told)
    )
    interrupted = StopError(say("crowd.interrupted"))
    for number in (signal.SIGINT, signal.SIGTERM):
        gevent.signal_handler(number, conducting.kill, interrupted, block=False)
    gevent.spawn(_watch_parent, conducting, interrupted, os.getppid())
    conducting.join()
    code = conducting.value
    return code if isinstance(code, int) else int(not conducting.successful())


def _conduct(plan: Plan) -> int:
    terminal, folder = Terminal(), Path(plan.folder)
    try:
        with terminal:
            report = run(plan, terminal)
    except (HostError, StopError) as error:
        Console(stderr=True, soft_wrap=True).print(Text(str(error)))
        return 1
    verdict = judge(report)
    reports.publish(report, verdict, folder)
    terminal.conclude(verdict, folder)
    return int(not verdict.passed)


def _watch_parent(conducting: gevent.Greenlet, interrupted: StopError, parent: int) -> None:
    """Stop when whoever started this is gone: nobody would stop it otherwise."""
    while os.getppid() == parent:
        gevent.sleep(1)
    conducting.kill(interrupted, block=False)


def _open_many_files() -> None:
    """Take as many open files as the system allows: each phone has several connections."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    sys.exit(main())
