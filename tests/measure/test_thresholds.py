"""Sweeps, risk against coverage, and the cheapest threshold against one found by trying all."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_curve

from interlock.measure.thresholds import best_threshold, risk_coverage, sweep, threshold_cost

SCORES, PERSON = np.array([0.89, 0.42, 0.64, 0.71, 0.23, 0.18]), np.array([1, 1, 1, 0, 0, 0])


def test_the_intake_sweep_is_the_documented_one() -> None:
    found = sweep(SCORES, PERSON, thresholds=[0.35, 0.50, 0.75])

    assert [(s.hits, s.false_alarms, s.misses) for s in found] == [(3, 1, 0), (2, 1, 1), (1, 0, 2)]
    assert [s.recall.value for s in found] == pytest.approx([1, 2 / 3, 1 / 3])
    assert found[0].recall.low == pytest.approx(0.025 ** (1 / 3))


def test_a_score_at_the_threshold_is_flagged() -> None:
    (found,) = sweep([0.35], [1], thresholds=[0.35])

    assert found.hits == 1


def test_the_sweep_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    score = rng.random(300).round(2)
    truth = rng.random(300) < score
    precision, recall, thresholds = precision_recall_curve(truth, score)
    found = sweep(score, truth, thresholds=thresholds.tolist())

    assert [s.recall.value for s in found] == pytest.approx(recall[:-1])
    assert [s.precision.value for s in found] == pytest.approx(precision[:-1])


def test_a_sweep_without_positives_has_no_recall() -> None:
    (found,) = sweep([0.5, 0.6], [0, 0], thresholds=[0.7])

    assert math.isnan(found.recall.value)
    assert math.isnan(found.precision.value)
    assert found.flagged.value == 0


def test_risk_is_the_share_of_wrong_rows_among_the_accepted() -> None:
    """Ten rows from 0.1 to 1.0, the two least confident wrong: no risk at 50 %, a fifth at full coverage."""
    stated = np.arange(1, 11) / 10
    found = risk_coverage(stated, np.arange(10) >= 2, points=2)

    assert [(p.threshold, p.coverage.value, p.risk.value) for p in found] == [(0.6, 0.5, 0.0), (0.1, 1.0, 0.2)]


def test_rows_of_equal_confidence_are_accepted_together() -> None:
    found = risk_coverage([0.5] * 8, [True] * 4 + [False] * 4, points=4)

    assert [(p.coverage.value, p.risk.value) for p in found] == [(1.0, 0.5)]
    assert risk_coverage([], []) == []


ROWS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4)), min_size=1, max_size=25)


@given(rows=ROWS, review=st.integers(0, 5), capacity=st.sampled_from([0.0, 0.1, 0.3, 1.0]))
def test_no_allowed_threshold_is_cheaper(rows: list[tuple[int, int]], review: int, capacity: float) -> None:
    stated = np.array([confidence / 6 for confidence, _ in rows])
    cost = np.array([float(units) for _, units in rows])
    found = best_threshold(stated, cost, review_cost=review, capacity=capacity)
    tried = {}
    for threshold in [*np.unique(stated).tolist(), math.inf]:
        sent = stated < threshold
        if sent.sum() <= capacity * stated.size + 1e-9:
            tried[threshold] = (cost[~sent].sum() + review * sent.sum()) / stated.size

    assert found.cost == pytest.approx(min(tried.values()))
    assert found.cost == pytest.approx(tried[found.threshold])
    assert found.reviewed.value == (stated < found.threshold).mean()


def test_reviews_are_bought_where_they_cost_less_than_errors() -> None:
    """Errors cost 10 and a review 3: a row that is wrong more often than 3 in 10 is worth a review (Chow)."""
    stated = np.repeat([0.9, 0.6], 100)
    cost = np.concatenate([np.where(np.arange(100) < 10, 10.0, 0.0), np.where(np.arange(100) < 40, 10.0, 0.0)])

    assert best_threshold(stated, cost, review_cost=3).threshold == 0.9
    assert best_threshold(stated, cost, review_cost=5).threshold == 0.6


def test_capacity_limits_the_threshold_and_says_so() -> None:
    stated, cost = np.arange(10) / 10, np.ones(10)
    free = best_threshold(stated, cost, review_cost=0.5)
    limited = best_threshold(stated, cost, review_cost=0.5, capacity=0.25)

    assert (free.threshold, free.limited) == (math.inf, False)
    assert (limited.threshold, limited.reviewed.value, limited.limited) == (0.2, 0.2, True)
    assert limited.cost == pytest.approx(0.8 + 0.2 * 0.5)


def test_the_chosen_cost_is_the_measured_cost_on_the_same_rows() -> None:
    rng = np.random.default_rng(0)
    stated = rng.random(400)
    cost = np.where(rng.random(400) < stated, 0.0, 7.0)
    found = best_threshold(stated, cost, review_cost=1.0)
    measured = threshold_cost(stated, cost, threshold=found.threshold, review_cost=1.0)

    assert measured.value == pytest.approx(found.cost)
    assert measured.low < measured.value < measured.high


def test_the_chosen_cost_flatters() -> None:
    """Over 40 draws the cost on the choosing rows lies below the cost on other rows of the same world."""
    chosen, fresh = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        stated = rng.random((2, 60))
        cost = np.where(rng.random((2, 60)) < 0.7, 0.0, 1.0)
        found = best_threshold(stated[0], cost[0], review_cost=0.3)
        chosen.append(found.cost)
        other = threshold_cost(stated[1], cost[1], threshold=found.threshold, review_cost=0.3, resamples=2)
        fresh.append(other.value)

    assert np.mean(chosen) < np.mean(fresh) - 0.01


def test_no_rows_accept_nothing() -> None:
    found = best_threshold([], [], review_cost=1)

    assert math.isnan(found.threshold)
    assert math.isnan(found.reviewed.value)
    assert threshold_cost([0.9], [5.0], threshold=math.nan, review_cost=2).value == 2
    assert math.isnan(threshold_cost([], [], threshold=0.5, review_cost=2).value)


BAD = {
    "a NaN confidence": ({"confidence": [math.nan], "cost": [0.0], "review_cost": 1.0}, "confidence"),
    "a negative cost": ({"confidence": [0.5], "cost": [-1.0], "review_cost": 1.0}, "cost"),
    "lengths that differ": ({"confidence": [0.5], "cost": [0.0, 1.0], "review_cost": 1.0}, "cost"),
    "a NaN review": ({"confidence": [0.5], "cost": [0.0], "review_cost": math.nan}, "review_cost"),
    "a NaN capacity": ({"confidence": [0.5], "cost": [0.0], "review_cost": 1.0, "capacity": math.nan}, "capacity"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused(case: str) -> None:
    options, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        best_threshold(**options)  # type: ignore[arg-type]  # one table for all arguments
