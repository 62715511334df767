"""What the server says of itself to Prometheus. Knows no text and no names that callers choose."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from interlock.core.decision import Decision
from interlock.serve.router import Router

SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
KIND = CONTENT_TYPE_LATEST.encode()


class Metrics:
    """Counters, gauges and histograms of one server."""

    def __init__(self) -> None:
        """Count from nothing."""
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        own = self.registry
        requests = Counter("interlock_requests", "Requests by route and status", ["route", "status"], registry=own)
        latency = Histogram(
            "interlock_request_seconds",
            "From a request's headers to its reply",
            ["route"],
            buckets=SECONDS,
            registry=own,
        )
        decisions = Counter(
            "interlock_decisions", "Decisions by outcome and reason", ["outcome", "reason"], registry=own
        )
        stages = Histogram(
            "interlock_stage_seconds", "What a decision took, by stage", ["stage"], buckets=SECONDS, registry=own
        )
        # Finding a counter by its labels costs more than counting; there are few, so each is found once.
        self.requests, self.latency = cache(requests.labels), cache(latency.labels)
        self._decisions, self._stages = cache(decisions.labels), cache(stages.labels)
        self.truncated = Counter(
            "interlock_truncated", "Messages whose text was cut, and which were not decided", registry=own
        )
        self.errors = Counter("interlock_model_errors", "What models raised, by class", ["error"], registry=own)
        self.shed = Counter("interlock_shed", "Requests refused because too many were waiting", registry=own)
        self.repeated = Counter("interlock_repeated", "Requests whose decision was on record already", registry=own)
        self.cached = Counter("interlock_cache_hits", "Decisions that were made of the same text before", registry=own)
        self.unrecorded = Counter("interlock_unrecorded", "Decisions that could not be put on record", registry=own)
        self.replaced = Counter("interlock_workers_replaced", "Workers that were stuck and are replaced", registry=own)
        self.activations = Counter(
            "interlock_activations", "Bundles that took over, or were refused", ["result"], registry=own
        )
        self.bundle = Gauge(
            "interlock_bundle_info", "1 for the bundle that answers", ["digest", "name", "signed"], registry=own
        )

    def gauge(self, name: str, about: str, read: Callable[[], float]) -> None:
        """Show a number that is read when it is asked for."""
        Gauge(f"interlock_{name}", about, registry=self.registry).set_function(read)

    def decided(self, decision: Decision) -> None:
        """Count one decision."""
        self._decisions(decision.outcome, decision.reason).inc()
        for stage, ms in decision.stage_ms.items():
            self._stages(stage).observe(ms / 1000)
        if decision.truncated:
            self.truncated.inc()
        if decision.error is not None:
            self.errors.labels(decision.error).inc()

    def answers(self, router: Router) -> None:
        """Say which bundle answers."""
        self.bundle.clear()
        self.bundle.labels(router.digest, router.name, router.signed).set(1)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)
