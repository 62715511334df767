"""How well a score tells messages of unknown kinds from known ones. Knows nothing of what makes the score."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from interlock.core.measurement import Measurement, unmeasured
from interlock.measure.arrays import checked_level, checked_values
from interlock.measure.proportion import proportion

KEPT = 0.95  # share of known messages kept where unknown_fpr95 is read
DRAWS = 20_000  # Monte Carlo draws behind the bounds of unknown_fpr95


def unknown(
    scores_known: npt.ArrayLike, scores_unknown: npt.ArrayLike, *, threshold: float, level: float = 0.95, seed: int = 0
) -> dict[str, Measurement]:
    """Measure a detector of unknown messages; a higher score means more unknown.

    Args:
        scores_known: ``(n,)`` scores of messages whose label is in the contract.
        scores_unknown: ``(m,)`` scores of messages whose label is not.
        threshold: scores at or above it are called unknown.
        level: confidence level.
        seed: the same seed gives the same bounds of ``unknown_fpr95``.

    Returns:
        ``unknown_auroc``; ``unknown_fpr95``, the share of unknown messages accepted by the smallest threshold that
        keeps 95 % of the known (Hendrycks and Gimpel 2017); ``unknown_recall``, the share of the unknown at or above
        ``threshold``; ``unknown_precision``, the share of unknown among all at or above it, in this mixture.
    """
    known = checked_values(scores_known, name="scores_known")
    strange = checked_values(scores_unknown, name="scores_unknown")
    if not math.isfinite(threshold):
        raise ValueError(f"threshold: expected a finite number, got {threshold}")
    caught, false = int((strange >= threshold).sum()), int((known >= threshold).sum())
    return {
        "unknown_auroc": auroc(known, strange, level=level),
        "unknown_fpr95": _fpr(np.sort(known), np.sort(strange), level=level, seed=seed),
        "unknown_recall": proportion("unknown_recall", caught, strange.size, level=level),
        "unknown_precision": proportion("unknown_precision", caught, caught + false, level=level),
    }


def auroc(
    low_scores: npt.ArrayLike, high_scores: npt.ArrayLike, *, name: str = "unknown_auroc", level: float = 0.95
) -> Measurement:
    """Return the chance that a ``high_scores`` value exceeds a ``low_scores`` one, ties counting half.

    Shapes are ``(m,)`` and ``(n,)``. Bounds solve the score equation with Hanley and McNeil's variance
    (method 5 of Newcombe 2006, Statistics in Medicine 25:559), which stays sound at 0 and 1. ``n`` counts both groups.
    """
    low = np.sort(checked_values(low_scores, name="low_scores"))
    high = checked_values(high_scores, name="high_scores")
    if not low.size or not high.size:
        return unmeasured(name, n=low.size + high.size)
    beaten = np.searchsorted(low, high, "left").sum() + np.searchsorted(low, high, "right").sum()
    value = float(beaten) / 2 / (low.size * high.size)
    bottom, top = (_score_bound(value, low.size, high.size, level, towards=end) for end in (0.0, 1.0))
    return Measurement(name, value, low.size + high.size, bottom, top, level, "newcombe_auroc")


def _score_bound(value: float, m: int, n: int, level: float, *, towards: float) -> float:
    """Bisect for the area between ``value`` and ``towards`` that lies z of its own standard errors off."""
    z = NormalDist().inv_cdf(0.5 + checked_level(level) / 2)
    pairs = (m + n) / 2 - 1
    inside, outside = value, towards
    for _ in range(60):
        area = (inside + outside) / 2
        spread = 1 + pairs * ((1 - area) / (2 - area) + area / (1 + area))
        if abs(area - value) < z * math.sqrt(area * (1 - area) * spread / (m * n)):
            inside = area
        else:
            outside = area
    return outside


def _fpr(known: npt.NDArray[np.float64], strange: npt.NDArray[np.float64], *, level: float, seed: int) -> Measurement:
    """Return the accepted share of ``strange``, bounded for chance in the threshold and in the share.

    How many known scores lie below the true 95 % point is binomial(n, 0.95), which places the threshold among them;
    given it, the accepted share has its Jeffreys beta law. Bounds are the quantiles of that mixture. Where the
    threshold falls beyond the last known score, it is unbounded and everything may be accepted.
    """
    name, n, m = "unknown_fpr95", known.size, strange.size
    if not n or not m:
        return unmeasured(name, n=n + m)
    kept = math.ceil(round(KEPT * n, 6))  # rounded: 0.95 * 20 is a hair above 19
    accepted = np.searchsorted(strange, known, side="right")  # unknown scores at or below each known one
    generator = np.random.default_rng(seed)
    below = generator.binomial(n, KEPT, size=DRAWS)
    counts = np.append(accepted, m)[below]
    shares = np.sort(generator.beta(counts + 0.5, m - counts + 0.5))
    tail = (1 - checked_level(level)) / 2
    value = int(accepted[kept - 1]) / m
    low, high = shares[int(tail * DRAWS)], shares[-1 - int(tail * DRAWS)]
    low, high = min(float(low), value), max(float(high), value)
    return Measurement(name, value, n + m, low, high, level, "threshold_mixture")
