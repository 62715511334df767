"""The ASGI application: find the operation, ask whether the caller may, do it, log it. Knows no operation."""

from __future__ import annotations

import os
from typing import Any

from interlock.core.clock import Clock
from interlock.serve.access import Access
from interlock.serve.log import Log
from interlock.serve.message import GoneError, Receive, Reply, Request, Scope, Send
from interlock.serve.metrics import Metrics
from interlock.serve.refusal import Refusal
from interlock.serve.routes import Table
from interlock.serve.traces import Traces

WORDED = "v2"  # the Open Inference Protocol's part of all paths, where an error is words


class App:
    """One server's application."""

    def __init__(
        self, table: Table, *, access: Access, metrics: Metrics, log: Log, traces: Traces, clock: Clock
    ) -> None:
        """Answer what stands in ``table``."""
        self._table, self._access, self._traces = table, access, traces
        self._metrics, self._log, self._clock = metrics, log, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        arrived = self._clock.monotonic()
        headers = dict(reversed(scope["headers"]))  # of a name given twice the first counts
        request = Request(scope, receive, new_id(), arrived, headers)
        with self._traces.request(headers) as span:
            await self._answer(request, send, span)

    async def _answer(self, request: Request, send: Send, span: Any) -> None:
        scope, headers, path = request.scope, request.headers, "none"
        try:
            route, request.parts = self._table.find(scope["method"], scope["path"])
            path = route.path
            request.notes["caller"] = self._access.check(route.roles, headers)
            reply = await route.handler(request)
        except Refusal as refusal:
            request.notes["code"] = refusal.code
            reply = _refused(refusal, request)
        except GoneError:
            return
        except Exception as error:  # noqa: BLE001 - a defect of ours; its words may hold the message
            request.notes["defect"] = defect(error)
            reply = _refused(Refusal("internal_error"), request)
        await reply.send(send, request_id=request.request_id)
        self._note(request, path, reply.status, span)

    def _note(self, request: Request, path: str, status: int, span: Any) -> None:
        took = self._clock.monotonic() - request.arrived
        self._metrics.requests(path, status).inc()
        self._metrics.latency(path).observe(took)
        notes = {name: value for name, value in request.notes.items() if value not in ("", None)}
        about = {"method": request.scope["method"] if path != "none" else "", "route": path, "status": status}
        self._log.say("request", request_id=request.request_id, **about, ms=round(1000 * took, 3), **notes)
        self._traces.answered(span, about, notes, request_id=request.request_id)


def _refused(refusal: Refusal, request: Request) -> Reply:
    """Reply in the shape of errors that is expected where a request went."""
    first = request.scope["path"].split("/")[1:2]
    body = refusal.to_words(request.request_id) if first == [WORDED] else refusal.to_json(request.request_id)
    return Reply.json(body, status=refusal.status, headers=refusal.headers)


def defect(error: BaseException) -> str:
    """Return what went wrong and where in our code, without the error's own words."""
    frames: list[str] = []
    trace = error.__traceback__
    while trace is not None:
        frames.append(f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}")
        trace = trace.tb_next
    return f"{type(error).__name__} in {' > '.join(frames[-4:])}"


def new_id() -> str:
    """Return a new request id."""
    return os.urandom(16).hex()
