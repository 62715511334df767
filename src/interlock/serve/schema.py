"""The JSON of requests as typed models: strict, no unknown keys. Knows no HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from interlock.core.event import MOST_METADATA, REQUEST_ID
from interlock.serve.caller import KEY
from interlock.serve.refusal import Refusal

MOST_TOGETHER = 1024  # messages of one request
MOST_TURNS = 64  # before a message
WORDS = {  # for what pydantic says in Python's words, or with what the caller sent
    "model_type": "a JSON object",
    "model_attributes_type": "a JSON object",
    "dict_type": "a JSON object",
    "list_type": "a JSON array",
    "missing": "a value: it must be there",
    "union_tag_invalid": "one of {expected_tags} as its type",
    "union_tag_not_found": "a type",
}
TOLD_KEYS = 8  # unknown keys of an object that are told one by one; finding thousands of problems takes seconds


class Edge(BaseModel):
    """What comes from outside: exact types, no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _few_keys(cls, value: Any) -> Any:
        return few(value, len(cls.model_fields))


def few(value: Any, most: int) -> Any:
    """Return ``value`` unless it is an object of many more than ``most`` keys, which are not looked at then.

    Raises:
        ValueError: it is one.
    """
    if isinstance(value, dict) and len(value) > most + TOLD_KEYS:
        raise ValueError(f"at most {most} keys")
    return value


RequestId = Annotated[str, Field(pattern=f"^{REQUEST_ID.pattern}$")]
MetadataName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
MetadataWord = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{0,31}$")]


class RouteRequest(Edge):
    """One message to decide."""

    text: str = Field(description="The message. Blank, too long and unreadable ones go to the failure fallback.")
    request_id: RequestId | None = Field(
        default=None, description="Names this request; the same id and text give the same stored decision."
    )
    conversation: Annotated[list[str], Field(max_length=MOST_TURNS)] = Field(
        default=[], description="The turns before it, the oldest first; the contract says how many are looked at."
    )
    subject: Annotated[str, Field(min_length=1, max_length=256)] | None = Field(
        default=None, description="Whose message it is; kept only as a keyed digest, for erasure."
    )
    metadata: Annotated[
        dict[MetadataName, MetadataWord],
        Field(max_length=MOST_METADATA),
        BeforeValidator(partial(few, most=MOST_METADATA)),
    ] = Field(
        default={},
        description="A few lower-case words that are kept with the decision.",
        json_schema_extra={"additionalProperties": False},
    )
    deadline_ms: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="How long the decision may take; shortens the server's own limit, never lengthens it."
    )


class BatchRequest(Edge):
    """Several messages; each is decided and recorded by itself, and what is no message has an error in its place."""

    messages: Annotated[
        list[Annotated[RouteRequest | Any, Field(union_mode="left_to_right")]],
        Field(min_length=1, max_length=MOST_TOGETHER),
    ]


class ActivateRequest(Edge):
    """Which bundle shall answer."""

    bundle: Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^[^\x00]+$")] | None = Field(
        default=None, description="A bundle directory on the server; the one that answers now, opened again, if absent."
    )


Model = TypeVar("Model", bound=Edge)


def read(model: type[Model], body: Any) -> Model:
    """Return ``body`` as ``model``.

    Raises:
        Refusal: naming every field that is not what was expected; what they hold is not repeated.
    """
    try:
        return model.model_validate(body)
    except ValidationError as error:
        found = error.errors(include_url=False)
        raise Refusal("invalid_request", problems=[_problem(one, body, _names(model)) for one in found]) from None


def _problem(error: Any, body: Any, names: frozenset[str]) -> dict[str, str]:
    kind, place = error["type"], error["loc"]
    if kind == "extra_forbidden":
        return {"field": _field(place[:-1], body, names), "expected": "no other keys"}
    said = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    expected = WORDS[kind].format(**error.get("ctx", {})) if kind in WORDS else said
    return {"field": _field(place, body, names), "expected": expected}


def _field(place: Sequence[str | int], body: Any, names: frozenset[str]) -> str:
    """Return where something is, with dots; a key that the caller made up is its number, as it may say anything."""
    found: list[str] = []
    for part in place:
        if isinstance(body, dict) and part in body:
            found.append(str(part if part in names else list(body).index(part)))
            body = body[part]
        elif isinstance(body, list) and isinstance(part, int) and part < len(body):
            found.append(str(part))
            body = body[part]
        elif part in names or part == KEY:  # else it is which of several forms was tried
            found.append(str(part))
    return ".".join(found)


@cache
def _names(model: type[Edge]) -> frozenset[str]:
    """Return the names of all fields that may stand anywhere in ``model``."""
    schema = model.model_json_schema()
    parts = (schema, *schema.get("$defs", {}).values())
    return frozenset(name for part in parts for name in part.get("properties", {}))
