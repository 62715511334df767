"""Laws that hold for every calibrator, agreement with scikit-learn, and recovery of a known miscalibration."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from interlock.calibrate.beta import fit_beta
from interlock.calibrate.isotonic import fit_isotonic, pool
from interlock.calibrate.kinds import LOGIT_FITS, SCORE_FITS
from interlock.calibrate.platt import fit_platt
from interlock.calibrate.temperature import fit_temperature
from interlock.calibrate.vector import fit_vector
from interlock.core.errors import InputError, RefusedError
from interlock.predict.calibrators import Platt, VectorScaling, calibrator_from_json, logit, sigmoid, softmax

KEEPS_FIRST = sorted(set(LOGIT_FITS) - {"vector"})
MONOTONE = sorted(set(SCORE_FITS) - {"histogram"})


def labelled(rows: int = 600, labels: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return logits twice as sure as the labels drawn for them."""
    chance = np.random.default_rng(seed)
    logits = chance.normal(0, 3, size=(rows, labels))
    gold = (chance.random((rows, 1)) < softmax(logits / 2).cumsum(axis=1)).argmax(axis=1)
    return logits, gold


def overconfident(
    rows: int, seed: int = 0, *, slope: float = 0.5, shift: float = -0.4
) -> tuple[np.ndarray, np.ndarray]:
    """Return confidences, and hits drawn with chance sigmoid(slope logit(p) + shift)."""
    chance = np.random.default_rng(seed)
    stated = sigmoid(chance.normal(1.5, 1.5, rows))
    return np.asarray(stated), chance.random(rows) < sigmoid(slope * logit(stated) + shift)


@pytest.mark.parametrize("labels", [1, 2, 4])
@pytest.mark.parametrize("kind", LOGIT_FITS)
def test_rows_sum_to_one_in_any_order_and_inputs_stay(kind: str, labels: int) -> None:
    logits, gold = labelled(labels=labels)
    before = logits.copy(), gold.copy()
    made = LOGIT_FITS[kind](logits, gold)
    p = made.probabilities(logits)
    order = np.random.default_rng(1).permutation(len(logits))

    assert p.shape == logits.shape
    assert p.sum(axis=1) == pytest.approx(1, abs=1e-12)
    assert ((p >= 0) & (p <= 1)).all()
    assert (made.probabilities(logits[order]) == p[order]).all()
    assert made.probabilities(logits[0]) == pytest.approx(p[0], abs=1e-15)
    assert (logits == before[0]).all()
    assert (gold == before[1]).all()


@pytest.mark.parametrize("kind", KEEPS_FIRST)
def test_the_first_label_stays_first(kind: str) -> None:
    made = LOGIT_FITS[kind](*labelled())
    logits = np.vstack([labelled(seed=3)[0], np.eye(4) * 1e6, np.zeros((1, 4)), np.eye(4) * 1e-9])
    p = made.probabilities(logits)

    assert (p.argmax(axis=1) == logits.argmax(axis=1)).all()


@pytest.mark.parametrize("kind", LOGIT_FITS)
def test_extreme_logits_give_finite_probabilities_and_nan_stays_nan(kind: str) -> None:
    made = LOGIT_FITS[kind](*labelled())
    chance = np.random.default_rng(2)
    p = made.probabilities(chance.choice([-1e6, -1.0, 0.0, 1e6], size=(200, 4)))

    assert np.isfinite(p).all()
    assert p.sum(axis=1) == pytest.approx(1, abs=1e-12)
    assert np.isnan(made.probabilities(np.array([math.nan, 0, 0, 0]))).any()


@pytest.mark.parametrize("kind", MONOTONE)
def test_more_confidence_never_becomes_less(kind: str) -> None:
    made = SCORE_FITS[kind](*overconfident(500))
    said = made.confidence(np.linspace(0, 1, 2001))

    assert (np.diff(said) >= -1e-15).all()
    assert ((said >= 0) & (said <= 1)).all()


