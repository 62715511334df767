"""Fitting the detector of several intents: what it learns, what its threshold promises, when there is none."""

from __future__ import annotations

import numpy as np
import pytest

from interlock.calibrate.several import KEPT_OF_FEW, KEPT_OF_MANY, NEVER, fit_several, kept
from interlock.core.contract import Several
from interlock.core.dataset import CalibrationSet, Example
from interlock.predict.scorer import FloatArray

LABELS = ("a", "b", "c", "d", "e")


def world(rows: int, *, seed: int, most: int = 3) -> tuple[CalibrationSet, FloatArray, list[str]]:
    """Return rows with one to ``most`` labels and logits that hold about as many large values."""
    chance = np.random.default_rng(seed)
    logits, examples = chance.normal(0, 0.6, size=(rows, len(LABELS))), []
    for row in range(rows):
        count = 1 if row % 2 else int(chance.integers(2, most + 1))
        columns = chance.permutation(len(LABELS))[:count]
        logits[row, columns] += 5
        examples.append(Example(str(row), f"row {row}", tuple(LABELS[column] for column in columns)))
    return CalibrationSet(tuple(examples)), logits, [row.text for row in examples]


def test_it_tells_one_from_several_and_counts_them() -> None:
    rows, logits, texts = world(600, seed=1)
    fitted = fit_several(rows, logits, [5] * 600, texts, Several(enabled=True, keep_single=0.99))
    others, z, said = world(400, seed=2)

    assert fitted is not None
    looked = [fitted.detector.look(row, tokens=5, text=text) for row, text in zip(z, said, strict=True)]
    several = np.array([len(row.labels) > 1 for row in others])
    scores = np.array([one.score for one in looked])
    called = scores >= fitted.detector.threshold
    assert called[several].mean() > 0.9
    assert called[~several].mean() < 0.05
    right = [one.count == len(row.labels) for one, row in zip(looked, others, strict=True) if len(row.labels) > 1]
    assert np.mean(right) > 0.9


@pytest.mark.parametrize("most", [2, 3])
def test_rows_with_two_labels_alone_are_enough(most: int) -> None:
    rows, logits, texts = world(200, seed=1, most=most)
    fitted = fit_several(rows, logits, [5] * 200, texts, Several(enabled=True))

    assert fitted is not None
    assert list(fitted.detector.numbers) == list(range(1, most + 1))


def test_rows_with_one_and_three_labels_alone_are_enough() -> None:
    rows, logits, texts = world(300, seed=1)
    keep = [i for i, row in enumerate(rows) if len(row.labels) != 2]
    chosen = CalibrationSet(tuple(rows.examples[i] for i in keep))
    fitted = fit_several(chosen, logits[keep], [5] * len(keep), [texts[i] for i in keep], Several(enabled=True))

    assert fitted is not None
    assert list(fitted.detector.numbers) == [1, 3]


def test_the_threshold_keeps_the_share_of_single_messages_it_promises() -> None:
    """By the split-conformal argument the next score is below with a chance of at least the share: here, on average."""
    chance = np.random.default_rng(0)
    below = [float(chance.random() < kept(chance.random(100), share=0.9)) for _ in range(4000)]

    assert np.mean(below) == pytest.approx(0.9, abs=0.02)


def test_too_few_rows_for_the_promise_call_nothing_several() -> None:
    assert kept(np.zeros(100), share=0.997) == NEVER
    assert kept(np.arange(9.0), share=0.8) == pytest.approx(7.0)  # rank ceil(10 * 0.8) = 8: the value 7


@pytest.mark.parametrize(("single", "share"), [(1999, KEPT_OF_FEW), (2000, KEPT_OF_MANY)])
def test_many_rows_with_one_intent_promise_more_of_these(single: int, share: float) -> None:
    rows, logits, texts = world(2 * single, seed=1)
    fitted = fit_several(rows, logits, [5] * 2 * single, texts, Several(enabled=True))
    told = fit_several(rows, logits, [5] * 2 * single, texts, Several(enabled=True, keep_single=share))

    assert fitted is not None
    assert told is not None
    assert fitted.facts["rows_with_one"] == single
    assert fitted.facts["keep_single"] == share
    assert fitted.detector.threshold == told.detector.threshold


def test_the_contracts_own_threshold_is_taken() -> None:
    rows, logits, texts = world(100, seed=1)
    fitted = fit_several(rows, logits, [5] * 100, texts, Several(enabled=True, threshold=0.4))

    assert fitted is not None
    assert fitted.detector.threshold == 0.4


def test_a_handful_of_rows_fits_nothing() -> None:
    rows, logits, texts = world(30, seed=1)

    assert fit_several(rows, logits, [5] * 30, texts, Several(enabled=True)) is None


def test_the_same_rows_fit_the_same_detector() -> None:
    rows, logits, texts = world(100, seed=1)
    found = [fit_several(rows, logits, [5] * 100, texts, Several(enabled=True)) for _ in range(2)]

    assert found[0] is not None
    assert found[1] is not None
    np.testing.assert_array_equal(found[0].detector.weights, found[1].detector.weights)
