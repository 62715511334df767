"""How many rows settle a claim, many tests at once, seeds, and the distributions behind them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from interlock.core.measurement import Measurement, unmeasured
from interlock.measure import distributions
from interlock.measure.multiplicity import benjamini_hochberg, holm, simultaneous_level
from interlock.measure.power import planned_rows, rows_needed, rows_to_clear
from interlock.measure.proportion import proportion
from interlock.measure.seeds import mean_over_seeds, seed_summary


@pytest.mark.parametrize("limit", [0.9, 0.95, 0.99])
def test_rows_without_a_failure_that_prove_a_share(limit: float) -> None:
    """0.025^(1/n) > limit first holds at n = log 0.025 / log limit, rounded up."""
    assert rows_to_clear(1.0, limit=limit) == math.ceil(math.log(0.025) / math.log(limit))
    assert rows_needed(unmeasured("recall.escalation"), limit=limit) == rows_to_clear(1.0, limit=limit)


def test_the_rows_asked_for_do_settle_it() -> None:
    before = proportion("recall.x", 87, 100)
    more = rows_needed(before, limit=0.85)

    assert before.low < 0.85
    assert more is not None
    after = proportion("recall.x", round(0.87 * (100 + more)), 100 + more)
    assert after.low > 0.85
    fewer = round(0.9 * (100 + more))
    assert proportion("recall.x", round(0.87 * fewer), fewer).low < 0.85


def test_a_settled_claim_needs_no_rows_either_way() -> None:
    assert rows_needed(proportion("x", 990, 1000), limit=0.9) == 0
    assert rows_needed(proportion("x", 500, 1000), limit=0.9) == 0


def test_no_number_of_rows_settles_a_value_at_its_limit() -> None:
    assert rows_needed(proportion("x", 90, 100), limit=0.9) is None
    assert rows_needed(unmeasured("cost_ratio", n=5), limit=0.9) is None
    assert rows_to_clear(0.9, limit=0.9) is None


def test_other_intervals_shrink_with_the_root_of_n() -> None:
    """1.0 with bounds 0.8-1.3 on 100 rows: 1.1 lies a third of the way to the high bound, so 9 times the rows."""
    measured = Measurement("nll", 1.0, 100, 0.8, 1.3, 0.95, "bootstrap_percentile")

    assert rows_needed(measured, limit=1.1) == pytest.approx(9 * 100 - 100, abs=1)
    assert rows_needed(measured, limit=0.9) == pytest.approx(4 * 100 - 100, abs=1)


@given(st.integers(1, 200), st.integers(0, 200), st.floats(0.05, 0.95))
def test_rows_needed_is_zero_just_when_the_limit_is_outside(n: int, k: int, limit: float) -> None:
    measured = proportion("x", min(k, n), n)
    more = rows_needed(measured, limit=limit)

    if measured.low > limit or measured.high < limit:
        assert more is not None
        assert more <= n  # a rounding of the count may ask for a few rows more, never for as many again
    elif measured.value != limit:
        assert more is None or more >= 0


def test_planned_rows_reach_their_power() -> None:
    n = planned_rows(0.93, limit=0.90, power=0.8)
    counts = np.random.default_rng(0).binomial(n, 0.93, 4000)
    found = {k: proportion("x", int(k), n, method="wilson").low > 0.90 for k in np.unique(counts)}

    assert np.mean([found[k] for k in counts]) == pytest.approx(0.8, abs=0.04)


def test_impossible_plans_are_refused() -> None:
    with pytest.raises(ValueError, match="different shares"):
        planned_rows(0.9, limit=0.9)
    with pytest.raises(ValueError, match="share"):
        rows_to_clear(1.2, limit=0.9)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_adjusted_p_values_are_by_their_definitions(p: list[float]) -> None:
    """Of the p-values up to one's own the largest times how many are as large; of those from it on the smallest ..."""
    stepped_down = [max(min(1.0, q * sum(r >= q for r in p)) for q in p if q <= own) for own in p]
    stepped_up = [min(min(1.0, q * len(p) / sum(r <= q for r in p)) for q in p if q >= own) for own in p]

    np.testing.assert_allclose(holm(p), stepped_down, atol=1e-12)
    np.testing.assert_allclose(benjamini_hochberg(p), stepped_up, atol=1e-12)


