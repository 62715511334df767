"""Paired comparisons of two models against statsmodels, scipy and published examples."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as mcnemar_of_statsmodels

from interlock.measure import accuracy_difference, mcnemar
from interlock.measure.compare import permutation

Flags = npt.NDArray[np.bool_]


def make_pair(both: int, only_a: int, only_b: int, neither: int) -> tuple[Flags, Flags]:
    cells = np.repeat([[1, 1], [1, 0], [0, 1], [0, 0]], [both, only_a, only_b, neither], axis=0)
    return cells[:, 0].astype(bool), cells[:, 1].astype(bool)


@pytest.mark.parametrize("table", [(80, 12, 3, 5), (900, 40, 20, 40), (10, 1, 0, 0), (0, 0, 7, 3), (5, 6, 6, 5)])
def test_exact_mcnemar_agrees_with_statsmodels(table: tuple[int, int, int, int]) -> None:
    both, only_a, only_b, neither = table
    expected = mcnemar_of_statsmodels([[both, only_a], [only_b, neither]], exact=True).pvalue

    assert mcnemar(*make_pair(*table)) == pytest.approx(min(expected, 1.0))


def test_mid_p_is_the_exact_p_less_the_observed_probability() -> None:
    """3 against 12: exact 2 P(X <= 3), mid-p takes away P(X = 3) once."""
    law = stats.binom(15, 0.5)

    assert mcnemar(*make_pair(80, 12, 3, 5), method="mid_p") == pytest.approx(2 * law.cdf(3) - law.pmf(3))
    assert mcnemar(*make_pair(1, 4, 4, 1), method="mid_p") == pytest.approx(1 - stats.binom(8, 0.5).pmf(4))


def test_models_that_never_differ_have_p_one() -> None:
    same = np.array([True, False, True])

    assert mcnemar(same, same) == mcnemar(same, same, method="mid_p") == permutation(same, same) == 1.0


def test_newcombes_interval_is_his_published_one() -> None:
    """Newcombe 1998, table III: pairs 36, 12, 2, 0 give 0.2000 with method 10 bounds 0.0569 and 0.3404."""
    measured = accuracy_difference(*make_pair(36, 12, 2, 0))

    assert measured.value == pytest.approx((12 - 2) / 50)
    assert (measured.low, measured.high) == pytest.approx((0.0569, 0.3404), abs=5e-5)


def test_bootstrap_and_newcombe_agree_on_many_rows() -> None:
    pair = make_pair(4000, 300, 200, 500)
    a, b = accuracy_difference(*pair), accuracy_difference(*pair, method="bootstrap", resamples=20_000)

    assert a.value == pytest.approx(b.value)
    assert (a.low, a.high) == pytest.approx((b.low, b.high), abs=7e-4)


@given(*[st.integers(0, 30)] * 4)
def test_swapping_the_models_mirrors_the_interval(both: int, only_a: int, only_b: int, neither: int) -> None:
    a, b = make_pair(both, only_a, only_b, neither)
    forward, back = accuracy_difference(a, b), accuracy_difference(b, a)

    assert forward.n == both + only_a + only_b + neither
    if forward.n:
        assert -1 <= forward.low <= forward.value <= forward.high <= 1
        assert (forward.low, forward.high) == pytest.approx((-back.high, -back.low))
        assert mcnemar(a, b) == pytest.approx(mcnemar(b, a))


def test_no_rows_is_unmeasured() -> None:
    assert math.isnan(accuracy_difference([], []).value)
    assert math.isnan(accuracy_difference([], [], method="bootstrap").value)
    assert mcnemar([], []) == permutation([], []) == 1.0


def test_permutation_agrees_with_scipys_exact_test() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=12)
    b = a + rng.normal(0.5, 1, 12)
    exact = stats.permutation_test((a, b), lambda x, y: (x - y).mean(), permutation_type="samples", n_resamples=np.inf)

    assert permutation(a, b, resamples=40_000) == pytest.approx(exact.pvalue, abs=0.01)


def test_permutation_keeps_its_level_when_nothing_differs() -> None:
    rng = np.random.default_rng(1)
    p = [permutation(rng.random(30), rng.random(30), resamples=199, seed=i) for i in range(400)]

    assert np.mean(np.array(p) <= 0.05) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        mcnemar([True], [True, False])
    with pytest.raises(ValueError, match="true or false"):
        accuracy_difference([2], [1])
    with pytest.raises(ValueError, match="method"):
        accuracy_difference([1], [1], method="wald")
    with pytest.raises(ValueError, match="method"):
        mcnemar([1], [1], method="chi2")
    with pytest.raises(ValueError, match="finite"):
        permutation([math.nan], [1.0])
