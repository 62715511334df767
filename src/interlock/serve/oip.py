"""The Open Inference Protocol, version 2, over the same decisions (kserve.github.io/open-inference-protocol).

One input, ``text``, of n messages; outputs of the same length. Knows no bundle and no server.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Annotated, Any, Literal

from pydantic import Field

from interlock.answer import Message
from interlock.core.event import Event
from interlock.serve.access import ANYONE, CLIENTS
from interlock.serve.app import new_id
from interlock.serve.message import Reply, Request
from interlock.serve.refusal import Refusal
from interlock.serve.router import Router
from interlock.serve.routes import Route
from interlock.serve.schema import MOST_TOGETHER, Edge, RequestId, read
from interlock.serve.service import Service

LONGEST_ID = 120  # characters of a request's id that a message's number fits behind
OUTPUTS = {  # name -> datatype
    "route": "BYTES",
    "outcome": "BYTES",
    "reason": "BYTES",
    "label": "BYTES",
    "confidence": "FP64",
    "decision": "BYTES",
}


class Input(Edge):
    """The messages."""

    name: Literal["text"]
    shape: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1, max_length=2)]
    datatype: Literal["BYTES"]
    parameters: dict[str, Any] = Field(default_factory=dict)
    data: Annotated[
        list[str | Annotated[list[str], Field(max_length=MOST_TOGETHER)]],
        Field(min_length=1, max_length=MOST_TOGETHER, description="Flat or nested as the shape says, row by row."),
    ]


class Wanted(Edge):
    """One output that is asked for."""

    name: Literal["route", "outcome", "reason", "label", "confidence", "decision"]
    parameters: dict[str, Any] = Field(default_factory=dict)


class InferRequest(Edge):
    """An inference request."""

    id: RequestId | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    inputs: Annotated[list[Input], Field(min_length=1, max_length=1)]
    outputs: Annotated[list[Wanted], Field(max_length=len(OUTPUTS))] = Field(default_factory=list)


class Output(Edge):
    """One output, a value for each message."""

    name: str
    shape: list[int]
    datatype: str
    data: list[str | float]


class InferReply(Edge):
    """An inference reply. ``model_version`` is the digest of the bundle that answers."""

    model_name: str
    model_version: str
    id: str
    outputs: list[Output]


@dataclass(eq=False)
class Oip:
    """The protocol's operations on a service."""

    service: Service
    message: Callable[[str, str], Message]  # (text, request id) to what the walk takes, its time beginning now

    def routes(self) -> list[Route]:
        """Return the operations with their policies."""
        found = [
            Route("GET", "/v2", self.server, CLIENTS),
            Route("GET", "/v2/health/live", self.live, ANYONE),
            Route("GET", "/v2/health/ready", self.ready, ANYONE, refuses=("not_ready",)),
        ]
        for model in ("/v2/models/{model}", "/v2/models/{model}/versions/{version}"):
            found += [
                Route("GET", model, self.model, CLIENTS, refuses=("not_found", "starting")),
                Route(
                    "GET", f"{model}/ready", self.model_ready, CLIENTS, refuses=("not_found", "starting", "not_ready")
                ),
                Route(
                    "POST",
                    f"{model}/infer",
                    self.infer,
                    CLIENTS,
                    takes=InferRequest,
                    gives=InferReply,
                    refuses=("not_found", "starting", "overloaded", "not_recorded", "request_id_conflict"),
                ),
            ]
        return found

    async def server(self, _: Request) -> Reply:
        """Name the server."""
        return Reply.json({"name": "interlock", "version": version("interlock"), "extensions": []})

    async def live(self, _: Request) -> Reply:
        """Say that the server lives."""
        return Reply.json({"live": True})

    async def ready(self, _: Request) -> Reply:
        """Say whether it can infer."""
        if not self.service.ready:
            raise Refusal("not_ready")
        return Reply.json({"ready": True})

    async def model(self, request: Request) -> Reply:
        """Describe the model: its version is the digest of the bundle that answers."""
        router = self._asked(request)
        name, digest = router.name, router.digest
        outputs = [{"name": name, "datatype": kind, "shape": [-1]} for name, kind in OUTPUTS.items()]
        inputs = [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
        about = {"name": name, "versions": [digest], "platform": "interlock", "inputs": inputs, "outputs": outputs}
        return Reply.json(about)

    async def model_ready(self, request: Request) -> Reply:
        """Say whether the model can infer."""
        router = self._asked(request)
        if not self.service.ready:
            raise Refusal("not_ready")
        return Reply.json({"name": router.name, "ready": True})

    async def infer(self, request: Request) -> Reply:
        """Decide every message of the input, all by the bundle that was asked for."""
        router = self._asked(request)
        asked = read(InferRequest, await request.json(limit=self.service.settings.max_batch_bytes))
        given = asked.inputs[0]
        texts = _texts(given)
        request.request_id = asked.id or new_id()
        events = await self._decided(request.request_id, texts, request.notes, router=router)
        decisions = [json.loads(event.decision) for event in events]
        wanted: list[str] = [one.name for one in asked.outputs] or list(OUTPUTS)
        outputs = [_output(name, decisions, events, given.shape) for name in wanted]
        answered = {"model_name": router.name, "model_version": decisions[0]["bundle_digest"], "id": request.request_id}
        return Reply.json({**answered, "outputs": outputs})

    async def _decided(
        self, request_id: str, texts: Sequence[str], notes: dict[str, Any], *, router: Router
    ) -> list[Event]:
        """Decide under the request's id, or under one for each of several messages."""
        if len(texts) == 1:
            return [await self.service.decide(self.message(texts[0], request_id), notes, router=router)]
        if len(request_id) > LONGEST_ID:  # a number would make it too long, and two that were cut could be the same
            request_id = hashlib.sha256(request_id.encode()).hexdigest()
        ids = [f"{request_id}:{number}" for number in range(len(texts))]
        found = await self.service.decide_all(
            ids,
            [lambda text=text, one=one: self.message(text, one) for text, one in zip(texts, ids, strict=True)],  # type: ignore[misc]
            router=router,
        )
        for one in found:
            if isinstance(one, Refusal):
                raise one
        return [one for one in found if isinstance(one, Event)]

    def _asked(self, request: Request) -> Router:
        """Return the bundle that is asked for, if it is the one that answers."""
        router = self.service.router()
        if request.parts["model"] != router.name or request.parts.get("version", router.digest) != router.digest:
            raise Refusal("not_found")
        return router


def _texts(given: Input) -> list[str]:
    """Return the messages of an input, row by row.

    Raises:
        Refusal: they are not of its shape, or too many.
    """
    flat = [one for one in given.data if isinstance(one, str)]
    rows = [one for one in given.data if not isinstance(one, str)]
    found = flat or [one for row in rows for one in row]
    nested = not flat and {len(row) for row in rows} <= set(given.shape[1:])
    if (rows and not nested) or math.prod(given.shape) != len(found):
        place = {"field": "inputs.0.shape", "expected": "the shape of data, which is flat, or nested as the shape says"}
        raise Refusal("invalid_request", problems=[place])
    if not 0 < len(found) <= MOST_TOGETHER:
        raise Refusal(
            "invalid_request", problems=[{"field": "inputs.0.data", "expected": f"1 to {MOST_TOGETHER} messages"}]
        )
    return found


def _output(name: str, decisions: list[dict[str, Any]], events: list[Event], shape: list[int]) -> dict[str, Any]:
    """Return one output; what a decision lacks is an empty text, or the confidence 0."""
    if name == "decision":
        data: list[Any] = [event.decision for event in events]
    elif name == "confidence":
        data = [decision[name] or 0.0 for decision in decisions]
    else:
        data = [decision[name] or "" for decision in decisions]
    return {"name": name, "shape": shape, "datatype": OUTPUTS[name], "data": data}
