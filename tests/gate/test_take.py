"""Receipts are taken on the path that serves."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from interlock.core.dataset import Dataset, Example
from interlock.core.errors import InputError
from interlock.core.receipt import Receipt
from interlock.gate.derive import Derived
from interlock.gate.judge import judge
from interlock.gate.take import Subject, take
from interlock.predict.calibrators import Beta, Calibrator, Histogram, Isotonic, Platt, Temperature, VectorScaling
from interlock.predict.several import SIGNS, SeveralDetector
from interlock.testing import FrozenClock, logits_for, tiny_contract, tiny_predictor

ROWS = Dataset(tuple(Example(f"r{i}", f"text {i}", ("yes",)) for i in range(30)))
CALIBRATORS = (
    Temperature(2.0),
    Platt(0.5, 0.1),
    Beta(0.7, 0.8, 0.1),
    Isotonic((0.5, 1.0), (0.4, 0.95)),
    Histogram((0.8,), (0.6, 0.9)),
    VectorScaling((0.5, 0.7), (0.1, -0.1)),
)
SUBJECT = Subject("tiny", {"label_version": "tiny-v1"}, fixtures=[row.id for row in ROWS])


def test_a_receipt_holds_what_the_predictor_said_and_is_judged_from_itself() -> None:
    receipt = take(tiny_predictor(lambda _: logits_for(0.9, 0.1)), ROWS, SUBJECT, clock=FrozenClock())

    assert receipt.measurements["accuracy"]["value"] == 1.0
    assert receipt.measurements["coverage"]["value"] == 1.0
    assert len(receipt.latency_ms) == 30
    assert judge(receipt, claimed_digest=receipt.digest).eligible


def test_texts_the_input_policy_refuses_count_as_refused_rows() -> None:
    long = Dataset((*ROWS.examples, Example("long", "a" * 500, ("yes",)), Example("words", "word " * 17, ("yes",))))
    subject = replace(SUBJECT, fixtures=[row.id for row in long])
    receipt = take(tiny_predictor(lambda _: logits_for(0.9, 0.1)), long, subject, clock=FrozenClock())

    assert [row.truncated for row in receipt.rows[-2:]] == [True, True]
    assert receipt.measurements["coverage"]["value"] == pytest.approx(30 / 32)


@pytest.mark.parametrize("calibrator", CALIBRATORS, ids=lambda calibrator: type(calibrator).__name__)
def test_a_receipt_remembers_its_calibrator_so_the_judge_finds_the_served_probabilities(calibrator: Calibrator) -> None:
    predictor = replace(tiny_predictor(lambda _: logits_for(0.9, 0.1)), calibrator=calibrator)
    receipt = take(predictor, ROWS, SUBJECT, clock=FrozenClock())
    served = predictor.trace("text 1").probabilities

    again, claimed = Receipt.from_bytes(receipt.to_bytes(), where="receipt.json")
    assert served is not None
    assert Derived(again).probabilities[0] == pytest.approx(served, abs=1e-7)
    assert judge(again, claimed_digest=claimed).measurements["nll"].value == pytest.approx(-math.log(served[0]))


@pytest.mark.parametrize(
    "body",
    [
        {"calibrator": "magic"},
        {"calibrator": "temperature", "temperature": 0.0},
        {"calibrator": "temperature", "temperature": True},
        {"calibrator": "vector", "scale": [1.0, 1.0, 1.0], "bias": [0.0, 0.0, 0.0]},
    ],
)
def test_a_receipt_whose_calibrator_does_not_read_is_refused(body: dict[str, object]) -> None:
    receipt = take(tiny_predictor(lambda _: logits_for(0.9, 0.1)), ROWS, SUBJECT, clock=FrozenClock())
    edited = receipt.model_copy(update={"calibrator": body})

    with pytest.raises(InputError, match="calibrator"):
        judge(edited, claimed_digest=edited.digest)


def test_no_rows_make_no_receipt() -> None:
    with pytest.raises(InputError, match="no rows"):
        take(tiny_predictor(lambda _: logits_for(0.9, 0.1)), Dataset(()), SUBJECT, clock=FrozenClock())


def test_bounds_that_were_fitted_on_the_rows_that_judge_them_are_refused() -> None:
    rows = f"sha256:{'a' * 64}"
    policy = f"{{auto: {{confidence: 0.8, margin: 0.2}}, guarded: {{confidence: 0.55}}, fitted_on: '{rows}'}}"
    predictor = tiny_predictor(lambda _: logits_for(0.9, 0.1), contract=tiny_contract(decide=policy))
    for digest, refused in ((rows, True), (f"sha256:{'b' * 64}", False)):
        subject = replace(SUBJECT, identity={**SUBJECT.identity, "dataset_digest": digest})
        receipt = take(predictor, ROWS, subject, clock=FrozenClock())
        reasons = judge(receipt, claimed_digest=receipt.digest).reasons
        assert ("fitted_on_test:decide.fitted_on" in reasons) is refused


def test_a_receipt_with_unknown_scores_decides_as_it_was_served_and_keeps_them_with_its_rows() -> None:
    said = {f"text {i}": logits_for(0.9, 0.1) * (1 + i) for i in range(30)}
    receipt = take(tiny_predictor(said, unknown_threshold=-0.5), ROWS, SUBJECT, clock=FrozenClock())

    assert len(receipt.unknown_scores) == 30
    assert receipt.only([3, 5]).unknown_scores == (receipt.unknown_scores[3], receipt.unknown_scores[5])
    decisions = Derived(receipt).decisions
    for row, decision in zip(ROWS, decisions, strict=True):
        served = tiny_predictor(said, unknown_threshold=-0.5).decide(row.text)
        assert (decision.reason, decision.unknown_score) == (served.reason, served.unknown_score)


def several_detector(bias: float) -> SeveralDetector:
    """Return a detector that finds two intents with a probability of 1 / (1 + exp(-bias)), whatever the text."""
    return SeveralDetector(
        numbers=np.array([1.0, 2.0]),
        weights=np.zeros((2, SIGNS)),
        bias=np.array([0.0, bias]),
        mean=np.zeros(SIGNS),
        scale=np.ones(SIGNS),
        threshold=0.5,
    )


@pytest.mark.parametrize(("bias", "intents"), [(2.0, ("yes", "no")), (math.nan, None)])
def test_what_a_detector_of_several_intents_said_is_kept_unless_it_is_no_number(
    bias: float, intents: tuple[str, ...] | None
) -> None:
    contract = tiny_contract(decide="{several: {enabled: true}}")
    predictor = tiny_predictor(lambda _: logits_for(0.9, 0.1), contract=contract)
    receipt = take(replace(predictor, several=several_detector(bias)), ROWS, SUBJECT, clock=FrozenClock())
    found = receipt.rows[0].several

    assert (found and found.labels) == intents
    assert found is None or found.score == pytest.approx(1 / (1 + math.exp(-bias)))
    assert receipt.several_threshold == 0.5
