"""The generated description of the API: whatever it allows is answered as it says."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from killer.web import routes
from killer.web.route import Route
from killer.web.sessions import COOKIE
from web.world import BOSS, World, empty_world, populate, settings_in

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
ENDLESS = {"/api/events"}
CALLS = [
    route
    for route in routes.ROUTES
    if route.rule.startswith(("/api/", "/health")) and route.rule not in ENDLESS
]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One game for all calls, whatever they make of it."""
    world = empty_world(settings_in(tmp_path_factory.mktemp("described")))
    populate(world)
    world.start()
    yield world
    world.site.database.close()


@pytest.fixture(scope="module")
def described(running: World) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_wsgi("/api/openapi.json", app=running.app)


def path_of(route: Route) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.rule)


SOUND = [(route, GenerationMode.POSITIVE) for route in CALLS]
BROKEN = [(route, GenerationMode.NEGATIVE) for route in CALLS if route.method == "POST"]


@pytest.mark.parametrize("who", ["", "Ana", BOSS])
@pytest.mark.parametrize(("route", "mode"), SOUND + BROKEN, ids=lambda it: getattr(it, "name", ""))
def test_every_call_is_answered_as_described(
    described: schemathesis.BaseSchema,
    running: World,
    route: Route,
    mode: GenerationMode,
    who: str,
) -> None:
    operation = described[path_of(route)][route.method]
    cookies = {COOKIE: running.cookie(who)} if who else {}

    @settings(
        max_examples=6,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def every(case: schemathesis.Case) -> None:
        plain = {"Accept-Encoding": "identity"}  # the tool unpacks nothing by itself
        case.call_and_validate(cookies=cookies, headers=plain, checks=CHECKS)

    every()


def test_every_route_of_the_api_is_described(running: World) -> None:
    paths = running.visitor().get("/api/openapi.json").json["paths"]
    for route in CALLS:
        operation = paths[path_of(route)][route.method.lower()]
        assert operation["summary"].endswith(".")
        assert str(route.status) in operation["responses"]
    assert set(paths) == {path_of(route) for route in CALLS} | ENDLESS