@pytest.mark.parametrize("kind", LOGIT_FITS)
def test_a_stored_calibrator_reads_back_exactly(kind: str) -> None:
    made = LOGIT_FITS[kind](*labelled())

    assert calibrator_from_json(json.loads(json.dumps(made.to_json()))) == made


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"calibrator": "forest"},
        {"calibrator": ["platt"]},
        {"calibrator": "temperature", "temperature": True},
        {"calibrator": "temperature", "temperature": 0},
        {"calibrator": "platt", "slope": 1.0},
        {"calibrator": "platt", "slope": 1.0, "intercept": 0.0, "more": 1},
        {"calibrator": "platt", "slope": -1.0, "intercept": 0.0},
        {"calibrator": "platt", "slope": math.nan, "intercept": 0.0},
        {"calibrator": "platt", "slope": 10**400, "intercept": 0.0},
        {"calibrator": "beta", "a": 1.0, "b": -0.1, "c": 0.0},
        {"calibrator": "beta", "a": "1", "b": 1.0, "c": 0.0},
        {"calibrator": "isotonic", "x": [], "y": []},
        {"calibrator": "isotonic", "x": [0.1, 0.2], "y": [0.1]},
        {"calibrator": "isotonic", "x": [0.2, 0.1], "y": [0.1, 0.2]},
        {"calibrator": "isotonic", "x": [0.1, 0.2], "y": [0.2, 0.1]},
        {"calibrator": "isotonic", "x": [0.1, 1.2], "y": [0.1, 0.2]},
        {"calibrator": "isotonic", "x": "ab", "y": [0.1, 0.2]},
        {"calibrator": "histogram", "edges": [0.5], "values": [0.5]},
        {"calibrator": "histogram", "edges": [0.5, 0.5], "values": [0.5, 0.5, 0.5]},
        {"calibrator": "histogram", "edges": [0.5], "values": [0.5, None]},
        {"calibrator": "vector", "scale": [1.0, 2.0], "bias": [0.0]},
        {"calibrator": "vector", "scale": [], "bias": []},
        {"calibrator": "vector", "scale": [math.inf], "bias": [0.0]},
    ],
    ids=str,
)
def test_a_stored_calibrator_that_is_not_one_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        calibrator_from_json(body)


def test_a_vector_scaling_refuses_logits_of_another_width() -> None:
    with pytest.raises(ValueError, match="expected 1 labels, got 3"):
        VectorScaling((1.0,), (0.0,)).probabilities(np.zeros((2, 3)))


def test_pooling_is_scikit_learns_isotonic_regression() -> None:
    chance = np.random.default_rng(0)
    for _ in range(30):
        values, weights = chance.random(50), chance.integers(1, 9, 50).astype(float)
        theirs = IsotonicRegression().fit_transform(np.arange(50), values, sample_weight=weights)
        assert pool(values, weights) == pytest.approx(theirs, abs=1e-12)


def test_isotonic_is_scikit_learns_but_for_its_certain_ends() -> None:
    stated, hits = overconfident(400)
    stated = np.round(stated, 2)
    theirs = IsotonicRegression(out_of_bounds="clip").fit(stated, hits)
    x = np.linspace(0, 1, 500)
    least = 1 / 402

    ours = fit_isotonic(stated, hits).confidence(x)
    inside = (ours > 0.02) & (ours < 0.98)
    assert ours[inside] == pytest.approx(theirs.predict(x)[inside], abs=2 * least)
    assert ours.min() >= least
    assert ours.max() <= 1 - least


class Scores(LogisticRegression):  # type: ignore[misc]
    """A model whose decision function is its one feature."""

    def decision_function(self, rows: np.ndarray) -> np.ndarray:
        return np.asarray(rows[:, 0])


def test_platt_is_scikit_learns_sigmoid() -> None:
    stated, hits = overconfident(800)
    z = logit(stated)[:, None]
    fitted = Scores().fit(z, hits)
    theirs = CalibratedClassifierCV(FrozenEstimator(fitted), method="sigmoid").fit(z, hits)

    assert fit_platt(stated, hits).confidence(stated) == pytest.approx(theirs.predict_proba(z)[:, 1], abs=2e-4)


def test_beta_is_a_logistic_regression_on_two_logarithms() -> None:
    stated, hits = overconfident(5000, slope=1.0, shift=0.3)
    x = np.column_stack([np.log(stated), -np.log1p(-stated)])
    theirs = LogisticRegression(C=1e9, tol=1e-10, max_iter=2000).fit(x, hits)

    assert fit_beta(stated, hits).confidence(stated) == pytest.approx(theirs.predict_proba(x)[:, 1], abs=3e-3)


