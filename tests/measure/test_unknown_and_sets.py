"""Detectors of unknown messages, and predicted sets of labels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score, roc_curve

from interlock.measure.sets import exact_match, micro_f1
from interlock.measure.unknown import auroc, unknown


def test_figures_of_a_small_detector() -> None:
    """20 known scores 1..20 keep 95 % below 20; of the unknown 18, 19, 25, 30, two lie at or below 19."""
    out = unknown(np.arange(1.0, 21.0), [18.0, 19.0, 25.0, 30.0], threshold=20.0)

    assert out["unknown_fpr95"].value == 2 / 4
    assert out["unknown_recall"].value == 2 / 4
    assert (out["unknown_precision"].value, out["unknown_precision"].n) == (2 / 3, 3)
    assert out["unknown_auroc"].value == (17.5 + 18.5 + 20 + 20) / 80


def test_area_and_accepted_share_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    known, strange = rng.normal(0, 1, 400).round(1), rng.normal(1.5, 1, 150).round(1)
    out = unknown(known, strange, threshold=1.0)
    truth, scores = np.repeat([0, 1], [400, 150]), np.concatenate([known, strange])
    flagged_known, flagged_unknown, _ = roc_curve(truth, scores, drop_intermediate=False)

    assert out["unknown_auroc"].value == pytest.approx(roc_auc_score(truth, scores))
    assert out["unknown_fpr95"].value == pytest.approx(1 - flagged_unknown[flagged_known <= 0.05].max())


def test_a_perfect_detector_is_not_proven_perfect() -> None:
    out = unknown(np.zeros(50), np.ones(50), threshold=0.5)

    assert out["unknown_auroc"].value == out["unknown_recall"].value == out["unknown_precision"].value == 1
    assert out["unknown_fpr95"].value == 0
    assert 0.9 < out["unknown_auroc"].low < 1
    assert 0 < out["unknown_fpr95"].high < 1


def test_a_detector_that_sees_no_difference_has_area_one_half() -> None:
    measured = auroc(np.ones(30), np.ones(40))

    assert measured.value == 0.5
    assert measured.low < 0.5 < measured.high


def test_what_is_missing_is_unmeasured() -> None:
    for known, strange in (([], [1.0]), ([1.0], []), ([], [])):
        out = unknown(known, strange, threshold=0.5)
        assert not out["unknown_auroc"].known
        assert not out["unknown_fpr95"].known
    assert unknown([], [1.0], threshold=0.5)["unknown_recall"].value == 1
    assert math.isnan(unknown([0.1], [0.2], threshold=0.5)["unknown_precision"].value)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 99))
def test_bounds_hold_their_values(n: int, m: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    out = unknown(rng.normal(size=n).round(1), rng.normal(1, 1, m).round(1), threshold=0.5)

    for measured in out.values():
        if measured.n:
            assert 0 <= measured.low <= measured.value <= measured.high <= 1


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=20), st.lists(st.integers(-5, 5), min_size=1, max_size=20))
def test_a_rising_change_of_scale_changes_no_area(low: list[int], high: list[int]) -> None:
    plain = auroc(low, high)
    bent = auroc(np.exp(low), np.exp(high))

    assert plain == bent
    assert auroc(high, low).value == pytest.approx(1 - plain.value)


def test_bad_scores_are_refused() -> None:
    with pytest.raises(ValueError, match="scores_known"):
        unknown([math.nan], [1.0], threshold=0.5)
    with pytest.raises(ValueError, match="threshold"):
        unknown([1.0], [1.0], threshold=math.inf)


def test_sets_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    gold = rng.random((200, 6)) < 0.3
    predicted = gold ^ (rng.random((200, 6)) < 0.1)

    assert exact_match(predicted, gold).value == pytest.approx(accuracy_score(gold, predicted))
    measured = micro_f1(predicted, gold)
    assert measured.value == pytest.approx(f1_score(gold, predicted, average="micro"))
    assert measured.low < measured.value < measured.high


def test_no_label_asked_for_and_none_said_is_right() -> None:
    none = np.zeros((3, 2), dtype=bool)

    assert exact_match(none, none).value == micro_f1(none, none).value == 1
    assert micro_f1(none, none).low < 1


def test_no_sets_are_unmeasured() -> None:
    none = np.empty((0, 3), dtype=bool)

    assert math.isnan(exact_match(none, none).value)
    assert math.isnan(micro_f1(none, none).value)


def test_sets_of_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        exact_match(np.ones((2, 3), dtype=bool), np.ones((2, 2), dtype=bool))
    with pytest.raises(ValueError, match=r"\(n, k\)"):
        micro_f1(np.ones(3, dtype=bool), np.ones(3, dtype=bool))
