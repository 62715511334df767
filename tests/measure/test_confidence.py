"""Calibration errors of confidence tables: known values, bias, false rejection, reliability tables."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss

from interlock.measure.calibration import debiased_gap, debiased_square, equal_mass_bins
from interlock.measure.confidence import calibration_errors, classwise_error, consistency_p, sweep_bins
from interlock.measure.reliability import brier_parts, confidence_buckets, reliability

Floats = npt.NDArray[np.float64]


def make_table(n: int, *, seed: int, shift: float = 0.0) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return confidences that overstate accuracy by ``shift``, and hits."""
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(0.5, 1.0, n)
    return confidence, rng.random(n) < confidence - shift


def test_errors_of_a_table_of_ten_rows() -> None:
    """0.8 five times with three hits and 0.6 five times with four: gaps 0.8 - 0.6 and 0.6 - 0.8, halves each."""
    out = calibration_errors([0.8] * 5 + [0.6] * 5, [1, 1, 1, 0, 0, 1, 1, 1, 1, 0])

    assert out["ece_20"].value == pytest.approx(0.5 * 0.2 + 0.5 * 0.2)
    assert out["mce_20"].value == pytest.approx(0.2)
    assert out["brier"].value == pytest.approx((3 * 0.2**2 + 2 * 0.8**2 + 4 * 0.4**2 + 0.6**2) / 10)
    assert out["nll"].value == pytest.approx(-math.log(0.8**3 * 0.2**2 * 0.6**4 * 0.4) / 10)


def test_losses_agree_with_scikit_learn() -> None:
    confidence, hits = make_table(300, seed=0)
    out = calibration_errors(confidence, hits, resamples=50)

    assert out["brier"].value == pytest.approx(brier_score_loss(hits, confidence))
    assert out["nll"].value == pytest.approx(log_loss(hits, confidence))


def test_reliability_agrees_with_scikit_learn() -> None:
    confidence, hits = make_table(500, seed=1)
    seen, said = calibration_curve(hits, confidence, n_bins=10)
    table = [bucket for bucket in reliability(confidence, hits, bins=10) if bucket.n]

    np.testing.assert_allclose([bucket.accuracy.value for bucket in table], seen)
    np.testing.assert_allclose([bucket.confidence for bucket in table], said)


def test_the_debiased_square_is_the_square_less_its_chance_variance() -> None:
    """One bin of 4 rows, residuals 0.5, 0.5, 0.5, -0.5: mean 0.25, variance of the mean (1/4 - 1/16) / 3 = 1/16."""
    sums = [np.array([[x]]) for x in (4.0, 1.0, 1.0)]

    assert debiased_square(*sums)[0] == pytest.approx(1 / 16 - 1 / 16)


def test_the_debiased_square_is_unbiased_where_the_plain_one_is_not() -> None:
    """500 rows, calibrated, 15 bins: the plain error is near 0.046 on average, the square within 0.0003 of 0."""
    squares, plain = [], []
    for seed in range(400):
        confidence, hits = make_table(500, seed=seed)
        bins, residual = equal_mass_bins(confidence, bins=15), confidence - hits
        sums = [np.bincount(bins, weights=w)[None].astype(np.float64) for w in (np.ones(500), residual, residual**2)]
        squares.append(debiased_square(*sums)[0])
        plain.append(np.abs(sums[1]).sum() / 500)
        assert debiased_gap(*sums)[0] < plain[-1]

    assert np.mean(squares) == pytest.approx(0, abs=3e-4)
    assert np.mean(plain) > 0.04


@pytest.mark.parametrize("shift", [0.05, 0.15])
def test_debiased_errors_find_the_true_one(shift: float) -> None:
    found = [calibration_errors(*make_table(1500, seed=s, shift=shift), resamples=20, seed=s) for s in range(25)]

    for name in ("ece_debiased", "ece_l1_debiased"):
        assert np.mean([out[name].value for out in found]) == pytest.approx(shift, abs=0.012)


def rejections(n: int, shift: float, trials: int) -> float:
    p = [consistency_p(*make_table(n, seed=1000 + s, shift=shift), resamples=200, seed=s) for s in range(trials)]
    return float(np.mean(np.array(p) <= 0.05))


@pytest.mark.parametrize("n", [50, 500])
def test_a_calibrated_model_is_rejected_at_most_one_time_in_twenty(n: int) -> None:
    assert rejections(n, 0.0, 300) <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / 300)


def test_an_overconfident_model_is_rejected() -> None:
    assert rejections(1000, 0.08, 50) > 0.9


def test_a_limit_on_the_plain_error_fails_calibrated_models_and_our_bound_does_not() -> None:
    """At n = 500 nearly every calibrated model shows a plain error above 0.03; its low bound stays below."""
    found = [calibration_errors(*make_table(500, seed=s), resamples=100, seed=s)["ece_mass_15"] for s in range(100)]

    assert np.mean([m.value > 0.03 for m in found]) > 0.85
    assert np.mean([m.low > 0.03 for m in found]) <= 0.05


