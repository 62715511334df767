"""Receipts are taken on the path that serves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from interlock.core.dataset import Dataset, Example
from interlock.core.errors import InputError
from interlock.gate.judge import judge
from interlock.gate.take import Subject, take
from interlock.predict.calibrators import Platt
from interlock.testing import FrozenClock, logits_for, tiny_contract, tiny_predictor

ROWS = Dataset(tuple(Example(f"r{i}", f"text {i}", ("yes",)) for i in range(30)))
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


def test_a_calibrator_that_a_receipt_cannot_record_is_refused() -> None:
    predictor = replace(
        tiny_predictor(lambda _: logits_for(0.9, 0.1), contract=tiny_contract()), calibrator=Platt(0.5, 0.0)
    )

    with pytest.raises(InputError, match="Platt"):
        take(predictor, ROWS, SUBJECT, clock=FrozenClock())


def test_no_rows_make_no_receipt() -> None:
    with pytest.raises(InputError, match="no rows"):
        take(tiny_predictor(lambda _: logits_for(0.9, 0.1)), Dataset(()), SUBJECT, clock=FrozenClock())
