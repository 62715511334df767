"""The fast bootstrap follows the plain loop's law, and its intervals the textbook's formulas."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from interlock.measure.bootstrap import Sums, bootstrap, leave_one_out, resampled_sums
from interlock.measure.calibration import equal_width_bins, gap, indicator
from interlock.measure.classify import macro_f1
from interlock.measure.intervals import interval
from interlock.measure.multinomial import FourCounts, RowWeights


def make_generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.SFC64(seed))


def draw(n: int, *, seed: int, resamples: int) -> npt.NDArray[np.float32]:
    """Return ``(resamples, n)`` counts of rows."""
    out = np.empty((resamples, n), np.float32)
    RowWeights.of(n).draw(make_generator(seed), out=out)
    return out


def sums_of_plain_loop(rows: Sums, *, resamples: int, seed: int) -> Sums:
    rng = np.random.default_rng(seed)
    return np.array([rows[rng.integers(0, len(rows), len(rows))].sum(axis=0) for _ in range(resamples)])


@pytest.mark.parametrize("n", [2, 3, 4])
def test_every_resample_of_few_rows_has_its_multinomial_probability(n: int) -> None:
    drawn = draw(n, seed=n, resamples=60_000)
    outcomes = [c for c in product(range(n + 1), repeat=n) if sum(c) == n]
    seen = [int((drawn == c).all(axis=1).sum()) for c in outcomes]
    expected = [60_000 * stats.multinomial.pmf(c, n, [1 / n] * n) for c in outcomes]

    assert stats.chisquare(seen, expected).pvalue > 1e-3


@pytest.mark.parametrize("n", [10, 25, 300])
def test_a_rows_count_is_binomial_in_every_place(n: int) -> None:
    """Checked beyond the smallest sizes, where counts come from bytes: first, middle and last row."""
    drawn = draw(n, seed=n, resamples=40_000)
    law = stats.binom.pmf(range(5), n, 1 / n)
    for row in (0, n // 2, n - 1):
        seen = np.bincount(np.minimum(drawn[:, row], 5).astype(int), minlength=6)
        assert stats.chisquare(seen, 40_000 * np.append(law, 1 - law.sum())).pvalue > 1e-3


def test_counts_of_two_rows_are_jointly_multinomial() -> None:
    n = 16
    drawn = draw(n, seed=3, resamples=80_000)
    pairs = [(a, b) for a in range(4) for b in range(4)]
    law = [stats.multinomial.pmf([a, b, n - a - b], n, [1 / n, 1 / n, 1 - 2 / n]) for a, b in pairs]
    seen = [int(((drawn[:, 2] == a) & (drawn[:, 11] == b)).sum()) for a, b in pairs]
    seen, law = [*seen, 80_000 - sum(seen)], [*law, 1 - sum(law)]

    assert stats.chisquare(seen, [80_000 * x for x in law]).pvalue > 1e-3


@pytest.mark.parametrize("n", [1, 2, 9, 10, 50, 5500])
def test_every_resample_has_as_many_rows_as_the_sample(n: int) -> None:
    drawn = draw(n, seed=0, resamples=200)

    assert (drawn.sum(axis=1, dtype=np.int64) == n).all()


def tabulated(table: FourCounts, codes: npt.NDArray[np.uint32]) -> npt.NDArray[np.float64]:
    counts = dict(zip(*np.unique(table.table[: table.decided], return_counts=True), strict=True))
    return np.array([counts.get(code, 0) for code in codes]) / 65536


def test_the_tables_are_the_law_of_four_poisson_counts() -> None:
    """Chances from bits that decide, in the first table, the second and beyond, add up to Poisson probabilities."""
    weights = RowWeights.of(5500)
    rate, counts = 1 - 3 / math.sqrt(5500), weights.codes.view(np.uint8).reshape(-1, 4)
    beyond = (1 - weights.second.decided / 65536) * np.diff(weights.undecided, prepend=0)
    left = tabulated(weights.second, weights.codes) + beyond
    law = tabulated(weights.first, weights.codes) + (1 - weights.first.decided / 65536) * left

    np.testing.assert_allclose(law, stats.poisson.pmf(counts, rate).prod(axis=1), atol=1e-15)
    assert law.sum() == pytest.approx(1, abs=1e-12)


def test_no_byte_overflows_when_entries_are_added() -> None:
    """Totals are added eight entries at once as whole numbers, which is right while no byte can reach 256."""
    assert 8 * int(RowWeights.of(10**9).codes.view(np.uint8).max()) < 256


def make_model(n: int, k: int, seed: int) -> tuple[Sums, int]:
    """Return sufficient statistics of accuracy, macro-F1 and ECE: hits, occurrences, bins' residuals."""
    rng = np.random.default_rng(seed)
    gold = rng.integers(0, k, n)
    predicted = np.where(rng.random(n) < 0.8, gold, rng.integers(0, k, n))
    confidence = rng.uniform(0.4, 1, n)
    truth, said = indicator(gold, bins=k), indicator(predicted, bins=k)
    bins = indicator(equal_width_bins(confidence, bins=10), bins=10)
    return np.hstack([truth * said, truth + said, bins * (confidence - (gold == predicted))[:, None]]), k