def test_temperature_is_scikit_learns() -> None:
    logits, gold = labelled()

    class Logits(LogisticRegression):  # type: ignore[misc]
        def decision_function(self, rows: np.ndarray) -> np.ndarray:
            return np.asarray(rows)

    fitted = Logits().fit(logits, gold)
    theirs = CalibratedClassifierCV(FrozenEstimator(fitted), method="temperature").fit(logits, gold)
    assert fit_temperature(logits, gold).probabilities(logits) == pytest.approx(theirs.predict_proba(logits), abs=2e-3)


def test_platt_finds_the_miscalibration_that_made_the_hits() -> None:
    found = fit_platt(*overconfident(50_000))

    assert found.slope == pytest.approx(0.5, abs=0.03)
    assert found.intercept == pytest.approx(-0.4, abs=0.05)


@pytest.mark.parametrize("kind", ["platt", "beta", "isotonic", "histogram"])
def test_every_fit_comes_near_the_true_chances(kind: str) -> None:
    stated, hits = overconfident(20_000)
    new, _ = overconfident(4000, seed=9)
    true = sigmoid(0.5 * logit(new) - 0.4)

    assert np.abs(SCORE_FITS[kind](stated, hits).confidence(new) - true).mean() < 0.025
    assert np.abs(new - true).mean() > 0.15


def test_vector_scaling_finds_a_bias_that_one_temperature_cannot() -> None:
    chance = np.random.default_rng(4)
    logits = chance.normal(0, 2, size=(6000, 3))
    true = softmax(logits * [0.5, 1.0, 0.8] + [0.0, 1.0, -1.0])
    gold = (chance.random((6000, 1)) < true.cumsum(axis=1)).argmax(axis=1)
    made = fit_vector(logits, gold)

    assert np.array(made.scale) == pytest.approx([0.5, 1.0, 0.8], abs=0.08)
    assert np.array(made.bias) - made.bias[0] == pytest.approx([0.0, 1.0, -1.0], abs=0.12)


@pytest.mark.parametrize("kind", SCORE_FITS)
@pytest.mark.parametrize("hit", [True, False])
@pytest.mark.parametrize("stated", [[0.7], [0.0, 1.0], [0.5] * 30, [1.0] * 30])
def test_one_sided_and_constant_rows_give_a_finite_fit(kind: str, hit: bool, stated: list[float]) -> None:
    made = SCORE_FITS[kind](np.array(stated), np.full(len(stated), hit))
    said = made.confidence(np.linspace(0, 1, 11))

    assert ((said >= 0) & (said <= 1)).all()


def test_confidence_that_says_the_opposite_is_never_turned_round() -> None:
    stated, hits = overconfident(500, slope=-1.0)

    assert fit_platt(stated, hits).slope == 0
    assert min(fit_beta(stated, hits).a, fit_beta(stated, hits).b) == 0


@pytest.mark.parametrize(
    ("stated", "hits"),
    [([], []), ([0.5], [1, 0]), ([math.nan], [1]), ([1.1], [1]), ([-0.1], [0]), ([0.5], [2])],
    ids=str,
)
def test_rows_that_are_none_are_refused(stated: list[float], hits: list[int]) -> None:
    with pytest.raises(InputError):
        fit_platt(stated, hits)


@pytest.mark.parametrize(
    ("logits", "gold"),
    [(np.zeros((0, 2)), []), (np.zeros((1, 2)), [2]), (np.zeros((1, 2)), [0.5]), (np.full((1, 2), math.inf), [0])],
    ids=["no rows", "no such label", "no index", "infinite"],
)
def test_logits_that_cannot_be_fitted_are_refused(logits: np.ndarray, gold: list[float]) -> None:
    with pytest.raises(InputError):
        fit_vector(logits, np.array(gold, dtype=None if gold else int))


def test_with_two_labels_the_first_is_never_stated_below_one_half() -> None:
    p = Platt(1.0, -5.0).probabilities(np.array([[1.0, 0.0]]))

    assert p[0] == pytest.approx([0.5, 0.5], abs=1e-8)
    assert p[0, 0] > p[0, 1]
