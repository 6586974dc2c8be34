"""What all workers have counted so far, read from their files at little cost, and how it grew.

A scrape of /metrics costs ten times as much: it builds every metric anew, this adds up six of them.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import msgspec
from prometheus_client.mmap_dict import MmapedDict

ASIDE = ("GET /health", "GET /health/ready", "GET /metrics", "GET /static/", "GET /api/events")
TOO_LATE = 15.0  # seconds

Buckets = dict[float, float]  # how many fell between the bound before and this one, in seconds

_READ: Any = MmapedDict.read_all_values_from_file  # the library has no types there


class Totals(msgspec.Struct):
    """Sums over all workers, dead ones too; phones are those that are open now."""

    answers: Buckets = {}
    delays: Buckets = {}
    refused: float = 0.0
    hung: float = 0.0
    phones: float = 0.0


def read(folder: Path) -> Totals:
    """Add up what the workers of a server have written into their folder."""
    found = Totals()
    for file in folder.glob("*.db"):
        for kind, bound, value in _values(file):
            if kind in {"answers", "delays"}:
                buckets: Buckets = getattr(found, kind)
                buckets[bound] = buckets.get(bound, 0.0) + value
            else:
                setattr(found, kind, getattr(found, kind) + value)
    return found


def _values(file: Path) -> Iterator[tuple[str, float, float]]:
    try:
        every = list(_READ(str(file)))
    except (OSError, RuntimeError, ValueError, struct.error):  # its worker has just begun or ended
        return
    for key, value, *_ in every:
        kind, bound = _meaning(key)
        if kind:
            yield kind, bound, value


@lru_cache(maxsize=10_000)
def _meaning(key: str) -> tuple[str, float]:
    """Tell what a key counts: its kind, and the upper bound of its bucket; nothing for most."""
    _metric, name, labels, _help = json.loads(key)
    aside = labels.get("route", "").startswith(ASIDE)
    match name:
        case "killer_request_seconds_bucket" if not aside:
            return "answers", float(labels["le"])
        case "killer_requests_total" if labels["status"] == "503" and not aside:
            return "refused", 0.0
        case "killer_tap_to_frame_seconds_bucket":
            return "delays", float(labels["le"])
        case "killer_worker_timeouts_total":
            return "hung", 0.0
        case "killer_streams":
            return "phones", 0.0
    return "", 0.0


def grown(before: Buckets, now: Buckets) -> Buckets:
    """Give what came in between; a server that began anew is taken as it is."""
    return {bound: max(0.0, count - before.get(bound, 0.0)) for bound, count in now.items()}


def quantile(buckets: Buckets, share: float) -> float | None:
    """Give the value under which so many lie, guessed within a bucket; None when there is none."""
    bounds = sorted(buckets)
    sums = list(accumulate(buckets[bound] for bound in bounds))
    if not sums or not sums[-1]:
        return None
    wanted = share * sums[-1]
    place = next(i for i, total in enumerate(sums) if total >= wanted)
    low = bounds[place - 1] if place else 0.0
    if bounds[place] == float("inf"):
        return low
    inside = buckets[bounds[place]]
    return low + (bounds[place] - low) * (wanted - (sums[place] - inside)) / inside


def above(buckets: Buckets, bound: float) -> int:
    """Give how many lie above a bound."""
    return int(sum(count for upper, count in buckets.items() if upper > bound))
