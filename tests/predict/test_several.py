"""Several intents in one message: when they are found, what the policy makes of them, what a bundle stores of it."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from interlock.core.contract import Contract
from interlock.core.decision import Decision, Outcome, Reason
from interlock.core.errors import RefusedError
from interlock.predict.decide import Evidence, Intents, decide
from interlock.predict.predictor import Predictor
from interlock.predict.scorer import FloatArray
from interlock.predict.several import SIGNS, SeveralDetector, clauses, leading_labels, read_several, signs
from interlock.testing import TableScorer, logits_for, tiny_contract, tiny_predictor


def three(then: str = "top2", *, extra: str = "") -> Contract:
    return tiny_contract(
        labels=f"{{yes: {{route: a}}, no: {{route: b}}, help: {{route: c{extra}}}}}",
        decide=f"{{guarded: {{confidence: 0.55}}, several: {{enabled: true, then: {then}}}}}",
    )


def found(*p: float, score: float = 0.9, columns: tuple[int, ...] = (0, 1), sure: float = 0.9, **of: str) -> Decision:
    seen = Intents(score, 0.5, columns, sure)
    return decide(Evidence(np.array(p), several=seen), three(**of))


def test_two_intents_go_to_both_routes_marked_for_audit() -> None:
    decision = found(0.5, 0.4, 0.1)

    assert (decision.outcome, decision.reason, decision.route) == (Outcome.GUARDED, Reason.SEVERAL, "a")
    assert decision.intents == ("yes", "no")
    assert decision.routes == ("a", "b")


def test_top2_sends_to_two_routes_and_split_to_all() -> None:
    assert found(0.4, 0.3, 0.3, columns=(0, 1, 2)).routes == ("a", "b")
    assert found(0.4, 0.3, 0.3, columns=(0, 1, 2), then="split").routes == ("a", "b", "c")
    assert found(0.4, 0.3, 0.3, columns=(0, 1, 2)).intents == ("yes", "no", "help")


def test_a_router_that_asks_back_sends_several_intents_to_the_uncertain_fallback() -> None:
    decision = found(0.5, 0.4, 0.1, then="clarify")

    assert (decision.outcome, decision.reason, decision.route) == (Outcome.ABSTAINED, Reason.SEVERAL, "unsure")
    assert decision.intents == ("yes", "no")
    assert decision.routes == ()


def test_a_critical_intent_goes_first_however_small_its_share() -> None:
    decision = found(0.6, 0.1, 0.3, columns=(0, 2), extra=", critical: true")

    assert decision.intents == ("help", "yes")
    assert decision.route == "c"


def test_intents_that_are_not_sure_together_go_to_the_uncertain_fallback() -> None:
    decision = found(0.3, 0.2, 0.5, sure=0.5)

    assert (decision.outcome, decision.reason) == (Outcome.ABSTAINED, Reason.LOW_CONFIDENCE)


def test_the_threshold_is_half_open() -> None:
    assert found(0.9, 0.1, 0.0, score=0.5).reason is Reason.SEVERAL
    assert found(0.9, 0.1, 0.0, score=math.nextafter(0.5, 0)).reason is Reason.AUTO


@pytest.mark.parametrize("broken", [{"score": math.nan}, {"sure": math.nan}, {"score": math.inf}])
def test_a_score_that_is_no_number_goes_to_a_person(broken: dict[str, float]) -> None:
    decision = found(0.9, 0.1, 0.0, **broken)  # type: ignore[arg-type]

    assert (decision.outcome, decision.reason) == (Outcome.UNAVAILABLE, Reason.INVALID_SCORE)


def test_an_unknown_message_stays_unknown_whatever_it_asks() -> None:
    seen = Evidence(
        np.array([0.5, 0.4, 0.1]), unknown_score=1.0, unknown_threshold=0.0, several=Intents(1, 0, (0, 1), 1)
    )

    assert decide(seen, three()).reason is Reason.UNKNOWN


CUT = {
    "where is my order and i want a refund": ["where is my order", "i want a refund"],
    "Refund me! Also, do you have Naruto?": ["Refund me", "do you have Naruto"],
    "one thing, and then another thing": ["one thing", "another thing"],
    "新刊は?あと返品したい。": ["新刊は", "あと返品したい"],
    "hello": [],
    "sand andes": ["sand andes"],
    "rock-and-roll box set": ["rock-and-roll box set"],
    "": [],
}


@pytest.mark.parametrize(("text", "parts"), CUT.items(), ids=list(CUT))
def test_messages_are_cut_where_requests_meet(text: str, parts: list[str]) -> None:
    assert clauses(text) == parts


@pytest.mark.parametrize("text", [" " * 100_000, ", " * 50_000, "and " * 50_000, " -" * 50_000, "、" * 100_000])
def test_cutting_a_hostile_text_takes_no_time(text: str) -> None:
    start = time.perf_counter()
    clauses(text)

    assert time.perf_counter() - start < 0.5


@given(arrays(np.float64, st.integers(2, 9), elements=st.floats(-50, 50)), st.integers(0, 600), st.text(max_size=60))
def test_signs_are_numbers_and_do_not_depend_on_the_order_of_labels(z: FloatArray, tokens: int, text: str) -> None:
    one = signs(z, tokens=tokens, text=text)

    assert one.shape == (SIGNS,)
    assert np.isfinite(one).all()
    np.testing.assert_allclose(one, signs(z[::-1], tokens=tokens, text=text), atol=1e-9)


def by_gap() -> SeveralDetector:
    """A detector that sees several intents where the second label is close: score sigmoid(20 (0.5 - gap))."""
    weights = np.zeros((3, SIGNS))
    weights[1, 4] = -20.0  # the first gap
    weights[2, 4] = weights[2, 5] = -20.0
    return SeveralDetector(
        np.array([1.0, 2.0, 3.0]), weights, np.array([0.0, 10.0, 10.0]), np.zeros(SIGNS), np.ones(SIGNS), 0.5
    )


def test_the_predictor_finds_how_many_and_which() -> None:
    says = {"both of it": logits_for(0.48, 0.04, 0.48), "one": logits_for(0.9, 0.05, 0.05)}
    predictor = replace(tiny_predictor(says, contract=three()), several=by_gap())

    both, one = predictor.decide("both of it"), predictor.decide("one")

    assert both.intents == ("yes", "help")
    assert both.several_score is not None
    assert both.several_score > 0.9
    assert (one.intents, one.reason) == ((), Reason.AUTO)


def test_without_the_contracts_wish_the_detector_is_silent() -> None:
    contract = tiny_contract(labels="{yes: {route: a}, no: {route: b}, help: {route: c}}")
    predictor = replace(tiny_predictor({"x y": logits_for(0.48, 0.04, 0.48)}, contract=contract), several=by_gap())

    assert predictor.decide("x y").several_score is None


def splitting() -> Predictor:
    says = {
        "order late and money back": logits_for(0.4, 0.3, 0.3),
        "order late": logits_for(0.05, 0.9, 0.05),
        "money back": logits_for(0.05, 0.05, 0.9),
    }
    return replace(tiny_predictor(says, contract=three("split")), several=by_gap())


def test_a_splitting_router_decides_the_clauses() -> None:
    predictor = splitting()
    decision = predictor.decide("order late and money back")

    assert decision.intents == ("no", "help")
    assert decision.routes == ("b", "c")
    assert isinstance(predictor.scorer, TableScorer)
    assert predictor.scorer.calls == 3


@pytest.mark.parametrize(
    "text",
    [
        "荷物はどこ？返金して",
        "أين طلبي؟ أريد المال",
        "أين طلبي، أريد المال",
        "میرا پارسل کہاں ہے۔ رقم واپس کریں",
        "मेरा पार्सल कहाँ है। पैसे वापस करो",
    ],
)
def test_sentences_of_other_scripts_are_clauses_too(text: str) -> None:
    assert len(clauses(text)) == 2


def test_what_is_asked_for_again_and_again_is_one_thing() -> None:
    once = logits_for(0.05, 0.9, 0.05)
    says = {"order late, order late": logits_for(0.4, 0.35, 0.25), "order late": once}
    decision = replace(tiny_predictor(says, contract=three("split")), several=by_gap()).decide("order late, order late")
    assert (decision.outcome, decision.intents, decision.routes) == (Outcome.GUARDED, ("no",), ("b",))

    says |= {"order late, be quick": logits_for(0.4, 0.35, 0.25), "be quick": logits_for(0.34, 0.33, 0.33)}
    unsure = replace(tiny_predictor(says, contract=three("split")), several=by_gap()).decide("order late, be quick")
    assert unsure.intents == ("yes", "no")


def test_clauses_a_model_fails_on_leave_what_the_whole_says() -> None:
    says = {"order late and money back": logits_for(0.5, 0.49, 0.01)}  # the clauses raise
    predictor = replace(tiny_predictor(says, contract=three("split")), several=by_gap())

    assert predictor.decide("order late and money back").intents == ("yes", "no")


def test_leading_labels_are_the_largest_first() -> None:
    assert leading_labels(np.array([1.0, 3.0, 2.0]), 2) == (1, 2)


def test_what_is_stored_is_what_is_read() -> None:
    again = read_several(by_gap().tensors())

    for name, data in by_gap().tensors().items():
        np.testing.assert_array_equal(again.tensors()[name], data)


SPOILT = {
    "a part missing": lambda parts: parts.pop("bias"),
    "another part": lambda parts: parts.update(more=np.zeros(1)),
    "another shape": lambda parts: parts.update(mean=np.zeros(3)),
    "no rows": lambda parts: parts.update(numbers=np.zeros(0), weights=np.zeros((0, SIGNS)), bias=np.zeros(0)),
    "NaN": lambda parts: parts.update(bias=np.array([0.0, math.nan, 0.0])),
    "no scale": lambda parts: parts.update(scale=np.zeros(SIGNS)),
    "numbers from two": lambda parts: parts.update(numbers=np.array([2.0, 3.0, 4.0])),
    "half a number": lambda parts: parts.update(numbers=np.array([1.0, 1.5, 2.0])),
    "numbers downwards": lambda parts: parts.update(numbers=np.array([1.0, 3.0, 2.0])),
    "two thresholds": lambda parts: parts.update(threshold=np.zeros(2)),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=list(SPOILT))
def test_a_detector_that_is_not_whole_is_refused(spoil: object) -> None:
    parts = dict(by_gap().tensors())
    spoil(parts)  # type: ignore[operator]

    with pytest.raises(RefusedError):
        read_several(parts)
