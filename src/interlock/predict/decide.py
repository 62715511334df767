"""Probabilities to a decision under the contract's policy. Pure; knows no model and no clock.

Every comparison is written so that NaN fails it: what is not known to be good enough goes to a fallback.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from interlock.core.contract import Bands, Contract, Threshold
from interlock.core.decision import Decision, Outcome, Reason
from interlock.predict.scorer import FloatArray

SUM_TOLERANCE = 1e-3  # how far from 1 a row of probabilities may sum before it is not one


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the models found about one message."""

    probabilities: FloatArray | None  # (k labels,), or None when the model gave nothing
    unknown_score: float | None = None
    unknown_threshold: float | None = None  # at or above it the message counts as unknown
    tokens: int | None = None
    truncated: bool = False


def decide(evidence: Evidence, contract: Contract) -> Decision:
    """Return where a message goes."""
    if evidence.truncated:  # what was cut off could have changed the answer
        return fail(Reason.TOO_LONG, contract, evidence)
    if evidence.probabilities is None:
        return fail(Reason.MODEL_UNAVAILABLE, contract, evidence)
    if not _trustworthy(evidence, contract):
        return fail(Reason.INVALID_SCORE, contract, evidence)
    if isinstance(contract.decide, Threshold):
        return _by_threshold(evidence.probabilities, contract, contract.decide, evidence)
    return _by_bands(evidence.probabilities, contract, contract.decide, evidence)


def fail(reason: Reason, contract: Contract, evidence: Evidence | None = None) -> Decision:
    """Return the failure fallback for ``reason``."""
    input_side = reason in {Reason.EMPTY_TEXT, Reason.TOO_LONG, Reason.UNDECODABLE}
    return Decision(
        outcome=Outcome.BLOCKED if input_side else Outcome.UNAVAILABLE,
        route=contract.fallback.failure,
        reason=reason,
        tokens=evidence.tokens if evidence else None,
        truncated=evidence.truncated if evidence else False,
    )


def _trustworthy(evidence: Evidence, contract: Contract) -> bool:
    p = evidence.probabilities
    if p is None or p.shape != (len(contract.labels),) or not np.issubdtype(p.dtype, np.floating):
        return False
    if not (bool(np.all(p >= 0)) and bool(np.all(p <= 1)) and abs(float(p.sum()) - 1) <= SUM_TOLERANCE):
        return False
    gated = evidence.unknown_threshold is not None
    return not gated or (evidence.unknown_score is not None and math.isfinite(evidence.unknown_score))


def _by_threshold(p: FloatArray, contract: Contract, policy: Threshold, evidence: Evidence) -> Decision:
    positive = contract.index[policy.positive]
    chosen = 1 - positive if float(p[positive]) < policy.threshold else positive
    reason = Reason.THRESHOLD if chosen == positive else Reason.BELOW_THRESHOLD
    return _decision(Outcome.ROUTED, None, reason, p, (chosen, 1 - chosen), contract, evidence)


def _by_bands(p: FloatArray, contract: Contract, policy: Bands, evidence: Evidence) -> Decision:
    order = np.argsort(-p, kind="stable")
    first, second = int(order[0]), int(order[1])
    confidence, margin = float(p[first]), float(p[first] - p[second])
    say: Callable[[Outcome, str | None, Reason], Decision] = lambda outcome, route, reason: _decision(  # noqa: E731 - five uses below
        outcome, route, reason, p, (first, second), contract, evidence
    )
    if evidence.unknown_threshold is not None and not _is_known(evidence):
        return say(Outcome.ABSTAINED, contract.fallback.uncertain, Reason.UNKNOWN)
    if not confidence >= policy.guarded.confidence:
        return say(Outcome.ABSTAINED, contract.fallback.uncertain, Reason.LOW_CONFIDENCE)
    if not confidence >= policy.auto.confidence:
        return say(Outcome.GUARDED, None, Reason.GUARDED_CONFIDENCE)
    if not margin >= policy.auto.margin:
        return say(Outcome.GUARDED, None, Reason.GUARDED_MARGIN)
    return say(Outcome.ROUTED, None, Reason.AUTO)


def _is_known(evidence: Evidence) -> bool:
    score, threshold = evidence.unknown_score, evidence.unknown_threshold
    return score is not None and threshold is not None and score < threshold


def _decision(
    outcome: Outcome,
    route: str | None,
    reason: Reason,
    p: FloatArray,
    pair: tuple[int, int],
    contract: Contract,
    evidence: Evidence,
) -> Decision:
    first, second = pair
    names = contract.label_names
    return Decision(
        outcome=outcome,
        route=route if route is not None else contract.labels[names[first]].route,
        reason=reason,
        label=names[first],
        confidence=float(p[first]),
        second_label=names[second],
        second_confidence=float(p[second]),
        margin=float(p[first] - p[second]),
        unknown_score=evidence.unknown_score,
        tokens=evidence.tokens,
        truncated=evidence.truncated,
    )
