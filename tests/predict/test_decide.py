"""The decision policy: its bands, its threshold, and everything that must fall to a person."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.contract import Contract, Threshold
from interlock.core.contract_file import parse_contract
from interlock.core.decision import Decision, Outcome, Reason
from interlock.predict.decide import Evidence, decide
from interlock.predict.handoff import admit
from interlock.testing import FrozenClock, logits_for, tiny_contract, tiny_predictor

BANDS = tiny_contract()
INTAKE = parse_contract(b"""
contract: 1
name: refund-intake
label_version: escalation-policy-v1
labels: {guarded_agent: {route: guarded_agent}, human_review_now: {route: human_review_now}}
fallback: {uncertain: human_review_now, failure: human_review_now}
decide: {positive: human_review_now, threshold: 0.35}
""")


def on(*p: float, contract: Contract = BANDS, unknown: float | None = None, threshold: float | None = None) -> Decision:
    return decide(Evidence(np.array(p), unknown_score=unknown, unknown_threshold=threshold), contract)


EDGES = {
    "at the automatic bound": ((0.80, 0.20), Outcome.ROUTED, Reason.AUTO),
    "just below it": ((0.79, 0.21), Outcome.GUARDED, Reason.GUARDED_CONFIDENCE),
    "at the guarded bound": ((0.55, 0.45), Outcome.GUARDED, Reason.GUARDED_CONFIDENCE),
    "just below that": ((0.54, 0.46), Outcome.ABSTAINED, Reason.LOW_CONFIDENCE),
    "certain": ((1.0, 0.0), Outcome.ROUTED, Reason.AUTO),
}


@pytest.mark.parametrize(("p", "outcome", "reason"), EDGES.values(), ids=EDGES)
def test_bands_are_half_open(p: tuple[float, float], outcome: Outcome, reason: Reason) -> None:
    decision = on(*p)

    assert (decision.outcome, decision.reason) == (outcome, reason)
    assert decision.route == ("unsure" if outcome is Outcome.ABSTAINED else "yes")


THREE = tiny_contract(
    labels="{a: {route: a}, b: {route: b}, c: {route: c}}",
    decide="{auto: {confidence: 0.55, margin: 0.20}, guarded: {confidence: 0.3}, ambiguous: {margin: 0.10}}",
)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("bound", "at", "below"),
    [(0.80, Reason.AUTO, Reason.GUARDED_CONFIDENCE), (0.55, Reason.GUARDED_CONFIDENCE, Reason.LOW_CONFIDENCE)],
)
def test_one_float_step_below_a_bound_is_below_it(kind: type, bound: float, at: Reason, below: Reason) -> None:
    least = kind(bound) if kind(bound) >= bound else np.nextafter(kind(bound), kind(1))  # the bound as its type has it
    for confidence, reason in ((least, at), (np.nextafter(least, kind(0)), below)):
        assert decide(Evidence(np.array([confidence, 1 - confidence], dtype=kind)), BANDS).reason is reason


@pytest.mark.parametrize(
    ("bound", "first", "at", "below"),
    [(0.20, 0.5625, Reason.AUTO, Reason.GUARDED_MARGIN), (0.10, 0.5, Reason.GUARDED_CONFIDENCE, Reason.AMBIGUOUS)],
)
def test_one_float_step_below_a_margin_is_below_it(bound: float, first: float, at: Reason, below: Reason) -> None:
    second = first - bound
    while not first - second >= bound:
        second = math.nextafter(second, 0)
    for behind, reason in ((second, at), (math.nextafter(second, 1), below)):
        assert on(first, behind, 1 - first - behind, contract=THREE).reason is reason


@given(st.lists(st.floats(0, 1) | st.just(math.nan), min_size=3, max_size=3).filter(lambda p: any(map(math.isnan, p))))
def test_a_nan_anywhere_falls_to_the_failure_fallback(p: list[float]) -> None:
    decision = on(*p, contract=THREE)
    assert (decision.outcome, decision.route) == (Outcome.UNAVAILABLE, THREE.fallback.failure)


def test_a_close_second_label_guards_even_a_confident_first() -> None:
    narrow = tiny_contract(decide="{auto: {confidence: 0.5, margin: 0.25}, guarded: {confidence: 0.5}}")

    assert on(0.62, 0.38, contract=narrow).reason is Reason.GUARDED_MARGIN
    assert on(0.625, 0.375, contract=narrow).reason is Reason.AUTO


def test_an_unknown_message_goes_to_the_uncertain_fallback_however_confident() -> None:
    assert on(0.99, 0.01, unknown=-3.0, threshold=-2.0).reason is Reason.AUTO
    assert on(0.99, 0.01, unknown=-2.0, threshold=-2.0).reason is Reason.UNKNOWN
    assert on(0.99, 0.01, unknown=-2.0, threshold=-2.0).route == "unsure"


BAD_SCORES = {
    "NaN": [math.nan, 0.5],
    "all NaN": [math.nan, math.nan],
    "an infinity": [math.inf, 0.0],
    "minus infinity": [-math.inf, 1.0],
    "negative": [-0.1, 1.1],
    "above one": [1.2, -0.2],
    "a sum of two": [1.0, 1.0],
    "a sum of nothing": [0.0, 0.0],
    "one too few": [1.0],
    "one too many": [0.5, 0.3, 0.2],
    "empty": [],
    "whole numbers": np.array([1, 0]),
    "two rows": [[0.5, 0.5], [0.5, 0.5]],
}


@pytest.mark.parametrize("scores", BAD_SCORES.values(), ids=BAD_SCORES)
@pytest.mark.parametrize("contract", [BANDS, INTAKE], ids=["bands", "threshold"])
def test_scores_that_are_no_probabilities_go_to_a_person(scores: object, contract: Contract) -> None:
    decision = decide(Evidence(np.array(scores)), contract)

    assert (decision.outcome, decision.reason) == (Outcome.UNAVAILABLE, Reason.INVALID_SCORE)
    assert decision.route == contract.fallback.failure


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf, None])
def test_an_unknown_score_that_is_no_number_goes_to_a_person(score: float | None) -> None:
    decision = on(0.99, 0.01, unknown=score, threshold=-2.0)

    assert (decision.outcome, decision.reason) == (Outcome.UNAVAILABLE, Reason.INVALID_SCORE)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=2).filter(lambda p: sum(p) > 0), st.floats(0, 1), st.floats(0, 1))
def test_raising_the_automatic_bound_never_routes_more(p: list[float], low: float, high: float) -> None:
    p = [value / sum(p) for value in p]
    low, high = sorted((max(low, 0.55), max(high, 0.55)))
    at = [
        on(
            *p,
            contract=tiny_contract(
                decide=f"{{auto: {{confidence: {bound}, margin: 0.2}}, guarded: {{confidence: 0.55}}}}"
            ),
        )
        for bound in (low, high)
    ]

    assert not (at[1].outcome is Outcome.ROUTED and at[0].outcome is not Outcome.ROUTED)


def test_a_model_that_raises_is_named_by_class_and_its_words_go_nowhere() -> None:
    def say(asked: str) -> np.ndarray:
        raise ZeroDivisionError(f"cannot score {asked}")

    decision = tiny_predictor(say).decide("my card is 4000 1234")

    assert (decision.reason, decision.error) == (Reason.MODEL_UNAVAILABLE, "ZeroDivisionError")
    assert "4000" not in str(decision.to_json())
    assert Decision.from_json(decision.to_json()) == decision


SERVING = {  # the serving table of the intake world: text, score -> route, reason
    "Carrier delivered after the return window": (0.72, "human_review_now", "threshold"),
    "Where is the return policy?": (0.18, "guarded_agent", "below_threshold"),
    "": (0.04, "human_review_now", "empty_text"),
    "Where is my package?": (None, "human_review_now", "model_unavailable"),
    "Malformed model score": (math.nan, "human_review_now", "invalid_score"),
}


@pytest.mark.parametrize("text", SERVING)
def test_the_intake_serving_table_holds(text: str) -> None:
    def say(asked: str) -> np.ndarray | None:
        score = SERVING[asked][0]
        if score is None:
            return None
        return np.array([math.nan, math.nan]) if math.isnan(score) else logits_for(1 - score, score)

    decision = tiny_predictor(say, contract=INTAKE).decide(text)

    assert (decision.route, decision.reason.value) == SERVING[text][1:]


def test_a_score_at_the_threshold_is_positive() -> None:
    assert on(0.65, 0.35, contract=INTAKE).reason is Reason.THRESHOLD
    assert on(0.6500001, 0.3499999, contract=INTAKE).reason is Reason.BELOW_THRESHOLD


HANDOFF = {  # ticket -> what it brings, whether the agent may act
    "r-104": ({"bundle_digest": "intake_bundle_v2", "route": "guarded_agent", "outcome": "routed"}, True),
    "r-105": ({"bundle_digest": "intake_bundle_v2", "route": "human_review_now", "outcome": "routed"}, False),
    "r-106": ({"bundle_digest": "intake_bundle_v1", "route": "guarded_agent", "outcome": "routed"}, False),
    "a fallback with the same route": (
        {"bundle_digest": "intake_bundle_v2", "route": "guarded_agent", "outcome": "unavailable"},
        False,
    ),
    "nothing": ({}, False),
    "a list for a digest": (
        {"bundle_digest": ["intake_bundle_v2"], "route": "guarded_agent", "outcome": "routed"},
        False,
    ),
}


@pytest.mark.parametrize(("brought", "accepted"), HANDOFF.values(), ids=HANDOFF)
def test_the_agent_handoff_table_holds(brought: dict[str, object], accepted: bool) -> None:
    assert admit(brought, bundle="intake_bundle_v2", route="guarded_agent") is accepted


def test_an_agent_that_pins_nothing_admits_nothing() -> None:
    assert not admit({"bundle_digest": "", "route": "", "outcome": "routed"}, bundle="", route="")


def test_sweeping_the_intake_threshold_gives_the_documented_table() -> None:
    rows = [(True, 0.89), (True, 0.42), (True, 0.64), (False, 0.71), (False, 0.23), (False, 0.18)]

    def counts(threshold: float) -> tuple[int, int, int]:
        policy = Threshold(positive="human_review_now", threshold=threshold)
        contract = INTAKE.model_copy(update={"decide": policy})
        chosen = [on(1 - score, score, contract=contract).label == "human_review_now" for _, score in rows]
        tp = sum(c and gold for c, (gold, _) in zip(chosen, rows, strict=True))
        fp = sum(c and not gold for c, (gold, _) in zip(chosen, rows, strict=True))
        return tp, fp, 3 - tp

    assert {threshold: counts(threshold) for threshold in (0.35, 0.50, 0.75)} == {
        0.35: (3, 1, 0),
        0.50: (2, 1, 1),
        0.75: (1, 0, 2),
    }


def test_every_stage_is_timed_and_the_total_is_measured() -> None:
    predictor = tiny_predictor(lambda _: logits_for(0.9, 0.1))
    slow = type(predictor)(**{**vars(predictor), "clock": FrozenClock(tick_ms=2.0)})

    assert slow.decide("hello").stage_ms == pytest.approx(
        {"normalise": 2.0, "encode": 2.0, "classify": 2.0, "calibrate": 2.0, "decide": 2.0, "total": 10.0}
    )
