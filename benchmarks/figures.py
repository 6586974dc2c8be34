"""What was measured: figures with unit and repetitions, by part, kept as one JSON file."""

from __future__ import annotations

import os
import statistics
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psutil


class Figure(msgspec.Struct, frozen=True, omit_defaults=True):
    """A median or a mean, its unit, of how many values, and the smallest and largest of them."""

    value: float
    unit: str
    runs: int = 1
    low: float | None = None
    high: float | None = None


class Machine(msgspec.Struct, frozen=True):
    """Where and when a part was measured, and how busy the machine was before."""

    model: str
    cores: int
    memory: float  # GB
    at: str  # RFC 3339, UTC
    load: float  # average of the last minute, before the part began


class Rows(dict[str, dict[str, Figure]]):
    """The figures of a part, as a table."""

    def put(self, row: str, column: str, unit: str, *values: float) -> None:
        """Note the median of some values."""
        figure = Figure(rounded(statistics.median(values)), unit)
        if len(values) > 1:
            ends = (rounded(min(values)), rounded(max(values)))
            figure = Figure(figure.value, unit, len(values), *ends)
        self.setdefault(row, {})[column] = figure

    def put_mean(self, row: str, column: str, unit: str, value: float, runs: int) -> None:
        """Note a mean of so many that were only measured together."""
        self.setdefault(row, {})[column] = Figure(rounded(value), unit, runs)


class Part(msgspec.Struct, frozen=True):
    """Everything about one part of the measurement."""

    command: str
    machine: Machine
    seconds: float
    quick: bool  # with small numbers: good for a look, not for a paper
    settings: dict[str, str]  # with what it was measured
    rows: dict[str, dict[str, Figure]]


Parts = dict[str, Part]


def command(part: str, *, quick: bool = False, paper: str = "capacity") -> str:
    """Give the command that measures a part of a paper."""
    return f"python -m benchmarks {paper} --part {part}{' --quick' if quick else ''}"


def rounded(value: float) -> float:
    """Give five digits: more were never measured."""
    return float(f"{value:.5g}")


def read(path: Path) -> Parts:
    """Read what was measured so far; nothing when there is no such file."""
    return msgspec.json.decode(path.read_bytes(), type=Parts) if path.exists() else {}


def write(parts: Parts, path: Path) -> None:
    """Write everything, in one piece whatever happens meanwhile."""
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.format(msgspec.json.encode(parts), indent=1) + b"\n")
    fresh.replace(path)


def of_here(parts: Parts) -> Parts:
    """Leave out what was measured elsewhere, or only for a look."""
    here = machine()
    alike = (here.model, here.cores)
    return {
        name: part
        for name, part in parts.items()
        if not part.quick and (part.machine.model, part.machine.cores) == alike
    }


def machine() -> Machine:
    """Describe this machine as it is now."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2] for line in lines if line.startswith("model name")), "")
    return Machine(
        model=" ".join(model.split()),
        cores=len(os.sched_getaffinity(0)),
        memory=rounded(psutil.virtual_memory().total / 1e9),
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        load=rounded(os.getloadavg()[0]),
    )
