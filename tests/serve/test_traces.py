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
        traces.decided(DECIDED, at="never looked at", now=AT)
        traces.answered(span, {}, {})
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
        traces.decided(DECIDED, at=AT.isoformat(), now=AT + timedelta(milliseconds=3))
        notes = {"outcome": "routed", "caller": "ada", "request_id": "ada-1"}
        traces.answered(span, {"method": "POST", "route": "/v1/route", "status": 200}, notes)
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
    assert dict(request.attributes) == {
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
def test_a_server_sends_spans_without_text(start: Any, collector: tuple[str, list[bytes]]) -> None:
    url, taken = collector
    server = start(INTERLOCK_TRACES=url)
    server.route("yes SECRET-text", request_id="SECRET-id", subject="SECRET-who", metadata={"a": "secret-word"})
    server.ask("POST", "/v1/SECRET-path", {"text": "SECRET-more"})
    assert server.stop() == 0
    sent = b"".join(taken)

    for name in (b"POST /v1/route", b"queue", b"classify", b"record", b"interlock.outcome", b"interlock.bundle"):
        assert name in sent
    assert b"secret" not in sent.lower()


@needs_otel
def test_a_collector_that_is_not_there_harms_nobody(start: Any) -> None:
    server = start(INTERLOCK_TRACES="http://127.0.0.1:9/v1/traces")

    assert json.loads(server.route("yes").body)["label"] == "yes"
    assert server.stop() == 0
