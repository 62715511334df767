"""Traces: what stands in them, that no text does, and that a server without a collector serves on."""

from __future__ import annotations

import importlib.util
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from interlock.core.decision import Decision, Outcome, Reason
from interlock.serve.traces import Traces

THERE = importlib.util.find_spec("opentelemetry") is not None
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DECIDED = Decision(
    Outcome.ROUTED,
    "yes",
    Reason.AUTO,
    "yes",
    0.9,
    stage_ms={"normalise": 1.0, "encode": 2.0, "total": 7.0, "queue": 4.0},
)
PARENT = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
needs_otel = pytest.mark.skipif(not THERE, reason="the extra otel is not installed")


def test_without_a_collector_there_are_no_spans_and_no_library() -> None:
    traces = Traces.to(None, share=1.0)
    with traces.request({b"traceparent": PARENT}) as span:
        assert span is None
        traces.decided(DECIDED, request_id="a", at="never looked at", now=AT)
        traces.answered(span, {}, {}, request_id="a")
    traces.close()


@pytest.mark.skipif(THERE, reason="the extra otel is installed")
def test_a_server_that_cannot_trace_names_the_extra(start: Any) -> None:
    server = start(ready=False, INTERLOCK_TRACES="http://127.0.0.1:4318/v1/traces")

    assert server.process.wait(60) == 2
    assert "pip install 'interlock[otel]'" in server.stderr()


@needs_otel
def test_a_request_has_a_span_for_every_stage_within_the_callers_trace() -> None:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    provider, kept = TracerProvider(shutdown_on_exit=False), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    traces = Traces(provider)
    with traces.request({b"traceparent": PARENT}) as span:
        traces.decided(DECIDED, request_id="ada-1", at=AT.isoformat(), now=AT + timedelta(milliseconds=3))
        notes = {"outcome": "routed", "caller": "ada"}
        traces.answered(span, {"method": "POST", "route": "/v1/route", "status": 200}, notes, request_id="ada-1")
    with traces.request({b"traceparent": b"\xff nonsense"}):
        pass
    *stages, request, other = kept.get_finished_spans()
    lengths = {one.name: (one.end_time - one.start_time) / 1e6 for one in stages}

    assert lengths == {"queue": 4.0, "normalise": 1.0, "encode": 2.0, "record": 3.0}
    assert stages[0].start_time == int(AT.timestamp() * 1e9) - 7_000_000
    assert [one.end_time for one in stages[:3]] == [one.start_time for one in stages[1:]]
    assert all(one.parent.span_id == request.context.span_id for one in stages)
    assert request.name == "POST /v1/route"
    assert f"{request.context.trace_id:032x}" == PARENT.decode().split("-")[1]
    assert other.context.trace_id != request.context.trace_id
    assert {one.attributes["interlock.request_id"] for one in stages} == {"ada-1"}
    assert dict(request.attributes) == {
        "interlock.request_id": "ada-1",
        "http.request.method": "POST",
        "http.route": "/v1/route",
        "http.response.status_code": 200,
        "interlock.outcome": "routed",
    }


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """Take what a server sends."""
    taken: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/traces", taken
        server.shutdown()
        thread.join()


@needs_otel
def test_a_server_sends_spans_of_every_stage_with_the_request_id_and_without_text(
    start: Any, collector: tuple[str, list[bytes]]
) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    url, taken = collector
    server = start(INTERLOCK_TRACES=url)
    said = {"subject": "SECRET-who", "metadata": {"a": "secret-word"}, "conversation": ["SECRET-turn"]}
    server.route("yes SECRET-text", request_id="one-1", **said)
    server.route("SECRET-text in another", request_id="one-1")
    server.route("", request_id="one-2")
    server.ask("POST", "/v1/SECRET-path", {"text": "SECRET-more"})
    assert server.stop() == 0
    spans = [
        span
        for body in taken
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    by_id: dict[str, list[Any]] = {}
    for span in spans:
        about = {one.key: one.value.string_value for one in span.attributes}
        by_id.setdefault(about["interlock.request_id"], []).append(span)
    decided = {"queue", "normalise", "encode", "classify", "calibrate", "decide", "record", "POST /v1/route"}

    assert {span.name for span in by_id["one-1"]} == decided
    assert {span.name for span in by_id["one-2"]} == {"queue", "normalise", "record", "POST /v1/route"}
    assert len({span.trace_id for span in by_id["one-2"]}) == 1
    assert b"secret" not in b"".join(taken).lower()


@needs_otel
def test_a_collector_that_is_not_there_harms_nobody(start: Any) -> None:
    server = start(INTERLOCK_TRACES="http://127.0.0.1:9/v1/traces")

    assert json.loads(server.route("yes").body)["label"] == "yes"
    assert server.stop() == 0
