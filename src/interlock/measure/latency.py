"""Quantiles of durations with bounds that assume no distribution. Knows nothing of what took the time."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from interlock.core.measurement import Measurement, unmeasured
from interlock.measure.arrays import checked_level, checked_values
from interlock.measure.proportion import binomial_cdf


def quantile(values_ms: npt.ArrayLike, q: float, *, name: str, level: float = 0.95) -> Measurement:
    """Return the ``q`` quantile of ``(n,)`` durations in milliseconds, bounded by two of the durations themselves.

    How many of n independent durations lie below the true quantile is binomial(n, q), which says between which ranks it
    lies (David and Nagaraja 2003, Order Statistics, section 7.1). Where n is too small for a rank to exist, that bound
    is NaN: fewer than 72 durations cannot bound a 95 % quantile from above at level 0.95.

    Raises:
        ValueError: a duration is negative or not finite, or ``q`` or ``level`` is not strictly inside 0-1.
    """
    values = np.sort(checked_values(values_ms, name=name, low=0.0))
    if not 0 < q < 1:
        raise ValueError(f"q: expected a share strictly between 0 and 1, got {q}")
    tail, n = (1 - checked_level(level)) / 2, values.size
    if n == 0:
        return unmeasured(name)
    below = binomial_cdf(n, q)  # below[j]: the chance that at most j durations lie below the quantile
    low_rank = int(np.searchsorted(below, tail, side="right"))  # the r-th duration is a low bound if below[r-1] <= tail
    high_rank = int(np.searchsorted(below, 1 - tail, side="left")) + 1  # and a high bound if below[r-1] >= 1 - tail
    value = float(np.quantile(values, q))  # interpolated: beyond a bound at the edges, so the bounds make room for it
    low = min(float(values[low_rank - 1]), value) if low_rank >= 1 else math.nan
    high = max(float(values[high_rank - 1]), value) if high_rank <= n else math.nan
    return Measurement(name, value, n, low, high, level, "order_statistic")
