"""Live accuracy where the review queue holds the hard rows: the naive estimate is wrong, the weighted ones are not."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.measurement import Measurement
from interlock.measure.live import expected_accuracy, prediction_powered_accuracy, reviewed_accuracy
from interlock.measure.proportion import wilson

ROWS = 6000


@dataclass(frozen=True)
class Week:
    confidence: npt.NDArray[np.float64]
    correct: npt.NDArray[np.bool_]
    propensity: npt.NDArray[np.float64]
    reviewed: npt.NDArray[np.bool_]


def make_week(seed: int, *, overstated: float = 0.0) -> Week:
    """Return 6,000 decisions of which unsure ones are reviewed at 20 %, sure ones at a random audit's 3 %."""
    rng = np.random.default_rng(seed)
    confidence = 1 - 0.5 * rng.beta(0.6, 2.5, ROWS)
    correct = rng.random(ROWS) < confidence - overstated
    propensity = np.where(confidence < 0.85, 0.20, 0.03)
    return Week(confidence, correct, propensity, rng.random(ROWS) < propensity)


def true_accuracy(overstated: float) -> float:
    return 1 - 0.5 * 0.6 / 3.1 - overstated


def estimates(week: Week) -> dict[str, Measurement]:
    seen = week.reviewed
    return {
        "weighted": reviewed_accuracy(week.correct[seen], week.propensity[seen]),
        "powered": prediction_powered_accuracy(week.confidence, seen, week.correct, week.propensity),
        "expected": expected_accuracy(week.confidence),
    }


@pytest.mark.parametrize("overstated", [0.0, 0.1])
def test_weighted_estimates_are_unbiased_and_cover_where_the_naive_one_does_not(overstated: float) -> None:
    truth, weeks = true_accuracy(overstated), [make_week(seed, overstated=overstated) for seed in range(400)]
    found = [estimates(week) for week in weeks]

    naive = [wilson(int(w.correct[w.reviewed].sum()), int(w.reviewed.sum())) for w in weeks]
    assert np.mean([low <= truth <= high for low, high in naive]) < 0.1
    for name in ("weighted", "powered"):
        assert np.mean([f[name].value for f in found]) == pytest.approx(truth, abs=0.004)
        covered = np.mean([f[name].low <= truth <= f[name].high for f in found])
        assert covered == pytest.approx(0.95, abs=0.03)


def test_confidence_sharpens_the_estimate_though_it_is_wrong() -> None:
    """Rows stated at 0.5 are right 20 % of the time, rows at 0.9 99 %: far from calibrated, and still informative."""
    ratios = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        unsure = rng.random(ROWS) < 0.25
        reviewed, propensity = rng.random(ROWS) < 0.05, np.full(ROWS, 0.05)
        correct = rng.random(ROWS) < np.where(unsure, 0.2, 0.99)
        powered = prediction_powered_accuracy(np.where(unsure, 0.5, 0.9), reviewed, correct, propensity)
        alone = reviewed_accuracy(correct[reviewed], propensity[reviewed])
        ratios.append((powered.high - powered.low) / (alone.high - alone.low))

    assert np.mean(ratios) < 0.7


def test_confidence_that_says_nothing_does_no_harm() -> None:
    week, rng = make_week(0), np.random.default_rng(0)
    powered = prediction_powered_accuracy(rng.random(ROWS), week.reviewed, week.correct, week.propensity)
    alone = estimates(week)["weighted"]

    assert powered.high - powered.low < 1.05 * (alone.high - alone.low)


def test_expected_accuracy_is_right_only_while_confidence_is_calibrated() -> None:
    good, bad = expected_accuracy(make_week(0).confidence), expected_accuracy(make_week(0, overstated=0.1).confidence)

    assert good.low <= true_accuracy(0.0) <= good.high
    assert bad.low > true_accuracy(0.1)


def test_equal_propensities_give_the_plain_share_and_wilsons_interval() -> None:
    """Weights cancel, and the effective number of rows is the number of rows."""
    measured = reviewed_accuracy([1] * 45 + [0] * 5, [0.1] * 50)

    assert measured.value == pytest.approx(45 / 50)
    assert (measured.low, measured.high) == pytest.approx(wilson(45, 50))


def test_two_rows_weigh_as_the_rows_they_stand_for() -> None:
    """A hit standing for 100 rows and a miss standing for 2."""
    assert reviewed_accuracy([1, 0], [0.01, 0.5]).value == pytest.approx(100 / (100 + 2))


def test_rows_that_all_agree_prove_what_their_effective_number_can() -> None:
    measured = reviewed_accuracy([1] * 40, [0.5] * 20 + [0.05] * 20)

    effective = (20 * 2 + 20 * 20) ** 2 / (20 * 2**2 + 20 * 20**2)
    assert measured.value == 1
    assert measured.low == pytest.approx(wilson(effective, effective)[0])
    assert measured.low < wilson(40, 40)[0]


def test_too_few_rows_are_unmeasured() -> None:
    assert math.isnan(reviewed_accuracy([], []).value)
    assert math.isnan(expected_accuracy([0.9]).value)
    assert math.isnan(prediction_powered_accuracy([0.9, 0.8], [1, 0], [1, 0], [0.5, 0.5]).value)


@given(st.integers(2, 60), st.integers(0, 200))
def test_any_review_has_bounds_that_hold_the_value(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    confidence, propensity = rng.random(n), rng.uniform(0.05, 1, n)
    correct, reviewed = rng.random(n) < 0.8, rng.random(n) < propensity
    powered = prediction_powered_accuracy(confidence, reviewed, correct, propensity)
    weighted = reviewed_accuracy(correct, propensity)

    for m in (powered, weighted):
        if not math.isnan(m.value):
            assert 0 <= m.low <= m.value <= m.high <= 1


@pytest.mark.parametrize("chance", [0.0, 1.5, math.nan])
def test_impossible_propensities_are_refused(chance: float) -> None:
    with pytest.raises(ValueError, match="propensity"):
        reviewed_accuracy([1], [chance])
