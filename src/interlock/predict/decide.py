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
    disguised: bool = False  # the text shows people something else than it says
    doubted: bool = False  # without its unknown words the message would be decided otherwise
    several: Intents | None = None  # when there is a detector of several intents
    error: str | None = None  # class of what the model raised, when it did
    bundle_digest: str | None = None  # what found all this

    @property
    def known(self) -> bool:
        """Whether the message is of a known kind, as far as a gate can tell."""
        if self.unknown_threshold is None:
            return True
        return self.unknown_score is not None and self.unknown_score < self.unknown_threshold


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
        error=evidence.error if evidence else None,
        bundle_digest=evidence.bundle_digest if evidence else None,
    )


def _trustworthy(evidence: Evidence, contract: Contract) -> bool:
    p = evidence.probabilities
    if p is None or p.shape != (len(contract.labels),) or p.dtype.kind != "f":
        return False
    if not (p.size and p.min() >= 0 and p.max() <= 1 and abs(float(p.sum()) - 1) <= SUM_TOLERANCE):
        return False
    if evidence.several is not None and not math.isfinite(evidence.several.score + evidence.several.confidence):
        return False
    gated = evidence.unknown_threshold is not None
    return not gated or (evidence.unknown_score is not None and math.isfinite(evidence.unknown_score))


def _by_threshold(p: FloatArray, contract: Contract, policy: Threshold, evidence: Evidence) -> Decision:
    positive = contract.index[policy.positive]
    if evidence.disguised or evidence.doubted:  # whatever it scores, it is treated as what must not be missed
        reason = Reason.DISGUISED if evidence.disguised else Reason.UNKNOWN_WORDS
        return _decision(Outcome.ROUTED, None, reason, _pair(p, positive), contract, evidence)
    chosen = 1 - positive if float(p[positive]) < policy.threshold else positive
    reason = Reason.THRESHOLD if chosen == positive else Reason.BELOW_THRESHOLD
    return _decision(Outcome.ROUTED, None, reason, _pair(p, chosen), contract, evidence)


def _pair(p: FloatArray, first: int) -> Standing:
    """Return ``first`` before the other of two labels."""
    return Standing(first, 1 - first, float(p[first]), float(p[1 - first]))


@dataclass(frozen=True, slots=True)
class Standing:
    """The leading label and the one behind it, and how probable each is: as labels, or as their routes."""

    first: int
    second: int
    confidence: float
    second_confidence: float

    @property
    def margin(self) -> float:
        """How far the second is behind."""
        return self.confidence - self.second_confidence


def standing(p: FloatArray, contract: Contract) -> Standing:
    """Return who leads by (k labels,) probabilities.

    Under ``decide.level: route`` the probabilities of labels that share a route are added up; the leading label is the
    most probable of the leading route, the second one the most probable of the route behind it. Where all labels share
    a route, there is none behind it and the second label's confidence is 0.
    """
    first, second = _leading(p)
    if not isinstance(contract.decide, Bands) or contract.decide.level == "label":
        return Standing(first, second, float(p[first]), float(p[second]))
    order = np.argsort(-p, kind="stable")
    sums: dict[str, float] = {}
    best: dict[str, int] = {}
    for column in order:  # the most probable label of each route comes first
        route = contract.labels[contract.label_names[column]].route
        sums[route] = sums.get(route, 0.0) + float(p[column])
        best.setdefault(route, int(column))
    leading = sorted(sums, key=lambda route: -sums[route])
    ahead, behind = leading[0], leading[1] if len(leading) > 1 else None
    first = best[ahead]
    if behind is None:
        return Standing(first, second, min(sums[ahead], 1.0), 0.0)
    return Standing(first, best[behind], min(sums[ahead], 1.0), sums[behind])


def _by_bands(p: FloatArray, contract: Contract, policy: Bands, evidence: Evidence) -> Decision:
    found = standing(p, contract)
    say: Callable[[Outcome, str | None, Reason], Decision] = lambda outcome, route, reason: _decision(  # noqa: E731 - many uses below
        outcome, route, reason, found, contract, evidence
    )
    if not evidence.known:
        return say(Outcome.ABSTAINED, contract.fallback.uncertain, Reason.UNKNOWN)
    if evidence.several is not None and evidence.several.found:
        return _by_intents(say, evidence.several, contract, policy)
    outcome, reason = _band(found, contract.label_names[found.first], policy)
    if (evidence.disguised or evidence.doubted) and outcome is Outcome.ROUTED:
        outcome, reason = Outcome.GUARDED, Reason.DISGUISED if evidence.disguised else Reason.UNKNOWN_WORDS
    return say(outcome, contract.fallback.uncertain if outcome is Outcome.ABSTAINED else None, reason)


def _band(found: Standing, label: str, policy: Bands) -> tuple[Outcome, Reason]:
    close = policy.ambiguous is not None and not found.margin >= policy.ambiguous.margin
    if not found.confidence >= policy.guarded.confidence:
        return Outcome.ABSTAINED, Reason.AMBIGUOUS if close else Reason.LOW_CONFIDENCE
    if close:
        return Outcome.GUARDED, Reason.AMBIGUOUS
    if not found.confidence >= policy.auto.at(label):
        return Outcome.GUARDED, Reason.GUARDED_CONFIDENCE
    if not found.margin >= policy.auto.margin:
        return Outcome.GUARDED, Reason.GUARDED_MARGIN
    return Outcome.ROUTED, Reason.AUTO


def _leading(p: FloatArray) -> tuple[int, int]:
    """Return the columns of the largest and the second largest number; the leftmost where several are equal."""
    first, others = int(p.argmax()), p.copy()
    others[first] = -math.inf
    return first, int(others.argmax())


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


def inclination(p: FloatArray, contract: Contract) -> str:
    """Return the route that (k labels,) probabilities speak for, however sure they are."""
    policy = contract.decide
    if isinstance(policy, Threshold):
        positive = contract.index[policy.positive]
        column = 1 - positive if float(p[positive]) < policy.threshold else positive
    else:
        column = standing(p, contract).first
    return contract.labels[contract.label_names[column]].route


def _decision(
    outcome: Outcome,
    route: str | None,
    reason: Reason,
    found: Standing,
    contract: Contract,
    evidence: Evidence,
) -> Decision:
    names, several = contract.label_names, evidence.several
    return Decision(
        outcome=outcome,
        route=route if route is not None else contract.labels[names[found.first]].route,
        reason=reason,
        label=names[found.first],
        confidence=found.confidence,
        second_label=names[found.second],
        second_confidence=found.second_confidence,
        margin=found.margin,
        unknown_score=evidence.unknown_score,
        several_score=several.score if several is not None else None,
        intents=_intents(several, contract) if several is not None and several.found else (),
        tokens=evidence.tokens,
        truncated=evidence.truncated,
        bundle_digest=evidence.bundle_digest,
    )
