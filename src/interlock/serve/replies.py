"""What the server answers, as typed models: for the description of the API. Knows no request."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from interlock.core.decision import Outcome, Reason
from interlock.serve.refusal import CODES
from interlock.serve.schema import Edge

Share = Annotated[float, Field(ge=0, le=1)]
Code = Annotated[str, Field(json_schema_extra={"enum": list(CODES)})]


class DecisionReply(Edge):
    """Where one message goes, as it stands on record under its ``request_id``."""

    request_id: str
    outcome: Outcome
    route: str
    reason: Reason
    label: str | None
    confidence: Share | None
    second_label: str | None
    second_confidence: Share | None
    margin: Share | None
    unknown_score: float | None
    several_score: Share | None
    intents: list[str]
    routes: list[str]
    tokens: int | None
    truncated: bool
    stage_ms: dict[str, float]
    bundle_digest: str | None
    error: Annotated[str | None, Field(description="Class of what the model raised.")]


class Place(Edge):
    """One field that was not what was expected."""

    field: str
    expected: str


class ErrorDetail(Edge):
    """Why a request was refused."""

    code: Code
    message: str
    request_id: str
    problems: list[Place] = Field(default_factory=list)


class ErrorReply(Edge):
    """The one shape of every error."""

    error: ErrorDetail


class InferErrorReply(ErrorDetail):
    """The same as the Open Inference Protocol wants it: ``error`` says everything in words."""

    error: str


class BatchReply(Edge):
    """A decision or an error for each message, in their order."""

    decisions: list[DecisionReply | ErrorReply]


class LiveReply(Edge):
    """The server's loop turns."""

    live: bool


class ReadyReply(Edge):
    """Whether decisions can be asked for, and which bundle makes them."""

    ready: bool
    workers: Annotated[int, Field(description="Workers that opened the bundle and repeated its golden messages.")]
    bundle_digest: str
    name: str
    signed: str
    development: Annotated[bool, Field(description="Nobody vouches for the bundle, which was allowed for development.")]


class ActivateReply(Edge):
    """The bundle that answers now."""

    bundle_digest: str
    name: str
    signed: str
