"""Two scores on the same rows: which finds the flagged ones better. Knows nothing of what the scores mean."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from interlock.core.measurement import Measurement, unmeasured
from interlock.measure.arrays import ArrayLike, checked_flags, checked_level, checked_values

NAME = "auroc_difference"


def auroc_difference(
    ours: ArrayLike, theirs: ArrayLike, flagged: ArrayLike, *, level: float = 0.95
) -> tuple[Measurement, float]:
    """Return how much larger the area under our score's ROC curve is, paired, and the two-sided p (DeLong et al. 1988).

    Args:
        ours: ``(n,)`` scores, high where a row should be flagged.
        theirs: ``(n,)``, of the same rows.
        flagged: ``(n,)`` flags.
        level: confidence level.

    Returns:
        The difference with the normal interval, and p; without two rows of either kind nothing is measured and p is 1.
    """
    level = checked_level(level)
    one, other = checked_values(ours, name="ours"), checked_values(theirs, name="theirs")
    flags = checked_flags(flagged, name="flagged", shape=one.shape)
    if other.shape != one.shape:
        raise ValueError(f"theirs: expected shape {one.shape}, got {other.shape}")
    n, found = len(flags), int(flags.sum())
    if min(found, n - found) < 2:  # noqa: PLR2004 - a variance needs two
        return unmeasured(NAME, n=n), 1.0
    ours_above, ours_below = _placements(one, flags)
    theirs_above, theirs_below = _placements(other, flags)
    above, below = ours_above - theirs_above, ours_below - theirs_below
    value = float(above.mean())
    spread = math.sqrt(float(above.var(ddof=1)) / found + float(below.var(ddof=1)) / (n - found))
    z = NormalDist().inv_cdf(0.5 + level / 2)
    p = 2 * NormalDist().cdf(-abs(value) / spread) if spread > 0 else float(value == 0)
    low, high = max(-1.0, value - z * spread), min(1.0, value + z * spread)
    return Measurement(NAME, value, n, low, high, level, "delong"), p


def _placements(
    scores: npt.NDArray[np.float64], flags: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the share of the others each flagged score exceeds, and the share of the flagged that exceeds each other.

    Ties count half; both means are the area under the curve.
    """
    high, low = scores[flags], scores[~flags]
    return _share_below(high, low), 1 - _share_below(low, high)


def _share_below(values: npt.NDArray[np.float64], among: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    ordered = np.sort(among)
    below = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")
    return np.asarray(below / (2 * len(ordered)), dtype=np.float64)
