"""Drift distances: formulas, null behaviour by simulation, labels never seen; label-shift estimates."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from interlock.measure.drift import DISTANCES, SCALES, g_test, js, kl, label_drift, psi
from interlock.measure.label_shift import corrected, from_predictions, from_probabilities

Labels = npt.NDArray[np.int64]


def counts(*values: float) -> npt.NDArray[np.float64]:
    return np.array([values], dtype=np.float64)


def test_distances_of_two_labels_are_the_arithmetic_ones() -> None:
    """Window 9 and 1, reference 5 and 5, half a row added to each: shares 9.5/11 and 1.5/11 against 1/2 and 1/2."""
    p, q = np.array([9.5, 1.5]) / 11, np.array([0.5, 0.5])

    assert kl(counts(5, 5), counts(9, 1))[0] == pytest.approx((p * np.log(p / q)).sum())
    assert psi(counts(5, 5), counts(9, 1))[0] == pytest.approx(((p - q) * np.log(p / q)).sum())


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=9))
def test_jensen_shannon_is_scipys_and_bounded(pairs: list[tuple[int, int]]) -> None:
    before, now = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    if before.sum() and now.sum():
        value = js(before[None], now[None])[0]
        assert value == pytest.approx(jensenshannon(before, now) ** 2, abs=1e-12)
        assert -1e-12 <= value <= math.log(2) + 1e-12


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=9))
def test_g_test_is_scipys(pairs: list[tuple[int, int]]) -> None:
    table = np.array(pairs).T
    kept = table[:, table.sum(axis=0) > 0]
    if kept.shape[1] >= 2 and (kept.sum(axis=1) > 0).all():
        expected = stats.chi2_contingency(kept, lambda_="log-likelihood", correction=False).pvalue
        assert g_test(*table) == pytest.approx(expected, abs=1e-9)
    else:
        assert g_test(*table) == 1.0


@pytest.mark.parametrize(("k", "n"), [(13, 500), (20, 500), (77, 2000)])
def test_without_drift_the_debiased_distances_are_zero_and_the_limits_hold(k: int, n: int) -> None:
    """Plain distances lie near (k-1)(1/n + 1/m) times 1/2, 1/8, 1; the limits are passed about one time in twenty."""
    rng = np.random.default_rng(k)
    shares = rng.dirichlet(np.full(k, 8.0))
    before, now = (rng.multinomial(n, shares, size=1500).astype(float) for _ in range(2))
    noise = 2 / n
    for name, scale in SCALES.items():
        plain = DISTANCES[name](before, now)
        assert plain.mean() == pytest.approx(scale * (k - 1) * noise, rel=0.1)
        limit = scale * noise * stats.chi2.ppf(0.95, k - 1)
        assert np.mean(plain > limit) == pytest.approx(0.05, abs=0.03)


def test_a_fixed_limit_alarms_on_chance_where_ours_does_not() -> None:
    """77 labels, 500 rows a side: nearly every window without drift passes PSI 0.1, few the limit for that size."""
    rng = np.random.default_rng(0)
    windows = [label_drift(*rng.multinomial(500, np.full(77, 1 / 77), size=2), resamples=20) for _ in range(60)]

    assert np.mean([w.plain["psi"] > 0.1 for w in windows]) > 0.95
    assert np.mean([w.plain["psi"] > w.limits["psi"] for w in windows]) < 0.15
    assert np.mean([w.psi.low > 0 for w in windows]) < 0.15


def test_drift_is_found_and_bounded() -> None:
    found = label_drift([500, 300, 200], [300, 300, 400])

    assert found.p < 1e-6
    assert found.enough
    for measured, name in ((found.kl, "kl"), (found.js, "js"), (found.psi, "psi")):
        assert measured.name == name
        assert 0 < measured.low < measured.value < measured.high
        assert found.plain[name] > found.limits[name]  # type: ignore[index]  # names are spelt out above


def test_a_label_never_seen_before_is_finite_and_named() -> None:
    found = label_drift([50, 50, 0], [45, 45, 10])

    assert found.unseen == (2,)
    assert math.isfinite(found.kl.value)
    assert math.isfinite(found.psi.value)


def test_a_label_no_side_has_seen_changes_nothing_in_the_test() -> None:
    assert label_drift([50, 50], [40, 60]).p == pytest.approx(label_drift([50, 50, 0], [40, 60, 0]).p)


def test_small_windows_say_that_they_are() -> None:
    assert not label_drift([500, 500, 10], [50, 40, 1]).enough


@pytest.mark.parametrize("sides", [([0, 0], [1, 2]), ([1, 2], [0, 0]), ([], [])])
def test_an_empty_side_is_unmeasured(sides: tuple[list[int], list[int]]) -> None:
    found = label_drift(*sides)

    assert math.isnan(found.kl.value)
    assert found.p == 1.0
    assert not found.enough


def test_one_label_cannot_drift() -> None:
    found = label_drift([10], [20])

    assert found.kl.value == found.psi.value == 0
    assert found.p == 1.0


def test_bad_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="window"):
        label_drift([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="reference"):
        label_drift([-1, 2], [1, 2])


CONFUSION = np.array([[0.85, 0.10, 0.05], [0.10, 0.80, 0.10], [0.05, 0.15, 0.80]])  # gold by predicted


def make_predictions(n: int, shares: list[float], rng: np.random.Generator) -> tuple[Labels, Labels]:
    gold = rng.choice(3, size=n, p=shares)
    predicted = (CONFUSION[gold].cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    return predicted.astype(np.int64), gold.astype(np.int64)


def test_shares_are_recovered_from_predictions_with_their_coverage() -> None:
    """Trained on 40/40/20, traffic is 10/30/60: predictions alone would say 15/34/51."""
    rng, held, now = np.random.default_rng(0), 0, [0.1, 0.3, 0.6]
    for trial in range(150):
        labelled = make_predictions(800, [0.4, 0.4, 0.2], rng)
        window, _ = make_predictions(600, now, rng)
        found = from_predictions(labelled[0], labelled[1], window, k=3, resamples=200, seed=trial)
        held += sum(m.low <= truth <= m.high for m, truth in zip(found, now, strict=True))

    assert held / 450 == pytest.approx(0.95, abs=0.04)


def test_predictions_that_tell_nothing_apart_measure_no_shares() -> None:
    gold, predicted = np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])

    assert all(math.isnan(m.value) for m in from_predictions(predicted, gold, np.array([0, 1]), k=2))
    assert all(math.isnan(m.value) for m in from_predictions(predicted, gold, np.array([], dtype=int), k=2))


def make_calibrated(n: int, shares: list[float], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return probabilities calibrated for equal shares, of rows whose label has other shares."""
    gold = (rng.random(n) < shares[1]).astype(int)
    score = rng.normal(2.0 * gold - 1.0, 1.0)
    p = 1 / (1 + np.exp(-2.0 * score))
    return np.column_stack([1 - p, p])


def test_em_recovers_the_shares_and_corrects_the_probabilities() -> None:
    rng = np.random.default_rng(1)
    p = make_calibrated(20_000, [0.8, 0.2], rng)
    found = from_probabilities(p, prior=np.array([0.5, 0.5]))

    assert p[:, 1].mean() > 0.25
    assert found[1] == pytest.approx(0.2, abs=0.015)
    assert corrected(p, prior=np.array([0.5, 0.5]), shares=found)[:, 1].mean() == pytest.approx(found[1], abs=1e-6)


def test_shares_that_did_not_move_leave_probabilities_alone() -> None:
    p, prior = np.array([[0.3, 0.7], [0.9, 0.1]]), np.array([0.6, 0.4])

    np.testing.assert_allclose(corrected(p, prior=prior, shares=prior), p)
    assert np.isnan(from_probabilities(np.empty((0, 2)), prior=prior)).all()


def test_a_prior_without_a_label_is_refused() -> None:
    with pytest.raises(ValueError, match="prior"):
        from_probabilities(np.array([[0.5, 0.5]]), prior=np.array([1.0, 0.0]))
