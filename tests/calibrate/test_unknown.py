"""The gate for messages of no known kind: what it promises, and what it may learn from."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.calibrate.fit import in_second_half
from interlock.calibrate.unknown import Scored, conformal_threshold, fit_detectors, fit_unknown
from interlock.core.errors import InputError
from interlock.measure.unknown import auroc
from interlock.predict.detectors import (
    METHODS,
    Combined,
    Energy,
    Mahalanobis,
    MaxSoftmax,
    Nearest,
    UnknownGate,
    read_detector,
    score_each,
)
from interlock.predict.scorer import Scores

LABELS, WIDTH = 6, 12
CENTRES = 6 * np.random.default_rng(9).normal(size=(LABELS + 2, WIDTH)) / math.sqrt(WIDTH)


def rows(count: int, *, seed: int, strange: bool = False) -> Scored:
    """Return messages around the centres of the known labels, or of two labels the head knows nothing of."""
    chance = np.random.default_rng(seed)
    gold = chance.integers(LABELS, LABELS + 2, count) if strange else chance.integers(0, LABELS, count)
    features = CENTRES[gold] + chance.normal(size=(count, WIDTH))
    known = CENTRES[:LABELS]
    logits = (features @ known.T - (known**2).sum(axis=1) / 2).astype(np.float32)
    return Scored(logits, features.astype(np.float32), None if strange else gold)


def halves(count: int) -> np.ndarray:
    return np.asarray(np.arange(count) % 2 == 1)


def test_the_gate_keeps_the_promised_share_of_new_known_messages() -> None:
    kept = []
    for seed in range(300):
        fitted = fit_unknown(rows(100, seed=seed), keep_known=0.9, method="energy")
        new = rows(50, seed=10_000 + seed)
        kept.append(np.mean(score_each(fitted.gate.detector, new.logits, new.features) < fitted.gate.threshold))

    # With n = 100 rows the expected share kept is 91/101: at least the promise, by less than one row more.
    assert np.mean(kept) == pytest.approx(91 / 101, abs=0.006)


def test_a_gate_that_learns_its_combination_keeps_the_promise_too() -> None:
    kept, references = [], rows(300, seed=1)
    for seed in range(40):
        known = rows(500, seed=100 + seed)
        fitted = fit_unknown(known, keep_known=0.9, method="combined", references=references, held=halves(500))
        new = rows(200, seed=5000 + seed)
        kept.append(np.mean(score_each(fitted.gate.detector, new.logits, new.features) < fitted.gate.threshold))

    # 226 of the 250 held rows lie below the threshold; 40 draws of 200 rows leave a standard error of about 0.004
    assert np.mean(kept) == pytest.approx(226 / 251, abs=0.013)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=80), st.floats(0.51, 0.99))
def test_the_threshold_lies_above_the_rank_that_the_promise_needs(scores: list[float], keep: float) -> None:
    threshold = conformal_threshold(np.array(scores), keep_known=keep)
    passing = sum(score < threshold for score in scores)

    assert passing >= min(keep * (len(scores) + 1) - 1e-6, len(scores))


def test_too_few_rows_for_the_promise_let_everything_pass_and_a_score_that_is_none_counts_as_strange() -> None:
    assert conformal_threshold(np.zeros(10), keep_known=0.95) == math.inf
    assert conformal_threshold(np.array([0.0] * 18 + [math.nan]), keep_known=0.95) == math.inf
    assert conformal_threshold(np.array([0.0] * 19 + [math.nan]), keep_known=0.9) == np.nextafter(0.0, 1.0)


def test_the_scores_are_what_their_formulas_say() -> None:
    z = np.log(np.array([1.0, 2.0, 3.0]))
    assert Energy().score(Scores(z)) == pytest.approx(-math.log(6))
    assert Energy().score(Scores(np.array([1000.0, 0.0]))) == pytest.approx(-1000.0)
    assert MaxSoftmax().score(Scores(z)) == pytest.approx(-0.5)
    references = Scored(np.zeros((2, 2)), np.array([[2.0, 0.0], [0.0, 5.0]]), np.array([0, 1]))
    nearest = fit_detectors(references, ("knn",))[0]
    assert nearest.score(Scores(np.array([1.0, 0.0]), np.array([3.0, 4.0]))) == pytest.approx(-0.8)


def test_the_distance_is_in_units_of_the_spread_within_labels() -> None:
    chance = np.random.default_rng(0)
    gold = np.repeat([0, 1], 4000)
    features = np.array([[0.0, 0.0], [10.0, 0.0]])[gold] + chance.normal(size=(8000, 2)) * [2.0, 2.0]
    found = fit_detectors(Scored(np.zeros((8000, 2)), features, gold), ("mahalanobis",))[0]

    assert found.score(Scores(np.zeros(2), np.array([0.0, 6.0]))) == pytest.approx(9.0, rel=0.1)
    assert found.score(Scores(np.zeros(2), np.array([10.0, 6.0]))) == pytest.approx(9.0, rel=0.1)


@pytest.mark.parametrize("method", METHODS)
def test_every_detector_tells_strange_messages_and_reads_back_from_its_arrays(method: str) -> None:
    fitted = fit_unknown(
        rows(600, seed=2), keep_known=0.95, method=method, references=rows(400, seed=3), held=halves(600)
    )
    new, other = rows(500, seed=4), rows(500, seed=5, strange=True)
    detector = fitted.gate.detector
    again = read_detector(detector.method, detector.tensors(), labels=LABELS)
    scores = score_each(detector, new.logits, new.features)

    assert fitted.facts["method"] == method
    assert auroc(scores, score_each(detector, other.logits, other.features)).low > 0.7
    assert score_each(again, new.logits, new.features) == pytest.approx(scores, rel=1e-6)


def test_the_combination_leaves_out_what_tells_nothing_and_auto_says_what_each_was_worth() -> None:
    known, references = rows(800, seed=6), rows(400, seed=7)
    fitted = fit_unknown(known, keep_known=0.95, references=references, held=halves(800))
    combined = fit_unknown(known, keep_known=0.95, method="combined", references=references, held=halves(800))

    assert set(fitted.facts["learned_auroc"]) == {"energy", "knn", "relative_mahalanobis", "combined"}
    assert fitted.facts["method"] in fitted.facts["learned_auroc"]
    assert isinstance(combined.gate.detector, Combined)
    assert (combined.gate.detector.weights[:, 2] > 0).all()


def test_unknown_rows_change_what_is_learned() -> None:
    known, references = rows(800, seed=6), rows(400, seed=7)
    without, given_some = (
        fit_unknown(known, keep_known=0.95, method="combined", references=references, unknown=unknown, held=halves(800))
        for unknown in (None, rows(300, seed=8, strange=True))
    )

    assert given_some.facts["weights"] != without.facts["weights"]


def test_without_features_or_with_few_rows_auto_is_energy_on_all_rows() -> None:
    known = rows(600, seed=2)
    bare = Scored(known.logits, None, known.gold)
    for fitted in (
        fit_unknown(bare, keep_known=0.95, held=halves(600)),
        fit_unknown(known.take(np.arange(60)), keep_known=0.95, references=rows(100, seed=1), held=halves(60)),
    ):
        assert fitted.facts["method"] == "energy"
    assert fit_unknown(bare, keep_known=0.95, held=halves(600)).facts["rows"] == 600
    with pytest.raises(InputError, match="features"):
        fit_unknown(bare, keep_known=0.95, method="knn")
    with pytest.raises(InputError, match="knn"):
        fit_unknown(known, keep_known=0.95, method="kn")


@pytest.mark.parametrize("method", ["auto", "combined"])
@pytest.mark.parametrize("others", [0, 1, 3])
def test_rows_of_nearly_one_label_end_in_a_gate_that_scores(method: str, others: int) -> None:
    found = rows(900, seed=4)
    assert found.gold is not None
    mine = np.flatnonzero(found.gold == 0)
    few = found.take(np.concatenate([mine, mine, mine, np.flatnonzero(found.gold == 3)[:others]]))  # over 400 rows
    fitted = fit_unknown(few, keep_known=0.9, method=method, references=rows(300, seed=1), held=halves(len(few)))

    assert np.isfinite(score_each(fitted.gate.detector, few.logits, few.features)).all()
    assert math.isfinite(fitted.gate.threshold)


@pytest.mark.parametrize("method", ["knn", "mahalanobis", "relative_mahalanobis"])
def test_features_that_are_missing_misshapen_or_no_numbers_have_no_score(method: str) -> None:
    gate = fit_unknown(
        rows(600, seed=2), keep_known=0.95, method=method, references=rows(400, seed=3), held=halves(600)
    ).gate
    z = np.zeros(LABELS)
    for features in (None, np.zeros(WIDTH + 1), np.full(WIDTH, np.nan)):
        assert math.isnan(gate.score(Scores(z, features)))
    both = Combined((Energy(), gate.detector), np.array([[0.0, 1.0, 1.0], [0.0, 1.0, 1.0]]))
    assert math.isnan(both.score(Scores(z)))
    assert math.isnan(both.score(Scores(np.full(LABELS, np.nan), np.ones(WIDTH, dtype=np.float32))))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(min_size=1), unique=True, min_size=1, max_size=40), st.integers(0, 10))
def test_a_row_stays_in_its_half_whatever_stands_beside_it(keys: list[str], cut: int) -> None:
    assert (in_second_half(keys)[cut:] == in_second_half(keys[cut:])).all()


def test_gates_of_one_threshold_are_told_apart_by_their_detectors() -> None:
    assert UnknownGate(1.0) == UnknownGate(1.0, Energy())
    assert UnknownGate(1.0).score(Scores(np.array([0.0, 0.0]))) == pytest.approx(-math.log(2))
    assert isinstance(fit_detectors(rows(50, seed=1), ("knn", "mahalanobis"))[0], Nearest)
    assert isinstance(fit_detectors(rows(50, seed=1), ("mahalanobis",))[0], Mahalanobis)
