"""Spans of requests and of a decision's stages, for OpenTelemetry. Knows no text; what a log line says, a span may say.

Spans leave in batches from a thread of their own. When nobody takes them they are dropped, and no request waits.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from interlock.core.decision import Decision

MODULES = (  # each by itself, since a part can only be looked for in a whole that is there
    "opentelemetry",
    "opentelemetry.sdk",
    "opentelemetry.exporter",
    "opentelemetry.exporter.otlp",
    "opentelemetry.exporter.otlp.proto",
    "opentelemetry.exporter.otlp.proto.http",
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SEND_S = 2.0  # how long a batch may take to be taken, and the last ones at the end
REQUEST_ID = "interlock.request_id"
SAID = ("outcome", "reason", "bundle", "code", "messages", "refused")  # of what a log line says


class Traces:
    """Where spans go, if anywhere."""

    def __init__(self, provider: Any = None) -> None:
        """Give spans to an OpenTelemetry ``TracerProvider``; to nobody without one."""
        self._provider = provider
        self._tracer = None if provider is None else provider.get_tracer("interlock")

    @classmethod
    def to(cls, url: str | None, *, share: float) -> Traces:
        """Send spans to an OTLP collector over HTTP, of a share (0-1) of the requests that carry no trace yet."""
        if url is None:
            return cls()
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio

        about = Resource.create({"service.name": "interlock"})
        provider = TracerProvider(ParentBasedTraceIdRatio(share), about, shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(url, timeout=SEND_S)))
        return cls(provider)

    @contextmanager
    def request(self, headers: Mapping[bytes, bytes]) -> Iterator[Any]:
        """Be in the span of one request, within the caller's trace if it names one."""
        if self._tracer is None:
            yield None
            return
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        carried = {"traceparent": headers.get(b"traceparent", b"").decode("latin-1")}
        parent = TraceContextTextMapPropagator().extract(carried)
        with self._tracer.start_as_current_span(
            "request", parent, SpanKind.SERVER, record_exception=False, set_status_on_exception=False
        ) as span:
            yield span

    def answered(self, span: Any, about: Mapping[str, Any], notes: Mapping[str, Any], *, request_id: str) -> None:
        """Say what became of a request: its id, method, route and status, and some of the log's notes."""
        if span is None:
            return
        span.update_name(f"{about['method']} {about['route']}".strip())
        span.set_attribute(REQUEST_ID, request_id)
        span.set_attribute("http.request.method", about["method"])
        span.set_attribute("http.route", about["route"])
        span.set_attribute("http.response.status_code", about["status"])
        for name in SAID:
            if notes.get(name) is not None:
                span.set_attribute(f"interlock.{name}", notes[name])

    def decided(self, decision: Decision, *, request_id: str, at: str, now: datetime) -> None:
        """Add the stages of a decision, which ended ``at`` (ISO 8601), and what recording it took until ``now``.

        A worker says only how long each stage took; ``queue``, which is also the way back, stands first.
        """
        if self._tracer is None:
            return
        recorded = datetime.fromisoformat(at)
        named = {REQUEST_ID: request_id}  # of one message, where a request has several
        stages = {name: ms for name, ms in decision.stage_ms.items() if name not in {"queue", "total"}}
        moment = _ns(recorded) - int(1e6 * decision.stage_ms.get("total", 0.0))
        for name, ms in {"queue": decision.stage_ms.get("queue", 0.0), **stages}.items():
            span = self._tracer.start_span(name, attributes=named, start_time=moment)
            moment += int(1e6 * ms)
            span.end(moment)
        self._tracer.start_span("record", attributes=named, start_time=_ns(recorded)).end(_ns(now))

    def close(self) -> None:
        """Send what is left, if somebody takes it soon."""
        if self._provider is not None:
            sending = threading.Thread(target=self._provider.shutdown, daemon=True)
            sending.start()
            sending.join(SEND_S)


def _ns(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000
