"""Shares and their intervals, against statsmodels, scipy and exact coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from interlock.measure.proportion import binomial_cdf, clopper_pearson, proportion, unseen_share, wilson

CASES = [(0, 1), (1, 1), (0, 30), (30, 30), (1, 30), (29, 30), (15, 30), (5063, 5500), (3, 5500), (499_990, 500_000)]


@pytest.mark.parametrize(("successes", "n"), CASES)
@pytest.mark.parametrize("level", [0.9, 0.95, 0.999])
def test_both_intervals_agree_with_statsmodels(successes: int, n: int, level: float) -> None:
    for ours, theirs in ((wilson, "wilson"), (clopper_pearson, "beta")):
        expected = proportion_confint(successes, n, alpha=1 - level, method=theirs)
        assert ours(successes, n, level=level) == pytest.approx(expected, abs=2e-9)


def test_no_failure_in_29_rows_proves_ninety_percent_one_sided() -> None:
    """Catalogue figure: with 95 % one-sided, that is level 0.90 two-sided, 29 rows carry recall >= 0.90."""
    assert clopper_pearson(29, 29, level=0.90)[0] == pytest.approx(0.05 ** (1 / 29))
    assert clopper_pearson(29, 29, level=0.90)[0] > 0.90 > clopper_pearson(28, 28, level=0.90)[0]
    assert unseen_share(300, level=0.90) == pytest.approx(1 - 0.05 ** (1 / 300))


def least_covered(n: int, method: str) -> float:
    """Return the exact chance that the interval of n rows holds the true share, at the share where that is least."""
    found = [proportion("x", k, n, method=method) for k in range(n + 1)]
    low, high = np.array([m.low for m in found]), np.array([m.high for m in found])
    shares = np.linspace(0.005, 0.995, 67)[:, np.newaxis]
    chances = stats.binom.pmf(np.arange(n + 1), n, shares)
    return float(np.where((low <= shares) & (shares <= high), chances, 0.0).sum(axis=1).min())


@pytest.mark.parametrize("n", [10, 30, 100])
def test_exact_coverage(n: int) -> None:
    """Clopper-Pearson never falls below its level; the automatic choice hardly does, where Wilson alone falls far."""
    least = {method: least_covered(n, method) for method in ("wilson", "clopper_pearson", "auto")}

    assert least["clopper_pearson"] >= 0.95
    assert least["auto"] >= 0.92
    assert least["wilson"] < 0.92


@given(st.integers(1, 500), st.floats(0, 1), st.sampled_from(["wilson", "clopper_pearson", "auto"]))
def test_bounds_hold_the_value_and_mirror(n: int, share: float, method: str) -> None:
    k = round(share * n)
    m, mirrored = proportion("x", k, n, method=method), proportion("x", n - k, n, method=method)

    assert 0 <= m.low <= m.value <= m.high <= 1
    assert (m.low, m.high) == pytest.approx((1 - mirrored.high, 1 - mirrored.low), abs=1e-9)


@given(st.integers(1, 400), st.floats(0.01, 0.99))
def test_the_binomial_law_is_scipys(n: int, p: float) -> None:
    np.testing.assert_allclose(binomial_cdf(n, p), stats.binom.cdf(np.arange(n + 1), n, p), atol=1e-10)


def test_no_rows_is_unmeasured() -> None:
    assert math.isnan(proportion("x", 0, 0).value)


@pytest.mark.parametrize(("successes", "n"), [(-1, 5), (6, 5), (1, 0)])
def test_impossible_counts_are_refused(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="successes"):
        wilson(successes, n)


def test_impossible_options_are_refused() -> None:
    with pytest.raises(ValueError, match="method"):
        proportion("x", 1, 2, method="wald")
    with pytest.raises(ValueError, match="level"):
        wilson(1, 2, level=1.0)
