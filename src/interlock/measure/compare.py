"""Two models on the same rows: is one better? Knows nothing of the models, only which rows each got right."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from interlock.core.measurement import Measurement, unmeasured
from interlock.measure.arrays import checked_flags, checked_values
from interlock.measure.bootstrap import bootstrap
from interlock.measure.proportion import binomial_cdf, wilson

SIGNS_AT_ONCE = 2_000_000  # random signs held in memory by the permutation test


def accuracy_difference(
    correct_a: npt.ArrayLike,
    correct_b: npt.ArrayLike,
    *,
    method: str = "newcombe",
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Measurement:
    """Return accuracy of a minus accuracy of b on the same ``(n,)`` rows.

    ``method`` is ``"newcombe"`` (method 10 of Newcombe 1998, Statistics in Medicine 17:2635, sound for small n and for
    no differing row at all) or ``"bootstrap"`` (paired, percentile).
    """
    a, b = _pair(correct_a, correct_b)
    if method == "bootstrap":
        rows = (a.astype(np.float64) - b)[:, None]
        return bootstrap(
            "accuracy_difference",
            rows,
            lambda sums: sums[:, 0] / len(rows),
            support=(-1, 1),
            resamples=resamples,
            seed=seed,
            level=level,
        )
    if method != "newcombe":
        raise ValueError(f"method: expected newcombe or bootstrap, got {method!r}")
    if a.size == 0:
        return unmeasured("accuracy_difference")
    low, high = _newcombe(a, b, level)
    value = (int(a.sum()) - int(b.sum())) / a.size
    return Measurement("accuracy_difference", value, a.size, low, high, level, "newcombe_paired")


def mcnemar(correct_a: npt.ArrayLike, correct_b: npt.ArrayLike, *, method: str = "exact") -> float:
    """Return the two-sided p-value that a and b are equally accurate, from the rows only one of them gets right.

    ``method`` is ``"exact"`` (binomial, never above its level) or ``"mid_p"`` (half the observed outcome's
    probability; Fagerland et al. 2013, BMC Medical Research Methodology 13:91). No differing row gives 1.
    """
    if method not in {"exact", "mid_p"}:
        raise ValueError(f"method: expected exact or mid_p, got {method!r}")
    a, b = _pair(correct_a, correct_b)
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    n, fewer = only_a + only_b, min(only_a, only_b)
    if n == 0:
        return 1.0
    below = binomial_cdf(n, 0.5)
    p = min(1.0, 2 * float(below[fewer]))
    if method == "exact":
        return p
    point = float(below[fewer] - (below[fewer - 1] if fewer else 0.0))
    return 1 - point if only_a == only_b else min(1.0, 2 * float(below[fewer]) - point)


def permutation(values_a: npt.ArrayLike, values_b: npt.ArrayLike, *, resamples: int = 10_000, seed: int = 0) -> float:
    """Return the two-sided p-value that a and b exchange freely within each of ``(n,)`` rows, tested on the mean.

    Each row's difference keeps or changes its sign at random (Fisher 1935; Phipson and Smyth 2010 for the one added to
    both counts, which keeps the test at its level). Works for any figure per row: loss, cost, correctness.
    """
    a = checked_values(values_a, name="values_a")
    b = checked_values(values_b, name="values_b", n=a.size)
    differences = a - b
    differences = differences[differences != 0]
    observed = abs(float(differences.sum()))
    if differences.size == 0:
        return 1.0
    generator, reached = np.random.default_rng(seed), 0
    step = max(1, SIGNS_AT_ONCE // differences.size)
    for start in range(0, resamples, step):
        shape = (min(step, resamples - start), differences.size)
        kept = generator.integers(0, 2, size=shape, dtype=np.uint8)
        sums = np.where(kept, differences, -differences).sum(axis=1)
        reached += int((np.abs(sums) >= observed * (1 - 1e-12)).sum())
    return (1 + reached) / (1 + resamples)


def _newcombe(a: npt.NDArray[np.bool_], b: npt.NDArray[np.bool_], level: float) -> tuple[float, float]:
    n = a.size
    both, only_a, only_b, neither = (int(c.sum()) for c in (a & b, a & ~b, b & ~a, ~a & ~b))
    share_a, share_b = (both + only_a) / n, (both + only_b) / n
    (low_a, high_a), (low_b, high_b) = wilson(both + only_a, n, level=level), wilson(both + only_b, n, level=level)
    phi = _phi(both, only_a, only_b, neither)
    difference = share_a - share_b
    down, up = (share_a - low_a, high_b - share_b), (high_a - share_a, share_b - low_b)
    half_down, half_up = (math.sqrt(max(x * x - 2 * phi * x * y + y * y, 0.0)) for x, y in (down, up))
    return max(-1.0, difference - half_down), min(1.0, difference + half_up)


def _phi(both: int, only_a: int, only_b: int, neither: int) -> float:
    """Return the correlation of the two models' hits, with Newcombe's continuity correction where it is positive."""
    n = both + only_a + only_b + neither
    product = (both + only_a) * (only_b + neither) * (both + only_b) * (only_a + neither)
    if product == 0:
        return 0.0
    excess = float(both * neither - only_a * only_b)
    if excess > 0:
        excess = max(excess - n / 2, 0.0)
    return excess / math.sqrt(product)


def _pair(correct_a: npt.ArrayLike, correct_b: npt.ArrayLike) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    a = checked_flags(correct_a, name="correct_a")
    return a, checked_flags(correct_b, name="correct_b", shape=a.shape)
