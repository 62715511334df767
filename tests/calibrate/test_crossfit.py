"""Cross-fitting, the chooser, the judged scores, and quality against labels."""

from __future__ import annotations

import math

import numpy as np
import pytest

from interlock.calibrate.choose import choose, choose_for_scores, simplest
from interlock.calibrate.crossfit import crossfit, crossfit_scores, folds_of
from interlock.calibrate.curve import quality_by_labels
from interlock.calibrate.kinds import LOGIT_FITS, SCORE_FITS
from interlock.calibrate.scores import JUDGED, MEASURED, judge_scores
from interlock.core.errors import InputError
from interlock.predict.calibrators import logit, sigmoid, softmax


def table(rows: int, seed: int = 0, *, slope: float = 0.5, shift: float = -0.4) -> tuple[np.ndarray, np.ndarray]:
    """Return confidences, and hits drawn with chance sigmoid(slope logit(p) + shift)."""
    chance = np.random.default_rng(seed)
    stated = np.asarray(sigmoid(chance.normal(1.5, 1.5, rows)))
    return stated, chance.random(rows) < sigmoid(slope * logit(stated) + shift)


@pytest.mark.parametrize("kind", sorted(set(SCORE_FITS) - {"raw"}))
def test_a_row_is_scored_by_a_calibrator_that_never_saw_it(kind: str) -> None:
    stated, hits = table(60)
    fold = folds_of(60, folds=5, seed=3)
    mine = int(fold[0])
    other = hits.copy()
    other[fold == mine] = ~other[fold == mine]

    before = crossfit_scores(stated, hits, kind=kind, seed=3)
    after = crossfit_scores(stated, other, kind=kind, seed=3)
    assert (before[fold == mine] == after[fold == mine]).all()
    assert (before[fold != mine] != after[fold != mine]).any()


@pytest.mark.parametrize("kind", LOGIT_FITS)
def test_cross_fitted_rows_sum_to_one_and_a_seed_means_the_same_folds(kind: str) -> None:
    chance = np.random.default_rng(0)
    logits, gold = chance.normal(size=(90, 3)), chance.integers(0, 3, 90)
    p = crossfit(logits, gold, kind=kind, seed=1)

    assert p.sum(axis=1) == pytest.approx(1)
    assert (crossfit(logits, gold, kind=kind, seed=1) == p).all()


def test_folds_are_as_equal_as_the_rows_allow() -> None:
    assert sorted(np.bincount(folds_of(13, folds=5, seed=0))) == [2, 2, 3, 3, 3]
    assert sorted(folds_of(3, folds=5, seed=0)) == [0, 1, 2]
    with pytest.raises(InputError):
        folds_of(1, folds=5, seed=0)
    with pytest.raises(InputError):
        folds_of(10, folds=1, seed=0)


def test_cross_fitting_removes_the_error_of_an_overconfident_model() -> None:
    found = judge_scores(*table(2000))

    assert found["raw"]["ece_debiased"].low > 0.1
    for kind in JUDGED[1:]:
        assert found[kind]["ece_20"].value < found["raw"]["ece_20"].value / 2
        assert found[kind]["nll"].value < found["raw"]["nll"].value
        assert set(found[kind]) == set(MEASURED)


def test_isotonic_regression_is_not_shown_as_perfect() -> None:
    stated, hits = table(400)
    fitted = SCORE_FITS["isotonic"](stated, hits).confidence(stated)
    in_sample = abs(np.bincount((fitted * 19.999).astype(int), weights=fitted - hits)).sum() / 400

    assert in_sample < 0.02
    assert judge_scores(stated, hits)["isotonic"]["ece_20"].value > 2 * in_sample


def test_a_calibrated_table_is_left_as_it_is() -> None:
    kinds = [choose_for_scores(*table(1000, seed, slope=1.0, shift=0.0)).kind for seed in range(10)]

    assert kinds.count("raw") >= 8


def test_the_simplest_calibrator_that_suffices_is_chosen() -> None:
    chance = np.random.default_rng(0)
    logits = chance.normal(0, 3, size=(1500, 4))
    gold = (chance.random((1500, 1)) < softmax(logits / 2.5).cumsum(axis=1)).argmax(axis=1)

    assert choose(logits, gold).kind == "temperature"
    found = choose_for_scores(*table(3000))
    assert found.kind == "platt"
    assert found.nll["platt"] < found.nll["temperature"] < found.nll["raw"]


def test_one_standard_error_decides_between_simple_and_best() -> None:
    best = np.array([1.0, 1.0, 1.0, 1.0])

    # Paired differences 0, 0, 0, 4 have mean 1 and standard error 2 / sqrt(4) = 1: not more than one away.
    assert simplest({"simple": np.array([1.0, 1.0, 1.0, 5.0]), "best": best}) == "simple"
    assert simplest({"simple": np.array([2.0, 2.0, 2.0, 3.0]), "best": best}) == "best"
    assert simplest({}) == "raw"


@pytest.mark.parametrize("hit", [True, False])
@pytest.mark.parametrize("rows", [2, 3, 40])
@pytest.mark.parametrize("stated", [0.0, 0.4, 1.0])
def test_constant_one_sided_tables_have_defined_values(hit: bool, rows: int, stated: float) -> None:
    found = judge_scores(np.full(rows, stated), np.full(rows, hit))

    for figures in found.values():
        assert {figure.n for figure in figures.values()} == {rows}
        assert all(math.isfinite(figures[name].value) for name in ("ece_20", "mce_20", "brier", "nll"))


def test_one_row_measures_the_raw_confidence_only() -> None:
    found = judge_scores([0.8], [True])

    assert found["raw"]["ece_20"].value == pytest.approx(0.2)
    assert math.isnan(found["platt"]["nll"].value)
    assert found["platt"]["nll"].n == 1
    assert choose_for_scores([0.8], [True]).kind == "raw"


@pytest.mark.parametrize("stated", [math.nan, math.inf, -0.1, 1.1])
def test_a_confidence_outside_its_range_is_named_with_its_row(stated: float) -> None:
    with pytest.raises(InputError, match="row 1"):
        judge_scores([0.5, stated], [True, False])


def test_no_rows_are_refused() -> None:
    with pytest.raises(InputError):
        judge_scores([], [])


def test_more_labels_make_better_calibrators_and_too_few_left_are_not_judged() -> None:
    found = quality_by_labels(*table(1000))

    for kind in ("isotonic", "beta"):
        assert found[kind][500]["nll"].value < found[kind][100]["nll"].value
    assert found["platt"][500]["nll"].n == 500
    assert math.isnan(found["platt"][1000]["nll"].value)
    assert found["raw"][100]["ece_debiased"].value > 3 * found["platt"][500]["ece_debiased"].value