def figures(sums: Sums, n: int, k: int) -> Sums:
    hits, occurrences, residuals = np.split(sums, [k, 2 * k], axis=1)
    return np.column_stack([hits.sum(axis=1) / n, macro_f1(hits, occurrences), gap(residuals, n)])


@pytest.mark.parametrize("n", [40, 400])
def test_three_figures_follow_the_plain_loops_law(n: int) -> None:
    rows, k = make_model(n, 4, seed=n)
    fast = figures(resampled_sums(rows, resamples=5000, seed=1), n, k)
    plain = figures(sums_of_plain_loop(rows, resamples=5000, seed=2), n, k)

    for column in range(3):
        assert stats.ks_2samp(fast[:, column], plain[:, column]).pvalue > 1e-3
    np.testing.assert_allclose(np.corrcoef(fast.T), np.corrcoef(plain.T), atol=0.05)


def test_few_distinct_rows_and_many_follow_one_law() -> None:
    """Rows of a small table are resampled by cell counts; a column that tells them apart makes it go row by row."""
    outcome = (np.arange(400) < 350).astype(float)
    by_cell = resampled_sums(outcome[:, None], resamples=5000, seed=1)[:, 0]
    by_row = resampled_sums(np.column_stack([outcome, np.arange(400)]), resamples=5000, seed=2)[:, 0]

    assert stats.ks_2samp(by_cell, by_row).pvalue > 1e-3
    assert by_cell.std() == pytest.approx(math.sqrt(400 * 0.875 * 0.125), rel=0.05)


def test_sums_are_those_of_the_weights_drawn() -> None:
    """Column sums of a one-hot matrix are the weights themselves, so the other columns can be recomputed from them."""
    values = np.random.default_rng(0).normal(size=(60, 3)) * [1, 1e3, 1e-3]
    sums = resampled_sums(np.hstack([np.eye(60), values]), resamples=50)

    np.testing.assert_allclose(sums[:, 60:], sums[:, :60] @ values, rtol=1e-5, atol=1e-4)
    assert (sums[:, :60].sum(axis=1) == 60).all()


def test_the_seed_decides_everything() -> None:
    rows = np.random.default_rng(0).random((300, 2))
    first, again, other = (resampled_sums(rows, resamples=500, seed=seed) for seed in (1, 1, 2))

    assert (first == again).all()
    assert (first != other).any()


def test_the_number_of_threads_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(0).random((300, 2))
    many = resampled_sums(rows, resamples=5000)
    monkeypatch.setattr("interlock.measure.bootstrap.ThreadPoolExecutor", lambda _: ThreadPoolExecutor(1))

    assert (resampled_sums(rows, resamples=5000) == many).all()


@pytest.mark.parametrize(("n", "columns"), [(5, 1), (129, 3), (700, 40), (300, 500)])
def test_rows_of_any_shape_are_multiplied_as_they_are(n: int, columns: int) -> None:
    """Pieces are filled up, columns that are zero left out: the sums are still those of the plain products."""
    rng = np.random.default_rng(n)
    rows = rng.normal(size=(n, columns)) * (rng.random((n, columns)) < 0.3)
    sums = resampled_sums(np.hstack([np.eye(n), rows, np.zeros((n, 2))]), resamples=70)

    np.testing.assert_allclose(sums[:, n:-2], sums[:, :n] @ rows, rtol=1e-5, atol=1e-4)
    assert not sums[:, -2:].any()


def test_strata_keep_their_sizes() -> None:
    stratum = np.repeat(["a", "b"], [30, 200])
    rows = np.column_stack([stratum == "a", stratum == "b", np.arange(230)]).astype(float)
    sums = resampled_sums(rows, resamples=300, strata=stratum)

    assert (sums[:, 0] == 30).all()
    assert (sums[:, 1] == 200).all()


def test_groups_are_drawn_whole() -> None:
    """Two groups of 3 and 5 rows: a resample of two groups has 6, 8 or 10 rows, with chances 1/4, 1/2, 1/4."""
    sums = resampled_sums(np.ones((8, 1)), resamples=4000, groups=[0, 0, 0, 1, 1, 1, 1, 1])[:, 0]

    assert stats.chisquare([int((sums == rows).sum()) for rows in (6, 8, 10)], [1000, 2000, 1000]).pvalue > 1e-3


