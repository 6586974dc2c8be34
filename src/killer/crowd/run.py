"""A whole load test: every step in its turn, until one can't be played to its end."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from killer.crowd.client import Address
from killer.crowd.figures import Report, Step
from killer.crowd.host import Host
from killer.crowd.plan import Plan
from killer.crowd.probe import Generator, Metrics, Probe, Tree, machine
from killer.crowd.step import Conductor
from killer.crowd.troupe import Troupe
from killer.crowd.watch import Watcher


def run(plan: Plan, watcher: Watcher) -> Report:
    """Play every step; a step that was broken off is the last.

    Raises:
        HostError: the server can't be played on at all.
    """
    began, at = time.monotonic(), datetime.now(UTC)
    address = Address.of(plan.host, insecure=plan.insecure)
    host = Host(address)
    host.sign_in(plan.token)
    probe = _probe(plan, address)
    troupe = Troupe(plan.workers, plan.language)
    try:
        generator = Generator(process.pid for process in troupe.processes)
        steps: list[Step] = []
        for phones in plan.steps:
            steps.append(Conductor(plan, phones, host, troupe, probe, watcher, began).play())
            if steps[-1].broken_off:
                break
        used = generator.share()
    finally:
        troupe.quit()
    return Report(
        version=plan.version,
        at=at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        seconds=round(time.monotonic() - began, 1),
        host="" if plan.own_pid else plan.host,
        machine=machine(),
        cores=probe.look().cores or 0,
        settings=plan.settings,
        processes=max(1, plan.workers),
        generator_cpu=round(used, 3),
        steps=tuple(steps),
        asked=plan.steps,
    )


def _probe(plan: Plan, address: Address) -> Probe:
    metrics = Metrics(address, plan.metrics_token)
    return Tree(plan.own_pid, metrics) if plan.own_pid else metrics
