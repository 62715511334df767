"""What a router answers, and every reason it can give. Knows nothing of how the answer was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self


class Outcome(StrEnum):
    """What becomes of a message."""

    ROUTED = "routed"  # sent to its label's route
    GUARDED = "guarded"  # sent to its label's route, marked for audit
    ABSTAINED = "abstained"  # not sure: the uncertain fallback
    BLOCKED = "blocked"  # the input policy refuses the text: the failure fallback
    UNAVAILABLE = "unavailable"  # the scores cannot be trusted: the failure fallback


class Reason(StrEnum):
    """Why. One code per way a decision can end; ``docs/reference.md`` explains each."""

    AUTO = "auto"  # confidence and margin in the automatic band
    GUARDED_CONFIDENCE = "guarded_confidence"  # confidence between the guarded and the automatic bound
    GUARDED_MARGIN = "guarded_margin"  # confident, but the second label is close
    DISGUISED = "disguised"  # the text shows people something else than it says
    UNKNOWN_WORDS = "unknown_words"  # with its unknown words corrected or left out it would be decided otherwise
    AMBIGUOUS = "ambiguous"  # the two leading labels are too close to tell
    LOW_CONFIDENCE = "low_confidence"  # below the guarded bound
    SEVERAL = "several"  # asks for several things; the contract says what becomes of it
    UNKNOWN = "unknown"  # unlike anything the router was trained on
    THRESHOLD = "threshold"  # the positive label's score reached its threshold
    BELOW_THRESHOLD = "below_threshold"  # it did not
    EMPTY_TEXT = "empty_text"  # nothing visible in the text
    TOO_LONG = "too_long"  # more characters or tokens than the input policy allows
    UNDECODABLE = "undecodable"  # not text: lone surrogates or NUL
    DEADLINE_PASSED = "deadline_passed"  # no decision in the time the caller gave
    MODEL_UNAVAILABLE = "model_unavailable"  # the model failed or gave nothing
    INVALID_SCORE = "invalid_score"  # NaN, infinite, wrong shape, or not a probability


@dataclass(frozen=True, slots=True)
class Decision:
    """Where one message goes.

    ``confidence`` and ``second_confidence`` are calibrated probabilities in 0-1, ``margin`` their difference,
    ``unknown_score`` grows with strangeness (its threshold is in the bundle's policy). What could not be computed is
    ``None``.
    """

    outcome: Outcome
    route: str
    reason: Reason
    label: str | None = None
    confidence: float | None = None
    second_label: str | None = None
    second_confidence: float | None = None
    margin: float | None = None
    unknown_score: float | None = None
    several_score: float | None = None  # probability that the message asks for several things
    intents: tuple[str, ...] = ()  # every intent found, when the several-intent detector found more than one
    routes: tuple[str, ...] = ()  # where the intents go, each route once; ``route`` is the first of them
    tokens: int | None = None  # pieces of the text, special ones included, before any cut
    truncated: bool = False  # the scores rest on a cut text
    stage_ms: dict[str, float] = field(default_factory=dict)  # stage -> milliseconds
    bundle_digest: str | None = None
    error: str | None = None  # class of what the model raised, never what it said: that could hold the message

    def to_json(self) -> dict[str, Any]:
        """Return the decision under the field names above."""
        return {
            "outcome": self.outcome.value,
            "route": self.route,
            "reason": self.reason.value,
            "label": self.label,
            "confidence": self.confidence,
            "second_label": self.second_label,
            "second_confidence": self.second_confidence,
            "margin": self.margin,
            "unknown_score": self.unknown_score,
            "several_score": self.several_score,
            "intents": list(self.intents),
            "routes": list(self.routes),
            "tokens": self.tokens,
            "truncated": self.truncated,
            "stage_ms": {stage: round(ms, 4) for stage, ms in self.stage_ms.items()},
            "bundle_digest": self.bundle_digest,
            "error": self.error,
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Read what ``to_json`` gave.

        Raises:
            TypeError, ValueError: it is something else.
        """
        return cls(
            **{
                **body,
                "outcome": Outcome(body["outcome"]),
                "reason": Reason(body["reason"]),
                "intents": tuple(body["intents"]),
                "routes": tuple(body.get("routes", ())),
            }
        )
