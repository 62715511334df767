"""The kernel distance: against its definition, unbiased and at its level without drift, awake to drift."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics.pairwise import rbf_kernel

from interlock.measure.embedding_drift import embedding_drift


def normal(n: int, *, seed: int, shift: float = 0.0, d: int = 8) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1.0, (n, d))


def test_the_estimate_is_the_definition() -> None:
    """Means of the kernel over pairs of distinct rows of one side, less twice the mean across."""
    x, y = normal(30, seed=0), normal(20, seed=1, shift=0.5)
    found = embedding_drift(x, y, bandwidth=2.0, permutations=10)
    gamma = 1 / (2 * 2.0**2)
    xx, yy, xy = rbf_kernel(x, x, gamma=gamma), rbf_kernel(y, y, gamma=gamma), rbf_kernel(x, y, gamma=gamma)
    within = (xx.sum() - 30) / (30 * 29) + (yy.sum() - 20) / (20 * 19)

    assert found.estimate == pytest.approx(within - 2 * xy.mean())


def test_the_default_bandwidth_is_the_median_distance() -> None:
    """0, 1 and 3 on a line are 1, 2 and 3 apart; with 10 added the six distances are 1, 2, 3, 7, 9, 10."""
    found = embedding_drift([[0.0], [1.0]], [[3.0], [10.0]], permutations=5)

    assert found.bandwidth == pytest.approx(5.0, abs=1e-9)


def test_without_drift_the_estimate_is_unbiased_and_the_test_keeps_its_level() -> None:
    found = [
        embedding_drift(normal(40, seed=2 * i), normal(30, seed=2 * i + 1), permutations=99, seed=i) for i in range(300)
    ]
    estimates = np.array([f.estimate for f in found])

    assert abs(estimates.mean()) < 3 * estimates.std() / math.sqrt(300)
    assert sum(f.drifted() for f in found) <= 15 + 2.5 * math.sqrt(300 * 0.05 * 0.95)
    assert sum(f.mmd2.low > 0 for f in found) <= 15


def test_a_shift_is_found() -> None:
    found = embedding_drift(normal(200, seed=0), normal(200, seed=1, shift=0.3))

    assert found.p == pytest.approx(1 / 501)
    assert found.estimate > found.limit
    assert 0 < found.mmd2.low < found.mmd2.value < found.mmd2.high
    assert found.drifted()


def test_a_change_of_spread_alone_is_found() -> None:
    """Means and label shares stay; a mean-based check would see nothing."""
    found = embedding_drift(normal(300, seed=0), 1.5 * normal(300, seed=1))

    assert found.drifted(alpha=0.01)


def test_bounds_hold_the_true_distance() -> None:
    """Two normals a shift s apart: the distance is known, 2 (b^2/(b^2+2))^(d/2) (1 - exp(-d s^2 / (2 (b^2+2))))."""
    d, s, b = 3, 0.8, 1.5
    truth = 2 * (b * b / (b * b + 2)) ** (d / 2) * (1 - math.exp(-d * s * s / (2 * (b * b + 2))))
    held = 0
    for i in range(200):
        x, y = normal(60, seed=2 * i, d=d), normal(60, seed=2 * i + 1, shift=s, d=d)
        found = embedding_drift(x, y, bandwidth=b, permutations=99).mmd2
        held += found.low <= truth <= found.high

    assert held / 200 >= 0.90


def test_rotating_and_moving_everything_changes_nothing() -> None:
    x, y = normal(50, seed=0), normal(40, seed=1, shift=0.4)
    turn = np.linalg.qr(normal(8, seed=2))[0]
    one = embedding_drift(x, y)
    other = embedding_drift(x @ turn + 1e4, y @ turn + 1e4)

    assert other.estimate == pytest.approx(one.estimate, abs=1e-9)
    assert other.p == one.p


def test_the_order_of_rows_and_the_seed_leave_the_estimate_alone() -> None:
    x, y = normal(50, seed=0), normal(40, seed=1)

    assert embedding_drift(x[::-1], y, seed=5).estimate == pytest.approx(embedding_drift(x, y).estimate)
    assert embedding_drift(x, y, seed=3) == embedding_drift(x, y, seed=3)


def test_many_rows_are_thinned_and_still_counted() -> None:
    found = embedding_drift(normal(900, seed=0), normal(700, seed=1, shift=0.5), most=100, permutations=50)

    assert found.mmd2.n == 700
    assert found.drifted()


def test_equal_rows_are_no_drift() -> None:
    found = embedding_drift(np.ones((5, 2)), np.ones((4, 2)), permutations=20)

    assert (found.estimate, found.p, found.mmd2.low) == (0.0, 1.0, 0.0)


def test_two_points_that_part_are_drift_though_most_distances_are_zero() -> None:
    found = embedding_drift(np.zeros((30, 2)), np.ones((3, 2)))

    assert found.bandwidth == pytest.approx(math.sqrt(2))
    assert found.drifted(alpha=0.01)


@pytest.mark.parametrize("rows", [0, 1])
def test_fewer_than_two_rows_measure_nothing(rows: int) -> None:
    found = embedding_drift(normal(20, seed=0), np.zeros((rows, 8)))

    assert math.isnan(found.mmd2.value)
    assert (found.mmd2.n, found.p, found.drifted()) == (rows, 1.0, False)


@pytest.mark.parametrize(
    ("window", "message"),
    [
        (np.zeros((3, 7)), "width 8"),
        (np.full((3, 8), np.nan), "finite"),
        (np.full((3, 8), np.inf), "finite"),
        (np.zeros(8), "shape"),
    ],
)
def test_bad_windows_are_refused(window: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        embedding_drift(normal(20, seed=0), window)


@pytest.mark.parametrize("options", [{"permutations": 0}, {"most": 1}, {"bandwidth": 0.0}, {"bandwidth": math.nan}])
def test_bad_options_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="positive options"):
        embedding_drift(normal(5, seed=0), normal(5, seed=1), **options)  # type: ignore[arg-type]  # one table for all