def test_sweep_keeps_accuracies_rising() -> None:
    confidence, hits = make_table(400, seed=3)
    bins = sweep_bins(confidence, hits)
    accuracy = [hits[bins == i].mean() for i in range(int(bins.max()) + 1)]

    assert len(accuracy) > 1
    assert (np.diff(accuracy) >= 0).all()


def test_sweep_is_finite_where_no_accuracy_ever_falls() -> None:
    assert sweep_bins(np.linspace(0.5, 1, 2000), np.ones(2000, dtype=bool)).max() == 99


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.3, 0.55, 0.9, 1.0]), st.booleans()), min_size=1, max_size=40))
def test_any_table_has_defined_errors_that_ignore_order(rows: list[tuple[float, bool]]) -> None:
    confidence, hits = (list(column) for column in zip(*rows, strict=True))
    out = calibration_errors(confidence, hits, resamples=30)
    back = calibration_errors(confidence[::-1], hits[::-1], resamples=30)

    for name, m in out.items():
        if len(rows) > 1 or not name.endswith("debiased"):
            assert 0 <= m.low <= m.value <= m.high
            assert m.value == pytest.approx(back[name].value)


def test_no_rows_are_unmeasured() -> None:
    assert all(math.isnan(m.value) for m in calibration_errors([], []).values())
    assert consistency_p([], []) == 1
    assert all(bucket.n == 0 and bucket.consistent for bucket in confidence_buckets([], []))
    assert reliability([], [], kind="mass") == []


def test_classwise_error_is_the_mean_over_labels() -> None:
    p = np.array([[0.7, 0.3], [0.7, 0.3], [0.2, 0.8], [0.2, 0.8]])
    gold = np.array([0, 0, 1, 0])
    wide, adaptive = classwise_error(p, gold), classwise_error(p, gold, adaptive=True, bins=2)

    expected = ((2 * 0.3 + 2 * abs(0.2 - 0.5)) / 4 + (2 * 0.3 + 2 * abs(0.8 - 0.5)) / 4) / 2
    assert wide.value == adaptive.value == pytest.approx(expected)
    assert (wide.name, adaptive.name) == ("classwise_ece", "ace")
    assert math.isnan(classwise_error(np.empty((0, 2)), np.empty(0, dtype=int)).value)


def test_buckets_follow_the_policys_edges() -> None:
    """An edge belongs to the band above it, as in ``confidence >= 0.90``."""
    table = confidence_buckets([0.1, 0.5, 0.69, 0.7, 0.9, 1.0], [0, 1, 0, 1, 1, 1])

    assert [(b.low, b.high, b.n) for b in table] == [(0, 0.5, 1), (0.5, 0.7, 2), (0.7, 0.9, 1), (0.9, 1, 2)]
    assert [b.accuracy.value for b in table] == [0, 0.5, 1, 1]
    assert table[1].confidence == pytest.approx((0.5 + 0.69) / 2)


def test_a_buckets_band_is_the_binomial_one() -> None:
    """100 rows stated at 0.9: a calibrated model has 84 to 95 or 96 of them right, 95 times in 100."""
    bucket = confidence_buckets([0.9] * 100, [1] * 90 + [0] * 10)[-1]

    assert bucket.expected_low == pytest.approx(0.84, abs=0.011)
    assert bucket.expected_high == pytest.approx(0.95, abs=0.011)
    assert bucket.consistent
    assert not confidence_buckets([0.9] * 100, [1] * 70 + [0] * 30)[-1].consistent


@given(st.integers(1, 200), st.integers(0, 50))
def test_brier_parts_add_up(n: int, seed: int) -> None:
    confidence, hits = make_table(n, seed=seed)
    parts = brier_parts(confidence, hits)

    assert parts.brier == pytest.approx(((confidence - hits) ** 2).mean())
    assert min(parts.reliability, parts.resolution, parts.uncertainty) >= 0


def test_brier_parts_of_two_equal_buckets() -> None:
    """0.8 with accuracy 0.6, 0.6 with accuracy 0.8, overall 0.7: nothing is within a bucket."""
    parts = brier_parts([0.8] * 5 + [0.6] * 5, [1, 1, 1, 0, 0, 1, 1, 1, 1, 0])

    assert parts.reliability == pytest.approx(0.2**2)
    assert parts.resolution == pytest.approx(0.1**2)
    assert parts.uncertainty == pytest.approx(0.7 * 0.3)
    assert parts.within == pytest.approx(0, abs=1e-12)


BAD = {
    "a NaN": ([math.nan], [1], "finite"),
    "a confidence above one": ([1.1], [1], "0.0..1.0"),
    "a hit that is neither": ([0.5], [2], "true or false"),
    "lengths that differ": ([0.5, 0.6], [1], "shape"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_tables_are_refused(case: str) -> None:
    confidence, hits, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        calibration_errors(confidence, hits)
    with pytest.raises(ValueError, match=message):
        consistency_p(confidence, hits)


def test_bad_options_are_refused() -> None:
    with pytest.raises(ValueError, match="rising"):
        confidence_buckets([0.5], [1], edges=[0.7, 0.5])
    with pytest.raises(ValueError, match="at least one row"):
        brier_parts([], [])
    with pytest.raises(ValueError, match="kind"):
        reliability([0.5], [1], kind="other")  # type: ignore[arg-type]  # what a caller without types may send