@pytest.mark.parametrize("p", [[0.04], [0.01, 0.01, 0.02, 0.9], [0.0, 1.0, 0.5, 0.001, 0.02, 0.02]])
def test_adjusted_p_values_are_statsmodels(p: list[float]) -> None:
    np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1], atol=1e-12)
    np.testing.assert_allclose(benjamini_hochberg(p), multipletests(p, method="fdr_bh")[1], atol=1e-12)


def test_no_tests_adjust_to_none() -> None:
    assert holm([]).size == benjamini_hochberg([]).size == 0


def test_bonferroni_splits_the_error() -> None:
    assert simultaneous_level(10) == pytest.approx(1 - 0.05 / 10)
    with pytest.raises(ValueError, match="tests"):
        simultaneous_level(0)


@given(st.floats(0.001, 400), st.integers(1, 160))
def test_chi_squared_is_scipys(x: float, degrees: int) -> None:
    assert distributions.chi_squared_tail(x, degrees) == pytest.approx(stats.chi2.sf(x, degrees), abs=1e-12)


# Nearer to 0 it is scipy that is off: for one degree and 4.4e-9 it says 0.5, where 0.5 + atan(t) / pi is 1.4e-9 more.
@given(st.one_of(st.floats(0.01, 50), st.floats(-50, -0.01), st.just(0.0)), st.integers(1, 100))
def test_student_is_scipys(t: float, degrees: int) -> None:
    assert distributions.student_cdf(t, degrees) == pytest.approx(stats.t.cdf(t, degrees), abs=1e-11)


@given(st.floats(0.001, 0.999), st.integers(1, 160))
def test_quantiles_are_scipys(share: float, degrees: int) -> None:
    assert distributions.chi_squared_quantile(share, degrees) == pytest.approx(stats.chi2.ppf(share, degrees), rel=1e-7)
    expected = pytest.approx(stats.t.ppf(share, degrees), rel=1e-7, abs=1e-9)
    assert distributions.student_quantile(share, degrees) == expected


def test_the_mean_over_seeds_has_students_interval() -> None:
    values = [0.910, 0.915, 0.921, 0.918, 0.906]
    measured = mean_over_seeds(values, name="accuracy")
    expected = stats.t.interval(0.95, 4, np.mean(values), stats.sem(values))

    assert (measured.low, measured.high) == pytest.approx(expected)
    assert not mean_over_seeds([0.9], name="accuracy").known
    assert math.isnan(mean_over_seeds([], name="accuracy").value)


def test_seed_and_sampling_variance_are_told_apart() -> None:
    """40 runs whose accuracy differs by 0.02, each judged on 2,000 rows: sqrt(0.9 * 0.1 / 2000) = 0.0067."""
    rng = np.random.default_rng(0)
    accuracy = rng.normal(0.9, 0.02, 40)
    summary = seed_summary(rng.random((40, 2000)) < accuracy[:, None])

    assert summary.sampling_sd == pytest.approx(math.sqrt(0.9 * 0.1 / 2000), rel=0.05)
    assert summary.seed_sd == pytest.approx(math.hypot(0.02, 0.0067), rel=0.25)
    assert summary.total_sd == pytest.approx(math.hypot(summary.seed_sd, summary.sampling_sd))
    assert 0.8 < summary.seed_share < 1


def test_equal_runs_have_no_seed_variance() -> None:
    assert seed_summary(np.ones((3, 10))).seed_share == 0
    with pytest.raises(ValueError, match="s >= 2"):
        seed_summary(np.ones((1, 10)))