def test_groups_of_equal_rows_widen_the_interval_by_the_root_of_their_size() -> None:
    values = np.random.default_rng(0).random(100)
    rows = np.repeat(values, 9)[:, None]
    alone = resampled_sums(rows, resamples=4000).std()
    grouped = resampled_sums(rows, resamples=4000, groups=np.repeat(np.arange(100), 9)).std()

    assert grouped / alone == pytest.approx(math.sqrt(9), rel=0.05)


def test_a_paired_difference_is_tighter_than_two_samples() -> None:
    rng = np.random.default_rng(0)
    a = rng.random(500)
    b = a + rng.normal(0, 0.01, 500)
    paired = resampled_sums(np.column_stack([a, b]), resamples=2000)

    assert (paired[:, 0] - paired[:, 1]).std() == pytest.approx((a - b).std() * math.sqrt(500), rel=0.06)


def test_percentile_and_basic_bounds_of_known_values() -> None:
    """The 2.5 % and 97.5 % order statistics of 1..1000 are 25 and 975; the basic bounds mirror them around 400."""
    values = np.random.default_rng(0).permutation(np.arange(1.0, 1001.0))

    assert interval(values, 400.0) == (25.0, 975.0)
    assert interval(values, 400.0, method="basic") == (800 - 975, 800 - 25)


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_bca_agrees_with_scipy(level: float) -> None:
    values = np.random.default_rng(3).exponential(size=60)
    drawn = resampled_sums(values[:, None], resamples=40_000)[:, 0] / 60
    ours = interval(drawn, values.mean(), method="bca", left_out=leave_one_out(values[:, None])[:, 0] / 59, level=level)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=40_000, confidence_level=level, rng=np.random.default_rng(1)
    ).confidence_interval

    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.04 * values.std() / math.sqrt(60))


@pytest.mark.parametrize("units", [5, 12, 100])
def test_told_the_number_of_rows_percentiles_are_as_far_out_as_students(units: int) -> None:
    """A normal figure whose resamples show ``sqrt((n - 1) / n)`` of its spread: the bounds are Student's."""
    values = np.sort(np.random.default_rng(0).normal(0, math.sqrt((units - 1) / units), 400_000))
    low, high = interval(values, 0.0, units=units)

    student = stats.t.ppf(0.975, units - 1)
    assert (low, high) == pytest.approx((-student, student), rel=0.03)


def test_bounds_hold_the_value_and_two_rows_are_no_error() -> None:
    measured = bootstrap("x", [[0.0], [1.0]], lambda sums: sums[:, 0] / 2, method="bca")

    assert measured.low <= measured.value <= measured.high


def test_an_undefined_resample_leaves_the_bounds_undefined() -> None:
    assert all(math.isnan(bound) for bound in interval(np.array([1.0, math.nan, 2.0]), 1.5))


def test_an_infinite_resample_is_an_infinite_bound_not_a_nan() -> None:
    low, high = interval(np.array([1.0, 2.0, math.inf, math.inf]), 1.5)

    assert (low, high) == (1.0, math.inf)


def test_rows_that_never_vary_prove_only_what_their_number_can() -> None:
    """60 rows of cost 0, where a row may cost 12: the bound is 12 times the share 60 rows may have missed."""
    measured = bootstrap("cost", np.zeros((60, 1)), lambda sums: sums[:, 0] / 60, support=(0.0, 12.0))

    assert measured.value == measured.low == 0
    assert measured.high == pytest.approx(12 * (1 - 0.025 ** (1 / 60)))
    unbounded = bootstrap("cost", np.zeros((60, 1)), lambda sums: sums[:, 0] / 60)
    assert not unbounded.known


REFUSED: dict[str, tuple[dict[str, object], str]] = {
    "no rows": ({"rows": np.empty((0, 2))}, "matrix"),
    "a NaN": ({"rows": np.array([[np.nan]])}, "finite"),
    "one dimension": ({"rows": np.ones(3)}, "matrix"),
    "no resamples": ({"rows": np.ones((3, 1)), "resamples": 0}, "at least 1"),
    "strata of another length": ({"rows": np.ones((3, 1)), "strata": [0, 1]}, "strata"),
    "a group in two strata": ({"rows": np.ones((2, 1)), "strata": [0, 1], "groups": [5, 5]}, "one stratum"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused(case: str) -> None:
    options, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        resampled_sums(**options)  # type: ignore[arg-type]  # one table holds every option


@pytest.mark.parametrize(("method", "left_out"), [("bca", None), ("studentised", None)])
def test_unknown_methods_are_refused(method: str, left_out: npt.NDArray[np.float64] | None) -> None:
    with pytest.raises(ValueError, match="expected"):
        interval(np.arange(10.0), 5.0, method=method, left_out=left_out)
