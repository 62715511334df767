"""Intervals read off resampled values: percentile, basic, BCa. Knows nothing of how they were resampled."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from interlock.measure.arrays import checked_level

RAREST = 1e-9  # the furthest tail that is read: no resampling shows more


def interval(
    values: npt.NDArray[np.float64],
    estimate: float,
    *,
    level: float = 0.95,
    method: str = "percentile",
    left_out: npt.NDArray[np.float64] | None = None,
    units: int | None = None,
) -> tuple[float, float]:
    """Return the interval that the ``(b,)`` resampled ``values`` give around ``estimate``.

    ``method`` is ``"percentile"``, ``"basic"`` (both Davison and Hinkley 1997, section 5.2) or ``"bca"`` (Efron 1987,
    JASA 82:171), which also needs ``left_out``: the figure recomputed without each row or group in turn. Told how many
    ``units`` (rows or groups) were resampled, it reads further tails: resampling n units shows a spread that is short
    by ``(n - 1)/n``, and knows no Student (Hesterberg 2015, American Statistician 69:371). A NaN among the
    values gives NaN bounds.
    """
    checked_level(level)
    ordered = np.sort(values)
    if np.isnan(ordered[-1]) or np.isnan(estimate):
        return np.nan, np.nan
    tail = (1 - level) / 2 if units is None else _expanded((1 - level) / 2, units)
    tails = tail, 1 - tail
    if method == "bca":
        if left_out is None:
            raise ValueError("left_out: expected the leave-one-out values for method bca, got None")
        tails = _bca_tails(ordered, estimate, left_out, tails)
    elif method not in {"percentile", "basic"}:
        raise ValueError(f"method: expected percentile, basic or bca, got {method!r}")
    low, high = (_quantile(ordered, tail) for tail in tails)
    return (2 * estimate - high, 2 * estimate - low) if method == "basic" else (low, high)


def _quantile(ordered: npt.NDArray[np.float64], share: float) -> float:
    """Return an order statistic: nothing is interpolated, so infinite values stay what they are."""
    rank = int(np.ceil(round(share * ordered.size, 6)))  # rounded: (1 - 0.95) / 2 is a hair above 0.025
    return float(ordered[min(max(rank, 1), ordered.size) - 1])


def _expanded(tail: float, units: int) -> float:
    """Return the normal tail beyond Student's quantile times ``sqrt(n / (n - 1))``.

    Student's quantile by its expansion around the normal one (Abramowitz and Stegun 1964, 26.7.5).
    """
    degrees = max(units - 1, 1)
    z = -NormalDist().inv_cdf(tail)
    student = z + (z**3 + z) / (4 * degrees) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * degrees**2)
    return max(NormalDist().cdf(-student * math.sqrt((degrees + 1) / degrees)), RAREST)


def _bca_tails(
    ordered: npt.NDArray[np.float64],
    estimate: float,
    left_out: npt.NDArray[np.float64],
    tails: tuple[float, float],
) -> tuple[float, float]:
    normal = NormalDist()
    below = (np.searchsorted(ordered, estimate, "left") + np.searchsorted(ordered, estimate, "right")) / 2
    bias = normal.inv_cdf(min(max(below, 0.5), ordered.size - 0.5) / ordered.size)
    acceleration = 0.0
    if np.isfinite(left_out).all() and np.ptp(left_out) > 0:
        spread = left_out.mean() - left_out
        acceleration = float((spread**3).sum() / (6 * (spread**2).sum() ** 1.5))
    shifted = [bias + normal.inv_cdf(tail) for tail in tails]
    low, high = (normal.cdf(bias + z / (1 - acceleration * z)) for z in shifted)
    return low, high
