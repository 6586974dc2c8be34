"""OpenAPI, generated from the table of URLs and the types of its answers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from killer.web import shapes
from killer.web.route import Route, Who

PROBLEMS = {
    400: "The request can't be read.",
    401: "Nobody is signed in, or the password or link is wrong.",
    403: "Only organisers may, or another site asked.",
    404: "There is no such thing in this game.",
    409: "The rules refuse it now.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "What was given can't be used.",
    429: "Too often; wait for Retry-After seconds.",
    500: "A mistake of ours.",
    501: "No streams under sync workers: poll instead.",
    503: "The database can't answer; nothing was changed.",
}
SHAPE = "#/components/schemas/{name}"


def document(routes: Iterable[Route], version: str) -> dict[str, Any]:
    """Write the description of every URL under /api and of /health."""
    listed = [r for r in routes if r.rule.startswith("/api/") or r.rule.startswith("/health")]
    shown = {t for r in listed for t in (r.takes, r.gives) if t not in {None, str}} | {
        shapes.Problem
    }
    _, schemas = msgspec.json.schema_components(
        sorted(shown, key=lambda t: t.__name__), ref_template=SHAPE
    )
    paths: dict[str, Any] = {}
    for route in listed:
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.rule)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route)
    cookie = {"type": "apiKey", "in": "cookie", "name": "killer"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Killer", "version": version},
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": {"session": cookie}},
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.view.__name__,
        "summary": route.summary,
        "parameters": _parameters(route),
        "responses": _responses(route),
    }
    if route.takes:
        content = {"application/json": {"schema": _ref(route.takes)}}
        operation["requestBody"] = {"content": content}
    if route.who in {Who.PLAYER, Who.ORGANISER}:
        operation["security"] = [{"session": []}]
    return operation


def _ref(shape: type) -> dict[str, str]:
    return {"$ref": SHAPE.format(name=shape.__name__)}


def _parameters(route: Route) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": _path_schema(kind, name)}
        for kind, name in re.findall(r"<(?:(\w+):)?(\w+)>", route.rule)
    ]
    if route.method != "GET":
        schema = {"type": "string", "maxLength": 200}
        found.append({"name": "Idempotency-Key", "in": "header", "schema": schema})
    return found


def _path_schema(kind: str, name: str) -> dict[str, Any]:
    if kind == "number":
        return {"type": "integer", "minimum": 0, "maximum": 999_999_999}
    if name == "verb":
        return {"type": "string", "enum": ["start", "pause", "resume", "end", "reshuffle"]}
    return {"type": "string", "minLength": 1}


def _responses(route: Route) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "Done."}
    if route.gives is str:
        media = "text/event-stream" if "events" in route.rule else "text/plain"
        good["content"] = {media: {"schema": {"type": "string"}}}
    elif route.gives:
        good["content"] = {"application/json": {"schema": _ref(route.gives)}}
    problem = {"application/problem+json": {"schema": _ref(shapes.Problem)}}
    answers = {str(route.status): good}
    if route.etag:
        answers["304"] = {"description": "The reader has it already."}
    if "<edition>" in route.rule:
        answers["303"] = {"description": "There is another edition now: at Location."}
    for status, says in PROBLEMS.items():
        answers[str(status)] = {"description": says, "content": problem}
    return answers
