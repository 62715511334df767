"""Latency quantiles and the shares of a router that may abstain."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from interlock.measure.latency import quantile
from interlock.measure.selective import accepted_accuracy, coverage


def test_the_medians_bounds_are_the_ranks_of_the_sign_test() -> None:
    """Of 20 values, the 6th and 15th bound the median: P(Bin(20, 1/2) <= 5) = 0.0207 is the most below 0.025."""
    measured = quantile(np.arange(1.0, 21.0), 0.5, name="latency_p50_ms")

    assert stats.binom.cdf(5, 20, 0.5) <= 0.025 < stats.binom.cdf(6, 20, 0.5)
    assert (measured.low, measured.value, measured.high) == (6.0, 10.5, 15.0)


@pytest.mark.parametrize(("n", "known"), [(71, False), (72, True)])
def test_a_tail_has_an_upper_bound_only_from_72_rows_on(n: int, known: bool) -> None:
    """The largest of n values lies above the 95 % point with chance 1 - 0.95^n, which passes 0.975 at n = 72."""
    measured = quantile(np.arange(float(n)), 0.95, name="latency_p95_ms")

    assert (1 - 0.95**n >= 0.975) == known == measured.known
    assert math.isnan(measured.high) != known


@pytest.mark.parametrize(("n", "q"), [(100, 0.95), (300, 0.95), (1000, 0.99), (40, 0.5)])
def test_exact_coverage_is_at_least_the_level_and_not_needlessly_more(n: int, q: float) -> None:
    """The interval of ranks l, u holds the quantile with chance P(l <= Bin(n, q) < u), whatever the distribution."""
    measured = quantile(np.arange(1.0, n + 1), q, name="x_ms")
    chance = stats.binom.cdf(measured.high - 1, n, q) - stats.binom.cdf(measured.low - 1, n, q)

    assert chance >= 0.95
    tighter = stats.binom.cdf(measured.high - 2, n, q) - stats.binom.cdf(measured.low, n, q)
    assert tighter < 0.95


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60), st.floats(0.01, 0.99))
def test_bounds_hold_the_value(values: list[float], q: float) -> None:
    measured = quantile(values, q, name="x_ms")

    assert not measured.low > measured.value
    assert not measured.high < measured.value


@pytest.mark.parametrize("values", [[math.nan], [math.inf], [-1.0], [[1.0]]])
def test_what_is_no_duration_is_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        quantile(values, 0.5, name="x_ms")


@pytest.mark.parametrize("q", [0.0, 1.0, math.nan])
def test_impossible_quantiles_are_refused(q: float) -> None:
    with pytest.raises(ValueError, match="q: expected"):
        quantile([1.0], q, name="x_ms")


def test_no_durations_is_unmeasured() -> None:
    assert math.isnan(quantile([], 0.5, name="x_ms").value)


def test_coverage_and_accuracy_of_the_accepted() -> None:
    accepted, correct = np.array([1, 1, 1, 0, 0]), np.array([1, 0, 1, 0, 1])

    assert coverage(accepted).value == 3 / 5
    assert (accepted_accuracy(accepted, correct).value, accepted_accuracy(accepted, correct).n) == (2 / 3, 3)


def test_a_router_that_accepts_nothing_is_not_perfect() -> None:
    measured = accepted_accuracy([0, 0], [1, 1])

    assert math.isnan(measured.value)
    assert measured.n == 0
    assert coverage([0, 0]).value == 0
