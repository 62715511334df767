"""Why a message went where it went, step by step. Knows the predictor, not how it is shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from interlock.core.contract import Bands, Contract
from interlock.core.decision import Decision, Reason
from interlock.predict.calibrators import softmax
from interlock.predict.neighbours import Neighbour, Neighbours
from interlock.predict.predictor import Predictor, Trace
from interlock.predict.several import clauses

LEADING = 5  # labels shown
MOST_WORDS = 64  # left out one at a time; each costs a run of the model
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\s\u3040-\u30ff\u3400-\u9fff]+")  # kana and kanji stand alone


@dataclass(frozen=True, slots=True)
class Leading:
    """One of the most probable labels."""

    label: str
    logit: float
    raw: float  # softmax of the logits
    probability: float  # calibrated
    route: str


@dataclass(frozen=True, slots=True)
class Word:
    """What one word does for the first label."""

    word: str
    effect: float  # the label's probability with the word minus that without it


@dataclass(frozen=True)
class Explanation:
    """Every step of one decision."""

    trace: Trace
    contract: Contract
    conversation: tuple[str, ...]  # as given
    leading: tuple[Leading, ...]
    why: str
    unknown_threshold: float | None
    clauses: tuple[str, ...]
    neighbours: tuple[Neighbour, ...]
    words: tuple[Word, ...] | None  # in the text's order; None unless asked for

    def to_json(self) -> dict[str, Any]:
        """Return every step by name."""
        decision, several = self.trace.decision, self.trace.several
        names = self.contract.label_names
        return {
            "text": self.trace.text,
            "conversation": list(self.conversation),
            "pieces": list(self.trace.pieces),
            "tokens": decision.tokens,
            "truncated": decision.truncated,
            "leading": [
                {name: getattr(one, name) for name in ("label", "logit", "raw", "probability", "route")}
                for one in self.leading
            ],
            "why": self.why,
            "unknown": None
            if self.unknown_threshold is None
            else {"score": decision.unknown_score, "threshold": self.unknown_threshold},
            "several": None
            if several is None
            else {
                "score": several.score,
                "threshold": several.threshold,
                "intents": [names[column] for column in several.columns],
                "clauses": list(self.clauses),
            },
            "reread": None if self.trace.reread is None else {"text": self.trace.reread, "doubted": self.trace.doubted},
            "neighbours": [one.to_json() for one in self.neighbours],
            **({} if self.words is None else {"words": [{"word": w.word, "effect": w.effect} for w in self.words]}),
            "policy": self.contract.decide.model_dump(mode="json"),
            "fallback": self.contract.fallback.model_dump(mode="json"),
        }


def explain(
    predictor: Predictor,
    text: str,
    conversation: Sequence[str] = (),
    *,
    neighbours: Neighbours | None = None,
    occlusion: bool = False,
) -> Explanation:
    """Decide a message and say why.

    Args:
        predictor: decides.
        text: the message.
        conversation: the turns before it.
        neighbours: training rows to compare with.
        occlusion: decide the message again without each of its first 64 words, a run of the model each.
    """
    trace, contract = predictor.trace(text, conversation, with_pieces=True), predictor.contract
    near = neighbours.nearest(trace.features, contract.label_names) if neighbours and trace.features is not None else []
    return Explanation(
        trace=trace,
        contract=contract,
        conversation=tuple(conversation[-contract.input.turns :]) if contract.input.turns else (),
        leading=_leading(trace, contract),
        why=why(trace.decision, contract, unknown_threshold=predictor.unknown.threshold if predictor.unknown else None),
        unknown_threshold=predictor.unknown.threshold if predictor.unknown else None,
        clauses=tuple(clauses(trace.text)) if trace.text is not None else (),
        neighbours=tuple(near),
        words=_occluded(predictor, trace, conversation) if occlusion else None,
    )


def why(decision: Decision, contract: Contract, *, unknown_threshold: float | None) -> str:
    """Return the comparison that decided, with its numbers, in a sentence."""
    policy, reason = contract.decide, decision.reason
    p, margin = decision.confidence, decision.margin
    if reason in {Reason.EMPTY_TEXT, Reason.TOO_LONG, Reason.UNDECODABLE}:
        return _refused(decision, contract)
    if p is None or margin is None:
        return "the model gave no scores that can be trusted"
    if reason is Reason.DISGUISED:
        return "the text holds what makes it read differently to people and to a model"
    if reason is Reason.UNKNOWN_WORDS:
        return "the message would be decided otherwise with its unknown words corrected or left out"
    if not isinstance(policy, Bands):
        positive = p if decision.label == policy.positive else decision.second_confidence or 0.0
        side = "at or above" if reason is Reason.THRESHOLD else "below"
        return f"{policy.positive} {positive:.4f} is {side} the threshold {policy.threshold:g}"
    return _banded(decision, policy, unknown_threshold, p, margin)


def _banded(decision: Decision, policy: Bands, unknown_threshold: float | None, p: float, margin: float) -> str:
    reason, wide, guarded = decision.reason, policy.auto.margin, policy.guarded.confidence
    sure = policy.auto.at(decision.label or "")
    apart = policy.ambiguous.margin if policy.ambiguous is not None else 0.0
    if reason is Reason.LOW_CONFIDENCE and decision.intents:
        return f"asks for several things ({', '.join(decision.intents)}), which are below the guarded bound {guarded:g}"
    score, chance = _number(decision.unknown_score), _number(decision.several_score)
    said = {
        Reason.UNKNOWN: f"the unknown score {score} is not below its threshold {_number(unknown_threshold)}",
        Reason.SEVERAL: f"asks for several things ({', '.join(decision.intents)}) with probability {chance}; then: "
        f"{policy.several.then}",
        Reason.AMBIGUOUS: f"the margin {margin:.4f} is below {apart:g}: the message may mean either label",
        Reason.LOW_CONFIDENCE: f"confidence {p:.4f} is below the guarded bound {guarded:g}",
        Reason.GUARDED_CONFIDENCE: f"confidence {p:.4f} is at least {guarded:g} and below the automatic bound {sure:g}",
        Reason.GUARDED_MARGIN: f"confidence {p:.4f} is at least {sure:g}, the margin {margin:.4f} below {wide:g}",
        Reason.AUTO: f"confidence {p:.4f} is at least {sure:g} and the margin {margin:.4f} at least {wide:g}",
    }
    return said.get(reason, reason.value)


def _refused(decision: Decision, contract: Contract) -> str:
    policy, tokens = contract.input, decision.tokens
    longest = f"{policy.max_chars} characters" if tokens is None else f"{policy.max_tokens} tokens: {tokens}"
    return {
        Reason.EMPTY_TEXT: "nothing in the text is visible",
        Reason.UNDECODABLE: "the text holds NUL or half a character",
    }.get(decision.reason, f"more than {longest}")


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4f}"


def _leading(trace: Trace, contract: Contract) -> tuple[Leading, ...]:
    if trace.logits is None or trace.probabilities is None or not np.isfinite(trace.logits).all():
        return ()
    raw = softmax(trace.logits)
    names = contract.label_names
    return tuple(
        Leading(
            names[column],
            float(trace.logits[column]),
            float(raw[column]),
            float(trace.probabilities[column]),
            contract.labels[names[column]].route,
        )
        for column in (-trace.logits).argsort(kind="stable")[:LEADING]
    )


def _occluded(predictor: Predictor, trace: Trace, conversation: Sequence[str]) -> tuple[Word, ...]:
    """Return what leaving each word out takes from the first label's probability (Zeiler and Fergus 2014)."""
    if trace.text is None or trace.probabilities is None or trace.decision.label is None:
        return ()
    column = predictor.contract.index[trace.decision.label]
    out = []
    for found in list(_WORD.finditer(trace.text))[:MOST_WORDS]:
        left = trace.text[: found.start()] + trace.text[found.end() :]
        p = predictor.trace(left, conversation).probabilities
        share = float(p[column]) if p is not None else 0.0  # nothing is left that could be scored
        out.append(Word(found[0], float(trace.probabilities[column]) - share))
    return tuple(out)
