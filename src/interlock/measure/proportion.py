"""Intervals for a share of rows: Wilson, Clopper-Pearson. Knows nothing of which share it is."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from interlock.core.measurement import Measurement, unmeasured
from interlock.measure.arrays import checked_level

FEW = (
    5  # with fewer successes or failures than this, Wilson's coverage falls below its level: Brown et al. 2001, fig. 5
)


def wilson(successes: float, n: float, *, level: float = 0.95) -> tuple[float, float]:
    """Return the score interval of a binomial share (Wilson 1927, JASA 22:209).

    Counts may be fractions: the effective counts of weighted rows.
    """
    _check(successes, n)
    z = NormalDist().inv_cdf(0.5 + checked_level(level) / 2)
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return low, high


def clopper_pearson(successes: int, n: int, *, level: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of a binomial share; it covers at least its level (Clopper and Pearson 1934)."""
    _check(successes, n)
    tail = (1 - checked_level(level)) / 2
    high = 1.0 if successes == n else _share_where_at_most(successes, n, tail)
    low = 0.0 if successes == 0 else 1 - _share_where_at_most(n - successes, n, tail)
    return low, high


def proportion(name: str, successes: int, n: int, *, level: float = 0.95, method: str = "auto") -> Measurement:
    """Return ``successes / n`` with its interval.

    ``method`` is ``"wilson"``, ``"clopper_pearson"`` or ``"auto"``: Wilson, except with fewer than five successes or
    failures, where Wilson covers less than it says and Clopper-Pearson is used. With n = 0 nothing was measured.
    """
    if method not in {"auto", "wilson", "clopper_pearson"}:
        raise ValueError(f"method: expected auto, wilson or clopper_pearson, got {method!r}")
    if n == 0:
        return unmeasured(name)
    _check(successes, n)
    if method == "auto":
        method = "clopper_pearson" if min(successes, n - successes) < FEW else "wilson"
    low, high = (wilson if method == "wilson" else clopper_pearson)(successes, n, level=level)
    return Measurement(name, successes / n, n, low, high, level, method)


def unseen_share(n: int, *, level: float = 0.95) -> float:
    """Return the largest share of rows of a kind that ``n`` rows may all have missed: ``1 - ((1 - level)/2)^(1/n)``.

    The Clopper-Pearson upper bound of 0 out of n ("rule of three"; Hanley and Lippman-Hand 1983, JAMA 249).
    """
    return clopper_pearson(0, n, level=level)[1]


def binomial_cdf(n: int, p: float) -> npt.NDArray[np.float64]:
    """Return ``P(X <= j)`` for j = 0..n where X is binomial with ``n`` trials and share ``p`` strictly inside 0-1."""
    return np.asarray(np.minimum(np.cumsum(np.exp(_log_terms(n, n, p))), 1.0))


def _share_where_at_most(successes: int, n: int, tail: float) -> float:
    """Solve ``P(X <= successes) = tail`` for the share by bisection; the probability falls as the share grows."""
    low, high = successes / n, 1.0
    for _ in range(60):  # each step halves the bracket: 2^-60 is below a double's resolution
        middle = (low + high) / 2
        if middle in {low, high}:
            break
        if _at_most(successes, n, middle) >= tail:
            low = middle
        else:
            high = middle
    return high


def _at_most(successes: int, n: int, p: float) -> float:
    """Return ``P(X <= successes)``, summed over whichever side has fewer terms."""
    if n - successes - 1 < successes:
        return 1 - _sum_of_terms(n - successes - 1, n, 1 - p)
    return _sum_of_terms(successes, n, p)


def _sum_of_terms(last: int, n: int, p: float) -> float:
    if last < 0 or not 0 < p < 1:
        return 0.0 if last < 0 or p >= 1 else 1.0
    return min(float(np.exp(_log_terms(last, n, p)).sum()), 1.0)


def _log_terms(last: int, n: int, p: float) -> npt.NDArray[np.float64]:
    """Return the logarithms of the binomial probabilities of 0..last."""
    j = np.arange(1, last + 1)
    steps = np.log((n - j + 1) / j) + math.log(p) - math.log1p(-p)
    return np.asarray(n * math.log1p(-p) + np.concatenate(([0.0], np.cumsum(steps))))


def _check(successes: float, n: float) -> None:
    if not n > 0 or not 0 <= successes <= n:
        raise ValueError(f"successes: expected 0..n with n above 0, got {successes} of {n}")
