"""Chi-squared and Student distributions for whole degrees of freedom, by their finite sums. Knows no tests.

The serving process computes alarms and must not load scipy; whole degrees of freedom need none.
"""

from __future__ import annotations

import math
from collections.abc import Callable

STEPS = 200  # bisections: enough to narrow any bracket to neighbouring doubles


def chi_squared_tail(x: float, degrees: int) -> float:
    """Return ``P(X >= x)`` for chi-squared X (Abramowitz and Stegun 1964, 26.4.4 and 26.4.5)."""
    if degrees < 1:
        raise ValueError(f"degrees: expected at least 1, got {degrees}")
    if x <= 0:
        return 1.0
    half, odd = x / 2, degrees % 2
    total = math.erfc(math.sqrt(half)) if odd else 0.0
    for j in range(degrees // 2):
        power = j + odd / 2
        total += math.exp(power * math.log(half) - half - math.lgamma(power + 1))
    return min(total, 1.0)


def chi_squared_quantile(share: float, degrees: int) -> float:
    """Return the x with ``P(X < x) = share`` for chi-squared X."""
    _check_share(share)
    high = 4.0 * degrees
    while chi_squared_tail(high, degrees) > 1 - share:
        high *= 2
    return _bisect(lambda x: chi_squared_tail(x, degrees) <= 1 - share, 0.0, high)


def student_cdf(t: float, degrees: int) -> float:
    """Return ``P(T < t)`` for Student's T (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4)."""
    if degrees < 1:
        raise ValueError(f"degrees: expected at least 1, got {degrees}")
    angle = math.atan(t / math.sqrt(degrees))
    cosine, sine = math.cos(angle), math.sin(angle)
    term, total = (1.0, 1.0) if degrees % 2 == 0 else (cosine, cosine)
    for j in range(2 if degrees % 2 == 0 else 3, degrees - 1, 2):
        term *= cosine * cosine * (j - 1) / j
        total += term
    if degrees % 2 == 0:
        return 0.5 + sine * total / 2
    return 0.5 + (angle + (sine * total if degrees > 1 else 0.0)) / math.pi


def student_quantile(share: float, degrees: int) -> float:
    """Return the t with ``P(T < t) = share`` for Student's T."""
    _check_share(share)
    edge = 1.0
    while student_cdf(edge, degrees) < max(share, 1 - share):
        edge *= 2
    return _bisect(lambda t: student_cdf(t, degrees) >= share, -edge, edge)


def _bisect(reached: Callable[[float], bool], low: float, high: float) -> float:
    for _ in range(STEPS):
        middle = (low + high) / 2
        if middle in {low, high}:
            break
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high


def _check_share(share: float) -> None:
    if not 0 < share < 1:
        raise ValueError(f"share: expected a value strictly inside 0-1, got {share}")
