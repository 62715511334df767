"""Probabilities to a decision under the contract's policy. Pure; knows no model and no clock.

Every comparison is written so that NaN fails it: what is not known to be good enough goes to a fallback.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from interlock.core.contract import Bands, Contract, Threshold
from interlock.core.decision import Decision, Outcome, Reason
from interlock.predict.scorer import FloatArray

SUM_TOLERANCE = 1e-3  # how far from 1 a row of probabilities may sum before it is not one


@dataclass(frozen=True, slots=True)
class Intents:
    """What speaks for several intents in one message."""

    score: float  # probability of more than one
    threshold: float  # at or above it the message counts as asking for several things
    columns: tuple[int, ...]  # the intents it would be then, the surest first
    confidence: float  # how sure these are: their probabilities together, or that of the least sure clause

    @property
    def found(self) -> bool:
        """Whether the message counts as asking for several things."""
        return self.score >= self.threshold


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the models found about one message."""

    probabilities: FloatArray | None  # (k labels,), or None when the model gave nothing
    unknown_score: float | None = None
    unknown_threshold: float | None = None  # at or above it the message counts as unknown
    tokens: int | None = None
    truncated: bool = False
    several: Intents | None = None  # when there is a detector of several intents


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
    if evidence.several is not None and not math.isfinite(evidence.several.score + evidence.several.confidence):
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
    if evidence.several is not None and evidence.several.found:
        return _by_intents(say, evidence.several, contract, policy)
    if not confidence >= policy.guarded.confidence:
        return say(Outcome.ABSTAINED, contract.fallback.uncertain, Reason.LOW_CONFIDENCE)
    if not confidence >= policy.auto.confidence:
        return say(Outcome.GUARDED, None, Reason.GUARDED_CONFIDENCE)
    if not margin >= policy.auto.margin:
        return say(Outcome.GUARDED, None, Reason.GUARDED_MARGIN)
    return say(Outcome.ROUTED, None, Reason.AUTO)


def _by_intents(
    say: Callable[[Outcome, str | None, Reason], Decision], several: Intents, contract: Contract, policy: Bands
) -> Decision:
    """Send a message with several intents to a fallback that asks back, or to its intents' routes, marked for audit."""
    if policy.several.then == "clarify":
        return say(Outcome.ABSTAINED, contract.fallback.uncertain, Reason.SEVERAL)
    if not several.confidence >= policy.guarded.confidence:
        return say(Outcome.ABSTAINED, contract.fallback.uncertain, Reason.LOW_CONFIDENCE)
    names = _intents(several, contract)[: 2 if policy.several.then == "top2" else None]
    routes = tuple(dict.fromkeys(contract.labels[name].route for name in names))
    return replace(say(Outcome.GUARDED, routes[0], Reason.SEVERAL), routes=routes)


def _intents(several: Intents, contract: Contract) -> tuple[str, ...]:
    """Return the intents by name, critical ones first, as a miss of these matters most."""
    names = [contract.label_names[column] for column in several.columns]
    return tuple(sorted(names, key=lambda name: name not in contract.critical))


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
    names, several = contract.label_names, evidence.several
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
        several_score=several.score if several is not None else None,
        intents=_intents(several, contract) if several is not None and several.found else (),
        tokens=evidence.tokens,
        truncated=evidence.truncated,
    )
