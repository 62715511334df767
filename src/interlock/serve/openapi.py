"""The description of the API, made from the table of operations and the models they check with. Knows no service."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from interlock.serve.access import ANYONE
from interlock.serve.app import WORDED
from interlock.serve.refusal import CODES, RETRY_AFTER_S
from interlock.serve.replies import ErrorReply, InferErrorReply
from interlock.serve.routes import Route

ALWAYS = ("invalid_http", "too_slow", "wrong_host", "headers_too_large", "internal_error", "overloaded")
WITH_KEY = ("unauthenticated", "forbidden")
WITH_BODY = ("invalid_json", "invalid_request", "too_large", "unsupported_media_type")
REF = "#/components/schemas/{model}"
JSON = "application/json"


def describe(routes: Iterable[Route]) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of ``routes``."""
    listed = list(routes)
    models: list[type[BaseModel]] = [ErrorReply, InferErrorReply]
    models += [model for route in listed for model in (route.takes, route.gives) if model is not None]
    _, definitions = models_json_schema([(model, "validation") for model in models], ref_template=REF)
    paths: dict[str, dict[str, Any]] = {}
    for route in listed:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Interlock",
            "version": version("interlock"),
            "description": "Routes messages; what it is not sure of, or cannot decide, goes to a person.",
        },
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def codes_of(route: Route) -> list[str]:
    """Return every code that an operation may refuse with."""
    found = [*ALWAYS, *route.refuses]
    found += WITH_KEY if route.roles is not ANYONE else ()
    found += WITH_BODY if route.takes is not None else ()
    return sorted(set(found), key=list(CODES).index)


def _operation(route: Route) -> dict[str, Any]:
    about = (route.handler.__doc__ or "").strip()
    operation: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{route.method.lower()}{route.path}").strip("_"),
        "summary": about.split("\n")[0].rstrip("."),
        "responses": {"200": _answered(route.gives), **_refused(route)},
        "security": [] if route.roles is ANYONE else [{"bearer": []}, {"key": []}],
    }
    parts = re.findall(r"\{(\w+)\}", route.path)
    if parts:
        text = {"type": "string"}
        operation["parameters"] = [{"name": one, "in": "path", "required": True, "schema": text} for one in parts]
    if route.takes is not None:
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": _named(route.takes)}}}
    return operation


def _answered(gives: type[BaseModel] | None) -> dict[str, Any]:
    headers = {"X-Request-Id": {"schema": {"type": "string"}}}
    if gives is None:
        return {"description": "Done", "headers": headers}
    return {"description": "Done", "headers": headers, "content": {JSON: {"schema": _named(gives)}}}


def _refused(route: Route) -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    for code in codes_of(route):
        by_status.setdefault(CODES[code][0], []).append(code)
    worded = route.path.split("/")[1] == WORDED
    return {str(status): _refusal(status, codes, worded=worded) for status, codes in sorted(by_status.items())}


def _refusal(status: int, codes: list[str], *, worded: bool) -> dict[str, Any]:
    said = "; ".join(f"`{code}`: {CODES[code][1]}" for code in codes)
    schema: dict[str, Any] = _named(ErrorReply)
    if worded:  # unless it was refused before anybody knew where it went
        schema = {"anyOf": [_named(InferErrorReply), schema]}
    found: dict[str, Any] = {"description": said, "content": {JSON: {"schema": schema}}}
    if status == 503:  # noqa: PLR2004 - HTTP's
        found["headers"] = {"Retry-After": {"schema": {"type": "integer", "example": RETRY_AFTER_S}}}
    return found


def _named(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": REF.format(model=model.__name__)}
