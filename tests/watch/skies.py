"""Observations for the tests of the weather: all is well, but for what a test says."""

from __future__ import annotations

from typing import Any

import msgspec

from killer.watch.register import Reading
from killer.watch.weather import Line, Observation, Pulse, Sheet, colours, judge

WELL = Pulse(playing=True, faults=0, alone=0.0)
FINE = Observation(at=1000.0, answers=500, p95=0.05, phones=40, phones_before=40, backup=300.0)


def seen(**what: Any) -> Observation:
    """Give what is seen on a good day, with something else."""
    pulse = {f: what.pop(f) for f in Pulse.__struct_fields__ if f in what}
    whole = msgspec.structs.replace(FINE, pulse=msgspec.structs.replace(WELL, **pulse))
    return msgspec.structs.replace(whole, **what)


def judged(observation: Observation, before: Observation | None = None) -> dict[str, Line]:
    held = colours(judge(before, {})) if before else {}
    return {line.name: line for line in judge(observation, held)}


def reading(**what: Any) -> Reading:
    observation = seen(**what)
    return Reading(observation, judge(observation, {}), version="1.2.3")


LEVEL = Sheet(read=5.0)
