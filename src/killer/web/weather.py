"""The server's weather for organisers: a verdict, every line with what to do, and small plots."""

from __future__ import annotations

import time
from dataclasses import dataclass

from flask import Response, request
from flask.typing import ResponseReturnValue

from killer.bulletin import Bulletin, age, bulletin
from killer.language import say
from killer.watch.machine import name
from killer.watch.register import LAST_HOUR, TWO_DAYS, Reading, Register
from killer.web import render, shapes
from killer.web.answers import json
from killer.web.curves import Curve, curves
from killer.web.site import site

JUST_NOW = 6.0  # seconds; a measurement comes every five


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything on the page; `span` is hour or days."""

    bulletin: Bulletin
    measured: str
    curves: tuple[Curve, ...]
    span: str


def page() -> ResponseReturnValue:
    """Show how the server is, and what to do."""
    span = "days" if request.args.get("span") == "days" else "hour"
    part = request.args.get("part") == "now"
    template = "organiser/_weather.html" if part else "organiser/weather.html"
    return render.page(template, desk=_desk(span))


def _register() -> Register:
    return Register(site().settings.data_dir)


def _desk(span: str) -> Desk:
    now, register = time.time(), _register()
    reading = register.read()
    points = register.points(TWO_DAYS if span == "days" else LAST_HOUR, now)
    when = measured(reading, now, shared=not site().hub.database.embedded)
    return Desk(bulletin(reading, now), when, curves(points, span, now), span)


def measured(reading: Reading | None, now: float, *, shared: bool) -> str:
    """Say when it was measured, and on which machine where several may share the database."""
    if reading is None:
        return ""
    seconds = _age(reading, now)
    said = say("weather.just_now")
    if seconds >= JUST_NOW:
        said = say("weather.measured", age=age(seconds))
    return say("weather.machine", measured=said, machine=name()) if shared else said


def _age(reading: Reading, now: float) -> float:
    return max(0.0, now - reading.seen.at)


def current() -> Response:
    """Give the server's weather, line by line, the worst first."""
    now, reading = time.time(), _register().read()
    said = bulletin(reading, now)
    figures = reading.lines if reading else ()
    params = {line.name: line.params for line in figures}
    lines = [
        shapes.WeatherLine(
            one.name, one.colour, one.title, one.figure, one.text, params.get(one.name, {})
        )
        for one in said.lines
    ]
    measured = _age(reading, now) if reading else None
    return json(shapes.Weather(said.colour, said.verdict, measured, lines))
