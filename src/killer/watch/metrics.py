"""Every metric by name, and the page that shows them for all worker processes together."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import psutil
from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

REQUESTS = Counter("killer_requests", "Requests answered.", ["route", "status"])
SECONDS = Histogram(
    "killer_request_seconds",
    "Time to answer, by route.",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
STREAMS = Gauge("killer_streams", "Open live streams.", multiprocess_mode="livesum")
REHEARSAL_STREAMS = Gauge(
    "killer_rehearsal_streams", "Those of them in rehearsals.", multiprocess_mode="livesum"
)
EVENTS = Counter("killer_events", "Events that this deployment has recorded.", ["kind"])
DELAY = Histogram(
    "killer_tap_to_frame_seconds",
    "From the moment that an event is recorded to its frame, in each worker that follows.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
SIGN_INS = Counter("killer_sign_ins", "Tries to sign in.", ["outcome"])
GOOGLE_CALLS = Counter("killer_google_calls", "Calls to Google.", ["kind", "outcome"])
REFUSALS = Counter("killer_refusals", "Commands that the rules refused.", ["code"])


_counters: dict[tuple[str, int], Counter] = {}
_timers: dict[str, Histogram] = {}


def answered(route: str, status: int, seconds: float | None) -> None:
    """Count an answer; streams have no duration."""
    counter = _counters.get((route, status))
    if counter is None:
        counter = _counters[route, status] = REQUESTS.labels(route, str(status))
    counter.inc()
    if seconds is not None:
        timer = _timers.get(route)
        if timer is None:
            timer = _timers[route] = SECONDS.labels(route)
        timer.observe(seconds)


class Processes(Collector):
    """CPU and memory of the server: the master and all its workers."""

    def __init__(self, *, workers: bool) -> None:
        self._workers = workers

    def collect(self) -> Iterator[Metric]:
        """Measure now."""
        processes = _server(workers=self._workers)
        cpu = CounterMetricFamily("killer_cpu_seconds", "CPU time of all server processes.")
        cpu.add_metric([], sum(map(_cpu, processes)))
        memory = GaugeMetricFamily(
            "killer_memory_bytes", "Memory of all processes, shared parts once."
        )
        memory.add_metric([], sum(map(_memory, processes)))
        count = GaugeMetricFamily("killer_processes", "Server processes.")
        count.add_metric([], len(processes))
        yield from (cpu, memory, count, *_machine())


def _machine() -> Iterator[Metric]:
    """Tell how large the machine is, so that whoever measures from afar can give shares of it."""
    cores = GaugeMetricFamily("killer_machine_cores", "Processors of this machine.")
    cores.add_metric([], psutil.cpu_count() or 1)
    yield cores
    memory = GaugeMetricFamily("killer_machine_memory_bytes", "Memory of this machine.")
    memory.add_metric([], psutil.virtual_memory().total)
    yield memory


def _server(*, workers: bool) -> list[psutil.Process]:
    """Find the master, which is the parent in a multi-process server, and its workers."""
    me = psutil.Process()
    master = psutil.Process(os.getppid()) if workers else me
    return [master, *master.children(recursive=True)]


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def _memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.Error, AttributeError):
        return 0


def show(*, workers: bool) -> bytes:
    """Write all metrics in Prometheus' text format, of all workers when there are several."""
    registry = CollectorRegistry()
    if workers:
        collect: Any = MultiProcessCollector  # the library has no types there
        collect(registry)
        registry.register(Processes(workers=workers))
        return generate_latest(registry)
    registry.register(Processes(workers=workers))
    return generate_latest(REGISTRY) + generate_latest(registry)
