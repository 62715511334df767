"""The JSON of requests as typed models: strict, no unknown keys. Knows no HTTP."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from interlock.core.event import MOST_METADATA, REQUEST_ID
from interlock.serve.refusal import Refusal

MOST_TOGETHER = 1024  # messages of one request
MOST_TURNS = 64  # before a message
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
    """Several messages; each is decided and recorded by itself."""

    messages: Annotated[list[RouteRequest], Field(min_length=1, max_length=MOST_TOGETHER)]


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
        raise Refusal("invalid_request", problems=[_problem(one) for one in error.errors()]) from None


def _problem(error: Any) -> dict[str, str]:
    known = error["type"] != "extra_forbidden"
    place = [str(part) for part in error["loc"]] if known else [str(part) for part in error["loc"][:-1]]
    return {
        "field": ".".join(place)[:200],
        "expected": "no other keys" if not known else error["msg"].removeprefix("Value error, "),
    }
