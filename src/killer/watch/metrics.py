"""Every metric by name, and the page that shows them for all worker processes together."""

from __future__ import annotations

import os
from collections.abc import Iterator

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
EVENTS = Counter("killer_events", "Events that this deployment has recorded.", ["kind"])
DELAY = Histogram(
    "killer_tap_to_frame_seconds",
    "From the moment that an event is recorded to its frame, in each worker that follows.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
SIGN_INS = Counter("killer_sign_ins", "Tries to sign in.", ["outcome"])
REFUSALS = Counter("killer_refusals", "Commands that the rules refused.", ["code"])


class Processes(Collector):
    """CPU and memory of the server: the master and all its workers."""

    def collect(self) -> Iterator[Metric]:
        """Measure now."""
        processes = _server()
        cpu = CounterMetricFamily("killer_cpu_seconds", "CPU time of all server processes.")
        cpu.add_metric([], sum(map(_cpu, processes)))
        memory = GaugeMetricFamily(
            "killer_memory_bytes", "Memory of all processes, shared parts once."
        )
        memory.add_metric([], sum(map(_memory, processes)))
        count = GaugeMetricFamily("killer_processes", "Server processes.")
        count.add_metric([], len(processes))
        yield from (cpu, memory, count)


def _server() -> list[psutil.Process]:
    """Find the master, which is the parent in a multi-process server, and its workers."""
    me = psutil.Process()
    master = psutil.Process(os.getppid()) if os.environ.get(FOLDER) else me
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


def show() -> bytes:
    """Write all metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    if os.environ.get(FOLDER):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library has no types there
        registry.register(Processes())
        return generate_latest(registry)
    registry.register(Processes())
    return generate_latest(REGISTRY) + generate_latest(registry)
