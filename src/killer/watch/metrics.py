"""Every metric by name, and the page that shows them for all worker processes together."""

from __future__ import annotations

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

from killer.watch import machine
from killer.watch.register import Reading
from killer.watch.weather import Observation

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

REQUESTS = Counter("killer_requests", "Requests answered.", ["route", "status"])
SECONDS = Histogram(
    "killer_request_seconds",
    "Time to answer, by route.",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15),
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
HUNG = Counter("killer_worker_timeouts", "Workers that were replaced because they hung.")
ALERTS = Counter(
    "killer_alerts", "Alerts, by way and by whether they went out.", ["way", "outcome"]
)


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
        processes = machine.server(workers=self._workers)
        cpu = CounterMetricFamily("killer_cpu_seconds", "CPU time of all server processes.")
        cpu.add_metric([], sum(map(machine.spent, processes)))
        memory = GaugeMetricFamily(
            "killer_memory_bytes", "Memory of all processes, shared parts once."
        )
        memory.add_metric([], sum(map(machine.held, processes)))
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


class Weather(Collector):
    """What the weather station saw last, for Prometheus and its alert rules."""

    def __init__(self, reading: Reading | None, now: float) -> None:
        self._reading, self._now = reading, now

    def collect(self) -> Iterator[Metric]:
        """Tell it."""
        if self._reading is None:
            return
        seen, lines = self._reading.seen, self._reading.lines
        colours = GaugeMetricFamily(
            "killer_weather", "Each line's colour: 0 green, 1 orange, 2 red.", labels=["line"]
        )
        for line in lines:
            colours.add_metric([line.name], line.colour)
        build = GaugeMetricFamily("killer_build_info", "The version that runs.", labels=["version"])
        build.add_metric([self._reading.version], 1)
        yield from (colours, build, *_seen(seen, self._now))


def _seen(seen: Observation, now: float) -> Iterator[Metric]:
    """Give what was seen as gauges; what couldn't be known is left out."""
    pulse, sheet = seen.pulse, seen.pulse.sheet
    yield GaugeMetricFamily(
        "killer_weather_age_seconds", "Age of what is shown here.", max(0.0, now - seen.at)
    )
    yield GaugeMetricFamily("killer_cpu_share", "Of all cores, used by the server.", seen.cpu)
    yield GaugeMetricFamily("killer_machine_cpu_share", "Of all cores, in use.", seen.machine_cpu)
    yield GaugeMetricFamily(
        "killer_machine_memory_share", "Of the memory, in use.", seen.machine_memory
    )
    yield GaugeMetricFamily("killer_disk_free_bytes", "Free for the data.", seen.disk_free)
    yield GaugeMetricFamily(
        "killer_database_up", "1 when it can be read and written.", float(pulse.state == "ok")
    )
    if seen.p95 is not None:
        yield GaugeMetricFamily(
            "killer_response_seconds", "In which 95 of 100 pages left.", seen.p95
        )
    if seen.backup is not None:
        yield GaugeMetricFamily("killer_backup_age_seconds", "Of the newest backup.", seen.backup)
    if pulse.playing is not None:
        yield GaugeMetricFamily("killer_playing", "1 while a game runs.", float(pulse.playing))
    if pulse.faults is not None:
        yield GaugeMetricFamily("killer_ring_faults", "Laws that games break.", pulse.faults)
    if pulse.alone is not None:
        yield GaugeMetricFamily(
            "killer_keeper_alone_seconds", "Since somebody looked after the sheet.", pulse.alone
        )
    if sheet is not None:
        yield GaugeMetricFamily(
            "killer_sheet_behind_seconds", "The sheet behind the game.", sheet.behind
        )
        yield GaugeMetricFamily(
            "killer_sheet_trouble_seconds", "Since the sheet is cut off.", sheet.since
        )


def show(*, workers: bool, reading: Reading | None = None, now: float = 0.0) -> bytes:
    """Write all metrics in Prometheus' text format, of all workers when there are several."""
    registry = CollectorRegistry()
    registry.register(Weather(reading, now))
    if workers:
        collect: Any = MultiProcessCollector  # the library has no types there
        collect(registry)
        registry.register(Processes(workers=workers))
        return generate_latest(registry)
    registry.register(Processes(workers=workers))
    return generate_latest(REGISTRY) + generate_latest(registry)
