"""The classifier two-sample test: at its level without drift, awake to drift, silent on too few rows."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.kernel_ridge import KernelRidge

from interlock.measure.classifier_drift import _smoother, classifier_drift


def normal(n: int, *, seed: int, shift: float = 0.0, d: int = 8) -> npt.NDArray[np.float64]:
    return np.random.default_rng(seed).normal(shift, 1.0, (n, d))


@pytest.mark.parametrize("d", [3, 60])
def test_scores_are_those_of_ridge_regression_on_the_other_folds(d: int) -> None:
    """Against scikit-learn, with fewer columns than rows and with more."""
    columns, folds = normal(40, seed=0, d=d), 4
    side = np.repeat([-0.5, 0.5], 20)
    scores = _smoother(columns, folds, np.random.default_rng(5)) @ side
    fold = np.random.default_rng(5).permutation(np.arange(40) % folds)
    for part in range(folds):
        kept, out = fold != part, fold == part
        penalty = (columns[kept] ** 2).sum() / min(columns.shape)
        theirs = KernelRidge(alpha=penalty, kernel="linear").fit(columns[kept], side[kept]).predict(columns[out])
        np.testing.assert_allclose(scores[out], theirs, atol=1e-10)


@pytest.mark.parametrize(("n", "m", "d"), [(40, 30, 5), (12, 60, 40)])
def test_without_drift_the_test_keeps_its_level(n: int, m: int, d: int) -> None:
    found = [
        classifier_drift(normal(n, seed=2 * i, d=d), normal(m, seed=2 * i + 1, d=d), permutations=39, seed=i)
        for i in range(300)
    ]

    assert sum(f.drifted() for f in found) <= 15 + 2.5 * math.sqrt(300 * 0.05 * 0.95)
    assert sum(f.accuracy.low > 0.5 for f in found) <= 15
    assert np.mean([f.accuracy.value for f in found]) == pytest.approx(0.5, abs=0.02)


def test_a_planted_shift_is_found_nearly_always() -> None:
    found = [
        classifier_drift(normal(100, seed=2 * i), normal(100, seed=2 * i + 1, shift=0.3), permutations=99, seed=i)
        for i in range(40)
    ]

    assert np.mean([f.drifted() for f in found]) >= 0.9


def test_sides_that_lie_apart_are_told_apart() -> None:
    found = classifier_drift(normal(60, seed=0), normal(90, seed=1, shift=4.0))

    assert found.accuracy.value == 1
    assert found.accuracy.n == 150
    assert found.accuracy.low > 0.9
    assert found.p == pytest.approx(1 / 501)


def test_units_and_places_of_columns_mean_nothing() -> None:
    x, y = normal(50, seed=0), normal(40, seed=1, shift=0.4)
    scale, moved = np.geomspace(1e-3, 1e3, 8), 1e4

    assert classifier_drift(x * scale + moved, y * scale + moved).p == classifier_drift(x, y).p


def test_columns_that_never_vary_are_left_out() -> None:
    x, y = normal(50, seed=0), normal(40, seed=1, shift=0.4)
    wider = [np.hstack([side, np.ones((len(side), 2))]) for side in (x, y)]

    assert classifier_drift(*wider) == classifier_drift(x, y)


@pytest.mark.parametrize(
    ("window", "reason"), [(np.zeros((0, 8)), "got 20 and 0"), (normal(9, seed=1), "at least 10 rows")]
)
def test_too_few_rows_measure_nothing_and_say_why(window: npt.NDArray[np.float64], reason: str) -> None:
    found = classifier_drift(normal(20, seed=0), window)

    assert reason in found.reason
    assert math.isnan(found.accuracy.value)
    assert math.isnan(found.p)
    assert not found.drifted()


def test_equal_rows_measure_nothing() -> None:
    assert classifier_drift(np.ones((20, 3)), np.ones((20, 3))).reason == "all rows are equal"


@pytest.mark.parametrize("options", [{"permutations": 0}, {"most": 5}, {"folds": 1}, {"folds": 11}])
def test_bad_options_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="expected permutations"):
        classifier_drift(normal(20, seed=0), normal(20, seed=1), **options)


def test_bad_embeddings_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        classifier_drift(normal(20, seed=0), np.full((20, 8), np.nan))
