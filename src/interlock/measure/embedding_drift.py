"""How far a window's embeddings are from a reference's, and how far chance would take them. Knows no model.

The squared maximum mean discrepancy of a Gaussian kernel, as the unbiased U-statistic, against its permutation null
(Gretton et al. 2012, JMLR 13:723). It sees shifts that leave every label's share as it was.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from interlock.core.measurement import Measurement, unmeasured
from interlock.measure.arrays import checked_level

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class EmbeddingDrift:
    """The distance of one window, beside the most that chance would make it."""

    mmd2: Measurement  # clipped at 0; low is 0 unless drift is shown; n counts the window's rows
    estimate: float  # the same unclipped: unbiased, so negative about half the time when nothing drifted
    limit: float  # what the estimate stays below with chance ``level`` when nothing drifted
    p: float  # that reference and window are exchangeable
    bandwidth: float  # of the kernel, in the embeddings' unit

    def drifted(self, *, alpha: float = 0.05) -> bool:
        """Whether chance is ruled out at ``alpha``."""
        return self.p <= alpha


def embedding_drift(
    reference: npt.ArrayLike,
    window: npt.ArrayLike,
    *,
    bandwidth: float | None = None,
    permutations: int = 500,
    most: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> EmbeddingDrift:
    """Compare ``(n, d)`` reference and ``(m, d)`` window embeddings.

    Args:
        reference: finite, one embedding a row.
        window: finite, of the same width.
        bandwidth: of the Gaussian kernel; the median distance of all rows when None (Gretton et al. 2012, section 8).
        permutations: relabellings behind ``p`` and ``limit``; ``p`` is at least one over their number plus one.
        most: rows used of each side, drawn at random where there are more; memory grows with its square.
        seed: the same seed gives the same result.
        level: confidence level.

    Returns:
        The drift; ``mmd2``'s bounds are normal, and at least as wide as the null. Fewer than two rows on a side leave
        it unmeasured with p at 1; rows that are all equal have distance 0 and p at 1.

    Raises:
        ValueError: widths differ, or a number is not finite or out of range.
    """
    before, now = checked_pair(reference, window)
    if permutations < 1 or most < 2 or not (bandwidth is None or 0 < bandwidth < math.inf):  # noqa: PLR2004 - a pair
        raise ValueError(f"expected positive options, got {permutations=}, {most=}, {bandwidth=}")
    checked_level(level)
    rows, rng = len(now), np.random.default_rng(seed)
    before, now = thinned(before, most, rng), thinned(now, most, rng)
    if min(len(before), len(now)) < 2:  # noqa: PLR2004 - a distance within a side takes two rows
        return EmbeddingDrift(unmeasured("mmd2", n=rows), math.nan, math.nan, 1.0, math.nan)
    kernel, width = _kernel(np.vstack([before, now]), bandwidth)
    side = (np.arange(len(kernel)) < len(before)).astype(np.float64)[:, None]
    estimate = float(_mmd2(kernel, side, len(before))[0])
    null = _mmd2(kernel, rng.permuted(np.repeat(side, permutations, axis=1), axis=0), len(before))
    p = (1 + int((null >= estimate - 1e-12).sum())) / (1 + permutations)
    limit = float(np.quantile(null, level))
    found = _bounded(estimate, _error(kernel, len(before)), limit, p=p, n=rows, level=level)
    return EmbeddingDrift(found, estimate, limit, p, width)


def _mmd2(kernel: Floats, sides: Floats, n: int) -> Floats:
    """Return the unbiased statistic for each ``(n + m, b)`` column of sides, 1 for the first; the diagonal is 0."""
    m = len(kernel) - n
    within = (sides * (kernel @ sides)).sum(axis=0)
    touching = kernel.sum(axis=1) @ sides
    across = touching - within
    other = kernel.sum() - touching - across
    return np.asarray(within / (n * (n - 1)) + other / (m * (m - 1)) - 2 * across / (n * m))


def _error(kernel: Floats, n: int) -> float:
    """Return the first-order standard error: each row's own part in the statistic (Hoeffding 1948)."""
    m = len(kernel) - n
    parts = (
        kernel[:n, :n].sum(axis=1) / (n - 1) - kernel[:n, n:].mean(axis=1),
        kernel[n:, n:].sum(axis=1) / (m - 1) - kernel[n:, :n].mean(axis=1),
    )
    return math.sqrt(sum(4 * float(part.var(ddof=1)) / part.size for part in parts))


def _bounded(estimate: float, error: float, limit: float, *, p: float, n: int, level: float) -> Measurement:
    half = max(NormalDist().inv_cdf(0.5 + level / 2) * error, limit)
    value = max(estimate, 0.0)
    low = 0.0 if p >= (1 - level) / 2 else max(estimate - half, 0.0)
    return Measurement("mmd2", value, n, min(low, value), max(estimate + half, value), level, "normal")


def _kernel(rows: Floats, bandwidth: float | None) -> tuple[Floats, float]:
    """Return the Gaussian kernel of all rows with its diagonal at 0, and the bandwidth it was made with."""
    squared = _squared_distances(rows)
    width = bandwidth or _median_distance(squared)
    kernel = np.exp(-squared / (2 * width * width)) if width > 0 else np.ones_like(squared)
    np.fill_diagonal(kernel, 0.0)
    return kernel, width


def _squared_distances(rows: Floats) -> Floats:
    centred = rows - rows.mean(axis=0)  # distances do not change, rounding does: far from 0 differences would cancel
    squares = (centred**2).sum(axis=1)
    distances = np.maximum(squares[:, None] + squares - 2 * centred @ centred.T, 0.0)
    np.fill_diagonal(distances, 0.0)
    return np.asarray(distances)


def _median_distance(squared: Floats) -> float:
    """Return the median distance of two rows; of two unequal rows where most are equal; 0 where all are."""
    distances = np.sqrt(squared[np.triu_indices(len(squared), k=1)])
    middle, unequal = float(np.median(distances)), distances[distances > 0]
    return middle if middle > 0 or not unequal.size else float(np.median(unequal))


def thinned(rows: Floats, most: int, rng: np.random.Generator) -> Floats:
    """Return at most ``most`` rows, drawn at random where there are more."""
    return rows if len(rows) <= most else rows[rng.choice(len(rows), most, replace=False)]


def checked_pair(reference: npt.ArrayLike, window: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return two matrices of embeddings in float64; raises ``ValueError`` unless finite and of one width."""
    before, now = np.asarray(reference, dtype=np.float64), np.asarray(window, dtype=np.float64)
    for name, rows in (("reference", before), ("window", now)):
        if rows.ndim != 2 or rows.shape[1] == 0:  # noqa: PLR2004 - a matrix
            raise ValueError(f"{name}: expected shape (n, d), got {rows.shape}")
        if not np.isfinite(rows).all():
            raise ValueError(f"{name}: expected finite numbers, got NaN or infinity")
    if before.shape[1] != now.shape[1]:
        raise ValueError(f"window: expected width {before.shape[1]}, got {now.shape[1]}")
    return before, now
