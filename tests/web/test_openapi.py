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

from killer.web import routes, screen
from killer.web.route import Route
from killer.web.sessions import COOKIE
from web.world import BOSS, World, empty_world, populate, settings_in, submit

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


def test_a_304_is_promised_where_there_is_one_and_only_there(world: World) -> None:
    desk = "/organiser/screen"
    submit(world.phone(BOSS), desk, desk, held="")
    mine = next(row for row in world.site.hub.rows() if row.id == world.number)
    token = screen.token(world.site, mine)
    edition = world.visitor().get(f"/api/screen/{token}").json["edition"]
    paths = world.visitor().get("/api/openapi.json").json["paths"]
    for path, operations in paths.items():
        client, url = world.phone(BOSS), path.format(token=token, edition=edition, number=1)
        if "get" in operations and path not in ENDLESS:
            etag = client.get(url).headers.get("ETag", "none")
            status = client.get(url, headers={"If-None-Match": etag}).status_code
            assert (status == 304) is ("304" in operations["get"]["responses"]), path
    assert "304" not in paths["/api/events"]["get"]["responses"]


def test_every_route_of_the_api_is_described(running: World) -> None:
    paths = running.visitor().get("/api/openapi.json").json["paths"]
    for route in CALLS:
        operation = paths[path_of(route)][route.method.lower()]
        assert operation["summary"].endswith(".")
        assert str(route.status) in operation["responses"]
    assert set(paths) == {path_of(route) for route in CALLS} | ENDLESS
